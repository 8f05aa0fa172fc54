//! The kernel as a guest of a real Xen host, all of it inside QEMU.
//!
//! Under Xen, being dom0 and being a guest differ: where the console is, who builds the page tables, what may be asked
//! of the hypervisor. A kernel that only ever ran as dom0 would meet those differences at its first user. So this runs
//! what such a user runs: Debian's Xen, Debian's Linux as dom0, and the real `xl`, which creates the guest from an
//! ordinary configuration file. QEMU stands for the computer and for nothing else; from its start to the guest's first
//! line it takes about eight seconds.
//!
//! [`prepare`] fetches and assembles everything and says how QEMU is to be started. The guest's console is QEMU's
//! second serial port, which the caller connects (`-serial mon:stdio`, after the arguments given here); the guest's
//! exit status arrives as QEMU's, by `isa-debug-exit` at port 0xf4, as it does on the other platforms. Two statuses are
//! the host's own: [`verdict::UNABLE`] and [`verdict::CRASHED`].

mod bzimage;
mod config;
mod initramfs;
mod libraries;
mod ramdisk;
mod stack;
mod tree;
pub mod verdict;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

pub use config::{Guest, Kind};
pub use stack::{cached, hypervisor, version};

use stack::Stack;

/// dom0's memory in MiB: fixed, so that nothing is ballooned away from under it.
const DOM0_MEMORY: u32 = 256;
/// What Xen itself takes, in MiB, with room for a guest's page tables and grants.
const XEN_MEMORY: u32 = 192;
/// A processor model that Linux as dom0 starts on: one without SMAP (QEMU's `iretq` to ring 3 faults with it), and with
/// `rdrand`, or Linux waits for entropy.
const CPU: &str = "qemu64,+rdrand";
/// The same for guests in ring 0, with nested page tables: Debian's Xen has no other way to share a processor out.
const CPU_FOR_PVH: &str = "qemu64,+rdrand,+npt";

/// Linux's command line. The last two leave out what protects a long-lived system and costs this one a second of its
/// life.
const LINUX_ARGUMENTS: &str = " console=hvc0 quiet random.trust_cpu=on rodata=off mitigations=off";

/// A machine that runs Xen, and the guest in it.
#[derive(Debug)]
pub struct Host {
    /// Arguments for QEMU: processor, memory, Xen with its modules, and the first serial port. The caller adds what all
    /// platforms share: accelerator, no network, no display, `isa-debug-exit`, and the second serial port.
    pub arguments: Vec<OsString>,
    /// The hypervisor.
    pub hypervisor: PathBuf,
    /// What Xen, Linux and the toolstack said; written while the machine runs.
    pub log: PathBuf,
}

/// Makes a host ready to run `guest`. Files of this run go to the folder `scratch`; what is fetched, to `cache`.
///
/// # Errors
/// The stack cannot be fetched, the guest's kernel cannot be read, or the files cannot be written.
pub fn prepare(cache: &Path, scratch: &Path, guest: &Guest<'_>) -> Result<Host> {
    let stack = Stack::obtain(cache)?;
    fs::create_dir_all(scratch).with_context(|| format!("cannot create {}", scratch.display()))?;
    let initramfs = scratch.join("dom0.cpio");
    let archive = ramdisk::assemble(&stack.toolstack, guest)?;
    fs::write(&initramfs, archive).with_context(|| format!("cannot write {}", initramfs.display()))?;
    let log = scratch.join("host.log");
    Ok(Host {
        arguments: arguments(&stack, &initramfs, &log, guest),
        hypervisor: stack.xen,
        log,
    })
}

/// Writes the configuration with which `xl` creates `guest` on a real Xen host.
///
/// # Errors
/// The file cannot be written, or the command line cannot be expressed in it.
pub fn write_config(path: &Path, guest: &Guest<'_>) -> Result<()> {
    fs::write(path, guest.for_a_real_host()?).with_context(|| format!("cannot write {}", path.display()))
}

fn arguments(stack: &Stack, initramfs: &Path, log: &Path, guest: &Guest<'_>) -> Vec<OsString> {
    let memory = (DOM0_MEMORY + XEN_MEMORY + guest.memory).to_string();
    let cpu = match guest.kind {
        Kind::Pv => CPU,
        Kind::Pvh { .. } => CPU_FOR_PVH,
    };
    let xen = format!("console=com1 com1=115200,8n1 guest_loglvl=all dom0_mem={DOM0_MEMORY}M,max:{DOM0_MEMORY}M");
    let linux = module(&stack.linux, LINUX_ARGUMENTS);
    let modules = format!("{linux},{}", module(initramfs, ""));
    let mut arguments: Vec<OsString> = ["-cpu", cpu, "-m", &memory, "-append", &xen, "-initrd", &modules]
        .map(OsString::from)
        .to_vec();
    arguments.extend([OsString::from("-kernel"), stack.xen.clone().into()]);
    arguments.extend([
        OsString::from("-serial"),
        OsString::from(format!("file:{}", log.display())),
    ]);
    arguments
}

/// A boot module in QEMU's notation, in which a comma ends it unless doubled.
fn module(file: &Path, arguments: &str) -> String {
    format!("{}{arguments}", file.display()).replace(',', ",,")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_do_not_split_a_module() {
        assert_eq!(module(Path::new("/a,b/vmlinux"), " x=1,2"), "/a,,b/vmlinux x=1,,2");
    }

    #[test]
    fn machine_has_room_for_all_three() {
        let files = ["xen.elf", "vmlinux", "toolstack.cpio"].map(PathBuf::from);
        let [xen, linux, toolstack] = files;
        let stack = Stack { xen, linux, toolstack };
        let guest = Guest {
            kernel: Path::new("kernel"),
            arguments: "",
            memory: 64,
            cpus: 1,
            module: None,
            kind: Kind::Pvh { rom: None },
        };
        let arguments = arguments(&stack, Path::new("dom0.cpio"), Path::new("host.log"), &guest);
        assert!(arguments.iter().any(|argument| argument == CPU_FOR_PVH));
        assert!(arguments.windows(2).any(|pair| pair[0] == "-m" && pair[1] == "512"));
        assert!(
            arguments
                .windows(2)
                .any(|pair| pair[0] == "-serial" && pair[1] == "file:host.log")
        );
    }
}
