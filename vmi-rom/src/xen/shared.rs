//! The pages that Xen has a part in.
//!
//! A ROM's data pages are ordinary memory of the domain. One of them is exchanged for Xen's shared page, and stays what the kernel believes
//! it to be: a page of this ROM. The console's page is another matter. The daemon in dom0 may have mapped it already, so it is left where it
//! is, outside of the domain's memory, and shown at the address of one of these pages instead. For that an entry of the page tables is
//! changed, that of a page which nobody but this ROM uses.

use crate::cell::Cell;
use crate::facts;
use core::arch::asm;
use xen_abi::SharedInfo;

/// The page that Xen shares with the domain, once it is in the place of this one.
pub static SHARED_INFO: SharedInfo = SharedInfo::new();

/// A page as a place to show another frame at.
#[repr(C, align(4096))]
#[derive(Clone, Copy, Debug)]
pub struct Page(pub [u8; 4096]);

/// The place of the console's page.
pub static CONSOLE: Cell<Page> = Cell::new(Page([0; 4096]));

/// The part of an entry that is a frame's address (AMD64 manual, vol. 2, 5.3).
const FRAME: u64 = 0x000f_ffff_ffff_f000;

/// The frame in which the byte at `address`, in a page of this ROM's data, is.
pub fn frame_of(address: u64) -> Option<u64> {
    // SAFETY: an entry in use, which nobody changes meanwhile.
    entry(address).map(|entry| unsafe { entry.read_volatile() } >> 12 & FRAME >> 12)
}

/// Shows frame `frame` at `address`, that of a page of this ROM's data; tells whether it did.
///
/// # Safety
/// The page is used for nothing else, and nobody has a reference to what was there.
pub unsafe fn show(address: u64, frame: u64) -> bool {
    let Some(entry) = entry(address) else {
        return false;
    };
    // SAFETY: the caller vouches for the page; its rights stay as they are.
    unsafe {
        entry.write_volatile(entry.read_volatile() & !FRAME | frame << 12);
        asm!("invlpg [{}]", in(reg) address, options(nostack, preserves_flags));
    }
    true
}

/// The entry that maps the 4 KiB page of `address`, in the kernel's direct map.
fn entry(address: u64) -> Option<*mut u64> {
    /// An entry translates.
    const PRESENT: u64 = 1;
    /// It is the last one, and maps a large page.
    const LARGE: u64 = 1 << 7;
    let root: u64;
    // SAFETY: reading the register has no effect.
    unsafe { asm!("mov {}, cr3", out(reg) root, options(nomem, nostack, preserves_flags)) };
    let at = |table: u64, shift: u32| {
        let index = address >> shift & 511;
        (facts::DIRECT_MAP.get() + (table & FRAME) + index * 8) as *mut u64
    };
    let mut table = root;
    for shift in [39, 30, 21] {
        // SAFETY: page tables in use are in the direct map, and nobody changes them meanwhile.
        table = unsafe { at(table, shift).read_volatile() };
        if table & PRESENT == 0 || table & LARGE != 0 {
            return None;
        }
    }
    Some(at(table, 12))
}
