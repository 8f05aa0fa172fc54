//! Time by the ROM's counter: cycles of a constant frequency, scaled to nanoseconds here.
//!
//! What a cycle is, is the hypervisor's choice, and may change once: when the ROM takes over. So the clock is the counter's value at
//! the clock's start, and the rate that call 66 tells; both are taken anew at that point, so that time goes on where it was.
//! A reading is one site in line, as short as bare metal's.

pub(crate) mod by_rom;

use crate::Vmi;
use crate::detour::{detour, taken};
use crate::site::site;
use arch::{Instant, TimeOps};
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use subarch_native::apic::{Register, address};
use subarch_native::time::Rate;
use subarch_native::{Native, time};

const NANOSECONDS: u64 = 1_000_000_000;

/// The counter's value at the clock's start, or what it would have been then.
pub static START: AtomicU64 = AtomicU64::new(0);
/// Nanoseconds for a cycle. Until the boot code has measured anything, time stands still.
pub static CYCLE: Rate = Rate::zero();

/// Starts the clock, at the moment when the counter stood at `cycles`.
pub(crate) fn start(cycles: u64) {
    set_rates();
    START.store(cycles, Relaxed);
}

/// Lets the clock go on from `moment` by the counter and the rate there are now.
pub(crate) fn resume(moment: Instant) {
    set_rates();
    let since = CYCLE.least(moment.nanoseconds());
    START.store(real_cycles().wrapping_sub(since), Relaxed);
}

fn set_rates() {
    let frequency = by_rom::frequency();
    CYCLE.set(NANOSECONDS, frequency);
}

impl TimeOps for Vmi {
    #[inline]
    fn now() -> Instant {
        let cycles = real_cycles();
        // SAFETY: it is written at boot, before other CPUs run; see `Rate::of` for why this is no atomic load. Read behind the counter, it
        // is an operand of the subtraction.
        let start = unsafe { *START.as_ptr() };
        Instant::from_nanoseconds(CYCLE.of(cycles.wrapping_sub(start)))
    }

    #[inline(always)]
    fn cycles() -> u64 {
        let (low, high): (u64, u64);
        // SAFETY: reading the counter has no effect.
        unsafe { site!(Rdtsc, "rdtsc", out("rax") low, out("rdx") high, options(nomem, nostack)) }
        high << 32 | low
    }

    fn cycles_to_duration(cycles: u64) -> Duration {
        Native::cycles_to_duration(cycles)
    }

    fn wall_clock() -> Duration {
        by_rom::wall_clock()
    }

    #[inline]
    fn set_alarm(deadline: Instant) {
        if taken!(SetAlarm) {
            by_rom::set_alarm(deadline);
        } else {
            time::set_alarm_in(deadline.nanoseconds().saturating_sub(Self::now().nanoseconds()));
        }
    }

    #[inline(always)]
    fn cancel_alarm() {
        // SAFETY: whoever waits for the alarm asked for this.
        unsafe {
            detour!(
                CancelAlarm, 0, "mov dword ptr [{count}], 0",
                by_rom::cancel_alarm, [],
                count = in(reg) address(Register::InitialCount),
                options(nostack),
            );
        }
    }

    #[inline(always)]
    fn stolen() -> Duration {
        if taken!(GetCycleCounter) {
            by_rom::stolen()
        } else {
            Native::stolen()
        }
    }

    fn clock_source() -> impl fmt::Display {
        ClockSource
    }
}

/// Where the time comes from, for the boot report.
struct ClockSource;

impl fmt::Display for ClockSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if taken!(GetCycleFrequency) {
            write!(out, "the ROM's, a counter at {} MHz", by_rom::frequency() / 1_000_000)
        } else {
            Native::clock_source().fmt(out)
        }
    }
}

/// Reads the counter that the clock goes by.
#[inline(always)]
fn real_cycles() -> u64 {
    let cycles;
    // SAFETY: reading a counter has no effect.
    unsafe {
        site!(
            GetRealCycles, "rdtsc\nshl rdx, 32\nor rax, rdx",
            out("rax") cycles, out("rdx") _,
            options(nomem, nostack),
        );
    }
    cycles
}
