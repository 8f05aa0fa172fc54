//! Where things lie: the workspace, what is built, and what is fetched once and kept.
//!
//! Three places with three lifetimes. The checkout holds sources only. `target/anyring/` holds images and goes with
//! `cargo clean`. The cache folder (`$XDG_CACHE_HOME/anyring`, else `~/.cache/anyring`) holds what took a download or
//! minutes of compiling, serves every checkout, and survives both.

use anyhow::{Context, Result};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The folders every verb works with; all absolute.
#[derive(Debug, Clone)]
pub struct Paths {
    /// The root of the workspace.
    pub root: PathBuf,
    /// Cargo's target folder: `$CARGO_TARGET_DIR`, else `target` in the workspace.
    pub target: PathBuf,
    /// What is fetched or slow to build, shared by all checkouts of this user.
    pub cache: PathBuf,
}

impl Paths {
    /// Finds the folders from the environment; creates none of them.
    pub fn find() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").map_or(env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = manifest
            .parent()
            .context("xtask's own folder has no parent")?
            .to_owned();
        let target = env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), |folder| root.join(folder));
        Ok(Self {
            root,
            target,
            cache: cache_folder()?.join("anyring"),
        })
    }

    /// The folder of finished images, created if need be.
    pub fn images(&self) -> Result<PathBuf> {
        let folder = self.target.join("anyring");
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(folder)
    }

    /// `path` as a person at the root of the workspace would type it.
    pub fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

/// The user's cache folder by the XDG base directory rules: an absolute `XDG_CACHE_HOME`, else `~/.cache`.
fn cache_folder() -> Result<PathBuf> {
    let named = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|folder| folder.is_absolute());
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    named
        .or_else(home)
        .context("neither XDG_CACHE_HOME nor HOME is set: no place to keep what is fetched")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_inside_the_workspace_are_shown_short() {
        let paths = Paths {
            root: "/w".into(),
            target: "/w/target".into(),
            cache: "/c".into(),
        };
        assert_eq!(
            paths.shown(Path::new("/w/target/anyring/native-debug.elf")),
            "target/anyring/native-debug.elf"
        );
        assert_eq!(paths.shown(Path::new("/elsewhere/x")), "/elsewhere/x");
    }
}
