//! Parents and children: waiting, killing, and a lot of both.

use crate::runtime::arguments::Arguments;
use crate::runtime::check::{require, require_equal};
use crate::runtime::child::{self, WNOHANG};
use crate::runtime::errno::Errno;
use crate::runtime::{syscall, time};
use core::hint::black_box;
use user_programs::{End, Signal};

/// Any child.
const ANY: usize = usize::MAX;
/// A number that no process has.
const NOBODY: usize = 0x3fff_fff0;

/// Checks wait4:
///
/// 1. without children it fails;
/// 2. it does not wait if told so;
/// 3. it returns the status;
/// 4. but only once;
/// 5. it waits for the right child;
/// 6. somebody else's process is no child;
/// 7. a child that only sleeps is killed and waited for.
pub fn wait(_: &Arguments) -> u8 {
    require_equal(1, child::wait(ANY, 0), Err(Errno::ECHILD), "waiting without children");
    let endless = child::start(|| {
        loop {
            time::sleep(1000);
        }
    });
    let (waited, _) = child::wait(ANY, WNOHANG).expect("there is a child");
    require_equal(2, waited, 0, "what a look without waiting finds");
    syscall::kill(endless, Signal::Kill as usize).expect("a child can be killed");
    child::expect(7, endless, End::Killed(Signal::Kill));
    let slow = child::start(|| {
        time::sleep(50);
        7
    });
    let quick = child::start(|| 8);
    child::expect(5, slow, End::Exit(7));
    require_equal(
        4,
        child::wait(slow, 0),
        Err(Errno::ECHILD),
        "waiting for the same child again",
    );
    require_equal(3, child::wait(ANY, 0), Ok((quick, End::Exit(8))), "the other child");
    require_equal(
        6,
        child::wait(NOBODY, 0),
        Err(Errno::ECHILD),
        "waiting for nobody's process",
    );
    0
}

/// Checks kill:
///
/// 1. a child that never calls the kernel is killed;
/// 2. nobody is there to be killed twice;
/// 3. a process can end before its children do.
pub fn kill(_: &Arguments) -> u8 {
    let busy = child::start(|| {
        loop {
            black_box(0);
        }
    });
    time::sleep(5);
    syscall::kill(busy, Signal::Kill as usize).expect("a child can be killed");
    child::expect(1, busy, End::Killed(Signal::Kill));
    let again = syscall::kill(busy, Signal::Kill as usize);
    require_equal(2, again, Err(Errno::ESRCH), "killing who is gone");
    child::must_end(3, End::Exit(3), || {
        child::start(|| {
            time::sleep(20);
            4
        });
        3
    });
    0
}

/// Makes and reaps many processes, one after another, and checks:
///
/// 1. each exits with its own status;
/// 2. each has a number of its own.
pub fn fork_exit(arguments: &Arguments) -> u8 {
    let own = syscall::getpid();
    for number in 0..arguments.number(1, 100) {
        let child = child::start(|| number as u8);
        require(2, child != own && child != 0, "a child has no number of its own");
        child::expect(1, child, End::Exit(number as u8));
    }
    0
}
