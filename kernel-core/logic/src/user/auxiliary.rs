//! What a program is told about itself and its machine when it begins: the kinds of auxiliary values.
//!
//! They come in pairs of a kind and a value, behind the environment on the [first stack](super::stack). The numbers are those of
//! the *System V ABI, AMD64 supplement*, fig. 3.9, and of Linux's `uapi/linux/auxvec.h`.

/// The end of the list.
pub const AT_NULL: u64 = 0;
/// The address of the program headers in memory.
pub const AT_PHDR: u64 = 3;
/// The size of a program header, in bytes.
pub const AT_PHENT: u64 = 4;
/// The number of program headers.
pub const AT_PHNUM: u64 = 5;
/// The size of a page, in bytes.
pub const AT_PAGESZ: u64 = 6;
/// The base address of the interpreter; 0 if there is none.
pub const AT_BASE: u64 = 7;
/// Flags, none of which are in use.
pub const AT_FLAGS: u64 = 8;
/// The address of the program's first instruction.
pub const AT_ENTRY: u64 = 9;
/// The real user.
pub const AT_UID: u64 = 11;
/// The effective user.
pub const AT_EUID: u64 = 12;
/// The real group.
pub const AT_GID: u64 = 13;
/// The effective group.
pub const AT_EGID: u64 = 14;
/// The address of a string that names the processor's family.
pub const AT_PLATFORM: u64 = 15;
/// What the processor can do: EDX of `cpuid` leaf 1.
pub const AT_HWCAP: u64 = 16;
/// How often `times` counts in a second.
pub const AT_CLKTCK: u64 = 17;
/// Whether the program has rights that its caller lacks, and should mistrust its environment.
pub const AT_SECURE: u64 = 23;
/// The address of 16 random bytes.
pub const AT_RANDOM: u64 = 25;
/// More of what the processor can do; bit 1: `rdfsbase` and its kin.
pub const AT_HWCAP2: u64 = 26;
/// The address of the name by which the program was started.
pub const AT_EXECFN: u64 = 31;
