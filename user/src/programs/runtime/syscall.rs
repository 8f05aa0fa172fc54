//! The system calls, as Linux has them on x86-64 (syscall(2); arch/x86/entry/syscalls/syscall_64.tbl).

use super::errno::Errno;
use core::arch::asm;
use core::sync::atomic::AtomicU32;

/// The numbers.
pub mod number {
    #![allow(missing_docs, reason = "they are the names of Linux's manual")]
    pub const WRITE: usize = 1;
    pub const MMAP: usize = 9;
    pub const MPROTECT: usize = 10;
    pub const MUNMAP: usize = 11;
    pub const BRK: usize = 12;
    pub const SCHED_YIELD: usize = 24;
    pub const NANOSLEEP: usize = 35;
    pub const GETPID: usize = 39;
    pub const CLONE: usize = 56;
    pub const FORK: usize = 57;
    pub const EXIT: usize = 60;
    pub const WAIT4: usize = 61;
    pub const KILL: usize = 62;
    pub const GETPPID: usize = 110;
    pub const ARCH_PRCTL: usize = 158;
    pub const GETTID: usize = 186;
    pub const FUTEX: usize = 202;
    pub const SET_TID_ADDRESS: usize = 218;
    pub const CLOCK_GETTIME: usize = 228;
    pub const EXIT_GROUP: usize = 231;
}

/// Calls number `number` with the arguments `arguments`.
///
/// # Safety
/// What the call does to memory and to this process is what the caller wants: for Rust it is a foreign function.
#[inline(always)]
pub unsafe fn raw(number: usize, arguments: [usize; 6]) -> Result<usize, Errno> {
    let result: isize;
    // SAFETY: the kernel changes RAX, RCX and R11 and no other register; memory is the caller's promise.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") arguments[0], in("rsi") arguments[1], in("rdx") arguments[2],
            in("r10") arguments[3], in("r8") arguments[4], in("r9") arguments[5],
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    match result {
        -4095..=-1 => Err(Errno(result.unsigned_abs() as u16)),
        good => Ok(good.cast_unsigned()),
    }
}

/// Calls number `number` with the arguments `arguments`, for calls that cannot harm the caller: they change no memory that Rust
/// knows of.
pub fn harmless(number: usize, arguments: &[usize]) -> Result<usize, Errno> {
    let mut all = [0; 6];
    all[..arguments.len()].copy_from_slice(arguments);
    // SAFETY: the callers of this function pass no address of memory that the call would change.
    unsafe { raw(number, all) }
}

/// Writes `bytes` to an open file; returns how many were written.
pub fn write(file: usize, bytes: &[u8]) -> Result<usize, Errno> {
    harmless(number::WRITE, &[file, bytes.as_ptr() as usize, bytes.len()])
}

/// Lets others run.
pub fn sched_yield() {
    harmless(number::SCHED_YIELD, &[]).expect("sched_yield never fails");
}

/// The number of this process.
pub fn getpid() -> usize {
    harmless(number::GETPID, &[]).expect("getpid never fails")
}

/// The number of this process's parent.
pub fn getppid() -> usize {
    harmless(number::GETPPID, &[]).expect("getppid never fails")
}

/// The number of this thread.
pub fn gettid() -> usize {
    harmless(number::GETTID, &[]).expect("gettid never fails")
}

/// Copies the process; returns 0 in the copy, and the copy's number in the original.
pub fn fork() -> Result<usize, Errno> {
    harmless(number::FORK, &[])
}

/// Sends a signal.
pub fn kill(process: usize, signal: usize) -> Result<usize, Errno> {
    harmless(number::KILL, &[process, signal])
}

/// Waits until `*word` differs from `value` and somebody says so, or for `timeout` (seconds and nanoseconds).
pub fn futex_wait(word: &AtomicU32, value: u32, flags: usize, timeout: Option<&[u64; 2]>) -> Result<usize, Errno> {
    let timeout = timeout.map_or(0, |time| time.as_ptr() as usize);
    harmless(number::FUTEX, &[word.as_ptr() as usize, flags, value as usize, timeout])
}

/// Wakes up to `count` of those who wait for `word`; returns how many.
pub fn futex_wake(word: &AtomicU32, count: usize, flags: usize) -> Result<usize, Errno> {
    harmless(number::FUTEX, &[word.as_ptr() as usize, flags | FUTEX_WAKE, count])
}

/// The operation that wakes (futex(2)); the one that waits is 0.
pub const FUTEX_WAKE: usize = 1;
/// The flag of a futex that only the threads of one process use.
pub const FUTEX_PRIVATE: usize = 128;

/// Ends this thread.
pub fn exit(status: u8) -> ! {
    let result = harmless(number::EXIT, &[status.into()]);
    unreachable!("exit came back: {result:?}")
}

/// Ends the process with all its threads.
pub fn exit_group(status: u8) -> ! {
    let result = harmless(number::EXIT_GROUP, &[status.into()]);
    unreachable!("exit_group came back: {result:?}")
}

/// Makes `base` the address at which segment FS begins.
///
/// # Safety
/// Nobody relies on the old base.
pub unsafe fn set_fs_base(base: usize) -> Result<usize, Errno> {
    harmless(number::ARCH_PRCTL, &[ARCH_SET_FS, base])
}

/// The address at which segment FS begins.
pub fn fs_base() -> usize {
    let mut base = usize::MAX;
    let arguments = [ARCH_GET_FS, (&raw mut base) as usize, 0, 0, 0, 0];
    // SAFETY: the call writes one word, which is `base`.
    unsafe { raw(number::ARCH_PRCTL, arguments) }.expect("an FS base can be asked for");
    base
}

/// Sets the base of FS (arch_prctl(2)).
pub const ARCH_SET_FS: usize = 0x1002;
/// Asks for the base of FS.
pub const ARCH_GET_FS: usize = 0x1003;
