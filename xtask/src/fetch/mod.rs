//! Getting what a run needs and the machine lacks.
//!
//! A newcomer types one command. Whatever that command needs beyond Rust comes from Debian's archive, in the least
//! surprising way that works: a program that is installed is used; root installs a missing one with apt; anybody else
//! (and root with `--no-install`) gets it unpacked into the cache folder and run from there. What is not a program for
//! this machine at all, such as a hypervisor, is never installed but always unpacked: see [`deb`].

pub mod deb;
pub mod need;

use crate::failure::{Failure, explain};
use crate::paths::Paths;
use anyhow::{Context, Result, bail};
use deb::Archive;
use need::Need;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Provides the programs and files of Debian packages.
#[derive(Debug, Clone)]
pub struct Provider {
    cache: PathBuf,
    no_install: bool,
}

/// Something that was asked for, and the file tree it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The program or file itself.
    pub path: PathBuf,
    /// The root of the tree if it was unpacked into the cache; `None` if it is installed.
    pub unpacked: Option<PathBuf>,
}

impl Found {
    /// The command that runs it, with its libraries if it was unpacked.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        if let Some(root) = &self.unpacked {
            command.env("LD_LIBRARY_PATH", library_path(root));
        }
        command
    }
}

impl Provider {
    /// A provider that unpacks into the cache of `paths`, and installs only if root is not told `no_install`.
    pub fn new(paths: &Paths, no_install: bool) -> Self {
        Self {
            cache: paths.cache.clone(),
            no_install,
        }
    }

    /// What is needed, if it is here: installed, or unpacked earlier.
    pub fn find(&self, need: &Need) -> Option<Found> {
        let installed = need.installed().map(|path| Found { path, unpacked: None });
        installed.or_else(|| self.find_unpacked(need))
    }

    /// What is needed, fetched if it is not here.
    ///
    /// # Errors
    /// [`Failure::Missing`]: it is not here and every way to get it failed; the message says why and what to install.
    pub fn provide(&self, need: &Need) -> Result<Found> {
        if let Some(found) = self.find(need) {
            return Ok(found);
        }
        let mut reasons = Vec::new();
        if self.may_install() {
            match install(need.package) {
                Ok(()) => reasons.push(format!("package {} was installed without {}", need.package, need.file)),
                Err(why) => reasons.push(format!("{why:#}")),
            }
        }
        if reasons.is_empty() || self.find(need).is_none() {
            self.unpack(need).unwrap_or_else(|why| reasons.push(explain(&why)));
        }
        self.find(need).ok_or_else(|| {
            let why = reasons.join("; ");
            Failure::Missing.error(format!(
                "{} is missing ({why}): as root, `apt-get install {}`",
                need.name, need.package
            ))
        })
    }

    /// Whether missing programs are installed rather than unpacked.
    pub fn may_install(&self) -> bool {
        !self.no_install && is_root()
    }

    /// How many bytes getting `need` would download, as far as apt knows.
    pub fn download_size(&self, need: &Need) -> Option<u64> {
        Archive::with(&self.cache, |archive| {
            archive.size(&archive.not_installed(&[need.package])?)
        })
        .ok()
    }

    fn find_unpacked(&self, need: &Need) -> Option<Found> {
        let root = self.cache.join(entry_name(need));
        let path = root.join(need.file);
        path.exists().then_some(Found {
            path,
            unpacked: Some(root),
        })
    }

    /// Unpacks the package, and what it depends on and the machine does not have, into the cache.
    fn unpack(&self, need: &Need) -> Result<()> {
        let entry = deb::entry(&self.cache, &entry_name(need), |root| {
            Archive::with(&self.cache, |archive| {
                deb::unpack_from(archive, &archive.not_installed(&[need.package])?, root)
            })
        })?;
        if !entry.join(need.file).exists() {
            bail!("package {} has no {}", need.package, need.file);
        }
        Ok(())
    }
}

/// The name of a package's entry in the cache.
fn entry_name(need: &Need) -> String {
    format!("programs-{}", need.package)
}

/// Whether this process may install packages.
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Installs `package` on this machine with apt, reading the package lists once if that does not work at first.
fn install(package: &str) -> Result<()> {
    eprintln!("installing the Debian package {package}");
    apt_get(&["install", "--yes", "--no-install-recommends", package]).or_else(|_| {
        apt_get(&["update"])?;
        apt_get(&["install", "--yes", "--no-install-recommends", package])
    })
}

/// Runs `apt-get` without a question; what it prints is shown only if it fails.
fn apt_get(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command
        .args(arguments)
        .arg("-qq")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null());
    let result = command.output().context("cannot run apt-get")?;
    if !result.status.success() {
        bail!(
            "apt-get {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&result.stderr).trim()
        );
    }
    Ok(())
}

/// Where the dynamic linker finds the libraries below `root`, before those of the machine.
fn library_path(root: &Path) -> OsString {
    let folders = [
        "usr/lib/x86_64-linux-gnu",
        "lib/x86_64-linux-gnu",
        "usr/lib/x86_64-linux-gnu/pulseaudio",
        "usr/lib",
    ];
    let folders: Vec<OsString> = folders
        .iter()
        .map(|folder| root.join(folder).into_os_string())
        .collect();
    folders.join(std::ffi::OsStr::new(":"))
}
