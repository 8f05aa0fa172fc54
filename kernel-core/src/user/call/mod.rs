//! System calls: Linux's numbers, registers and error numbers on x86-64.
//!
//! A call arrives with interrupts masked, on the thread's kernel stack, its registers in a frame. It is answered with
//! interrupts unmasked, unless it is over at once, by one function each; what is not there says `ENOSYS`. On the way back the thread ends if its
//! process is to end.
//!
//! Numbers: `arch/x86/entry/syscalls/syscall_64.tbl` of Linux; meanings: section 2 of its manual.

mod clone;
mod family;
mod futex;
mod memory;
mod output;
mod time;

use super::thread::{UserThread, current};
use super::{End, before_user_mode, end};
use crate::bench::programs;
use crate::platform::Platform;
use crate::task;
use arch::calls::COUNTED;
use arch::{IrqOps, TrapFrame};
use kernel_logic::user::errno::Errno;
use user_programs::counting;

/// What a call answers: a number, or why not.
type Answer = Result<u64, Errno>;

/// Handles a system call: its answer goes to RAX. Called and returning with interrupts masked.
///
/// The way that is taken most, so nothing is on it that a call with nothing to do would not need: what does need room on the stack or
/// many registers is in functions of its own, which this one ends with.
pub fn system_call(frame: &mut TrapFrame) {
    let thread = current();
    match frame.call_number() {
        24 => give_way(frame),
        39 => finish(thread, frame, thread.process().id().0.into()),
        186 => finish(thread, frame, thread.id().into()),
        _ => work(thread, frame),
    }
}

/// Puts the answer where the program will find it, and ends the thread if its process is to end.
#[inline(always)]
fn finish(thread: &UserThread, frame: &mut TrapFrame, answer: u64) {
    frame.rax = answer;
    before_user_mode(thread);
}

/// `sched_yield`. Nothing is remembered across the switch, or it would have to be saved.
#[inline(never)]
fn give_way(frame: &mut TrapFrame) {
    frame.rax = 0;
    task::yield_at_the_border();
    before_user_mode(current());
}

/// Handles the calls that take some work.
#[inline(never)]
fn work(thread: &UserThread, frame: &mut TrapFrame) {
    Platform::enable();
    let answer = answer(thread, frame).unwrap_or_else(Errno::as_result);
    Platform::disable();
    finish(thread, frame, answer);
}

/// Answers a call by its number.
fn answer(thread: &UserThread, frame: &TrapFrame) -> Answer {
    let [a, b, c, d, e, _] = frame.call_arguments();
    match frame.call_number() {
        1 => output::write(thread, a, b, c),
        9 => memory::map(thread, a, b, c, d),
        10 => memory::protect(thread, a, b, c),
        11 => memory::unmap(thread, a, b),
        12 => Ok(thread.process().space().move_heap_end(a)),
        35 => time::sleep(thread, a),
        56 => clone::clone(thread, frame, [a, b, c, d, e]),
        57 => clone::fork(thread, frame),
        60 => end::end_thread(a as u8),
        61 => family::wait(thread, a as i32, b, c),
        62 => family::kill(thread, a as i32, b),
        110 => Ok(family::parent(thread)),
        158 => clone::set_segment_base(thread, a, b),
        202 => futex::futex(thread, a, b, c, d),
        218 => clone::set_id_address(thread, a),
        228 => time::clock(thread, a, b),
        231 => {
            thread.process().end(End::Exited(a as u8));
            Ok(0)
        }
        number if COUNTED && number == counting::NUMBER as u64 => {
            programs::mark(thread.process().space(), [a, b, c, d])
        }
        number => Err(unknown(thread, number)),
    }
}

#[cold]
fn unknown(thread: &UserThread, number: u64) -> Errno {
    log::debug!("{:?} made the unknown system call {number}", thread.process());
    Errno::ENOSYS
}
