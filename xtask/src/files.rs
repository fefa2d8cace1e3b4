//! Finds the repository, its files and its build directory.
use crate::Res;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Cargo's words for the one debug build: all tests, and the binary they run.
pub const BUILD: [&str; 4] = ["test", "--no-run", "--workspace", "--quiet"];

/// The repository's top directory.
pub fn root() -> Res<PathBuf> {
    let start = match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => std::env::current_dir().map_err(|e| format!("the current directory cannot be read: {e}"))?,
    };
    let found = start.ancestors().find(|dir| dir.join("Cargo.lock").is_file()).map(Path::to_path_buf);
    found.ok_or_else(|| format!("no Cargo.lock above {}; run this inside the repository", start.display()))
}

/// The directory cargo builds into.
pub fn target() -> Res<PathBuf> {
    let root = root()?;
    Ok(std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir)))
}

/// The built binary, of the named profile directory (`release` or `debug`).
pub fn binary(profile: &str) -> Res<PathBuf> {
    Ok(target()?.join(profile).join(format!("syncline{}", std::env::consts::EXE_SUFFIX)))
}

/// Every file git knows or would add, relative to the top directory, in order.
pub fn listed(root: &Path) -> Res<Vec<String>> {
    let out = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .map_err(|e| format!("git does not start: {e}"))?;
    if !out.status.success() {
        return Err(format!("git ls-files: {}", String::from_utf8_lossy(&out.stderr).trim()));
    }
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let mut names: Vec<String> = text.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names.retain(|name| root.join(name).is_file());
    Ok(names)
}

/// The text of a file; bytes that are no UTF-8 become replacement signs.
pub fn text(path: &Path) -> Res<String> {
    let bytes = fs::read(path).map_err(|e| format!("{}: cannot be read: {e}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Nothing: writes the text, with the directories above it.
pub fn write(path: &Path, text: &str) -> Res<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(|e| format!("{}: cannot be made: {e}", dir.display()))?;
    }
    fs::write(path, text).map_err(|e| format!("{}: cannot be written: {e}", path.display()))
}
