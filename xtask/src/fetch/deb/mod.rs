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

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};

pub use depends::Dependencies;
pub use entry::{entry, partial_of};

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
            archive.refresh()?;
            work(&archive)
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

    /// Reads the package lists of the machine's sources into our own folder.
    fn refresh(&mut self) -> Result<()> {
        fs::create_dir_all(self.lists().join("partial"))?;
        fs::create_dir_all(self.state.join("cache/archives/partial"))?;
        self.own_lists = true;
        output(self.apt("apt-get").arg("update")).map(drop)
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

/// Downloads and unpacks `packages` into the new folder `root`; the package files themselves are not kept.
///
/// # Errors
/// As [`Archive::download`] and [`unpack`].
pub fn unpack_from<S: AsRef<OsStr>>(archive: &Archive, packages: &[S], root: &Path) -> Result<()> {
    let parcels = root.join(".parcels");
    if parcels.exists() {
        fs::remove_dir_all(&parcels)?;
    }
    fs::create_dir_all(&parcels).with_context(|| format!("cannot create {}", parcels.display()))?;
    unpack(&archive.download(packages, &parcels)?, root)?;
    fs::remove_dir_all(&parcels).with_context(|| format!("cannot remove {}", parcels.display()))
}

/// What a program printed; a failure carries its last words.
fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let result = command
        .output()
        .with_context(|| format!("cannot run {name} (is this a Debian system?)"))?;
    if !result.status.success() {
        bail!(
            "{name} failed: {}",
            last_words(&String::from_utf8_lossy(&result.stderr))
        );
    }
    String::from_utf8(result.stdout).with_context(|| format!("{name} printed something that is not UTF-8"))
}

/// Runs `command`, which fills `folder` with `total` bytes, behind a progress bar (on a terminal).
fn run_watched(command: &mut Command, folder: &Path, total: u64) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let errors = folder.join(".errors");
    command.stdout(Stdio::null()).stderr(fs::File::create(&errors)?);
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run {name} (is this a Debian system?)"))?;
    let bar = ProgressBar::new(total).with_style(bar_style());
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        bar.set_position(folder_size(folder));
        thread::sleep(Duration::from_millis(100));
    };
    bar.finish_and_clear();
    let words = fs::read_to_string(&errors).unwrap_or_default();
    fs::remove_file(&errors)?;
    ensure!(status.success(), "{name} failed: {}", last_words(&words));
    Ok(())
}

fn bar_style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// The bytes in `folder` and in apt's `partial` folder below it, as far as they can be read at this moment.
fn folder_size(folder: &Path) -> u64 {
    [folder.to_path_buf(), folder.join("partial")]
        .iter()
        .filter_map(|path| fs::read_dir(path).ok())
        .flatten()
        .filter_map(|file| Some(file.ok()?.metadata().ok()?.len()))
        .sum()
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

/// The lines of a program's complaint that say why, shortened to the first few.
fn last_words(complaint: &str) -> String {
    let reasons: Vec<&str> = complaint
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let errors: Vec<&str> = reasons.iter().filter(|line| line.starts_with("E:")).copied().collect();
    let chosen = if errors.is_empty() { reasons } else { errors };
    chosen.into_iter().take(3).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_preferred_to_warnings() {
        let complaint = "W: Download is unsandboxed\nE: Unable to locate package xen-nonsense\n";
        assert_eq!(last_words(complaint), "E: Unable to locate package xen-nonsense");
        assert_eq!(last_words("one\n\n two \n"), "one; two");
    }

    #[test]
    fn only_packages_are_counted_as_packages() {
        let folder = tempfile_folder("parcels");
        for name in ["b.deb", "a.deb", ".errors", "partial.txt"] {
            fs::write(folder.join(name), b"12345").expect("a temporary folder can be written");
        }
        let names = package_files(&folder).expect("the folder exists");
        assert_eq!(names, [folder.join("a.deb"), folder.join("b.deb")]);
        assert_eq!(folder_size(&folder), 20);
        fs::remove_dir_all(folder).expect("the folder is ours");
    }

    fn tempfile_folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("anyring-deb-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the temporary folder can be written");
        folder
    }
}
