//! The initial RAM file system of dom0: a cpio archive, collected in memory.
//!
//! Linux unpacks any number of archives laid end to end, each padded to four bytes. That lets a run append its one
//! guest (the kernel and its configuration) to the toolstack, which never changes and comes from the cache.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};
use cpio::newc;

/// File type bits of the mode, as in `stat(2)`.
const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const SYMBOLIC_LINK: u32 = 0o120_000;

/// An archive being collected. Paths are absolute in dom0; the folders above a file are made as needed.
#[derive(Debug, Default)]
pub struct Initramfs {
    archive: Vec<u8>,
    folders: BTreeSet<String>,
    /// Number of the last file, which cpio uses to tell hard links from separate files.
    last_inode: u32,
}

impl Initramfs {
    /// Adds an executable file.
    ///
    /// # Errors
    /// The archive format cannot hold it (4 GiB).
    pub fn file(&mut self, path: &str, data: &[u8]) -> Result<()> {
        self.folders_above(path)?;
        self.append(path, REGULAR | 0o755, data)
    }

    /// Adds a copy of a file of the host.
    ///
    /// # Errors
    /// The file cannot be read, or as [`file`](Self::file).
    pub fn copy(&mut self, path: &str, source: &Path) -> Result<()> {
        let data = std::fs::read(source).with_context(|| format!("cannot read {}", source.display()))?;
        self.file(path, &data)
    }

    /// Adds a symbolic link at `path` to `target`.
    ///
    /// # Errors
    /// As [`file`](Self::file).
    pub fn link(&mut self, path: &str, target: &str) -> Result<()> {
        self.folders_above(path)?;
        self.append(path, SYMBOLIC_LINK | 0o777, target.as_bytes())
    }

    /// Adds an empty folder.
    ///
    /// # Errors
    /// As [`file`](Self::file).
    pub fn folder(&mut self, path: &str) -> Result<()> {
        self.folders_above(path)?;
        if self.folders.insert(path.to_owned()) {
            self.append(path, DIRECTORY | 0o755, &[])
        } else {
            Ok(())
        }
    }

    /// The finished archive, padded so that another may follow.
    ///
    /// # Errors
    /// None in memory; the writer's signature has one.
    pub fn finish(self) -> Result<Vec<u8>> {
        let mut archive = newc::trailer(self.archive)?;
        archive.resize(archive.len().next_multiple_of(4), 0);
        Ok(archive)
    }

    fn folders_above(&mut self, path: &str) -> Result<()> {
        match path.rsplit_once('/') {
            Some((above, _)) if !above.is_empty() => self.folder(above),
            _ => Ok(()),
        }
    }

    fn append(&mut self, path: &str, mode: u32, data: &[u8]) -> Result<()> {
        self.last_inode += 1;
        let length = u32::try_from(data.len()).with_context(|| format!("{path} is too large for a cpio archive"))?;
        let name = path.trim_start_matches('/');
        let header = newc::Builder::new(name).ino(self.last_inode).nlink(1).mode(mode);
        let mut writer = header.write(&mut self.archive, length);
        io::copy(&mut &*data, &mut writer)
            .and_then(|_| writer.finish())
            .with_context(|| format!("cannot add {path}"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names, modes and contents of an archive.
    fn listing(mut archive: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
        let mut found = Vec::new();
        loop {
            let mut reader = newc::Reader::new(archive).expect("the archive is well formed");
            if reader.entry().is_trailer() {
                return found;
            }
            let mut data = Vec::new();
            io::copy(&mut reader, &mut data).expect("the data is whole");
            found.push((reader.entry().name().to_owned(), reader.entry().mode(), data));
            archive = reader.finish().expect("another entry follows");
        }
    }

    #[test]
    fn folders_come_first_and_once() {
        let mut initramfs = Initramfs::default();
        initramfs
            .file("/etc/xen/xl.conf", b"autoballoon=\"0\"\n")
            .expect("it fits");
        initramfs.link("/etc/rc", "../init").expect("it fits");
        initramfs.folder("/etc").expect("it fits");
        let archive = initramfs.finish().expect("memory can be written");
        assert_eq!(archive.len() % 4, 0);
        let found = listing(&archive);
        let names: Vec<&str> = found.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["etc", "etc/xen", "etc/xen/xl.conf", "etc/rc"]);
        assert_eq!(found[2].1, 0o100_755);
        assert_eq!(found[3], ("etc/rc".to_owned(), 0o120_777, b"../init".to_vec()));
    }
}
