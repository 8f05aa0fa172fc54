//! Finding a ROM, and giving it a place to live.
//!
//! On a PC a ROM is in the option-ROM area. Where there is no such area, as in a domain of Xen's without firmware, whoever starts the kernel
//! hands it over in front of the boot module.
//!
//! Firmware leaves ROMs below 1 MiB, at any multiple of 2 KiB, and write-protected: no place to run from, with the kernel 2 GiB
//! below the top of the address space. So an accepted ROM is copied into frames of its own, which are mapped within reach of a
//! near call: the image to be executed and not written, by any address, and its data pages to be written and not executed.

use arch::layout::{DIRECT_MAP, IMAGE_BASE, PAGE_SIZE};
use arch::{FrameRange, MemoryMap, MmuOps, PageTableFlags, Pfn, Pte, VirtAddr};
use core::{fmt, slice};
use subarch_native::Native;
use subarch_native::mmu::replace_page;
use subarch_native::mmu::tables::MapError;
use vmi64::header::{Header, HeaderError};
use vmi64::scan::{self, Candidate};
use vmi64::{InitRecord, RawAnswer, Refusal, RomMemory};

/// Where the ROM's copy is mapped: half way between the image and the end of the address space.
pub const BASE: VirtAddr = VirtAddr::new_truncate(IMAGE_BASE + (1 << 30));
/// The most pages that a ROM can have, its data included.
pub const PAGES_MAX: usize = 511;
/// The page behind them, through which sites are written.
pub const WINDOW: VirtAddr = VirtAddr::new_truncate(BASE.as_u64() + PAGES_MAX as u64 * PAGE_SIZE);

const CODE: PageTableFlags = PageTableFlags::PRESENT.union(PageTableFlags::GLOBAL);
const CONSTANT: PageTableFlags = CODE.union(PageTableFlags::NO_EXECUTE);
const DATA: PageTableFlags = CONSTANT.union(PageTableFlags::WRITABLE);

/// A ROM in its place.
#[derive(Debug)]
pub struct Rom {
    /// What it says about itself.
    pub header: Header,
    frames: FrameRange,
}

/// Why a ROM cannot be given a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlaceError {
    /// It wants this many pages, more than there is address space for.
    TooLarge(usize),
    /// There is not enough memory in one piece.
    OutOfMemory,
    /// There is no memory for page tables.
    Map(MapError),
}

impl From<MapError> for PlaceError {
    fn from(error: MapError) -> Self {
        Self::Map(error)
    }
}

impl fmt::Display for PlaceError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(pages) => write!(out, "it wants {pages} pages, of {PAGES_MAX} that there are"),
            Self::OutOfMemory => write!(out, "there is not enough memory for it"),
            Self::Map(error) => write!(out, "it cannot be mapped: {error}"),
        }
    }
}

/// A place in memory where a VMI signature is.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Its physical address.
    pub address: u64,
    /// What is there, to the end of the area or of the module.
    bytes: &'static [u8],
    /// The header, or what is wrong with it.
    pub header: Result<Header, HeaderError>,
}

/// Whatever in the option-ROM area has a VMI signature.
pub fn in_area() -> impl Iterator<Item = Found> {
    let area = area();
    scan::candidates(area).map(move |Candidate { offset, header }| Found {
        address: scan::AREA.start + offset as u64,
        bytes: &area[offset..],
        header,
    })
}

/// Takes a ROM off the front of the boot module; the rest is what it was before.
///
/// The pages that the ROM fills stay out of use.
pub fn in_module(module: &mut Option<FrameRange>, direct_below: Pfn) -> Option<Found> {
    let frames = module.filter(|frames| frames.end <= direct_below)?;
    let length = (frames.len() * PAGE_SIZE) as usize;
    // SAFETY: the direct map shows the module, whose frames are not memory that anyone is given.
    let bytes = unsafe { slice::from_raw_parts(frames.start.direct().as_ptr::<u8>(), length) };
    let header = match Header::parse(bytes) {
        Err(HeaderError::Signature) => return None,
        header => header,
    };
    let pages = header
        .as_ref()
        .map_or(frames.len(), |header| header.image_pages() as u64);
    let rest = FrameRange::new(frames.start + pages, frames.end);
    *module = (!rest.is_empty()).then_some(rest);
    Some(Found {
        address: frames.start.address(),
        bytes,
        header,
    })
}

/// The bytes of the option-ROM area.
fn area() -> &'static [u8] {
    let start = (DIRECT_MAP + scan::AREA.start) as *const u8;
    // SAFETY: the direct map shows the area, which is not memory that anyone is given, and which firmware has left unchanging.
    unsafe { slice::from_raw_parts(start, (scan::AREA.end - scan::AREA.start) as usize) }
}

impl Rom {
    /// Copies the ROM that was `found` with this header into frames from `free`, and maps it.
    ///
    /// # Errors
    /// [`PlaceError`], with nothing mapped.
    ///
    /// # Safety
    /// No other ROM is in the place. This is the only CPU, and runs on the tables that the boot code built.
    pub unsafe fn place(found: &Found, header: Header, free: &mut MemoryMap) -> Result<Self, PlaceError> {
        let pages = header.total_pages();
        if pages > PAGES_MAX {
            return Err(PlaceError::TooLarge(pages));
        }
        let start = free.take(pages as u64, free.end()).ok_or(PlaceError::OutOfMemory)?;
        let rom = Self {
            header,
            frames: FrameRange::new(start, start + pages as u64),
        };
        rom.copy(&found.bytes[..header.rom_length]);
        // SAFETY: the frames are this ROM's, and nobody else uses the addresses.
        match unsafe { rom.map(free) } {
            Ok(()) => Ok(rom),
            Err(error) => {
                // SAFETY: nothing of the ROM was called yet.
                unsafe { rom.remove(free) };
                Err(error.into())
            }
        }
    }

    /// Takes the ROM away. Its few frames stay out of use: in the middle of page tables by now, they would serve nobody.
    ///
    /// # Safety
    /// No site leads into it. This is the only CPU, and runs on the tables that the boot code built.
    pub unsafe fn remove(&self, free: &mut MemoryMap) {
        for (page, _) in self.pages() {
            // SAFETY: the caller promises that nobody uses the pages.
            if unsafe { replace_page(free, page, Pte::EMPTY) }.is_err() {
                // There is not even a table that could map this page or a later one.
                return;
            }
        }
    }

    /// Calls *Init*.
    ///
    /// # Errors
    /// The ROM's [`Refusal`].
    ///
    /// # Safety
    /// The ROM is trusted to keep to the ABI. The rest of the record is true.
    pub unsafe fn init(&self, record: InitRecord) -> Result<(), Refusal> {
        let memory = self.memory();
        let record = InitRecord {
            size: size_of::<InitRecord>() as u32,
            major: vmi64::MAJOR.into(),
            minor: vmi64::MINOR.into(),
            image: memory.image.start,
            image_length: memory.image.end - memory.image.start,
            data: memory.data.start,
            data_length: memory.data.end - memory.data.start,
            ..record
        };
        // SAFETY: the header's check found a jump into the image there, and the caller trusts what it leads to.
        let [code, _] = unsafe {
            call(
                memory.image.start + self.header.init() as u64,
                &raw const record as u64,
                0,
            )
        };
        Refusal::check(code)
    }

    /// Calls *GetRelocationInfo* for the call of this number, whose sites have `room` bytes.
    ///
    /// # Safety
    /// As for [`init`](Self::init), which was called and accepted.
    pub unsafe fn get_relocation(&self, number: u64, room: usize) -> RawAnswer {
        let entry = self.memory().image.start + self.header.get_relocation() as u64;
        // SAFETY: as for `init`.
        let [address, kind_and_length] = unsafe { call(entry, number, room as u64) };
        RawAnswer {
            address,
            kind_and_length,
        }
    }

    /// The addresses at which the ROM lives.
    pub fn memory(&self) -> RomMemory {
        let image = BASE.as_u64();
        let data = image + self.header.image_pages() as u64 * PAGE_SIZE;
        RomMemory {
            image: image..image + self.header.rom_length as u64,
            data: data..data + self.header.data_pages as u64 * PAGE_SIZE,
        }
    }

    /// Fills the frames: the image, then zeroes.
    fn copy(&self, image: &[u8]) {
        let start = self.frames.start.direct().as_mut_ptr::<u8>();
        let length = (self.frames.len() * PAGE_SIZE) as usize;
        // SAFETY: the frames were free and are in the direct map; nobody else has a reference to them.
        let bytes = unsafe {
            start.write_bytes(0, length);
            slice::from_raw_parts_mut(start, length)
        };
        bytes[..image.len()].copy_from_slice(image);
    }

    /// Maps the pages with their rights, and takes the right to write the image away from the direct map.
    unsafe fn map(&self, free: &mut MemoryMap) -> Result<(), MapError> {
        for (index, (page, frame)) in self.pages().enumerate() {
            // SAFETY: the caller vouches for the addresses; the frames are this ROM's.
            unsafe {
                if index < self.header.image_pages() {
                    replace_page(free, frame.direct(), Native::pte(frame, CONSTANT))?;
                    replace_page(free, page, Native::pte(frame, CODE))?;
                } else {
                    replace_page(free, page, Native::pte(frame, DATA))?;
                }
            }
        }
        Ok(())
    }

    /// Each page's address with its frame.
    fn pages(&self) -> impl Iterator<Item = (VirtAddr, Pfn)> + use<> {
        self.frames
            .iter()
            .enumerate()
            .map(|(index, frame)| (BASE + index as u64 * PAGE_SIZE, frame))
    }
}

/// Calls a function of the ROM with two arguments; returns RAX and RDX.
///
/// # Safety
/// There is a function of the ABI at `entry`, and the arguments are what it expects.
unsafe fn call(entry: u64, first: u64, second: u64) -> [u64; 2] {
    let (rax, rdx);
    // SAFETY: the caller vouches for function and arguments; it may change what any function may.
    unsafe {
        core::arch::asm!(
            "call {entry}", entry = in(reg) entry, in("rdi") first, in("rsi") second, lateout("rax") rax, lateout("rdx") rdx,
            clobber_abi("sysv64"),
        );
    }
    [rax, rdx]
}
