//! dom0's RAM disk for one run: the toolstack, the script that drives it, and the guest.
//!
//! Only the first is worth keeping in the cache. The script belongs to the sources: if it came from the cache too,
//! whoever changes it would run the old one and wonder.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::config::{Guest, NAME};
use super::initramfs::Initramfs;

/// The program that is all of dom0's user land beside the toolstack.
const SCRIPT: &str = include_str!("init.sh");
/// Commands that the script uses, all of them links to busybox.
const COMMANDS: [&str; 15] = [
    "cat", "dd", "insmod", "mkdir", "mkfifo", "mount", "poweroff", "printf", "sed", "sh", "sleep", "stat", "stty",
    "tail", "tee",
];
/// Where the guest's kernel is in the RAM disk.
const KERNEL: &str = "/guest/kernel";
/// Where the file loaded beside it is, if there is one.
const MODULE: &str = "/guest/module";

/// The archive of `toolstack`, and behind it one with what belongs to this run.
///
/// # Errors
/// A file cannot be read, or the guest's command line cannot be expressed in a configuration.
pub fn assemble(toolstack: &Path, guest: &Guest<'_>) -> Result<Vec<u8>> {
    let mut initramfs = Initramfs::default();
    initramfs.file("/init", SCRIPT.as_bytes())?;
    for command in COMMANDS {
        initramfs.link(&format!("/bin/{command}"), "busybox")?;
    }
    initramfs.copy(KERNEL, guest.kernel)?;
    if let Some(ramdisk) = guest.ramdisk()? {
        initramfs.file(MODULE, &ramdisk)?;
    }
    initramfs.file(
        &format!("/guest/{NAME}.cfg"),
        guest.inside_qemu(KERNEL, MODULE)?.as_bytes(),
    )?;
    let mut archive = fs::read(toolstack).with_context(|| format!("cannot read {}", toolstack.display()))?;
    archive.extend(initramfs.finish()?);
    Ok(archive)
}

#[cfg(test)]
mod tests {
    use super::super::config::Kind;
    use super::*;
    use std::process::Command;

    #[test]
    fn guest_comes_behind_the_toolstack() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let toolstack = folder.path().join("toolstack.cpio");
        let kernel = folder.path().join("kernel");
        fs::write(&toolstack, b"0707").expect("it can be written");
        fs::write(&kernel, b"\x7fELF").expect("it can be written");
        let guest = Guest {
            kernel: &kernel,
            arguments: "test=all",
            memory: 32,
            cpus: 1,
            module: Some(&kernel),
            kind: Kind::Pv,
        };
        let archive = assemble(&toolstack, &guest).expect("everything is there");
        assert!(archive.starts_with(b"0707070701"));
        let text = String::from_utf8_lossy(&archive);
        assert!(
            text.contains("guest/kernel") && text.contains("guest/module") && text.contains("extra = \"test=all\"")
        );
    }

    #[test]
    fn every_command_is_used_by_a_script_that_parses() {
        for command in COMMANDS {
            let used = SCRIPT
                .split(|letter: char| !letter.is_alphanumeric())
                .any(|word| word == command);
            assert!(used, "{command} is linked but not used");
        }
        let checked = Command::new("sh")
            .args(["-n", "-c", SCRIPT])
            .status()
            .expect("the host has a shell");
        assert!(checked.success());
    }
}
