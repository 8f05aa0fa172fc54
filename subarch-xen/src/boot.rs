//! From Xen's first instruction to the core's.
//!
//! A PV guest is born in 64-bit mode, with paging on, everything mapped and exceptions nowhere to go. There is no firmware
//! to ask and no device to set up; what must be done is to make the guest's own arrangements with Xen, each at the earliest
//! moment it is possible, so that whatever goes wrong next can be reported: first the per-CPU area (the clock and the
//! interrupt mask hang on it), then the console, then exceptions, then page tables.

use crate::hypercall::{Granted, user, version};
use crate::mmu::first::{replace_tables, show_shared_info};
use crate::start_info::StartInfo;
use crate::{console, cpu, event, mmu, p2m, time, trap};
use arch::memory::TooManyRanges;
use arch::percpu::PerCpu;
use arch::stack::GuardedStack;
use arch::{Boot, FrameRange, Kernel, MemoryMap, Pfn, image};
use spin::Once;

/// How large the boot CPU's stack is.
pub const STACK_SIZE: usize = 64 * 1024;

/// The stack the kernel is started on, and stays on. Xen's own for a guest is a single page without a guard.
pub static STACK: GuardedStack<STACK_SIZE> = GuardedStack::new();

/// Our copy of what Xen tells the domain.
static START_INFO: Once<StartInfo> = Once::new();

/// Pages are laid out by this domain itself. A domain with `XENFEAT_auto_translated_physmap` is another kind of guest.
const FEATURE_AUTO_TRANSLATED: u32 = 1 << 2;

/// Boots. The stub that [`entry!`](crate::entry) makes calls this, on [`STACK`].
///
/// # Safety
/// Called once, at the start, with Xen's `start_info` and the cycle counter.
pub unsafe extern "C" fn start<K: Kernel>(start_info: *const StartInfo, entry_cycles: u64) -> ! {
    // SAFETY: this is the start.
    let start_info = unsafe { adopt(start_info) };
    let command_line = start_info.command_line().expect("it was checked");
    K::console_ready(command_line);
    trap::install::<K>();
    require_features();
    let free = free_memory(start_info).expect("a handful of things lie in memory");
    // SAFETY: this is the start, we are on the image's stack, and refer to nothing outside the image.
    let memory = unsafe { replace_tables(start_info, free, STACK.guard_page()) };
    log::debug!("memory below {:#x} is in the direct map", memory.direct_below.address());
    prepare_user_mode();
    listen();
    K::start(Boot {
        entry: "Xen PV",
        entry_cycles,
        command_line,
        memory: memory.free,
        total_frames: start_info.frames,
        direct_below: memory.direct_below,
        stack: STACK.range(),
        module: start_info.module(),
    })
}

/// Whether this is dom0.
pub fn is_initial_domain() -> bool {
    START_INFO.get().is_some_and(StartInfo::is_initial_domain)
}

/// Makes what Xen gave us usable: the per-CPU area, the list of frames, the shared pages, the console.
///
/// # Safety
/// As for [`start`].
unsafe fn adopt(start_info: *const StartInfo) -> &'static StartInfo {
    // SAFETY: nothing has used GS so far. A panic may.
    unsafe { cpu::load_area() };
    // SAFETY: it is Xen's, on a page of its own in the first mapping.
    let start_info = START_INFO.call_once(|| unsafe { (*start_info).clone() });
    if let Err(malformed) = start_info.check() {
        panic!("{malformed}");
    }
    mmu::learn_flags();
    // SAFETY: it was checked, this is the start, and each step needs only those before it.
    unsafe {
        p2m::adopt(start_info);
        cpu::share_boot_info();
        show_shared_info(start_info);
    }
    event::mask_all();
    console::adopt(start_info);
    start_info
}

/// Refuses a domain that this kernel was not made for, and says what it has to do without.
fn require_features() {
    let features = version::features().granted();
    log::debug!("Xen offers features {features:#x}");
    if features & FEATURE_AUTO_TRANSLATED != 0 {
        panic!("this domain has feature auto_translated_physmap: it is not a PV guest that has its own page tables");
    }
    if !mmu::has_no_execute() {
        log::warn!("this processor cannot forbid execution: all memory is executable");
    }
}

/// All frames without those that stay in use.
fn free_memory(start_info: &StartInfo) -> Result<MemoryMap, TooManyRanges> {
    let pages = image::pages();
    let image = FrameRange::new(
        p2m::image_frame(pages.start.as_u64()),
        p2m::image_frame(pages.end.as_u64()),
    );
    let mut free = MemoryMap::new();
    free.insert(FrameRange::new(Pfn(0), Pfn(start_info.frames)))?;
    free.remove(image)?;
    free.remove(start_info.list())?;
    free.remove(start_info.tables())?;
    if let Some(module) = start_info.module() {
        free.remove(module)?;
    }
    for shared in start_info.shared_frames().filter_map(p2m::frame) {
        free.remove(FrameRange::new(shared, shared + 1))?;
    }
    Ok(free)
}

/// Makes ready what programs need and what they must not see.
fn prepare_user_mode() {
    user::hide_machine_table().granted();
    cpu::user::prepare();
    cpu::extended::learn();
    cpu::extended::enable();
}

/// Has timer, other CPUs and console announce themselves.
fn listen() {
    time::stop_ticking();
    event::listen_on(PerCpu::current()).granted();
    event::listen_to_console(console::port());
}
