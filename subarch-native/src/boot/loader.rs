//! The entry for disk images: the `bootloader` crate, started by a BIOS or by UEFI.
//!
//! It hands over a 64-bit processor, page tables with all memory at the address that its configuration names, and a structure
//! that describes the rest. What it has not is a command line. That travels as the beginning of the *ramdisk*, the one file
//! that an image can carry beside the kernel:
//!
//! ```text
//! anyring-arguments: log=debug test=all⏎
//! ```
//!
//! followed, if there is a boot module, by zeroes up to the next page boundary and the module. A ramdisk that begins otherwise is
//! all module.
//!
//! The loader puts the image's pages wherever it read them to, so a virtual address of the image says nothing about the
//! physical one; where that matters the loader's page tables are asked. What it used for itself is memory like any other, but
//! it does not say which part of it holds the image, so none of it is given to the core. That is a few MiB.

use super::{BOOT_STACK, Entry, Handover, command_line};
use crate::Native;
use crate::console::framebuffer::Mode;
use crate::mmu::tables::{Table, translate};
use arch::layout::{DIRECT_MAP, PAGE_SIZE};
use arch::memory::TooManyRanges;
use arch::{FrameRange, IrqOps, MemoryMap, MmuOps, Pfn, TimeOps, VirtAddr};
use bootloader_api::config::Mapping;
use bootloader_api::info::{MemoryRegion, MemoryRegionKind};
use bootloader_api::{BootInfo, BootloaderConfig};
use core::arch::asm;
use core::fmt;
use pc_firmware::physical::Shown;

/// What the kernel asks of its loader: all memory where its own direct map will be.
pub static CONFIG: BootloaderConfig = {
    let mut config = BootloaderConfig::new_default();
    config.mappings.physical_memory = Some(Mapping::FixedAddress(DIRECT_MAP));
    config
};

/// What the beginning of a ramdisk that carries arguments is.
pub const ARGUMENTS: &[u8] = b"anyring-arguments: ";

/// The loader maps at least this much, whatever memory there is.
const SHOWN_AT_LEAST: u64 = 4 << 30;

/// Why the kernel cannot start with what the loader told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoaderError {
    /// The memory map is in too many pieces.
    Pieces(TooManyRanges),
    /// The command line is refused.
    CommandLine(command_line::CommandLineError),
    /// The loader mapped physical memory elsewhere, or not at all.
    DirectMap(Option<u64>),
    /// Something that was passed is not mapped.
    NotMapped(VirtAddr),
    /// The module begins in the middle of a frame.
    Module(u64),
}

impl fmt::Display for LoaderError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pieces(error) => error.fmt(out),
            Self::CommandLine(error) => error.fmt(out),
            Self::DirectMap(Some(address)) => write!(out, "physical memory is mapped at {address:#x}"),
            Self::DirectMap(None) => out.write_str("physical memory is not mapped"),
            Self::NotMapped(address) => write!(out, "{:#x} was passed, but is not mapped", address.as_u64()),
            Self::Module(start) => write!(out, "the module begins at {start:#x}, in the middle of a frame"),
        }
    }
}

impl From<TooManyRanges> for LoaderError {
    fn from(error: TooManyRanges) -> Self {
        Self::Pieces(error)
    }
}

/// The entry point, on the loader's stack: moves to the kernel's own.
pub fn start<E: Entry>(info: &'static mut BootInfo) -> ! {
    let entry_cycles = Native::cycles();
    Native::disable();
    // SAFETY: the stack is nobody's yet, and nothing on the loader's is needed again. `main` does not return. A zero frame
    // pointer ends the chain of frames for backtraces.
    unsafe {
        asm!(
            "mov rsp, {stack}",
            "xor ebp, ebp",
            "call {main}",
            "ud2",
            stack = in(reg) BOOT_STACK.range().end.as_u64(),
            main = sym main::<E>,
            in("rdi") info,
            in("rsi") entry_cycles,
            options(noreturn),
        )
    }
}

/// Continues on the boot stack.
extern "C" fn main<E: Entry>(info: &'static BootInfo, entry_cycles: u64) -> ! {
    // SAFETY: `start` called, on the boot CPU, once.
    unsafe { super::prepare::<E>() };
    let end = info.memory_regions.iter().map(|region| region.end).max();
    let shown = end.unwrap_or(0).max(SHOWN_AT_LEAST);
    let (handover, shown) = match read(info, entry_cycles) {
        // SAFETY: the loader mapped all memory and at least so much, which `read` checked; nothing is changed before it has
        // been read.
        Ok(handover) => (handover, unsafe { Shown::new(shown) }),
        Err(error) => panic!("bootloader: {error}"),
    };
    super::run::<E>(handover, &shown)
}

/// Reads what the loader passed.
fn read(info: &BootInfo, entry_cycles: u64) -> Result<Handover, LoaderError> {
    let direct_map = info.physical_memory_offset.into_option();
    if direct_map != Some(DIRECT_MAP) {
        return Err(LoaderError::DirectMap(direct_map));
    }
    let (ram, mut free) = memory(&info.memory_regions)?;
    let ramdisk = info.ramdisk_addr.into_option().filter(|_| info.ramdisk_len > 0);
    let (line, module) = match ramdisk {
        Some(address) => read_ramdisk(VirtAddr::new(address), info.ramdisk_len)?,
        None => (b"".as_slice(), None),
    };
    if let Some(module) = module {
        free.remove(module)?;
    }
    Ok(Handover {
        entry: "bootloader_api",
        entry_cycles,
        command_line: command_line::keep(line).map_err(LoaderError::CommandLine)?,
        ram,
        free,
        module,
        rsdp: info.rsdp_addr.into_option(),
        framebuffer: framebuffer(info)?,
    })
}

/// All memory, and the free part of it.
fn memory(regions: &[MemoryRegion]) -> Result<(MemoryMap, MemoryMap), TooManyRanges> {
    let mut ram = MemoryMap::new();
    let mut free = MemoryMap::new();
    for region in regions {
        let frames = FrameRange::inside(region.start..region.end);
        match region.kind {
            MemoryRegionKind::Usable => {
                ram.insert(frames)?;
                free.insert(frames)?;
            }
            MemoryRegionKind::Bootloader => ram.insert(frames)?,
            _ => {}
        }
    }
    Ok((ram, free))
}

/// The command line in the ramdisk at `start`, and the frames of the module behind it if there is one.
fn read_ramdisk(start: VirtAddr, size: u64) -> Result<(&'static [u8], Option<FrameRange>), LoaderError> {
    // SAFETY: the loader mapped the ramdisk there, and the kernel's own page tables are not in use before the line is copied.
    let ramdisk = unsafe { core::slice::from_raw_parts(start.as_ptr::<u8>(), size as usize) };
    let (line, rest) = split_ramdisk(ramdisk);
    if rest.is_empty() {
        return Ok((line, None));
    }
    let end = physical(start)? + size;
    let module = end - rest.len() as u64..end;
    if !module.start.is_multiple_of(PAGE_SIZE) {
        return Err(LoaderError::Module(module.start));
    }
    Ok((line, Some(FrameRange::covering(module))))
}

/// The arguments at the beginning of a ramdisk, and what begins at the first page boundary behind them.
fn split_ramdisk(ramdisk: &[u8]) -> (&[u8], &[u8]) {
    let Some(arguments) = ramdisk.strip_prefix(ARGUMENTS) else {
        return (b"", ramdisk);
    };
    let end = arguments.iter().position(|byte| *byte == b'\n');
    let line = &arguments[..end.unwrap_or(arguments.len())];
    let module = (ARGUMENTS.len() + line.len() + 1).next_multiple_of(PAGE_SIZE as usize);
    (line, ramdisk.get(module..).unwrap_or_default())
}

/// The screen, if the loader found one.
fn framebuffer(info: &BootInfo) -> Result<Option<Mode>, LoaderError> {
    let Some(framebuffer) = info.framebuffer.as_ref() else {
        return Ok(None);
    };
    let layout = framebuffer.info();
    Ok(Some(Mode {
        physical: physical(VirtAddr::from_ptr(framebuffer.buffer().as_ptr()))?,
        size: layout.byte_len,
        width: layout.width,
        height: layout.height,
        bytes_per_pixel: layout.bytes_per_pixel,
        bytes_per_line: layout.stride * layout.bytes_per_pixel,
    }))
}

/// The physical address of something that the loader mapped.
fn physical(address: VirtAddr) -> Result<u64, LoaderError> {
    // SAFETY: the loader's tables show themselves in the direct map, and nobody changes them.
    let table = |frame: Pfn| unsafe { &*frame.direct().as_ptr::<Table>() };
    let frame = translate(Native::root(), address, table).ok_or(LoaderError::NotMapped(address))?;
    Ok(frame.address() + address.as_u64() % PAGE_SIZE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_come_first_in_a_ramdisk() {
        let only = |ramdisk: &'static [u8]| split_ramdisk(ramdisk);
        assert_eq!(
            only(b"anyring-arguments: log=debug test=all\n"),
            (b"log=debug test=all".as_slice(), b"".as_slice())
        );
        assert_eq!(only(b"anyring-arguments: a"), (b"a".as_slice(), b"".as_slice()));
        assert_eq!(only(b"module"), (b"".as_slice(), b"module".as_slice()));
    }

    #[test]
    fn a_module_begins_at_the_next_page() {
        let mut ramdisk = b"anyring-arguments: a\n".to_vec();
        ramdisk.resize(4096, 0);
        assert_eq!(split_ramdisk(&ramdisk), (b"a".as_slice(), b"".as_slice()));
        ramdisk.extend(b"module\n");
        assert_eq!(split_ramdisk(&ramdisk), (b"a".as_slice(), b"module\n".as_slice()));
    }

    #[test]
    fn only_usable_regions_are_free() {
        let region = |start, end, kind| MemoryRegion { start, end, kind };
        let regions = [
            region(0, 0x9f000, MemoryRegionKind::Usable),
            region(0x10_0000, 0x20_0000, MemoryRegionKind::Bootloader),
            region(0x20_0000, 0x40_0800, MemoryRegionKind::Usable),
            region(0xfec0_0000, 0xfed0_0000, MemoryRegionKind::UnknownBios(2)),
        ];
        let (ram, free) = memory(&regions).expect("that is not many pieces");
        assert_eq!(ram.frames(), 0x9f + 0x300);
        assert_eq!(free.frames(), 0x9f + 0x200);
    }
}
