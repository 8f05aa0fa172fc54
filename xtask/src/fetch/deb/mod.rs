//! Debian's archive as a source of files, without installing anything.
//!
//! A real Xen host is a hypervisor, a Linux kernel, a toolstack and two dozen libraries. Installing those on a
//! developer's machine to try a guest would be rude: the next reboot would come up under a hypervisor. The packages are
//! nevertheless the best source there is (signed, mirrored, every version built together), so this module lets apt do
//! what it does well, finding and verifying, and unpacks the result into a folder of the cache.
//!
//! Nothing here names a host or an address: which mirror is asked is what the machine's apt is configured for. If the
//! package lists are missing or stale they are read anew into the cache, so that this works without being root and
//! leaves the machine's own lists alone.

mod depends;
mod entry;
mod program;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

pub use depends::Dependencies;
pub use entry::entry;

use program::{complaints, output, run_watched};

/// The Debian archive as this machine's apt sees it.
#[derive(Debug)]
pub struct Archive {
    /// Folder for package lists of our own, below the cache.
    state: PathBuf,
    /// Whether the lists in `state` are used instead of the machine's.
    own_lists: bool,
}

impl Archive {
    /// Runs `work` with the archive and, if it fails, once more after the package lists were read anew.
    ///
    /// Stale lists name versions that the mirrors have already dropped, missing ones name nothing at all; either shows
    /// only when something is asked for, and the cure is the same.
    ///
    /// # Errors
    /// What `work` failed with the second time, or why the lists could not be read.
    pub fn with<T>(cache: &Path, work: impl Fn(&Archive) -> Result<T>) -> Result<T> {
        let mut archive = Archive {
            state: cache.join("apt"),
            own_lists: false,
        };
        archive.own_lists = archive.lists().is_dir();
        work(&archive).or_else(|reason| {
            eprintln!("{reason:#}; reading the package lists anew");
            let complaints = archive.refresh()?;
            let again = work(&archive);
            if complaints.is_empty() {
                again
            } else {
                again.context(complaints)
            }
        })
    }

    /// The dependencies of `packages`, and theirs, and so on.
    ///
    /// # Errors
    /// A package is unknown to the lists, or there is no apt.
    pub fn dependencies(&self, packages: &[&str]) -> Result<Dependencies> {
        let mut query = self.apt("apt-cache");
        query.args([
            "depends",
            "--recurse",
            "--no-pre-depends",
            "--no-recommends",
            "--no-suggests",
            "--no-conflicts",
        ]);
        query
            .args(["--no-breaks", "--no-replaces", "--no-enhances"])
            .args(packages);
        let found = Dependencies::parse(&output(&mut query)?);
        for package in packages {
            ensure!(found.knows(package), "apt knows no package {package}");
        }
        Ok(found)
    }

    /// `packages` and everything they depend on, except what is installed on this machine.
    ///
    /// # Errors
    /// A package is unknown to the lists or cannot be had together with what is installed, or there is no apt.
    pub fn not_installed(&self, packages: &[&str]) -> Result<Vec<String>> {
        let mut plan = self.apt("apt-get");
        plan.args(["--simulate", "--no-install-recommends", "install"])
            .args(packages);
        let listing = output(&mut plan)?;
        let names = listing
            .lines()
            .filter_map(|line| line.strip_prefix("Inst ")?.split_whitespace().next());
        Ok(names.map(str::to_owned).collect())
    }

    /// The sum of the sizes of `packages` as they would be downloaded, in bytes.
    ///
    /// # Errors
    /// A package is unknown to the lists, or there is no apt.
    pub fn size<S: AsRef<OsStr>>(&self, packages: &[S]) -> Result<u64> {
        let records = output(self.apt("apt-cache").args(["show", "--no-all-versions"]).args(packages))?;
        Ok(records
            .lines()
            .filter_map(|line| line.strip_prefix("Size: ")?.parse::<u64>().ok())
            .sum())
    }

    /// Downloads `packages` into `folder` (which must exist) and returns the package files, in the order of names.
    ///
    /// # Errors
    /// apt could not get one of them; what it said is part of the error.
    pub fn download<S: AsRef<OsStr>>(&self, packages: &[S], folder: &Path) -> Result<Vec<PathBuf>> {
        let total = self.size(packages)?;
        eprintln!(
            "fetching {} Debian packages, {} MB",
            packages.len(),
            total.div_ceil(1_000_000)
        );
        let mut command = self.apt("apt-get");
        command.arg("download").args(packages).current_dir(folder);
        run_watched(&mut command, folder, total)?;
        let files = package_files(folder)?;
        ensure!(
            files.len() >= packages.len(),
            "apt-get download left {} of {}",
            files.len(),
            packages.len()
        );
        Ok(files)
    }

    /// An apt program that neither asks nor drops privileges it would need to write into the cache.
    fn apt(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .args(["-q", "-o", "APT::Sandbox::User=root"])
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        if self.own_lists {
            command
                .arg("-o")
                .arg(format!("Dir::State::Lists={}", self.lists().display()));
            command
                .arg("-o")
                .arg(format!("Dir::Cache={}", self.state.join("cache").display()));
        }
        command
    }

    fn lists(&self) -> PathBuf {
        self.state.join("lists")
    }

    /// Reads the package lists of the machine's sources into our own folder. A source that cannot be reached is only
    /// complained about, since the others may have all that is wanted; the complaints are returned.
    fn refresh(&mut self) -> Result<String> {
        fs::create_dir_all(self.lists().join("partial"))?;
        fs::create_dir_all(self.state.join("cache/archives/partial"))?;
        self.own_lists = true;
        complaints(self.apt("apt-get").arg("update"))
    }
}

/// Unpacks package files over each other into `root`, running none of their scripts.
///
/// # Errors
/// `dpkg-deb` is missing or refuses a file.
pub fn unpack(packages: &[PathBuf], root: &Path) -> Result<()> {
    fs::create_dir_all(root).with_context(|| format!("cannot create {}", root.display()))?;
    packages
        .iter()
        .try_for_each(|package| output(Command::new("dpkg-deb").arg("-x").arg(package).arg(root)).map(drop))
}

/// Downloads and unpacks `packages` into `root`, which afterwards holds nothing else; the package files themselves are
/// not kept.
///
/// # Errors
/// As [`Archive::download`] and [`unpack`].
pub fn unpack_from<S: AsRef<OsStr>>(archive: &Archive, packages: &[S], root: &Path) -> Result<()> {
    if root.exists() {
        fs::remove_dir_all(root).with_context(|| format!("cannot empty {}", root.display()))?;
    }
    let parcels = root.join(".parcels");
    fs::create_dir_all(&parcels).with_context(|| format!("cannot create {}", parcels.display()))?;
    unpack(&archive.download(packages, &parcels)?, root)?;
    fs::remove_dir_all(&parcels).with_context(|| format!("cannot remove {}", parcels.display()))
}

/// The `.deb` files of `folder`, sorted.
fn package_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_packages_are_counted_as_packages() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for name in ["b.deb", "a.deb", ".errors", "partial.txt"] {
            fs::write(folder.path().join(name), b"12345").expect("it can be written");
        }
        let names = package_files(folder.path()).expect("it can be read");
        assert_eq!(names, ["a.deb", "b.deb"].map(|name| folder.path().join(name)));
    }
}
