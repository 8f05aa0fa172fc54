//! QEMU's arguments for each kind of machine.
//!
//! Measured facts behind some of them: the boot loader of BIOS images prints nothing and hangs without a VGA device;
//! under Xen, a CPU model with SMAP makes `iretq` to ring 3 fault in QEMU; a reset must end QEMU (`-no-reboot`), or a
//! kernel that dies early starts again for ever.

use crate::cli::{Machine, Memory};
use crate::setup::Setup;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// What all machines share: the emulator, no window, no network, an end instead of a reset, and the exit device.
pub const COMMON: [&str; 9] = [
    "-accel",
    "tcg",
    "-display",
    "none",
    "-no-reboot",
    "-nic",
    "none",
    "-device",
    "isa-debug-exit,iobase=0xf4,iosize=4",
];
/// The processor of a machine that the kernel has to itself: everything that QEMU can emulate.
pub const OWN_PROCESSOR: &str = "max";
/// The processor below Xen: one without SMAP.
pub const SHARED_PROCESSOR: &str = "qemu64";
/// The processor below Xen for guests in ring 0: with nested page tables as well.
pub const NESTED_PROCESSOR: &str = "qemu64,+npt";
/// What makes QEMU log exits: they come with translated code, which an address filter keeps out, and which is nowhere in this page of
/// a machine's memory.
const EXITS: [&str; 4] = ["-d", "in_asm", "-dfilter", "0x10..0x10"];
/// What Xen 4.17 beneath several CPUs must be told: its usual scheduler, credit2, now and then leaves a virtual CPU alone that could run
/// while every processor is idle, when one starts another by INIT and the host is busy; see `docs/pvh.md`.
const SCHEDULER: &str = "sched=credit";
/// Xen's console.
const XEN_CONSOLE: &str = "console=com1 com1=115200,8n1";
/// Memory in MiB of a PVH dom0.
const PVH_MEMORY: Memory = Memory(256);
/// What Xen wants beside that for itself, in MiB, and to describe the domain's: one part of so many of it.
const XEN_MEMORY: u32 = 224;
const PVH_SHARE: u32 = 32;
/// Memory in MiB of a machine that the kernel has to itself.
const OWN_MEMORY: Memory = Memory(128);
/// Memory in MiB of a machine that the kernel shares with the hypervisor.
const SHARED_MEMORY: Memory = Memory(512);

/// What is loaded.
#[derive(Debug, Clone, Copy)]
pub struct Payload<'a> {
    /// The image.
    pub kernel: &'a Path,
    /// The kernel's arguments.
    pub arguments: &'a str,
    /// A file beside it.
    pub module: Option<&'a Path>,
}

/// What a run may want beside the machine itself.
#[derive(Debug, Clone, Default)]
pub struct Extras {
    /// Wait for a debugger at this address, in the words of QEMU's command line.
    pub debugger: Option<OsString>,
    /// Let each instruction take one nanosecond.
    pub count_instructions: bool,
    /// Write to this file why and where a guest with hardware assistance leaves for its hypervisor, each time.
    pub exits: Option<PathBuf>,
}

impl Extras {
    /// QEMU's arguments for them.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut arguments = Vec::new();
        if let Some(address) = &self.debugger {
            arguments.extend(["-S".into(), "-gdb".into(), address.clone()]);
        }
        if self.count_instructions {
            arguments.extend(["-icount".into(), "shift=0,align=off,sleep=off".into()]);
            // Nor may the calendar be the host's, or what waits for its next second waits another number of instructions each time.
            arguments.extend(["-rtc".into(), "base=2026-01-01T00:00:00,clock=vm".into()]);
        }
        if let Some(log) = &self.exits {
            arguments.extend(EXITS.map(OsString::from));
            arguments.extend(["-D".into(), log.into()]);
        }
        arguments
    }
}

/// A machine without a hypervisor.
pub fn own(machine: Machine, setup: &Setup) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = ["-M", machine.name(), "-cpu", OWN_PROCESSOR]
        .map(OsString::from)
        .to_vec();
    arguments.extend(size(setup, OWN_MEMORY));
    arguments
}

/// QEMU itself loads the kernel, by its PVH entry; nothing needs a screen.
pub fn direct(payload: &Payload<'_>) -> Vec<OsString> {
    let mut all: Vec<OsString> = vec!["-vga".into(), "none".into(), "-kernel".into(), payload.kernel.into()];
    all.extend(["-append".into(), payload.arguments.into()]);
    all.extend(
        payload
            .module
            .into_iter()
            .flat_map(|module| ["-initrd".into(), module.as_os_str().to_owned()]),
    );
    all
}

/// Firmware loads the boot loader from `disk`. Without `firmware` it is QEMU's BIOS.
pub fn from_disk(disk: &Path, firmware: Option<&Path>) -> Vec<OsString> {
    let mut drive = OsString::from("format=raw,if=ide,file=");
    drive.push(doubled_commas(disk.as_os_str()));
    let mut arguments: Vec<OsString> = vec!["-vga".into(), "std".into(), "-drive".into(), drive];
    arguments.extend(
        firmware
            .into_iter()
            .flat_map(|file| ["-bios".into(), file.as_os_str().to_owned()]),
    );
    arguments
}

/// Xen loads the kernel as its first domain, in ring 0 of a processor that emulates what hardware has for that: nested page tables, and
/// an IOMMU, without which Xen lets no such domain near the devices.
pub fn pvh_dom0(xen: &Path, payload: &Payload<'_>, setup: &Setup) -> Vec<OsString> {
    let memory = setup.memory.unwrap_or(PVH_MEMORY).0;
    let mut options = format!("{XEN_CONSOLE} guest_loglvl=all dom0=pvh dom0_mem={memory}M,max:{memory}M");
    options.extend(setup.smp.map(|cpus| format!(" dom0_max_vcpus={cpus} {SCHEDULER}")));
    let mut all: Vec<OsString> = [
        "-M",
        "q35",
        "-device",
        "amd-iommu",
        "-cpu",
        NESTED_PROCESSOR,
        "-vga",
        "none",
    ]
    .map(OsString::from)
    .to_vec();
    let whole = Memory(memory.saturating_add(memory / PVH_SHARE).saturating_add(XEN_MEMORY));
    all.extend(memory_and_cpus(whole, setup.smp));
    all.extend(["-kernel".into(), xen.into(), "-append".into(), options.into()]);
    all.extend(["-initrd".into(), module_list(payload)]);
    all
}

/// Xen loads the kernel as its first domain.
pub fn dom0(xen: &Path, payload: &Payload<'_>, setup: &Setup) -> Vec<OsString> {
    let options = match setup.smp {
        None => XEN_CONSOLE.to_owned(),
        Some(cpus) => format!("{XEN_CONSOLE} dom0_max_vcpus={cpus}"),
    };
    let mut all: Vec<OsString> = vec!["-cpu".into(), SHARED_PROCESSOR.into(), "-vga".into(), "none".into()];
    all.extend(size(setup, SHARED_MEMORY));
    all.extend(["-kernel".into(), xen.into(), "-append".into(), options.into()]);
    all.extend(["-initrd".into(), module_list(payload)]);
    all
}

/// The kernel with its arguments, and the module, as QEMU's list of boot modules.
fn module_list(payload: &Payload<'_>) -> OsString {
    let mut kernel = payload.kernel.as_os_str().to_owned();
    kernel.push(format!(" {}", payload.arguments));
    let mut list = doubled_commas(&kernel);
    if let Some(module) = payload.module {
        list.push(",");
        list.push(doubled_commas(module.as_os_str()));
    }
    list
}

/// Memory and CPUs.
fn size(setup: &Setup, usual: Memory) -> Vec<OsString> {
    memory_and_cpus(setup.memory.unwrap_or(usual), setup.smp)
}

/// The same as such.
fn memory_and_cpus(memory: Memory, cpus: Option<u32>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["-m".into(), format!("{}M", memory.0).into()];
    arguments.extend(
        cpus.into_iter()
            .flat_map(|cpus| ["-smp".into(), cpus.to_string().into()]),
    );
    arguments
}

/// `text` for an option of QEMU in which a comma separates: each comma twice.
fn doubled_commas(text: &OsStr) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let bytes = text.as_bytes().iter();
    OsString::from_vec(
        bytes
            .flat_map(|&byte| std::iter::repeat_n(byte, 1 + usize::from(byte == b',')))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Image, MachineArgs};

    fn setup(platform: &str, smp: Option<u32>, memory: Option<u32>) -> Setup {
        let image = Image {
            features: vec![platform.into()],
            release: false,
        };
        Setup::new(
            &image,
            &MachineArgs {
                smp,
                memory: memory.map(Memory),
                ..Default::default()
            },
        )
        .unwrap()
    }

    fn payload(arguments: &str) -> Payload<'_> {
        Payload {
            kernel: Path::new("k.elf"),
            arguments,
            module: Some(Path::new("a,b.cpio")),
        }
    }

    fn has(arguments: &[OsString], option: &str, value: &str) -> bool {
        arguments.windows(2).any(|pair| pair[0] == option && pair[1] == value)
    }

    #[test]
    fn commas_of_kernel_arguments_survive_the_module_list() {
        let all = dom0(
            Path::new("xen.elf"),
            &payload("test=a,b log=info"),
            &setup("xen", None, None),
        );
        assert!(has(&all, "-initrd", "k.elf test=a,,b log=info,a,,b.cpio"));
        assert!(has(&all, "-m", "512M") && has(&all, "-cpu", "qemu64"));
    }

    #[test]
    fn direct_boot_takes_arguments_as_they_are() {
        let all = direct(&payload("test=a,b"));
        assert!(has(&all, "-append", "test=a,b") && has(&all, "-initrd", "a,b.cpio"));
    }

    #[test]
    fn cpus_and_memory_are_the_kernels() {
        let all = own(Machine::Microvm, &setup("native", Some(4), Some(32)));
        assert!(has(&all, "-M", "microvm") && has(&all, "-smp", "4") && has(&all, "-m", "32M"));
        let all = pvh_dom0(Path::new("x"), &payload(""), &setup("native", Some(2), Some(64)));
        let options =
            "console=com1 com1=115200,8n1 guest_loglvl=all dom0=pvh dom0_mem=64M,max:64M dom0_max_vcpus=2 sched=credit";
        assert!(has(&all, "-smp", "2") && has(&all, "-append", options) && has(&all, "-m", "290M"));
        let all = dom0(Path::new("x"), &payload(""), &setup("xen", Some(2), None));
        assert!(has(&all, "-smp", "2") && has(&all, "-append", "console=com1 com1=115200,8n1 dom0_max_vcpus=2"));
    }

    #[test]
    fn disks_need_a_screen_and_may_need_firmware() {
        let bios = from_disk(Path::new("/a,b/disk.img"), None);
        assert!(has(&bios, "-drive", "format=raw,if=ide,file=/a,,b/disk.img") && has(&bios, "-vga", "std"));
        assert!(has(
            &from_disk(Path::new("d"), Some(Path::new("OVMF.fd"))),
            "-bios",
            "OVMF.fd"
        ));
    }
}
