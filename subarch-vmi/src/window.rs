//! A page-wide window through which memory is written that nobody may write.
//!
//! The kernel's code is read-only by every address it has, and stays so. To change a site, its frame is shown at one more
//! address for the moment, writable and not executable there. So no page is ever both.

use crate::rom::WINDOW;
use arch::layout::PAGE_SIZE;
use arch::{MemoryMap, MmuOps, PageTableFlags, Pfn, Pte, VirtAddr};
use subarch_native::Native;
use subarch_native::mmu::replace_page;
use subarch_native::mmu::tables::{MapError, Table, translate};

/// Writes `bytes` at `address`, whose pages are mapped, whatever rights they have there.
///
/// # Errors
/// [`MapError`] if `free` has no frame for the table that the window needs; nothing is written then.
///
/// # Safety
/// The bytes may be what stands there from now on. This is the only CPU, and runs on the tables that the boot code built.
pub unsafe fn write(free: &mut MemoryMap, address: VirtAddr, bytes: &[u8]) -> Result<(), MapError> {
    let room = (PAGE_SIZE - address.as_u64() % PAGE_SIZE) as usize;
    let (here, next) = bytes.split_at(room.min(bytes.len()));
    // SAFETY: the caller's promises hold for either part.
    unsafe {
        write_in_page(free, address, here)?;
        if !next.is_empty() {
            write_in_page(free, address + room as u64, next)?;
        }
    }
    Ok(())
}

/// Writes `bytes`, all of which are in one page.
unsafe fn write_in_page(free: &mut MemoryMap, address: VirtAddr, bytes: &[u8]) -> Result<(), MapError> {
    let flags = PageTableFlags::PRESENT | PageTableFlags::WRITABLE | PageTableFlags::NO_EXECUTE;
    let target = WINDOW + address.as_u64() % PAGE_SIZE;
    // SAFETY: the window is this module's, and closed again before anyone else can look; the caller vouches for the bytes.
    unsafe {
        replace_page(free, WINDOW, Native::pte(frame_of(address)?, flags))?;
        target
            .as_mut_ptr::<u8>()
            .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        replace_page(free, WINDOW, Pte::EMPTY)
    }
}

/// The frame in which `address` is.
fn frame_of(address: VirtAddr) -> Result<Pfn, MapError> {
    // SAFETY: all tables are in the direct map, and nobody changes them meanwhile.
    let table = |frame: Pfn| unsafe { &*frame.direct().as_ptr::<Table>() };
    translate(Native::root(), address, table).ok_or(MapError::Occupied(address))
}
