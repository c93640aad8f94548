//! Where the programs under test are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The application.
pub const DESKTOP: &str = "wangcheng-desktop";

/// The embedded region as a program of its own.
pub const SANDBOX: &str = "wangcheng-sandbox";

/// The same from a terminal.
pub const CLI: &str = "wangcheng";

/// The directory into which cargo put the programs of the running test's profile, such as `target/debug`.
///
/// # Errors
/// When the running program does not lie in a build directory.
pub fn build_dir() -> Result<PathBuf> {
    let program = std::env::current_exe().context("the running program has no path")?;
    let dir = program
        .parent()
        .context("the running program lies in no directory")?;
    // tests are built into `deps`, programs beside it
    let dir = if dir.ends_with("deps") {
        dir.parent().unwrap_or(dir)
    } else {
        dir
    };
    Ok(dir.to_path_buf())
}

/// The `target` directory, where failures and pictures are left.
///
/// # Errors
/// When the running program does not lie in a build directory.
pub fn target_dir() -> Result<PathBuf> {
    let dir = build_dir()?;
    Ok(dir.parent().map(Path::to_path_buf).unwrap_or(dir))
}

/// The built program of that name.
///
/// # Errors
/// When it has not been built; the text says how to build it.
pub fn find(name: &str) -> Result<PathBuf> {
    let path = build_dir()?.join(name);
    if !path.is_file() {
        bail!(
            "{} is not built; build it with `cargo build --workspace --exclude xtask --bins`",
            path.display()
        );
    }
    Ok(path)
}
