//! Virtual CPUs: starting them; where each has its shared words, its timer, its account.
//!
//! Source: Xen's public header `vcpu.h`.

pub mod context;

pub use context::{Context, Stacks};

use super::mmu::Mfn;
use super::{Call, Errno, Refused, call};

const INITIALISE: u64 = 0;
const UP: u64 = 1;
const IS_UP: u64 = 3;
const GET_RUNSTATE_INFO: u64 = 4;
const STOP_PERIODIC_TIMER: u64 = 7;
pub const SET_SINGLESHOT_TIMER: u64 = 8;
const STOP_SINGLESHOT_TIMER: u64 = 9;
const REGISTER_VCPU_INFO: u64 = 10;

/// Whether the domain has a virtual CPU of number `vcpu`, running or not.
///
/// # Errors
/// Any but the one that means "no".
pub fn exists(vcpu: u32) -> Result<bool, Refused> {
    // SAFETY: it only answers.
    match unsafe { call(Call::VcpuOp, [IS_UP, vcpu.into(), 0]) } {
        Ok(_) => Ok(true),
        Err(refused) if refused.errno == Errno::NOENT => Ok(false),
        Err(refused) => Err(refused),
    }
}

/// Has virtual CPU `vcpu` start in the state `context` when it is [`up`].
///
/// # Errors
/// `ENOENT` if there is none of that number, `EEXIST` if it was told before, `EINVAL` for a state that is none, `ENOMEM`.
///
/// # Safety
/// The state is right for the code it starts with.
pub unsafe fn initialise(vcpu: u32, context: &Context) -> Result<u64, Refused> {
    // SAFETY: Xen only reads the state, during the call; the caller vouches for it.
    unsafe { call(Call::VcpuOp, [INITIALISE, vcpu.into(), &raw const *context as u64]) }
}

/// Starts virtual CPU `vcpu`.
///
/// # Errors
/// `EINVAL` if it was not told how to start.
///
/// # Safety
/// All that the code it starts with relies on is there.
pub unsafe fn up(vcpu: u32) -> Result<u64, Refused> {
    // SAFETY: the caller vouches for what runs then.
    unsafe { call(Call::VcpuOp, [UP, vcpu.into(), 0]) }
}

/// How virtual CPU `vcpu` has spent its time, in nanoseconds: running, wanting to run, waiting, switched off.
///
/// # Errors
/// `ENOENT` if there is none of that number.
pub fn time_spent(vcpu: u32) -> Result<[u64; 4], Refused> {
    /// `vcpu_runstate_info`.
    #[repr(C)]
    #[derive(Default)]
    struct RunState {
        state: i32,
        since: u64,
        spent: [u64; 4],
    }
    let mut answer = RunState::default();
    // SAFETY: Xen writes the answer, during the call; any bits are valid in it.
    unsafe { call(Call::VcpuOp, [GET_RUNSTATE_INFO, vcpu.into(), &raw mut answer as u64])? };
    Ok(answer.spent)
}

/// Stops the timer that every virtual CPU is born with, 100 interrupts a second.
///
/// # Errors
/// `ENOENT` if there is no CPU of that number.
pub fn stop_periodic_timer(vcpu: u32) -> Result<u64, Refused> {
    // SAFETY: fewer interrupts harm nobody.
    unsafe { call(Call::VcpuOp, [STOP_PERIODIC_TIMER, vcpu.into(), 0]) }
}

/// Asks for one timer event at system time `deadline`, in nanoseconds; at once if that has passed.
///
/// # Errors
/// `EINVAL` if `vcpu` is not the one executing.
pub fn set_singleshot_timer(vcpu: u32, deadline: u64) -> Result<u64, Refused> {
    /// `vcpu_set_singleshot_timer`.
    #[repr(C)]
    struct Alarm {
        deadline: u64,
        flags: u32,
    }
    let alarm = Alarm { deadline, flags: 0 };
    // SAFETY: Xen only reads the request, during the call.
    unsafe {
        call(
            Call::VcpuOp,
            [SET_SINGLESHOT_TIMER, vcpu.into(), &raw const alarm as u64],
        )
    }
}

/// Takes the request of [`set_singleshot_timer`] back.
///
/// # Errors
/// `EINVAL` if `vcpu` is not the one executing.
pub fn stop_singleshot_timer(vcpu: u32) -> Result<u64, Refused> {
    // SAFETY: fewer interrupts harm nobody.
    unsafe { call(Call::VcpuOp, [STOP_SINGLESHOT_TIMER, vcpu.into(), 0]) }
}

/// Moves the `vcpu_info` of `vcpu` to byte `offset` of frame `frame`, for good.
///
/// # Errors
/// `EINVAL` if it was moved before, or the place is not aligned or crosses a page.
///
/// # Safety
/// The 64 bytes are set aside for Xen, which writes them at any time from now on.
pub unsafe fn register_info(vcpu: u32, frame: Mfn, offset: u32) -> Result<u64, Refused> {
    /// `vcpu_register_vcpu_info`.
    #[repr(C)]
    struct Place {
        frame: u64,
        offset: u32,
        reserved: u32,
    }
    let place = Place {
        frame: frame.0,
        offset,
        reserved: 0,
    };
    // SAFETY: Xen only reads the request; the caller gives the bytes away.
    unsafe { call(Call::VcpuOp, [REGISTER_VCPU_INFO, vcpu.into(), &raw const place as u64]) }
}
