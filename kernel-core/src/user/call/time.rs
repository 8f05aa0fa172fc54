//! Clocks and sleep.

use super::Answer;
use crate::platform::Platform;
use crate::task::WaitList;
use crate::user::{AddressSpace, UserThread};
use arch::TimeOps;
use core::time::Duration;
use kernel_logic::user::errno::Errno;

/// Clocks by Linux's numbers (`include/uapi/linux/time.h`): those that tell the date, and those that count from boot.
const CLOCK_REALTIME: u64 = 0;
const CLOCK_MONOTONIC: u64 = 1;
const CLOCK_MONOTONIC_RAW: u64 = 4;
const CLOCK_REALTIME_COARSE: u64 = 5;
const CLOCK_MONOTONIC_COARSE: u64 = 6;
const CLOCK_BOOTTIME: u64 = 7;

/// `clock_gettime`.
pub fn clock(thread: &UserThread, clock: u64, address: u64) -> Answer {
    let time = match clock {
        CLOCK_REALTIME | CLOCK_REALTIME_COARSE => Platform::wall_clock(),
        CLOCK_MONOTONIC | CLOCK_MONOTONIC_RAW | CLOCK_MONOTONIC_COARSE | CLOCK_BOOTTIME => {
            Duration::from_nanos(Platform::now().nanoseconds())
        }
        _ => return Err(Errno::EINVAL),
    };
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&time.as_secs().to_ne_bytes());
    bytes[8..].copy_from_slice(&u64::from(time.subsec_nanos()).to_ne_bytes());
    thread.process().space().write(address, &bytes)?;
    Ok(0)
}

/// `nanosleep`. Nothing but the end of the process cuts it short, so nothing is ever left of it.
pub fn sleep(thread: &UserThread, address: u64) -> Answer {
    let span = read_span(thread.process().space(), address)?;
    let sleep = WaitList::new();
    sleep.wait_until(|| thread.process().is_ending_now(), Some(Platform::now() + span));
    Ok(0)
}

/// Reads a `struct timespec` that is a span of time.
pub fn read_span(space: &AddressSpace, address: u64) -> Result<Duration, Errno> {
    let mut bytes = [0; 16];
    space.read(address, &mut bytes)?;
    let [seconds, nanoseconds] = [0, 8].map(|at| i64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap_or_default()));
    let seconds = u64::try_from(seconds).map_err(|_| Errno::EINVAL)?;
    match u32::try_from(nanoseconds) {
        Ok(nanoseconds @ 0..1_000_000_000) => Ok(Duration::new(seconds, nanoseconds)),
        _ => Err(Errno::EINVAL),
    }
}
