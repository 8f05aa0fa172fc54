//! Waiting for children, and killing.

use super::Answer;
use crate::user::family::Wanted;
use crate::user::{End, UserThread};
use kernel_logic::user::errno::Errno;
use kernel_logic::user::signal::Signal;

/// Option of `wait4`: do not wait.
const NO_HANG: u64 = 1;

/// `getppid`: zero for who has no parent, or none any more.
pub fn parent(thread: &UserThread) -> u64 {
    let parent = thread.process().family.parent();
    parent.map_or(0, |parent| parent.id().0.into())
}

/// `wait4`, of all children or one; process groups do not exist, and neither do resource counts.
pub fn wait(thread: &UserThread, which: i32, status: u64, options: u64) -> Answer {
    let wanted = match which {
        -1 => Wanted::Any,
        1.. => Wanted::Only(which as u32),
        _ => return Err(Errno::EINVAL),
    };
    if options & !NO_HANG != 0 {
        return Err(Errno::EINVAL);
    }
    let process = thread.process();
    let found = if options == NO_HANG {
        process.family.take_ended(wanted)
    } else {
        process.family.wait_for_child(wanted, || process.is_ending_now())
    };
    let Some(child) = found.map_err(|_| Errno::ECHILD)? else {
        return Ok(0);
    };
    let end = child.ended().expect("it was taken because it has ended");
    if status != 0 {
        process.space().write(status, &end.wait_status().bits().to_ne_bytes())?;
    }
    Ok(child.id().0.into())
}

/// `kill`, of oneself or a child: others cannot be named. Of signals there is the one that cannot be caught, and the question
/// whether the process exists (zero).
pub fn kill(thread: &UserThread, which: i32, signal: u64) -> Answer {
    let me = thread.process();
    let target = match u32::try_from(which) {
        Ok(id) if id == me.id().0 => me.clone(),
        Ok(id) => me.family.child(id).ok_or(Errno::ESRCH)?,
        Err(_) => return Err(Errno::ESRCH),
    };
    match signal {
        0 => {}
        signal if signal == u64::from(Signal::SIGKILL.number()) => target.end(End::Killed(Signal::SIGKILL)),
        _ => return Err(Errno::EINVAL),
    }
    Ok(0)
}
