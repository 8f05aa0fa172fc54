//! Memory from the kernel.

use super::errno::Errno;
use super::syscall::{harmless, number};

/// The size of a page in bytes.
pub const PAGE: usize = 4096;

/// The right to read (mmap(2)).
pub const READ: usize = 1;
/// The right to write.
pub const WRITE: usize = 2;
/// A mapping of this process alone.
pub const PRIVATE: usize = 2;
/// Exactly at the address given, in place of what is there.
pub const FIXED: usize = 0x10;
/// Not of a file: zeroes.
pub const ANONYMOUS: usize = 0x20;

/// Calls mmap for anonymous private memory.
pub fn map(address: usize, length: usize, rights: usize, flags: usize) -> Result<usize, Errno> {
    harmless(
        number::MMAP,
        &[address, length, rights, flags | PRIVATE | ANONYMOUS, usize::MAX, 0],
    )
}

/// `length` bytes of zeroes that can be read and written.
pub fn zeroes(length: usize) -> usize {
    map(0, length, READ | WRITE, 0).expect("there is memory")
}

/// Gives back `length` bytes at `address`.
pub fn unmap(address: usize, length: usize) -> Result<usize, Errno> {
    harmless(number::MUNMAP, &[address, length])
}

/// Changes the rights of `length` bytes at `address`.
pub fn protect(address: usize, length: usize, rights: usize) -> Result<usize, Errno> {
    harmless(number::MPROTECT, &[address, length, rights])
}

/// Reads the word at `address`, whatever happens.
#[inline(always)]
pub fn read(address: usize) -> u64 {
    // SAFETY: the address is of memory that this program got from the kernel and that Rust knows nothing of; or it is not this
    // program's at all, and the kernel ends it.
    unsafe { (address as *const u64).read_volatile() }
}

/// Writes `value` to the word at `address`, whatever happens.
#[inline(always)]
pub fn write(address: usize, value: u64) {
    // SAFETY: as for `read`.
    unsafe { (address as *mut u64).write_volatile(value) }
}
