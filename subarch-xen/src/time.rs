//! Time, as the hypervisor tells it.
//!
//! A virtual CPU is not always running, so counting ticks would lose some. Xen keeps the time and writes down how to read it
//! (`xen-abi`); alarms are requests for a moment on that same clock, so there is nothing to calibrate and nothing to
//! convert. Each CPU has its own rate and moment, and two of them may differ by some nanoseconds: a guard keeps what the
//! core sees from ever going back.

use crate::Xen;
use crate::cpu;
use crate::event::SHARED_INFO;
use crate::hypercall::{Granted, vcpu};
use arch::percpu;
use arch::{Instant, TimeOps};
use core::arch::asm;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;

/// The latest moment any CPU was told.
pub static LATEST: AtomicU64 = AtomicU64::new(0);

/// Stops the interrupts that every virtual CPU is born with: there shall be none but those asked for.
pub fn stop_ticking() {
    vcpu::stop_periodic_timer(this_cpu()).granted();
}

/// All moments are on Xen's *system time*: nanoseconds since Xen started, the same for every domain and CPU. It is read without
/// leaving the guest; only alarms and the account of stolen time are hypercalls.
///
/// Stolen time includes the time a domain exists but was not started yet, which the toolstack takes to build it.
impl TimeOps for Xen {
    #[inline]
    fn now() -> Instant {
        let now = system_time();
        Instant::from_nanoseconds(LATEST.fetch_max(now, Relaxed).max(now))
    }

    #[inline(always)]
    fn cycles() -> u64 {
        let (low, high): (u64, u64);
        // SAFETY: reading the counter changes nothing, and Xen leaves it to its guests.
        unsafe { asm!("rdtsc", out("rax") low, out("rdx") high, options(nomem, nostack, preserves_flags)) };
        high << 32 | low
    }

    fn cycles_to_duration(cycles: u64) -> Duration {
        Duration::from_nanos(cpu::vcpu_info().time.rate().nanoseconds(cycles))
    }

    fn wall_clock() -> Duration {
        let (seconds, nanoseconds) = SHARED_INFO.start_of_system_time();
        Duration::new(seconds, nanoseconds) + Duration::from_nanos(Self::now().nanoseconds())
    }

    fn set_alarm(deadline: Instant) {
        // Xen's times are signed.
        let deadline = deadline.nanoseconds().min(i64::MAX as u64);
        vcpu::set_singleshot_timer(this_cpu(), deadline).granted();
    }

    fn cancel_alarm() {
        vcpu::stop_singleshot_timer(this_cpu()).granted();
    }

    fn stolen() -> Duration {
        let [_running, runnable, _blocked, offline] = vcpu::time_spent(this_cpu()).granted();
        Duration::from_nanos(runnable + offline)
    }

    fn clock_source() -> impl fmt::Display {
        ClockSource {
            hertz: cpu::vcpu_info().time.rate().hertz(),
        }
    }
}

/// System time in nanoseconds: read again if Xen was writing, or if we were moved to another CPU in the middle.
#[inline]
fn system_time() -> u64 {
    loop {
        let info = cpu::vcpu_info();
        if let Some(now) = info.time.nanoseconds(ordered_cycles)
            && core::ptr::eq(info, cpu::vcpu_info())
        {
            return now;
        }
    }
}

/// The cycle counter, read after everything that comes before it in the program.
#[inline(always)]
fn ordered_cycles() -> u64 {
    // SAFETY: a fence changes nothing.
    unsafe { asm!("lfence", options(nostack, preserves_flags)) };
    Xen::cycles()
}

/// Xen's number of this CPU, which is also ours.
fn this_cpu() -> u32 {
    percpu::this_cpu().0
}

/// Where the time comes from, for the boot report.
struct ClockSource {
    hertz: u64,
}

impl fmt::Display for ClockSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Xen's clock over the TSC at {} MHz", self.hertz / 1_000_000)
    }
}
