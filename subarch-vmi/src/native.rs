//! The native forms of calls that are too long to stand at each site: what the sites call as compiled.
//!
//! Arguments and results are those of the ABI, so that a ROM's function can take the place of each.

use arch::percpu::CpuSet;
use arch::{ConsoleOps, MmuOps, PowerOps, TimeOps, VirtAddr};
use subarch_native::{Native, time};
use vmi64::values::{ALARM_COUNTER_MASK, COUNTER_AVAILABLE, NOTHING_TYPED};

/// Call 47: drops everything, which includes whatever `_which` names.
pub extern "sysv64" fn flush_tlb(_which: u64) {
    Native::flush_all();
}

/// Call 36: soft or hard, bare metal knows one way.
pub extern "sysv64" fn reboot(_how: u64) {
    Native::reboot();
}

/// Call 37.
pub extern "sysv64" fn shutdown() {
    Native::power_off();
}

/// Call 66: the counter of call 67 is the time-stamp counter. Zero before it was measured.
pub extern "sysv64" fn cycle_frequency() -> u64 {
    time::frequencies().map_or(0, |known| known.cycle_counter)
}

/// Call 68: only the counters real and available can be waited for, and here they are the same.
pub extern "sysv64" fn set_alarm(flags: u64, expiry: u64) {
    if flags & ALARM_COUNTER_MASK <= COUNTER_AVAILABLE {
        let delay = expiry.saturating_sub(Native::cycles());
        Native::set_alarm(Native::now() + Native::cycles_to_duration(delay));
    }
}

/// Call 69: tells that an alarm was dropped only if it was certain, which it never is.
pub extern "sysv64" fn cancel_alarm(_counter: u64) -> u64 {
    Native::cancel_alarm();
    0
}

/// Call 76.
///
/// # Safety
/// `length` bytes at `bytes` can be read.
pub unsafe extern "sysv64" fn console_write(bytes: *const u8, length: usize) {
    // SAFETY: the caller vouches for them.
    Native::write(unsafe { core::slice::from_raw_parts(bytes, length) });
}

/// Call 77.
pub extern "sysv64" fn console_read() -> u64 {
    Native::read().map_or(NOTHING_TYPED, u64::from)
}

/// Call 79: each CPU of the set is asked, and answers.
pub extern "sysv64" fn flush_on(cpus: u64) {
    Native::flush_on(
        CpuSet::from_bits(cpus),
        VirtAddr::zero()..VirtAddr::new_truncate(u64::MAX),
    );
}

/// Call 70.
pub extern "sysv64" fn wall_clock() -> u64 {
    u64::try_from(Native::wall_clock().as_nanos()).unwrap_or(u64::MAX)
}
