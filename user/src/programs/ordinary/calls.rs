//! System calls that do not exist, or are given nonsense.

use crate::runtime::arguments::Arguments;
use crate::runtime::check::require_equal;
use crate::runtime::errno::Errno;
use crate::runtime::memory::{self, ANONYMOUS, FIXED, PAGE, PRIVATE, READ, WRITE};
use crate::runtime::syscall::{self, FUTEX_PRIVATE, harmless, number};
use crate::runtime::thread;

/// The calls that every kernel for these programs has.
const EXISTING: [usize; 20] = [
    number::WRITE,
    number::MMAP,
    number::MPROTECT,
    number::MUNMAP,
    number::BRK,
    number::SCHED_YIELD,
    number::NANOSLEEP,
    number::GETPID,
    number::CLONE,
    number::FORK,
    number::EXIT,
    number::WAIT4,
    number::KILL,
    number::GETPPID,
    number::ARCH_PRCTL,
    number::GETTID,
    number::FUTEX,
    number::SET_TID_ADDRESS,
    number::CLOCK_GETTIME,
    number::EXIT_GROUP,
];

/// Where the kernel begins: no address of a program.
const KERNEL: usize = 0xffff_8000_0000_0000;
/// More than all addresses of a program.
const HUGE: usize = 1 << 47;
const ANY: usize = usize::MAX;

/// A call, its arguments, and the error that it must return.
type Nonsense = (usize, &'static [usize], Errno);

/// What Linux refuses, and how.
const NONSENSE: &[Nonsense] = &[
    (number::MMAP, &[0, 0, READ, PRIVATE | ANONYMOUS, ANY, 0], Errno::EINVAL),
    (
        number::MMAP,
        &[0, HUGE, READ, PRIVATE | ANONYMOUS, ANY, 0],
        Errno::ENOMEM,
    ),
    (
        number::MMAP,
        &[0, ANY, READ, PRIVATE | ANONYMOUS, ANY, 0],
        Errno::ENOMEM,
    ),
    (
        number::MMAP,
        &[KERNEL, PAGE, READ, PRIVATE | ANONYMOUS | FIXED, ANY, 0],
        Errno::ENOMEM,
    ),
    (
        number::MMAP,
        &[0x10_0001, PAGE, READ, PRIVATE | ANONYMOUS | FIXED, ANY, 0],
        Errno::EINVAL,
    ),
    (number::MMAP, &[0, PAGE, READ, ANONYMOUS, ANY, 0], Errno::EINVAL),
    (number::MMAP, &[0, PAGE, READ, PRIVATE, ANY, 0], Errno::EBADF),
    (number::MPROTECT, &[1, PAGE, READ], Errno::EINVAL),
    (number::MPROTECT, &[0x10_0000, PAGE, READ], Errno::ENOMEM),
    (number::MPROTECT, &[0x10_0000, PAGE, 0x1000], Errno::EINVAL),
    (number::MPROTECT, &[KERNEL, PAGE, READ | WRITE], Errno::ENOMEM),
    (number::MUNMAP, &[0x10_0000, 0], Errno::EINVAL),
    (number::MUNMAP, &[0x10_0001, PAGE], Errno::EINVAL),
    (number::MUNMAP, &[KERNEL, PAGE], Errno::EINVAL),
    (number::MUNMAP, &[PAGE, ANY], Errno::EINVAL),
    (number::WRITE, &[99, 0x40_0000, 1], Errno::EBADF),
    (number::CLOCK_GETTIME, &[999, 0], Errno::EINVAL),
    (number::WAIT4, &[ANY, 0, 0x10], Errno::EINVAL),
    (number::WAIT4, &[ANY, 0, 0], Errno::ECHILD),
    (number::KILL, &[0x3fff_fff0, 9], Errno::ESRCH),
    (number::ARCH_PRCTL, &[0x1234, 0], Errno::EINVAL),
    (number::ARCH_PRCTL, &[syscall::ARCH_SET_FS, KERNEL], Errno::EPERM),
    (number::CLONE, &[0x1_0000, 0, 0, 0, 0], Errno::EINVAL),
    (number::FUTEX, &[0x40_0001, FUTEX_PRIVATE, 0, 0], Errno::EINVAL),
    (number::FUTEX, &[0x40_0000, 100, 0, 0], Errno::ENOSYS),
];

/// Makes nonsensical calls and checks:
///
/// 1. each is refused as Linux refuses it;
/// 2. sleeps of impossible length are, too;
/// 3. numbers far above all calls are no calls;
/// 4. unmapping what is not mapped is no error.
pub fn run(_: &Arguments) -> u8 {
    for (call, arguments, error) in NONSENSE {
        let answer = harmless(*call, arguments);
        if answer != Err(*error) {
            crate::runtime::print::println!("call {call} with {arguments:x?}");
        }
        require_equal(1, answer, Err(*error), "a nonsensical call");
    }
    for time in [[0, 1_000_000_000], [0, u64::MAX], [u64::MAX, 0]] {
        let answer = harmless(number::NANOSLEEP, &[time.as_ptr() as usize, 0]);
        require_equal(2, answer, Err(Errno::EINVAL), "a sleep of impossible length");
    }
    for call in (600..1024).chain([0x7fff_ffff, 0xffff_ffff, usize::MAX]) {
        require_equal(
            3,
            harmless(call, &[1, 2, 3, 4, 5, 6]),
            Err(Errno::ENOSYS),
            "a call that does not exist",
        );
    }
    require_equal(4, memory::unmap(0x10_0000, PAGE), Ok(0), "unmapping what is not mapped");
    0
}

/// Tries every number below 600 but those that exist. Check 1: there is no such call.
pub fn no_such_calls(_: &Arguments) -> u8 {
    for call in (0..600).filter(|call| !EXISTING.contains(call)) {
        let answer = harmless(call, &[ANY; 6]);
        if answer != Err(Errno::ENOSYS) {
            crate::runtime::print::println!("call {call}");
        }
        require_equal(1, answer, Err(Errno::ENOSYS), "a call that does not exist");
    }
    0
}

/// Moves the base of FS and checks:
///
/// 1. it can be any address of a program;
/// 2. and no other;
/// 3. what was set is told.
pub fn fs_base(_: &Arguments) -> u8 {
    let page = memory::zeroes(PAGE);
    for address in [page, page + 24, 0x7fff_ffff_0000, 0] {
        // SAFETY: nothing in this program relies on FS but `thread::head`, which only started threads call.
        let answer = unsafe { syscall::set_fs_base(address) };
        require_equal(1, answer, Ok(0), "setting the base of FS");
        require_equal(3, syscall::fs_base(), address, "the base of FS");
    }
    for address in [0x8000_0000_0000, KERNEL, 0xffff_ffff_8000_0000, ANY] {
        // SAFETY: as above.
        let answer = unsafe { syscall::set_fs_base(address) };
        require_equal(
            2,
            answer,
            Err(Errno::EPERM),
            "setting the base of FS to a forbidden address",
        );
        require_equal(3, syscall::fs_base(), 0, "the base of FS");
    }
    // A thread gets its base from clone, the same way.
    thread::start(base_is_own, 0).join();
    0
}

extern "C" fn base_is_own(_: usize) {
    require_equal(3, syscall::fs_base(), thread::head().itself, "a thread's base of FS");
}
