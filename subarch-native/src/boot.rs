//! From a loader's hands to the core's: the way up that all native entries share.
//!
//! Each entry point knows one loader and turns what that passes into a [`Handover`]; from there on nobody asks who it was.
//! The order of the rest is dictated by one wish: to be able to say what went wrong. So the console comes first and the gates
//! for exceptions second, before anything is read that somebody else wrote.

pub mod command_line;
pub mod loader;
pub mod pvh;

pub use crate::entry::Entry;

use crate::console::framebuffer::{self, Mode};
use crate::cpu::{self, Features};
use crate::ioapic::{Input, IoApic};
use crate::mmu::build::{BuildError, Plan, build, image_frames};
use crate::mmu::devices::{Device, IO_APIC};
use crate::mmu::tables::LargestPage;
use crate::trap::CONSOLE_VECTOR;
use crate::{Native, apic, console, mmu, pic, power, smp, time, trap};
use arch::layout::direct;
use arch::percpu::PerCpu;
use arch::stack::GuardedStack;
use arch::{Boot, FrameRange, IrqOps, Kernel, MemoryMap, MmuOps, PageTableFlags, Pfn};
use log::{debug, warn};
use pc_firmware::acpi::Firmware;
use pc_firmware::physical::Shown;

/// What a loader told, in this kernel's words.
#[derive(Debug)]
pub struct Handover {
    /// The way the kernel was entered.
    pub entry: &'static str,
    /// The cycle counter at the first instruction.
    pub entry_cycles: u64,
    /// The kernel's command line.
    pub command_line: &'static str,
    /// All memory that is memory, whoever uses it now.
    pub ram: MemoryMap,
    /// The part of it that nobody uses, but perhaps the image.
    pub free: MemoryMap,
    /// The boot module.
    pub module: Option<FrameRange>,
    /// Where the firmware's tables begin (ACPI's root pointer), if the loader knows.
    pub rsdp: Option<u64>,
    /// The screen, if there is one that shows a buffer.
    pub framebuffer: Option<Mode>,
}

/// The size of the stack that the kernel boots on.
pub const BOOT_STACK_SIZE: usize = 64 * 1024;

/// The stack that the kernel boots on, and that the core starts on.
pub(crate) static BOOT_STACK: GuardedStack<BOOT_STACK_SIZE> = GuardedStack::new();

/// Memory below this frame is never given to the core: firmware lives in it, and CPUs start there.
const LOW_MEMORY: FrameRange = FrameRange::new(Pfn(0), Pfn(0x100));

/// Of it, this much is left alone: some firmware writes there whatever it promised.
const FIRMWARES_OWN: FrameRange = FrameRange::new(Pfn(0), Pfn(0x10));

/// Where option ROMs and the BIOS are found, which the direct map shows though they are not memory.
const ROM_AREA: FrameRange = FrameRange::new(Pfn(0xc0), Pfn(0x100));

/// Makes the kernel able to speak: console, segments, gates for exceptions.
///
/// # Safety
/// Called once, first, on the boot CPU.
unsafe fn prepare<E: Entry>() {
    Native::disable();
    // SAFETY: nobody uses the port, the segments or the gates yet, as the caller promises; the stubs are an entry macro's.
    unsafe {
        console::init();
        cpu::load_segments(PerCpu::prepare_boot());
        trap::load(E::trap_stubs());
        cpu::take_system_calls(E::system_call_stub());
    }
}

/// Takes the machine over and hands it to the core. `shown` is what the loader's page tables show in the direct map.
fn run<E: Entry>(mut handover: Handover, shown: &Shown) -> ! {
    if let Some(mode) = handover.framebuffer.filter(|mode| mode.end() <= shown.below()) {
        // SAFETY: the loader's page tables show it, until `take_memory` leaves them.
        unsafe { framebuffer::show(mode, direct(mode.physical)) };
    }
    E::Kernel::console_ready(handover.command_line);
    let features = Features::detect();
    if !features.contains(Features::LOCAL_APIC | Features::CYCLE_COUNTER) {
        panic!("this processor has no local APIC or no cycle counter: {features:?}");
    }
    // SAFETY: none of the loaders' page tables have user pages, and the kernel writes to none that they forbid it.
    unsafe { cpu::set_up(features) };
    debug!("processor features in use: {features:?}");
    if !features.contains(Features::NO_EXECUTE) {
        warn!("this processor has no no-execute pages: all memory can be executed");
        mmu::set_unsupported(PageTableFlags::NO_EXECUTE);
    }
    let firmware = Firmware::read(shown, handover.rsdp);
    let devices = take_memory(&mut handover, features, &firmware, shown)
        .unwrap_or_else(|error| panic!("no page tables of the kernel's own: {error}"));
    // SAFETY: the devices are mapped now, and nobody else's.
    unsafe { start_devices(&handover, &firmware, &devices) };
    match devices.trampoline {
        // SAFETY: the frames were free low memory, and the direct map shows them.
        Some(page) => unsafe { smp::set_up::<E>(page) },
        None => warn!("no free memory below 1 MiB: other CPUs cannot be started"),
    }
    E::Kernel::start(Boot {
        entry: handover.entry,
        entry_cycles: handover.entry_cycles,
        command_line: handover.command_line,
        total_frames: handover.ram.frames(),
        direct_below: handover.ram.end(),
        memory: handover.free,
        stack: BOOT_STACK.range(),
        module: handover.module,
    })
}

/// The devices that the boot code and the operations of this platform use.
struct Devices {
    local_apic: Device,
    /// Where the serial line's interrupt arrives, if anywhere, and the I/O APIC there.
    serial: Option<(Input, Device)>,
    /// Memory in which other CPUs can start.
    trampoline: Option<Pfn>,
}

impl Devices {
    /// Finds them.
    fn find(firmware: &Firmware, trampoline: Option<Pfn>) -> Self {
        let serial = firmware.serial(console::line().unwrap_or(0));
        Self {
            // SAFETY: `run` saw that the processor has one, interrupts are masked, and nobody uses it yet.
            local_apic: unsafe { apic::find() },
            serial: serial.map(|input| (input, Device::registers(IO_APIC, input.registers))),
            trampoline,
        }
    }
}

/// Takes out of the free memory what is never the core's, and the trampoline; returns that and what the direct map is to show.
fn sort_memory(handover: &mut Handover) -> Result<(Option<Pfn>, MemoryMap), BuildError> {
    handover.free.remove(FIRMWARES_OWN)?;
    let trampoline = handover.free.take(smp::TRAMPOLINE_PAGES, LOW_MEMORY.end);
    handover.free.remove(LOW_MEMORY)?;
    for frames in image_frames()?.ranges() {
        handover.free.remove(*frames)?;
    }
    let mut shown = handover.ram.clone();
    shown.insert(ROM_AREA)?;
    Ok((trampoline, shown))
}

/// Moves to page tables of the kernel's own, in which the devices are mapped.
fn take_memory(
    handover: &mut Handover,
    features: Features,
    firmware: &Firmware,
    loader: &Shown,
) -> Result<Devices, BuildError> {
    let (trampoline, shown) = sort_memory(handover)?;
    let devices = Devices::find(firmware, trampoline);
    let [sleep, reset] = power::devices(firmware);
    let screen = handover.framebuffer.map(|mode| (mode, mode.device()));
    let [first, second, third] = cpu::stacks::guard_pages();
    let plan = Plan {
        shown: &shown,
        free: &mut handover.free,
        reachable_below: Pfn::containing(loader.below()),
        largest: largest_page(features),
        guard_pages: &[BOOT_STACK.guard_page(), first, second, third],
        devices: &[
            Some(devices.local_apic),
            devices.serial.map(|(_, io_apic)| io_apic),
            screen.map(|(_, device)| device),
            sleep,
            reset,
        ],
        cpus: smp::all(firmware.cpus).iter().count() as u32,
    };
    // SAFETY: the loader's tables show what `loader` promises, and the free frames are nobody's. The new tables map the image
    // as the current ones do, and the screen's buffer, if there is one.
    unsafe {
        mmu::use_kernel_root(build(plan)?);
        if let Some((mode, device)) = screen {
            framebuffer::show(mode, device.address());
        }
    }
    let root = Native::root().address();
    debug!("page tables at {root:#x}, free memory {:?}", handover.free);
    Ok(devices)
}

/// The largest pages that a processor with `features` has.
fn largest_page(features: Features) -> LargestPage {
    match features.contains(Features::GIGABYTE_PAGES) {
        true => LargestPage::Huge,
        false => LargestPage::Large,
    }
}

/// Brings the devices into the state that the core may rely on.
///
/// # Safety
/// They are mapped where [`mmu::devices`] says, and nobody else's; called once, with interrupts masked.
unsafe fn start_devices(handover: &Handover, firmware: &Firmware, devices: &Devices) {
    let timer_port = firmware.fixed.and_then(|fixed| fixed.timer);
    let century = firmware.fixed.map_or(0, |fixed| fixed.century);
    // SAFETY: the caller vouches for all of them; the gates are loaded since `prepare`.
    unsafe {
        pic::silence();
        apic::set_up();
        if let Err(error) = time::set_up(handover.entry_cycles, timer_port, century) {
            panic!("no clock: {error}");
        }
        smp::set_cpus(firmware.cpus);
        if let Some((input, io_apic)) = devices.serial {
            IoApic::new(io_apic.address()).connect(input, CONSOLE_VECTOR, apic::id());
        }
    }
    console::enable_input();
    power::set_up(firmware);
}
