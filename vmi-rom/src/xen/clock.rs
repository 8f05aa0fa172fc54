//! Time by Xen's clock: the cycle of this ROM is a nanosecond of system time.
//!
//! Xen writes down, for each virtual CPU, one moment on two clocks (the time-stamp counter and system time) and the rate between them. From
//! there a domain goes on alone. So the clock is read without leaving the domain, a moment read is a moment that the timer understands,
//! and it is right on whatever machine the domain finds itself. Two CPUs may differ by some nanoseconds: no reading is
//! earlier than one before.

use crate::xen::cpu;
use crate::xen::shared::SHARED_INFO;
use core::arch::{naked_asm, x86_64};
use core::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, fence};
use vmi64::values::{COUNTER_AVAILABLE, COUNTER_REAL, COUNTER_STOLEN};

const NANOSECONDS: u64 = 1_000_000_000;

/// The latest moment that any CPU was told.
static LATEST: AtomicU64 = AtomicU64::new(0);

/// Call 66.
pub extern "sysv64" fn frequency() -> u64 {
    NANOSECONDS
}

/// Call 75, which may change RAX and RDX only.
#[unsafe(naked)]
pub extern "sysv64" fn real_cycles() -> u64 {
    naked_asm!(
        "push rcx",
        "push rsi",
        "push rdi",
        "push r8",
        "push r9",
        "push r10",
        "push r11",
        "call {now}",
        "pop r11",
        "pop r10",
        "pop r9",
        "pop r8",
        "pop rdi",
        "pop rsi",
        "pop rcx",
        "ret",
        now = sym now,
    )
}

/// Call 67.
pub extern "sysv64" fn cycle_counter(which: u64) -> u64 {
    match which & u64::from(u32::MAX) {
        COUNTER_REAL => now(),
        COUNTER_AVAILABLE => now().wrapping_sub(stolen()),
        COUNTER_STOLEN => stolen(),
        _ => 0,
    }
}

/// Call 70.
pub extern "sysv64" fn wall_clock() -> u64 {
    let (seconds, nanoseconds) = SHARED_INFO.start_of_system_time();
    let start = seconds.wrapping_mul(NANOSECONDS).wrapping_add(nanoseconds.into());
    start.wrapping_add(now())
}

/// System time in nanoseconds.
pub extern "sysv64" fn now() -> u64 {
    let now = system_time();
    LATEST.fetch_max(now, Relaxed).max(now)
}

/// System time by this CPU's account of it: read again if Xen was writing, or if the kernel has moved to another CPU in the middle.
fn system_time() -> u64 {
    loop {
        let cpu = cpu::this();
        if let Some(now) = cpu.info.time.nanoseconds(ordered_counter)
            && core::ptr::eq(cpu, cpu::this())
        {
            return now;
        }
    }
}

/// The time-stamp counter, read after everything that comes before it in the program.
fn ordered_counter() -> u64 {
    // SAFETY: neither changes anything.
    unsafe {
        x86_64::_mm_lfence();
        x86_64::_rdtsc()
    }
}

/// How long this CPU has wanted to run, or could not at all, while others did.
pub fn stolen() -> u64 {
    let runstate = &cpu::this().runstate;
    loop {
        let since = runstate.since.load(Acquire);
        let [_, runnable, _, offline] = &runstate.spent;
        let stolen = runnable.load(Relaxed).wrapping_add(offline.load(Relaxed));
        fence(Acquire);
        // The account is written when the CPU begins to run, so it changes only if this was interrupted for that long.
        if runstate.since.load(Relaxed) == since {
            return stolen;
        }
    }
}
