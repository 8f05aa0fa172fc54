//! A complete Xen host out of Debian's packages: hypervisor, Linux as dom0, toolstack.
//!
//! A guest that only ever met a stand-in has not been tested. What creates it here is the real `xl` with the real
//! libraries, xenstored and xenconsoled, under the hypervisor and the kernel that Debian ships together. They are taken
//! apart once: the hypervisor and Linux are decompressed, and of the toolstack just the programs, the libraries they
//! load and five kernel modules go into a RAM disk. The result, three files, stays in the cache.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result};

use super::initramfs::Initramfs;
use super::{bzimage, libraries, tree};
use crate::failure::{Failure, explain};
use crate::fetch::deb::{self, Archive, Dependencies};

/// Debian's names for "the current Xen" and "the current Linux"; both depend on packages with versions in their names.
const XEN: &str = "xen-system-amd64";
const LINUX: &str = "linux-image-amd64";
const BUSYBOX: &str = "busybox-static";

/// Names of the cache's entries. The number goes up when what this module puts into them changes.
const XEN_ENTRY: &str = "xen-1";
const HOST_ENTRY: &str = "xen-host-2";

/// What of the toolstack runs in dom0, all from its private folder.
const PROGRAMS: [&str; 6] = [
    "xl",
    "xenstored",
    "xenconsoled",
    "xenconsole",
    "xen-init-dom0",
    "libxl-save-helper",
];
/// Linux's side of the toolstack, in the order of loading.
const MODULES: [&str; 5] = ["xen-evtchn", "xen-privcmd", "xenfs", "xen-gntdev", "xen-gntalloc"];
/// Loaded by the C library when a thread is cancelled, which xenconsole does; no program lists it.
const UNLISTED: &str = "libgcc_s.so.1";
const LOADER: &str = "ld-linux-x86-64.so.2";

/// The files of a Xen host that do not depend on the guest.
#[derive(Debug)]
pub struct Stack {
    /// The hypervisor, an ELF file for QEMU's `-kernel`.
    pub xen: PathBuf,
    /// Linux, the ELF file for Xen's first module.
    pub linux: PathBuf,
    /// The toolstack, a cpio archive to which another may be appended.
    pub toolstack: PathBuf,
}

impl Stack {
    /// The stack from the cache, fetched and made if it is not there yet (about 80 MB of packages, 75 MB kept).
    ///
    /// # Errors
    /// The packages cannot be fetched, or do not contain what is needed.
    pub fn obtain(cache: &Path) -> Result<Self> {
        let entry = deb::entry(cache, HOST_ENTRY, |entry| {
            eprintln!("preparing a Xen host (hypervisor, Linux, toolstack); this is done once");
            Archive::with(cache, |archive| make_host(archive, entry))
        })
        .map_err(missing)?;
        let file = |name| entry.join(name);
        Ok(Self {
            xen: file("xen.elf"),
            linux: file("vmlinux"),
            toolstack: file("toolstack.cpio"),
        })
    }
}

/// The hypervisor alone, for a kernel that is dom0 itself: an ELF file for QEMU's `-kernel`.
///
/// # Errors
/// As [`Stack::obtain`].
pub fn hypervisor(cache: &Path) -> Result<PathBuf> {
    let entry = deb::entry(cache, XEN_ENTRY, |entry| {
        Archive::with(cache, |archive| {
            let packages = entry.join("packages");
            deb::unpack_from(archive, &[xen_package(&archive.dependencies(&[XEN])?)?], &packages)?;
            make_hypervisor(&packages, entry)?;
            discard(&packages)
        })
    })
    .map_err(missing)?;
    Ok(entry.join("xen.elf"))
}

/// The error for a host that cannot be had, with the exit status that says so.
fn missing(why: Error) -> Error {
    Failure::Missing.error(format!("no Xen host: {}", explain(&why)))
}

/// The version of the hypervisor `xen`, as Debian writes it into the file: `Xen 4.17.5`; `Xen` if it is nowhere.
#[must_use]
pub fn version(xen: &Path) -> String {
    let file = fs::read(xen).unwrap_or_default();
    let strings = file
        .split(|byte| *byte == 0)
        .filter_map(|text| str::from_utf8(text).ok());
    let version = strings.filter_map(leading_version).next();
    version.map_or("Xen".to_owned(), |version| format!("Xen {version}"))
}

/// The three numbers at the beginning of `4.17.5+72-g01140da4e8-1`.
fn leading_version(text: &str) -> Option<&str> {
    let (version, _) = text.split_once(['+', '-'])?;
    let numbers = version.split('.').filter(|number| number.parse::<u8>().is_ok());
    (numbers.count() == 3 && version.split('.').count() == 3).then_some(version)
}

/// Whether the cache has the hypervisor, and whether it has the whole host: what `doctor` asks.
#[must_use]
pub fn cached(cache: &Path) -> (bool, bool) {
    (cache.join(XEN_ENTRY).is_dir(), cache.join(HOST_ENTRY).is_dir())
}

fn make_host(archive: &Archive, entry: &Path) -> Result<()> {
    let packages = entry.join("packages");
    deb::unpack_from(archive, &host_packages(archive)?, &packages)?;
    make_hypervisor(&packages, entry)?;
    make_linux(&packages, entry)?;
    make_toolstack(&packages, entry)?;
    discard(&packages)
}

/// Every package a Xen host is made of.
fn host_packages(archive: &Archive) -> Result<Vec<String>> {
    let known = archive.dependencies(&[XEN, LINUX, BUSYBOX])?;
    let utilities = known.direct(XEN, "toolstack", |name| name.starts_with("xen-utils-4"))?;
    let linux = known.direct(LINUX, "kernel", |name| name.starts_with("linux-image-"))?;
    let mut packages = vec![xen_package(&known)?, linux, BUSYBOX.to_owned()];
    packages.extend(known.reachable(&utilities, |name| name.starts_with("lib") || name.starts_with("zlib")));
    packages.push(utilities);
    Ok(packages)
}

fn xen_package(known: &Dependencies) -> Result<String> {
    known.direct(XEN, "hypervisor", |name| {
        name.starts_with("xen-hypervisor-") && name.ends_with("-amd64")
    })
}

fn make_hypervisor(packages: &Path, entry: &Path) -> Result<()> {
    let image = tree::find(packages, "hypervisor", |name| {
        name.starts_with("xen-") && name.ends_with("-amd64.gz")
    })?;
    write(
        &entry.join("xen.elf"),
        &bzimage::decompress(&read(&image)?).with_context(|| shown(&image))?,
    )
}

fn make_linux(packages: &Path, entry: &Path) -> Result<()> {
    let image = tree::find(packages, "Linux kernel", |name| name.starts_with("vmlinuz-"))?;
    write(
        &entry.join("vmlinux"),
        &bzimage::unpack(&read(&image)?).with_context(|| shown(&image))?,
    )
}

fn make_toolstack(packages: &Path, entry: &Path) -> Result<()> {
    let mut initramfs = Initramfs::default();
    initramfs.copy(
        "/bin/busybox",
        &tree::find(packages, "busybox", |name| name == "busybox")?,
    )?;
    add_programs(&mut initramfs, packages)?;
    add_modules(&mut initramfs, packages)?;
    // Ballooning dom0 down to make room would be in vain: it is started with exactly the memory it keeps.
    initramfs.file("/etc/xen/xl.conf", b"autoballoon=\"0\"\n")?;
    write(&entry.join("toolstack.cpio"), &initramfs.finish()?)
}

/// The toolstack's programs at their own paths (`xl` starts `xenconsole` by its full path), with their libraries.
fn add_programs(initramfs: &mut Initramfs, packages: &Path) -> Result<()> {
    let toolstack = tree::find(packages, "toolstack", |name| name == "libxl-save-helper")?;
    let folder = toolstack.parent().context("a file without a folder")?;
    let inside = Path::new("/").join(folder.strip_prefix(packages)?);
    for program in PROGRAMS {
        initramfs.copy(&inside.join(program).to_string_lossy(), &folder.join(program))?;
    }
    initramfs.link("/xen", &inside.to_string_lossy())?;
    let programs = PROGRAMS.map(|program| folder.join(program));
    for (name, library) in libraries::closure(packages, &programs, &[UNLISTED, LOADER])? {
        let home = if name == LOADER {
            "/lib64"
        } else {
            "/lib/x86_64-linux-gnu"
        };
        initramfs.copy(&format!("{home}/{name}"), &library)?;
    }
    Ok(())
}

/// The modules, numbered so that their names sort in the order of loading.
fn add_modules(initramfs: &mut Initramfs, packages: &Path) -> Result<()> {
    for (order, module) in MODULES.iter().enumerate() {
        let plain = format!("{module}.ko");
        let packed = format!("{module}.ko.xz");
        let found = tree::find(packages, &format!("kernel module {module}"), |name| {
            name == plain || name == packed
        })?;
        let data = read(&found)?;
        let data = if found.extension().is_some_and(|extension| extension == "xz") {
            bzimage::decompress(&data).with_context(|| shown(&found))?
        } else {
            data
        };
        initramfs.file(&format!("/modules/{order}-{plain}"), &data)?;
    }
    Ok(())
}

fn discard(packages: &Path) -> Result<()> {
    fs::remove_dir_all(packages).with_context(|| format!("cannot remove {}", shown(packages)))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", shown(path)))
}

fn write(path: &Path, data: &[u8]) -> Result<()> {
    fs::write(path, data).with_context(|| format!("cannot write {}", shown(path)))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_one_of_many_strings() {
        assert_eq!(leading_version("4.17.5+72-g01140da4e8-1"), Some("4.17.5"));
        for other in ["4.17.5", "4.17+x", "a.b.c-d", "1..2-", "Xen 4.17.5+x", "1.2.3.4-5"] {
            assert_eq!(leading_version(other), None, "{other}");
        }
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let xen = folder.path().join("xen.elf");
        fs::write(&xen, b"\x7fELF\x80\0x-1\x004.17.7+13-g2445b30a44-0+deb12u1\0").expect("it can be written");
        assert_eq!(version(&xen), "Xen 4.17.7");
        assert_eq!(version(Path::new("/nonexistent")), "Xen");
    }
}
