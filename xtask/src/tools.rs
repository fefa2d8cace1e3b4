//! Tools from the registry that chores call, each of one version, built once into the build directory.
use crate::job::Job;
use crate::{Res, files};
use std::path::{Path, PathBuf};

fn home() -> Res<PathBuf> {
    Ok(files::target()?.join("tools"))
}

/// Where the tool called `name` stands once it is built.
pub fn binary(name: &str) -> Res<PathBuf> {
    Ok(home()?.join("bin").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

/// Builds `version` of the tool called `name`.
pub fn install(root: &Path, name: &str, version: &str) -> Res<()> {
    let home = home()?;
    let words = ["install", name, "--locked", "--version", version, "--root"];
    let build = home.join("build");
    // Its own release profile is made for handing out; run once a day, it need not be small or fast.
    Job::new("cargo")
        .args(words)
        .args([home.to_string_lossy(), "--target-dir".into(), build.to_string_lossy()])
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .dir(root)
        .limit(2400)
        .echo()
        .expect(&[0])?;
    std::fs::remove_dir_all(&build).map_err(|e| format!("{}: cannot be removed: {e}", build.display()))
}
