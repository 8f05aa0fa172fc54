//! Why a file cannot be run.

use super::super::regions::LOWEST;
use super::{ENTRY_SIZE, MAX_HEADERS};
use arch::layout::USER_END;
use core::fmt;

/// What is wrong with a file, with the value that is wrong. It reads on from the file's name: "`hello` is no ELF file".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ElfError {
    /// It does not begin as ELF files do.
    NotElf,
    /// It ends, after so many bytes, within the file header.
    Truncated(usize),
    /// It is not for 64 bits, but of this class.
    WrongClass(u8),
    /// It is not in little-endian byte order, but in this one.
    WrongByteOrder(u8),
    /// It is for another machine.
    WrongMachine(u16),
    /// It is no executable, but of this type.
    WrongType(u16),
    /// It asks for an interpreter that would load its libraries.
    DynamicallyLinked,
    /// It leaves its addresses open.
    PositionIndependent,
    /// It wants to execute code on its stack.
    ExecutableStack,
    /// Its program headers have another size.
    WrongHeaderSize(u16),
    /// It has more program headers than [`MAX_HEADERS`].
    TooManyHeaders(u16),
    /// Its program headers lie outside the file.
    HeadersOutside {
        /// Where they begin, in bytes from the start of the file.
        offset: u64,
        /// How many there are.
        count: u16,
    },
    /// It has nothing to load.
    NoSegment,
    /// A segment's bytes lie outside the file.
    SegmentOutside {
        /// Where they begin, in bytes from the start of the file.
        offset: u64,
        /// How many there are.
        size: u64,
    },
    /// A segment has more bytes in the file than in memory.
    LargerThanItsMemory {
        /// Bytes in the file.
        size: u64,
        /// Bytes in memory.
        memory_size: u64,
    },
    /// A segment lies, at least in part, where no program may be.
    OutOfBounds {
        /// The address of its first byte.
        address: u64,
        /// Bytes in memory.
        memory_size: u64,
    },
    /// The segment at this address comes after one with a higher address.
    OutOfOrder(u64),
    /// The segment at this address begins on the last page of the one before, or within it.
    SharesPage(u64),
    /// The segment at this address wants to be both written and executed.
    WriteAndExecute(u64),
    /// It wants to begin at this address, which is in no executable segment.
    EntryNotExecutable(u64),
}

impl fmt::Display for ElfError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotElf => write!(out, "is no ELF file"),
            Self::Truncated(length) => write!(out, "ends after {length} bytes, within the file header"),
            Self::WrongClass(class) => write!(out, "is of ELF class {class}, only 64-bit programs run"),
            Self::WrongByteOrder(order) => write!(out, "has byte order {order}, only little-endian programs run"),
            Self::WrongMachine(machine) => write!(out, "is for ELF machine {machine}, only x86-64 programs run"),
            Self::WrongType(kind) => write!(out, "is of ELF type {kind}, only executables run"),
            Self::DynamicallyLinked => write!(out, "is dynamically linked, only static programs run"),
            Self::PositionIndependent => {
                write!(out, "is position independent, only programs with fixed addresses run")
            }
            Self::ExecutableStack => write!(out, "asks for an executable stack, which no program gets"),
            Self::WrongHeaderSize(size) => write!(out, "has program headers of {size} bytes instead of {ENTRY_SIZE}"),
            Self::TooManyHeaders(count) => write!(out, "has {count} program headers, {MAX_HEADERS} at most are read"),
            Self::HeadersOutside { offset, count } => {
                write!(out, "is too short for its {count} program headers at {offset:#x}")
            }
            Self::NoSegment => write!(out, "has nothing to load"),
            Self::SegmentOutside { offset, size } => {
                write!(out, "is too short for the {size:#x} bytes of a segment at {offset:#x}")
            }
            Self::LargerThanItsMemory { size, memory_size } => {
                write!(
                    out,
                    "has a segment of {size:#x} bytes for {memory_size:#x} bytes of memory"
                )
            }
            Self::OutOfBounds { address, memory_size } => write!(
                out,
                "wants {memory_size:#x} bytes at {address:#x}, programs live in {LOWEST:#x}..{USER_END:#x}"
            ),
            Self::OutOfOrder(address) => write!(out, "has its segment at {address:#x} out of order"),
            Self::SharesPage(address) => write!(out, "has two segments on the page of {address:#x}"),
            Self::WriteAndExecute(address) => {
                write!(out, "wants to both write and execute its segment at {address:#x}")
            }
            Self::EntryNotExecutable(entry) => {
                write!(out, "begins at {entry:#x}, which is in no executable segment")
            }
        }
    }
}
