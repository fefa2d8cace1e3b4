//! Licences and sources of what we build on, held against deny.toml by a cargo-deny of one version.
use crate::job::{Ended, Job};
use crate::{Res, tools};
use std::path::{Path, PathBuf};

/// The one version: another may read deny.toml otherwise.
pub const VERSION: &str = "0.20.2";

const CHECKS: [&str; 3] = ["licenses", "bans", "sources"];

/// The tool of our version, from the build directory or the path; none where neither has it.
pub fn tool() -> Res<Option<PathBuf>> {
    let own = tools::binary("cargo-deny")?;
    let told = format!("cargo-deny {VERSION}");
    let ours = |exe: &PathBuf| {
        Job::new(exe).args(["--version"]).limit(30).run().is_ok_and(|ended| ended.ok() && ended.stdout.trim() == told)
    };
    Ok([own, PathBuf::from("cargo-deny")].into_iter().find(ours))
}

/// One line on what stands ready: the tool, built once into the build directory, and every package of the lock file.
pub fn set_up(root: &Path) -> Res<String> {
    let here = tool()?.is_some();
    if !here {
        eprintln!("cargo-deny {VERSION} is not here yet; it is built once, which takes minutes");
        tools::install(root, "cargo-deny", VERSION)?;
    }
    // The check runs without the network and reads packages for other machines too, which no build here has fetched.
    Job::new("cargo").args(["fetch", "--locked"]).dir(root).limit(900).echo().expect(&[0])?;
    Ok(format!("cargo-deny {VERSION} {}", if here { "was there" } else { "is built" }))
}

/// How the check ended against these rules, without the network.
pub fn check(tool: &Path, root: &Path, rules: &Path) -> Res<Ended> {
    let manifest = root.join("Cargo.toml");
    Job::new(tool)
        .args(["--offline", "--color", "never", "--log-level", "error", "--manifest-path"])
        .args([manifest.to_string_lossy(), "--config".into(), rules.to_string_lossy(), "check".into()])
        .args(CHECKS)
        .dir(root)
        .limit(300)
        .run()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files;

    #[test]
    fn a_licence_that_is_not_allowed_fails_the_check() {
        let Some(tool) = tool().unwrap() else {
            println!("cargo-deny {VERSION} is not here; `cargo x test` builds it");
            return;
        };
        let root = files::root().unwrap();
        let told = files::text(&root.join("deny.toml")).unwrap();
        let narrow = files::target().unwrap().join(format!("deny-{}.toml", std::process::id()));
        for (licence, package) in [("Zlib", "foldhash"), ("CDLA-Permissive-2.0", "webpki-root-certs")] {
            assert!(told.contains(&format!("  \"{licence}\",")), "deny.toml no longer allows {licence}");
            files::write(&narrow, &told.replace(&format!("  \"{licence}\","), "")).unwrap();
            let ended = check(&tool, &root, &narrow).unwrap();
            assert!(!ended.ok(), "{licence} is forbidden and passes");
            assert!(ended.stderr.contains(licence) && ended.stderr.contains(package), "{}", ended.stderr);
        }
        std::fs::remove_file(&narrow).unwrap();
    }
}
