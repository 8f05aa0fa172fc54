//! The other CPUs: starting them at boot, and having them do something.

mod call;

pub use call::{handle, run_on};

use crate::irq;
use crate::mm::frames;
use crate::mm::mappings::MapError;
use crate::mm::stack::KernelStack;
use crate::platform::Platform;
use crate::sync::acquire;
use crate::task;
use alloc::boxed::Box;
use arch::layout::PAGE_SIZE;
use arch::percpu::{CpuId, CpuSet, MAX_CPUS, PerCpu, this_cpu};
use arch::smp::StartError;
use arch::{IrqOps, SmpOps, TimeOps};
use core::fmt;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Release};
use core::time::Duration;

/// A CPU that has not come up by then is left out.
const PATIENCE: Duration = Duration::from_secs(1);

/// CPUs that run.
static ONLINE: AtomicU64 = AtomicU64::new(1);
/// CPUs that were given up, and must not run if they come up after all.
static LEFT_OUT: AtomicU64 = AtomicU64::new(0);
/// The areas of all CPUs that were prepared.
static AREAS: [AtomicPtr<PerCpu>; MAX_CPUS as usize] = [const { AtomicPtr::new(null_mut()) }; MAX_CPUS as usize];

/// Why a CPU is left out.
#[derive(Debug)]
enum LeftOut {
    Refused(StartError),
    NoStack(MapError),
    NoMemory,
    Silent,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(out),
            Self::NoStack(error) => write!(out, "it has no stack: {error}"),
            Self::NoMemory => write!(out, "no memory for its area"),
            Self::Silent => write!(out, "it did not come up within {PATIENCE:?}"),
        }
    }
}

/// The CPUs that run.
pub fn online() -> CpuSet {
    CpuSet::from_bits(ONLINE.load(Acquire))
}

/// Interrupts a CPU. Not in line: it is rare where it is called from, and what it takes should not be in the way there.
#[cold]
#[inline(never)]
pub fn interrupt(cpu: CpuId) {
    Platform::send_ipi(cpu);
}

/// The area of a CPU.
///
/// # Panics
/// If that CPU never was prepared: only numbers from [`online`] make sense.
pub fn area(cpu: CpuId) -> &'static PerCpu {
    let area = AREAS[cpu.0 as usize].load(Acquire);
    assert!(!area.is_null(), "CPU {} has no area", cpu.0);
    // SAFETY: areas are published when they are complete, and never go away.
    unsafe { &*area }
}

/// Starts all CPUs but this one, one after the other, and names those that are left out.
pub fn start_others() {
    publish(PerCpu::current());
    let count = Platform::cpu_count();
    for cpu in (1..count.min(MAX_CPUS)).map(CpuId) {
        if let Err(why) = start(cpu) {
            log::warn!("CPU {} is left out: {why}", cpu.0);
        }
    }
    if count > MAX_CPUS {
        log::warn!(
            "{} CPUs are left out: the kernel runs on {MAX_CPUS} at the most",
            count - MAX_CPUS
        );
    }
}

/// Where a started CPU enters the core: says that it is there, and serves.
pub fn cpu_online() -> ! {
    task::start();
    if !set_unless(&ONLINE, &LEFT_OUT, this_cpu()) {
        // Too late. Nobody expects this CPU any more, and it must touch nothing.
        loop {
            Platform::disable();
            core::hint::spin_loop();
        }
    }
    Platform::enable();
    task::run_idle()
}

fn start(cpu: CpuId) -> Result<(), LeftOut> {
    let area = new_area(cpu).ok_or(LeftOut::NoMemory)?;
    let stack = Box::leak(Box::new(KernelStack::new().map_err(LeftOut::NoStack)?));
    // SAFETY: the area is fresh, the stack is leaked and so its alone, and the kernel has only the boot CPU's page tables.
    unsafe { Platform::start_cpu(area, stack.range()) }.map_err(LeftOut::Refused)?;
    let deadline = Platform::now() + PATIENCE;
    let mut turn = 0;
    while !online().contains(cpu) {
        if Platform::now() > deadline && set_unless(&LEFT_OUT, &ONLINE, cpu) {
            return Err(LeftOut::Silent);
        }
        Platform::spin(turn);
        turn += 1;
    }
    Ok(())
}

/// Adds `cpu` to `set` unless `other` has it. Both sides may try at the same time; one of them wins.
fn set_unless(set: &AtomicU64, other: &AtomicU64, cpu: CpuId) -> bool {
    /// Whoever decides about a CPU holds this for a moment.
    static DECIDING: spin::Mutex<()> = spin::Mutex::new(());
    let _masked = irq::mask();
    let _deciding = acquire(&DECIDING);
    let bit = CpuSet::only(cpu).bits();
    other.load(Acquire) & bit == 0 && {
        set.fetch_or(bit, AcqRel);
        true
    }
}

fn new_area(cpu: CpuId) -> Option<&'static PerCpu> {
    let pages = PerCpu::size().div_ceil(PAGE_SIZE as usize);
    let block = frames::allocate(pages.next_power_of_two().ilog2() as u8)?;
    // SAFETY: the block is large enough, aligned to a page, and ours to give away.
    let area = unsafe { PerCpu::prepare(block.direct().as_mut_ptr(), cpu) };
    publish(area);
    Some(area)
}

fn publish(area: &'static PerCpu) {
    AREAS[area.cpu().0 as usize].store((&raw const *area).cast_mut(), Release);
}
