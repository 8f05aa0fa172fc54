//! Giving the processor away: for a while, until an event, or for good.
//!
//! Source: Xen's public header `sched.h`.

use super::{Call, Granted, Refused, call};

const YIELD: u64 = 0;
const BLOCK: u64 = 1;
const SHUTDOWN: u64 = 2;
const POLL: u64 = 3;

/// Unmasks events and stops this virtual CPU until one is pending, as one step.
///
/// # Errors
/// None that a guest can meet.
#[inline(always)]
pub fn block() -> Result<u64, Refused> {
    // SAFETY: handlers that run when events are unmasked are entered as at any other moment.
    unsafe { call(Call::SchedOp, [BLOCK, 0]) }
}

/// Lets other virtual CPUs that wait for the same processor run before this one does again.
///
/// # Errors
/// None that a guest can meet.
pub fn give_way() -> Result<u64, Refused> {
    // SAFETY: this CPU continues here, as after being preempted.
    unsafe { call(Call::SchedOp, [YIELD, 0]) }
}

/// Stops this virtual CPU until system time `deadline` (nanoseconds), or until an event is delivered to it.
///
/// It is a poll for event channels with an empty list of them: unlike [`block`] it leaves masked events masked.
///
/// # Errors
/// None that a guest can meet.
pub fn sleep_until(deadline: u64) -> Result<u64, Refused> {
    /// `sched_poll`.
    #[repr(C)]
    struct Poll {
        ports: u64,
        count: u32,
        timeout: u64,
    }
    let poll = Poll {
        ports: 0,
        count: 0,
        timeout: deadline,
    };
    // SAFETY: Xen only reads the request, during the call.
    unsafe { call(Call::SchedOp, [POLL, &raw const poll as u64]) }
}

/// Why a domain ends.
#[derive(Clone, Copy, Debug)]
pub enum Reason {
    /// It is done.
    PowerOff = 0,
    /// It wants to be started anew.
    Reboot = 1,
    /// It cannot go on.
    Crash = 3,
}

/// Ends the domain.
pub fn shutdown(reason: Reason) -> ! {
    let reason = reason as u32;
    // SAFETY: Xen only reads the reason, and nothing of this domain runs afterwards.
    unsafe { call(Call::SchedOp, [SHUTDOWN, &raw const reason as u64]) }.granted();
    unreachable!("Xen does not run a domain that was shut down")
}
