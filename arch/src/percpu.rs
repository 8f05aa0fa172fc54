//! Each CPU's own area, at the GS base on every platform.
//!
//! Everything hot that belongs to "this CPU" hangs on one fact: a segment prefix costs nothing, and cannot be separated from
//! the access by a migration. The first 64 bytes of the area belong to the platform. Xen keeps its `vcpu_info` there, so that
//! masking events is one store; a VMI ROM gets them for its virtual interrupt flag, for the same reason. Amsden proposed
//! this in March 2006 (LKML, 4421D379.3090405@vmware.com); Xen's `VCPUOP_register_vcpu_info` made it possible in 2007.
//!
//! Behind the head lie the per-CPU variables of all crates. They are ordinary statics ([`PerCpuVar`]) that the linker script
//! collects into one *template*; each CPU's area is a copy of it, so a variable's place in the template is its place in every
//! area. The boot CPU's copy is part of the image, the others' are allocated.

mod set;
mod variable;

pub use set::CpuSet;
pub use variable::PerCpuVar;

use crate::calls;
use core::arch::asm;
use core::cell::UnsafeCell;
use core::mem::offset_of;

/// Offset from the GS base of the bytes that belong to the platform.
pub const PLATFORM_OFFSET: usize = offset_of!(PerCpu, platform);

/// How many bytes at the start of the area belong to the platform.
pub const PLATFORM_SIZE: usize = 64;

/// Offset from the GS base of the stack pointer with which the next entry from user mode starts.
pub const KERNEL_STACK_OFFSET: usize = offset_of!(PerCpu, kernel_stack);

/// Offset from the GS base of the word in which an entry stub may put the user's stack pointer aside.
pub const USER_STACK_OFFSET: usize = offset_of!(PerCpu, user_stack);

/// Offset from the GS base of the area's own address.
pub const AREA_OFFSET: usize = offset_of!(PerCpu, this);

/// Offset from the GS base of the CPU's number, of 32 bits.
pub const CPU_OFFSET: usize = offset_of!(PerCpu, cpu);

/// Offset from the GS base of the word that turns the address of a per-CPU variable in the template into that of this CPU's copy.
pub const DISTANCE_OFFSET: usize = offset_of!(PerCpu, distance);

/// Offset from the GS base of the counters of calls; see [`calls`].
pub(crate) const CALLS_OFFSET: usize = offset_of!(PerCpu, calls);

/// How many CPUs the kernel can run on.
pub const MAX_CPUS: u32 = 64;

/// Number of a CPU: 0 is the one the kernel was started on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct CpuId(pub u32);

/// The head of one CPU's area. Its layout is known to assembly code and to hypervisors, so it is `repr(C)`, and aligned so
/// that the platform's part never crosses a page.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct PerCpu {
    /// The platform's bytes: `vcpu_info` under Xen, the ROM's under VMI. Changed by others at any time.
    pub platform: UnsafeCell<[u8; PLATFORM_SIZE]>,
    /// The area's own address, so that one load turns GS into a pointer.
    this: UnsafeCell<*const PerCpu>,
    /// How far the area is from the template: what turns the address of a variable there into that of this CPU's copy.
    distance: UnsafeCell<usize>,
    /// See [`KERNEL_STACK_OFFSET`].
    kernel_stack: UnsafeCell<u64>,
    /// See [`USER_STACK_OFFSET`].
    user_stack: UnsafeCell<u64>,
    /// What the core keeps here: the running thread.
    current: UnsafeCell<*const ()>,
    /// What the core keeps here: the CPU's scheduler.
    scheduler: UnsafeCell<*const ()>,
    /// How often preemption was switched off on this CPU, and not on again.
    preemption_off: UnsafeCell<u32>,
    /// The CPU's number.
    cpu: UnsafeCell<CpuId>,
    /// See [`CALLS_OFFSET`]; nothing in an image that does not count.
    calls: UnsafeCell<[u32; calls::COUNTERS]>,
}

// SAFETY: `platform` is only touched by single instructions of the platform crates or by the hypervisor; `this`, `distance` and
// `cpu` only before the area is published; the rest only by single instructions of the CPU itself.
unsafe impl Sync for PerCpu {}

const _: () = assert!(PLATFORM_OFFSET == 0);

/// The head of the template.
#[unsafe(link_section = ".percpu.head")]
#[used]
static TEMPLATE: PerCpu = PerCpu {
    platform: UnsafeCell::new([0; PLATFORM_SIZE]),
    this: UnsafeCell::new(core::ptr::null()),
    distance: UnsafeCell::new(0),
    kernel_stack: UnsafeCell::new(0),
    user_stack: UnsafeCell::new(0),
    current: UnsafeCell::new(core::ptr::null()),
    scheduler: UnsafeCell::new(core::ptr::null()),
    preemption_off: UnsafeCell::new(0),
    cpu: UnsafeCell::new(CpuId(0)),
    calls: UnsafeCell::new([0; calls::COUNTERS]),
};

unsafe extern "C" {
    static __percpu_start: u8;
    static __percpu_end: u8;
    static mut __percpu_boot: u8;
}

impl PerCpu {
    /// How many bytes an area has.
    pub fn size() -> usize {
        (&raw const __percpu_end).addr() - (&raw const __percpu_start).addr()
    }

    /// The boot CPU's area, fresh from the template. What it returns belongs into the GS base.
    ///
    /// # Safety
    /// Called once, before any CPU uses an area.
    pub unsafe fn prepare_boot() -> &'static Self {
        // SAFETY: the linker script sets this much memory aside for the purpose; the caller calls once.
        unsafe { Self::prepare((&raw mut __percpu_boot).cast(), CpuId(0)) }
    }

    /// Makes an area for `cpu` in `memory`. What it returns belongs into that CPU's GS base.
    ///
    /// # Safety
    /// `memory` is [`size`](Self::size) bytes, aligned to 64, in one piece, and given away for good.
    pub unsafe fn prepare(memory: *mut Self, cpu: CpuId) -> &'static Self {
        // SAFETY: the template is that long and never changed; the caller vouches for the memory, which nobody else sees yet.
        unsafe {
            memory
                .cast::<u8>()
                .copy_from_nonoverlapping(&raw const __percpu_start, Self::size());
            (*memory).this = UnsafeCell::new(memory);
            (*memory).distance = UnsafeCell::new(memory.addr().wrapping_sub((&raw const __percpu_start).addr()));
            (*memory).cpu = UnsafeCell::new(cpu);
            &*memory
        }
    }

    /// The area of the executing CPU, from the moment the platform's boot code has loaded GS.
    ///
    /// The answer names *this* CPU only as long as the caller cannot be moved to another.
    #[inline(always)]
    pub fn current() -> &'static Self {
        let this: *const Self;
        // SAFETY: the platform loads GS with a prepared area before it calls anything in the core.
        unsafe {
            asm!("mov {}, gs:[{offset}]", out(reg) this, offset = const offset_of!(PerCpu, this),
                 options(pure, readonly, nostack, preserves_flags));
            &*this
        }
    }

    /// The number of this area's CPU.
    #[inline(always)]
    pub fn cpu(&self) -> CpuId {
        // SAFETY: written only before the area was published.
        unsafe { *self.cpu.get() }
    }
}

/// How far the executing CPU's area is from the template; true only as long as the caller cannot be moved to another.
#[inline(always)]
pub fn distance() -> usize {
    let distance: usize;
    // SAFETY: GS is this CPU's area.
    unsafe {
        asm!("mov {}, gs:[{offset}]", out(reg) distance, offset = const offset_of!(PerCpu, distance),
             options(pure, readonly, nostack, preserves_flags));
    }
    distance
}

/// The number of the executing CPU; true only as long as the caller cannot be moved to another.
#[inline(always)]
pub fn this_cpu() -> CpuId {
    let cpu: u32;
    // SAFETY: GS is this CPU's area.
    unsafe {
        asm!("mov {:e}, gs:[{offset}]", out(reg) cpu, offset = const offset_of!(PerCpu, cpu),
             options(readonly, nostack, preserves_flags));
    }
    CpuId(cpu)
}

/// What the core keeps in the head: the running thread. Each thread reads its own, wherever it runs.
#[inline(always)]
pub fn current() -> *const () {
    let current: *const ();
    // SAFETY: GS is this CPU's area.
    unsafe {
        asm!("mov {}, gs:[{offset}]", out(reg) current, offset = const offset_of!(PerCpu, current),
             options(readonly, nostack, preserves_flags));
    }
    current
}

/// Sets what [`current`] reads on this CPU.
///
/// # Safety
/// For the scheduler, in the middle of a switch.
#[inline(always)]
pub unsafe fn set_current(current: *const ()) {
    // SAFETY: GS is this CPU's area.
    unsafe {
        asm!("mov gs:[{offset}], {}", in(reg) current, offset = const offset_of!(PerCpu, current),
             options(nostack, preserves_flags));
    }
}

/// What the core keeps in the head: the CPU's scheduler, null before it has one.
#[inline(always)]
pub fn scheduler() -> *const () {
    let scheduler: *const ();
    // SAFETY: GS is this CPU's area.
    unsafe {
        asm!("mov {}, gs:[{offset}]", out(reg) scheduler, offset = const offset_of!(PerCpu, scheduler),
             options(readonly, nostack, preserves_flags));
    }
    scheduler
}

/// Sets what [`scheduler`] reads on this CPU.
///
/// # Safety
/// For the scheduler, once.
pub unsafe fn set_scheduler(scheduler: *const ()) {
    // SAFETY: GS is this CPU's area.
    unsafe {
        asm!("mov gs:[{offset}], {}", in(reg) scheduler, offset = const offset_of!(PerCpu, scheduler),
             options(nostack, preserves_flags));
    }
}

/// Switches preemption off on this CPU once more: one instruction, so it counts on the CPU it is executed on.
#[inline(always)]
pub fn preemption_off() {
    // SAFETY: GS is this CPU's area, and the counter is this CPU's own.
    unsafe { asm!("inc dword ptr gs:[{offset}]", offset = const offset_of!(PerCpu, preemption_off), options(nostack)) };
}

/// Takes one [`preemption_off`] back; whether preemption is possible again is [`preemption_depth`]'s to say.
#[inline(always)]
pub fn preemption_on() {
    debug_assert!(
        preemption_depth() != 0,
        "preemption was switched on more often than off"
    );
    // SAFETY: as above.
    unsafe { asm!("dec dword ptr gs:[{offset}]", offset = const offset_of!(PerCpu, preemption_off), options(nostack)) };
}

/// How often preemption is switched off on this CPU.
#[inline(always)]
pub fn preemption_depth() -> u32 {
    let depth: u32;
    // SAFETY: as above.
    unsafe {
        asm!("mov {:e}, gs:[{offset}]", out(reg) depth, offset = const offset_of!(PerCpu, preemption_off),
             options(readonly, nostack, preserves_flags));
    }
    depth
}
