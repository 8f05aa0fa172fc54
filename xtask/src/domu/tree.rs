//! Looking for files in unpacked packages, whose folders differ from one release of Debian to the next.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Every file below `root` whose name satisfies `wanted`, links to existing files included, in a fixed order.
///
/// # Errors
/// A folder cannot be read.
pub fn find_all(root: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for file in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = file?.path();
            if path.is_dir() && !path.is_symlink() {
                open.push(path);
            } else if path.file_name().and_then(|name| name.to_str()).is_some_and(&wanted) && path.exists() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The one file below `root` whose name satisfies `wanted`; the first, if Debian keeps variants.
///
/// # Errors
/// There is none: the message has `what`.
pub fn find(root: &Path, what: &str, wanted: impl Fn(&str) -> bool) -> Result<PathBuf> {
    let found = find_all(root, wanted)?;
    found
        .into_iter()
        .next()
        .with_context(|| format!("the packages bring no {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_files_and_good_links_only() {
        let root = tempfile::tempdir().expect("a temporary folder can be made");
        let folder = root.path().join("usr/lib");
        fs::create_dir_all(&folder).expect("it can be written");
        fs::write(folder.join("vmlinuz-6.1"), b"x").expect("it can be written");
        std::os::unix::fs::symlink("vmlinuz-6.1", folder.join("vmlinuz")).expect("it can be written");
        std::os::unix::fs::symlink("gone", folder.join("vmlinuz-old")).expect("it can be written");
        let found = find_all(root.path(), |name| name.starts_with("vmlinuz")).expect("it can be read");
        assert_eq!(found, [folder.join("vmlinuz"), folder.join("vmlinuz-6.1")]);
        let error = find(root.path(), "hypervisor", |name| name.starts_with("xen-")).expect_err("there is none");
        assert_eq!(error.to_string(), "the packages bring no hypervisor");
    }
}
