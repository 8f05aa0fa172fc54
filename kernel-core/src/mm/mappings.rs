//! The kernel's mappings page by page, below [`MAPPINGS`].

use super::frames;
use crate::platform::Platform;
use crate::smp;
use crate::sync::IrqLock;
use arch::layout::{MAPPINGS, MAPPINGS_SIZE, PAGE_SIZE};
use arch::{MmuOps, PageTableFlags, PageTableLevel, Pfn, Pte, Slot, VirtAddr};
use kernel_logic::paging::{self, Tables};
pub use kernel_logic::paging::{Access, MapError, Walk};

/// The upper half of the space below [`MAPPINGS`] is the platform's, for device registers.
const END: u64 = MAPPINGS + MAPPINGS_SIZE / 2;

/// Whoever changes the kernel's page tables holds this.
static TABLES: IrqLock<KernelTables> = IrqLock::new(KernelTables);

/// The page tables of the kernel, written through the platform.
struct KernelTables;

impl Tables for KernelTables {
    fn read(&self, slot: Slot) -> Pte {
        // SAFETY: slots come from walks that start at the root in use, so the table is one, and in the direct map.
        unsafe { slot.read() }
    }

    fn write(&mut self, slot: Slot, pte: Pte) {
        // SAFETY: as for `read`; the lock makes us the only writer, and `map` only fills empty entries. Who asks for an unmap or
        // for less access vouches for its page.
        unsafe { Platform::set_entry(slot, pte) };
    }

    fn entry(&self, frame: Pfn, flags: PageTableFlags) -> Pte {
        Platform::pte(frame, flags)
    }

    fn frame(&self, pte: Pte) -> Option<Pfn> {
        Platform::frame(pte)
    }

    fn new_table(&mut self, level: PageTableLevel) -> Option<Pfn> {
        let table = frames::allocate_zeroed()?;
        // SAFETY: the frame is ours and full of empty entries; we forget it here.
        unsafe { Platform::table_give(table, level) };
        Some(table)
    }
}

/// Maps the page at `page` to `frame`.
///
/// # Errors
/// [`MapError`] says by name why the request cannot be followed.
pub fn map(page: VirtAddr, frame: Pfn, access: Access) -> Result<(), MapError> {
    check(page)?;
    if !frames::exists(frame) {
        return Err(MapError::NoSuchFrame(frame));
    }
    paging::map(&mut *TABLES.lock(), Platform::root(), page, frame, access).map(|_| ())
}

/// Removes the mapping of the page at `page` and returns the frame it had, if that is memory.
///
/// # Errors
/// [`MapError`] says by name why the request cannot be followed.
///
/// # Safety
/// Nothing refers to the page any more.
pub unsafe fn unmap(page: VirtAddr) -> Result<Option<Pfn>, MapError> {
    check(page)?;
    let frame = paging::unmap(&mut *TABLES.lock(), Platform::root(), page)?;
    flush(page);
    Ok(frame)
}

/// Changes what may be done with the page at `page`.
///
/// # Errors
/// [`MapError`] says by name why the request cannot be followed.
///
/// # Safety
/// Nothing that refers to the page needs more than `access`.
pub unsafe fn protect(page: VirtAddr, access: Access) -> Result<(), MapError> {
    check(page)?;
    paging::protect(&mut *TABLES.lock(), Platform::root(), page, access)?;
    flush(page);
    Ok(())
}

/// How the tables in use translate `address`, anywhere in the address space.
pub fn walk(address: VirtAddr) -> Walk {
    paging::walk(&*TABLES.lock(), Platform::root(), address)
}

/// Reads one entry of a table that a walk came across.
///
/// # Safety
/// `slot.table` is a page table.
pub unsafe fn read(slot: Slot) -> Pte {
    KernelTables.read(slot)
}

fn check(page: VirtAddr) -> Result<(), MapError> {
    let within = (MAPPINGS..END).contains(&page.as_u64());
    if within {
        Ok(())
    } else {
        Err(MapError::OutOfBounds(page))
    }
}

/// Has every CPU forget the translation of `page`.
fn flush(page: VirtAddr) {
    Platform::flush_on(smp::online(), page..page + PAGE_SIZE);
}
