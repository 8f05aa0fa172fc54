//! Entries of the cache: either whole or not there.
//!
//! A download is interrupted sooner or later, by Ctrl-C or by a laptop's lid. An entry is therefore filled under
//! another name and renamed when it is complete; a rename within one file system cannot be half done. Two runs at once
//! fill two folders, and whoever comes second finds the entry there and drops its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context, Result};

/// The cache's entry `name`, filled by `fill` if it is not there yet.
///
/// `fill` is given an empty folder that becomes the entry when it returns without an error.
///
/// # Errors
/// What `fill` failed with, or that the cache cannot be written.
pub fn entry(cache: &Path, name: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let complete = cache.join(name);
    if complete.is_dir() {
        return Ok(complete);
    }
    fs::create_dir_all(cache).with_context(|| format!("cannot create the cache folder {}", cache.display()))?;
    remove_abandoned(cache, name)?;
    let partial = partial_of(&complete, process::id());
    fs::create_dir_all(&partial).with_context(|| format!("cannot create {}", partial.display()))?;
    let filled = fill(&partial);
    if filled.is_err() || complete.is_dir() {
        fs::remove_dir_all(&partial).with_context(|| format!("cannot remove {}", partial.display()))?;
        return filled.map(|()| complete);
    }
    fs::rename(&partial, &complete).with_context(|| format!("cannot complete {}", complete.display()))?;
    Ok(complete)
}

/// Where the process `owner` fills the entry `complete`.
fn partial_of(complete: &Path, owner: u32) -> PathBuf {
    let name = complete.file_name().unwrap_or_default().to_string_lossy();
    complete.with_file_name(format!(".{name}.{owner}.partial"))
}

/// Removes what processes that are gone left half filled.
fn remove_abandoned(cache: &Path, name: &str) -> Result<()> {
    let prefix = format!(".{name}.");
    for file in fs::read_dir(cache)? {
        let path = file?.path();
        let owner = path.file_name().and_then(|file| owner_of(file.to_str()?, &prefix));
        if owner.is_some_and(|owner| owner == process::id() || !Path::new(&format!("/proc/{owner}")).exists()) {
            fs::remove_dir_all(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// The process that fills the partial entry of this file name.
fn owner_of(file: &str, prefix: &str) -> Option<u32> {
    file.strip_prefix(prefix)?.strip_suffix(".partial")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(name: &str) -> PathBuf {
        let cache = std::env::temp_dir().join(format!("anyring-entry-{name}-{}", process::id()));
        fs::create_dir_all(&cache).expect("the temporary folder can be written");
        cache
    }

    #[test]
    fn filled_once() {
        let cache = cache("once");
        let path = entry(&cache, "xen", |folder| Ok(fs::write(folder.join("image"), b"x")?)).expect("it can be filled");
        assert!(path.join("image").is_file());
        entry(&cache, "xen", |_| anyhow::bail!("must not be filled again")).expect("it is there");
        fs::remove_dir_all(cache).expect("the folder is ours");
    }

    #[test]
    fn failure_and_interruption_leave_nothing() {
        let cache = cache("failure");
        let abandoned = partial_of(&cache.join("xen"), u32::MAX);
        fs::create_dir_all(&abandoned).expect("the temporary folder can be written");
        let error = entry(&cache, "xen", |folder| {
            fs::write(folder.join("half"), b"x")?;
            anyhow::bail!("interrupted")
        });
        assert_eq!(error.expect_err("filling failed").to_string(), "interrupted");
        assert_eq!(fs::read_dir(&cache).expect("the cache is there").count(), 0);
        fs::remove_dir_all(cache).expect("the folder is ours");
    }

    #[test]
    fn foreign_names_are_left_alone() {
        assert_eq!(owner_of(".xen.12.partial", ".xen."), Some(12));
        assert_eq!(owner_of(".xen.old.12.partial", ".xen."), None);
        assert_eq!(owner_of("xen", ".xen."), None);
    }
}
