//! What a loader tells by the PVH entry: the start information, and what it points to.
//!
//! Everything it says is taken as a claim. The memory map in particular is what firmware makes of it: entries overlap, and what
//! one calls memory another calls reserved. Reserved wins.
//!
//! The structure is that of Xen's public header `arch-x86/hvm/start_info.h`.

use crate::physical::{Fields, PhysicalMemory};
use arch::memory::TooManyRanges;
use arch::{FrameRange, MemoryMap};
use core::fmt;

/// The first four bytes of the start information: "xEn3" with the high bit of the "E" set.
const MAGIC: u32 = 0x336e_c578;

/// The version of the structure that brought the memory map.
const VERSION_WITH_MEMORY_MAP: u32 = 1;

/// The structure's size in that version, in bytes.
const START_INFO_SIZE: usize = 56;

/// The size of a memory map's entry as firmware makes it: start, length, kind. In start information four bytes more belong to each.
pub const MAP_ENTRY_SIZE: usize = 20;

/// Why the kernel cannot start with what the loader told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PvhError {
    /// The structure, or one it points to, is where no memory can be seen.
    OutOfReach(&'static str, u64),
    /// The structure starts with this number instead of its magic one.
    Magic(u32),
    /// There is no memory map, perhaps because the loader is too old (of this version) to pass one.
    NoMemoryMap(u32),
    /// The memory map is in too many pieces.
    Pieces(TooManyRanges),
}

impl fmt::Display for PvhError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfReach(what, address) => write!(out, "the {what} at {address:#x} is out of reach"),
            Self::Magic(found) => write!(
                out,
                "the start information begins with {found:#x} instead of {MAGIC:#x}"
            ),
            Self::NoMemoryMap(version) => write!(out, "the start information, of version {version}, has no memory map"),
            Self::Pieces(error) => error.fmt(out),
        }
    }
}

impl From<TooManyRanges> for PvhError {
    fn from(error: TooManyRanges) -> Self {
        Self::Pieces(error)
    }
}

/// What the loader told.
#[derive(Debug)]
pub struct Told<'a> {
    /// The command line, where the loader has put it.
    pub command_line: &'a [u8],
    /// All memory that is memory, whoever uses it now.
    pub ram: MemoryMap,
    /// The part of it that holds no module.
    pub free: MemoryMap,
    /// The first module.
    pub module: Option<FrameRange>,
    /// Where ACPI's root pointer is, if the loader knows.
    pub rsdp: Option<u64>,
}

impl<'a> Told<'a> {
    /// Reads what the loader passed at `address`; of the command line, `longest_line` bytes and one more, so that a line that is too
    /// long can be told. A loader that passed no memory map may have left it to be asked for, which `ask` does.
    ///
    /// # Errors
    /// [`PvhError`]
    pub fn read<'m>(
        memory: &'a impl PhysicalMemory,
        address: u64,
        longest_line: usize,
        ask: impl FnOnce() -> Option<&'m [[u8; MAP_ENTRY_SIZE]]>,
    ) -> Result<Self, PvhError> {
        let info = StartInfo::read(memory, address)?;
        let ram = if info.memory_map_entries == 0 {
            memory_in(ask().ok_or(PvhError::NoMemoryMap(info.version))?)?
        } else {
            read_memory_map(memory, &info)?
        };
        let mut free = ram.clone();
        let module = read_modules(memory, &info, &mut free)?;
        Ok(Self {
            command_line: c_string(memory, info.command_line, longest_line + 1)?,
            ram,
            free,
            module,
            rsdp: (info.rsdp != 0).then_some(info.rsdp),
        })
    }
}

/// Where everything is that the loader passes; all addresses are physical.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct StartInfo {
    version: u32,
    modules: u32,
    module_list: u64,
    command_line: u64,
    rsdp: u64,
    memory_map: u64,
    memory_map_entries: u32,
}

impl StartInfo {
    /// Reads and checks the structure at `address`.
    fn read(memory: &impl PhysicalMemory, address: u64) -> Result<Self, PvhError> {
        let unreachable = PvhError::OutOfReach("start information", address);
        let bytes = memory.bytes(address, START_INFO_SIZE).ok_or(unreachable)?;
        let magic = bytes.u32_at(0).ok_or(unreachable)?;
        let version = bytes.u32_at(4).ok_or(unreachable)?;
        if magic != MAGIC {
            return Err(PvhError::Magic(magic));
        }
        let has_map = version >= VERSION_WITH_MEMORY_MAP;
        let fields = || {
            Some(Self {
                version,
                modules: bytes.u32_at(12)?,
                module_list: bytes.u64_at(16)?,
                command_line: bytes.u64_at(24)?,
                rsdp: bytes.u64_at(32)?,
                memory_map: bytes.u64_at(40)?,
                memory_map_entries: bytes.u32_at(48)? * u32::from(has_map),
            })
        };
        fields().ok_or(unreachable)
    }
}

/// Reads the memory map that the loader passed.
fn read_memory_map(memory: &impl PhysicalMemory, info: &StartInfo) -> Result<MemoryMap, PvhError> {
    Ok(memory_in(list::<24>(
        memory,
        "memory map",
        info.memory_map,
        info.memory_map_entries,
    )?)?)
}

/// What is memory by a map's entries, minus whatever another entry calls something else.
fn memory_in<const SIZE: usize>(entries: &[[u8; SIZE]]) -> Result<MemoryMap, TooManyRanges> {
    /// A region that is memory, `XEN_HVM_MEMMAP_TYPE_RAM`, as firmware numbers it too.
    const RAM: u32 = 1;
    let region = |entry: &[u8; SIZE]| Some((entry.u64_at(0)?, entry.u64_at(8)?, entry.u32_at(16)?));
    let mut ram = MemoryMap::new();
    for (start, size, kind) in entries.iter().filter_map(region) {
        if kind == RAM {
            ram.insert(FrameRange::inside(start..start.saturating_add(size)))?;
        }
    }
    for (start, size, kind) in entries.iter().filter_map(region) {
        if kind != RAM {
            ram.remove(FrameRange::covering(start..start.saturating_add(size)))?;
        }
    }
    Ok(ram)
}

/// Takes the modules' memory out of `free`; returns the first one's.
fn read_modules(
    memory: &impl PhysicalMemory,
    info: &StartInfo,
    free: &mut MemoryMap,
) -> Result<Option<FrameRange>, PvhError> {
    let modules = list::<32>(memory, "module list", info.module_list, info.modules)?;
    let frames = |entry: &[u8; 32]| {
        let (start, size) = (entry.u64_at(0)?, entry.u64_at(8)?);
        Some(FrameRange::covering(start..start.saturating_add(size)))
    };
    for module in modules.iter().filter_map(frames) {
        free.remove(module)?;
    }
    Ok(modules.iter().find_map(frames))
}

/// The `count` entries of `SIZE` bytes at `address`.
fn list<'a, const SIZE: usize>(
    memory: &'a impl PhysicalMemory,
    what: &'static str,
    address: u64,
    count: u32,
) -> Result<&'a [[u8; SIZE]], PvhError> {
    if count == 0 {
        return Ok(&[]);
    }
    let bytes = memory.bytes(address, SIZE * count as usize);
    bytes
        .map(|bytes| bytes.as_chunks().0)
        .ok_or(PvhError::OutOfReach(what, address))
}

/// The bytes at `address` up to the first zero, `most` at the most; none if the address is zero.
fn c_string(memory: &impl PhysicalMemory, address: u64, most: usize) -> Result<&[u8], PvhError> {
    if address == 0 {
        return Ok(&[]);
    }
    let length = (0..most)
        .find(|length| memory.bytes(address + *length as u64, 1).is_none_or(|byte| byte == [0]))
        .unwrap_or(most);
    memory
        .bytes(address, length)
        .ok_or(PvhError::OutOfReach("command line", address))
}

#[cfg(test)]
mod tests;
