//! System calls that are given addresses of others: they fail, and the program goes on.

use crate::runtime::arguments::Arguments;
use crate::runtime::check::{require, require_equal};
use crate::runtime::child;
use crate::runtime::errno::Errno;
use crate::runtime::memory::{self, PAGE, READ, WRITE};
use crate::runtime::syscall::{self, harmless, number};
use crate::runtime::time;
use user_programs::End;

/// Addresses that no program may use: the kernel's image and direct map, the hypervisor's, the hole, the end, and zero.
const FORBIDDEN: [usize; 9] = [
    0xffff_ffff_8000_0000,
    0xffff_ffff_8010_0000,
    0xffff_8880_0000_0000,
    0xffff_8000_0000_0000,
    0xffff_c900_0000_0000,
    0x8000_0000_0000_0000,
    0x0000_8000_0000_0000,
    0xffff_ffff_ffff_fff8,
    0,
];

/// What a call must answer.
type Answer = Result<usize, Errno>;
const FAULT: Answer = Err(Errno::EFAULT);

/// Checks that a wrong address is answered with EFAULT:
///
/// 1. by calls that read;
/// 2. by calls that write;
/// 3. by a futex;
/// 4. by wait4;
/// 5. if only the end of a range is wrong;
/// 6. if a range wraps around;
/// 7. but not if the range is empty, of which nothing is asked;
/// 8. if memory is read-only and would be written;
/// 9. if memory has no rights and would be read.
pub fn run(_: &Arguments) -> u8 {
    for address in FORBIDDEN {
        require_equal(1, harmless(number::WRITE, &[1, address, 8]), FAULT, "write");
        require_equal(1, harmless(number::NANOSLEEP, &[address, 0]), FAULT, "nanosleep");
        require_equal(
            2,
            harmless(number::CLOCK_GETTIME, &[time::MONOTONIC, address]),
            FAULT,
            "clock_gettime",
        );
        require_equal(
            2,
            harmless(number::ARCH_PRCTL, &[syscall::ARCH_GET_FS, address]),
            FAULT,
            "arch_prctl",
        );
        require_equal(3, harmless(number::FUTEX, &[address, 0, 0, 0]), FAULT, "futex");
    }
    waiting();
    ranges();
    rights();
    0
}

/// wait4 with an address that is not the program's. Zero means: no status, please.
fn waiting() {
    for address in FORBIDDEN.into_iter().filter(|address| *address != 0) {
        let child = child::start(|| 0);
        let answer = harmless(number::WAIT4, &[child, address, 0, 0]);
        require_equal(4, answer, FAULT, "wait4");
    }
    // Linux has taken the child away before it writes, another kernel may look first: nobody is left, or each is there once.
    while let Ok((_, end)) = child::wait(usize::MAX, 0) {
        require_equal(4, end, End::Exit(0), "how a child ended");
    }
}

/// Ranges that begin well.
fn ranges() {
    let page = memory::zeroes(2 * PAGE);
    memory::unmap(page + PAGE, PAGE).expect("the second page can be unmapped");
    let written = harmless(number::WRITE, &[NOWHERE, page + PAGE - 8, 16]);
    require(
        5,
        written == Err(Errno::EBADF) || written == FAULT,
        "write to a file that is not open",
    );
    let time = harmless(number::CLOCK_GETTIME, &[time::MONOTONIC, page + PAGE - 8]);
    require_equal(5, time, FAULT, "clock_gettime across the end of memory");
    for (address, length) in [
        (usize::MAX - 7, 16),
        (page, usize::MAX),
        (page, 1 << 63),
        (page, usize::MAX - page + 1),
    ] {
        let answer = harmless(number::WRITE, &[1, address, length]);
        require(
            6,
            answer == FAULT || answer == Err(Errno::EINVAL),
            "write of a range that wraps",
        );
    }
    require_equal(7, harmless(number::WRITE, &[1, page, 0]), Ok(0), "write of nothing");
    memory::unmap(page, PAGE).expect("the first page can be unmapped");
}

/// A file number that is never open.
const NOWHERE: usize = 77;

/// The program's rights bind the kernel that works for it.
fn rights() {
    let page = memory::zeroes(PAGE);
    memory::protect(page, PAGE, READ).expect("memory can be made read-only");
    let answer = harmless(number::CLOCK_GETTIME, &[time::MONOTONIC, page]);
    require_equal(8, answer, FAULT, "clock_gettime into read-only memory");
    require_equal(8, memory::read(page), 0, "read-only memory");
    memory::protect(page, PAGE, 0).expect("memory can be made unreadable");
    require_equal(
        9,
        harmless(number::WRITE, &[1, page, 8]),
        FAULT,
        "write from unreadable memory",
    );
    memory::protect(page, PAGE, READ | WRITE).expect("memory can be made writable");
    require_equal(
        8,
        harmless(number::CLOCK_GETTIME, &[time::MONOTONIC, page]),
        Ok(0),
        "clock_gettime into memory",
    );
}
