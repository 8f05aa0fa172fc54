//! `image`: disk images that boot by BIOS and by UEFI, under QEMU and on a real PC.
//!
//! The `bootloader` crate has what is needed, and compiles it for bare metal while its own library is built: with
//! unstable options of cargo, and for minutes. Neither belongs into every build of this workspace. So the crate is the
//! only dependency of a little program of its own, the *image maker*, built once for each toolchain in the cache folder
//! ([`maker`]); after that an image takes a tenth of a second.
//!
//! The boot loader hands no command line to a kernel. It does hand over a RAM disk, so that is where the arguments
//! travel: [`ramdisk`] has the format.

pub mod maker;

use crate::build;
use crate::cli::{Boot, Image};
use crate::configuration::Configuration;
use crate::failure::Failure;
use crate::platform::Platform;
use crate::programs;
use crate::qemu::machine::Payload;
use crate::workshop::Workshop;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How the RAM disk of an image begins; the kernel's arguments and a line break follow.
const ARGUMENTS: &str = "anyring-arguments: ";
/// The module behind them begins at a multiple of this, so that the kernel finds it at the start of a frame.
const PAGE: usize = 4096;

/// Makes both images of a kernel and prints where they are.
///
/// # Errors
/// No platform of the image boots from disks, or kernel, image maker or images cannot be made.
pub fn make(workshop: &Workshop, asked: &Image) -> Result<()> {
    let configuration = Configuration::only(&asked.features)?;
    ensure!(
        configuration.platforms() != [Platform::Xen],
        Failure::Usage.error("a xen kernel is started by a hypervisor, not by firmware: `--features native` or `vmi`")
    );
    let built = build::kernel(workshop, &configuration, asked.release)?;
    let programs = programs::build(workshop)?;
    let folder = workshop.paths.images()?;
    let profile = if asked.release { "release" } else { "debug" };
    let scratch = tempfile::tempdir()?;
    for boot in [Boot::Bios, Boot::Uefi] {
        let image = folder.join(format!("{configuration}-{profile}.{}.img", firmware_name(boot)));
        let payload = Payload {
            kernel: &built.stripped,
            arguments: "",
            module: Some(&programs),
        };
        write(workshop, boot, &payload, scratch.path(), &image)?;
        let size = fs::metadata(&image)?.len();
        println!("{}: {size} bytes", workshop.paths.shown(&image));
    }
    Ok(())
}

/// An image in `scratch` for one run, with the kernel's arguments and its module in it.
pub fn for_run(workshop: &Workshop, boot: Boot, payload: &Payload<'_>, scratch: &Path) -> Result<PathBuf> {
    let image = scratch.join("disk.img");
    write(workshop, boot, payload, scratch, &image)?;
    Ok(image)
}

/// Lets the image maker write one image.
fn write(workshop: &Workshop, boot: Boot, payload: &Payload<'_>, scratch: &Path, image: &Path) -> Result<()> {
    let maker = maker::obtain(workshop)?;
    let module = payload
        .module
        .map(|file| fs::read(file).with_context(|| format!("cannot read {}", file.display())));
    let disk = scratch.join("ramdisk");
    let content = ramdisk(payload.arguments, &module.transpose()?.unwrap_or_default());
    fs::write(&disk, content).with_context(|| format!("cannot write {}", disk.display()))?;
    let result = Command::new(maker)
        .arg(firmware_name(boot))
        .args([payload.kernel, &disk, image])
        .output();
    let result = result.context("cannot run the image maker")?;
    ensure!(
        result.status.success(),
        Failure::Build.error(format!("no image: {}", String::from_utf8_lossy(&result.stderr).trim()))
    );
    Ok(())
}

/// The RAM disk that carries `arguments`: a line of text, and on the pages behind it the module.
fn ramdisk(arguments: &str, module: &[u8]) -> Vec<u8> {
    let mut disk = format!("{ARGUMENTS}{arguments}\n").into_bytes();
    if !module.is_empty() {
        disk.resize(disk.len().next_multiple_of(PAGE), 0);
        disk.extend(module);
    }
    disk
}

/// What the image maker calls the firmware.
fn firmware_name(boot: Boot) -> &'static str {
    match boot {
        Boot::Uefi => "uefi",
        Boot::Bios | Boot::Pvh => "bios",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_travel_as_the_first_line() {
        assert_eq!(
            ramdisk("log=debug test=all", b""),
            b"anyring-arguments: log=debug test=all\n"
        );
        assert_eq!(ramdisk("", b""), b"anyring-arguments: \n");
    }

    #[test]
    fn a_module_begins_on_a_page_of_its_own() {
        let disk = ramdisk("test=all", b"\x7fELF");
        assert!(disk.starts_with(b"anyring-arguments: test=all\n\0"));
        assert_eq!(&disk[PAGE..], b"\x7fELF");
    }
}
