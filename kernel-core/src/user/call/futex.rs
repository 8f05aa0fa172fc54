//! `futex`: the two operations that locks need.

use super::{Answer, time};
use crate::platform::Platform;
use crate::user::UserThread;
use arch::TimeOps;
use kernel_logic::user::errno::Errno;

const WAIT: u64 = 0;
const WAKE: u64 = 1;

/// Flags beside the operation: the word is not shared with other processes, which here no word is; and which clock a deadline is
/// told by, of which these operations know only spans.
const PRIVATE: u64 = 128;

/// `futex` (Linux's manual, futex(2)).
pub fn futex(thread: &UserThread, address: u64, operation: u64, value: u64, timeout: u64) -> Answer {
    if !address.is_multiple_of(4) {
        return Err(Errno::EINVAL);
    }
    match operation & !PRIVATE {
        WAIT => wait(thread, address, value as u32, timeout),
        WAKE => Ok(thread.process().futexes.wake(address, value as u32 as usize) as u64),
        _ => Err(Errno::ENOSYS),
    }
}

fn wait(thread: &UserThread, address: u64, expected: u32, timeout: u64) -> Answer {
    let process = thread.process();
    let deadline = match timeout {
        0 => None,
        at => Some(Platform::now() + time::read_span(process.space(), at)?),
    };
    process
        .futexes
        .wait(process.space(), address, expected, deadline, || process.is_ending_now())?;
    Ok(0)
}
