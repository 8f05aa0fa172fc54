//! A page through which the code is written under Xen.
//!
//! Xen's domain builder knows no sections: it maps all of an image writable, and nothing of it is forbidden to execute. So the first thing
//! to be done about the code is to take the right to write it away. From then on the frame of a site is shown at one more address for the
//! moment, writable and not executable there, and no page of the code is ever both.

use super::patch::PatchError;
use arch::layout::PAGE_SIZE;
use arch::{PageTableFlags, VirtAddr, image};
use core::cell::UnsafeCell;
use subarch_xen::{Refused, StartInfo, learn_frames, show};

/// The page: a place, and after that as good as any other of the image's data.
#[repr(C, align(4096))]
struct Place(UnsafeCell<[u8; PAGE_SIZE as usize]>);

// SAFETY: only the window uses the place, of which there is one at a time.
unsafe impl Sync for Place {}

static PLACE: Place = Place(UnsafeCell::new([0; PAGE_SIZE as usize]));

/// The rights to data.
const WRITABLE: PageTableFlags = PageTableFlags::PRESENT
    .union(PageTableFlags::WRITABLE)
    .union(PageTableFlags::NO_EXECUTE);

/// The window, while it is open: the code is read-only by its own address.
#[derive(Debug)]
pub struct Window {
    place: VirtAddr,
    /// What is seen through it.
    page: Option<VirtAddr>,
}

impl Window {
    /// Takes the right to write the code away.
    ///
    /// # Errors
    /// [`PatchError`]: what Xen has told the domain is malformed, or it does not change the right.
    ///
    /// # Safety
    /// Xen has entered the kernel and told `start_info`, and nothing else was done yet. There is no other window.
    pub unsafe fn open(start_info: *const StartInfo) -> Result<Self, PatchError> {
        // SAFETY: the caller's promise.
        unsafe { learn_frames(start_info) }?;
        let [code, ..] = image::segments();
        for address in (code.pages.start.as_u64()..code.pages.end.as_u64()).step_by(PAGE_SIZE as usize) {
            let page = VirtAddr::new_truncate(address);
            // SAFETY: nobody writes the code by its own address.
            unsafe { show(page, page, code.flags) }?;
        }
        Ok(Self {
            place: VirtAddr::from_ptr(PLACE.0.get()),
            page: None,
        })
    }

    /// Writes `bytes` at `address` of the code.
    ///
    /// # Errors
    /// [`Refused`]: Xen does not show it.
    ///
    /// # Safety
    /// The bytes may be what stands there from now on.
    #[inline(always)]
    pub unsafe fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Refused> {
        let room = (PAGE_SIZE - address % PAGE_SIZE) as usize;
        let (here, next) = bytes.split_at(room.min(bytes.len()));
        // SAFETY: the caller's promise holds for either part.
        unsafe {
            self.write_in_page(address, here)?;
            if !next.is_empty() {
                self.write_in_page(address + room as u64, next)?;
            }
        }
        Ok(())
    }

    /// Writes `bytes`, all of which are in one page.
    #[inline(always)]
    unsafe fn write_in_page(&mut self, address: u64, bytes: &[u8]) -> Result<(), Refused> {
        let page = VirtAddr::new_truncate(address).align_down(PAGE_SIZE);
        if self.page != Some(page) {
            // SAFETY: the place is the window's, and nobody else looks.
            unsafe { show(self.place, page, WRITABLE) }?;
            self.page = Some(page);
        }
        let to = (self.place + address % PAGE_SIZE).as_mut_ptr::<u8>();
        // SAFETY: the frame of the code is shown there; the caller vouches for the bytes.
        unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        Ok(())
    }

    /// Shows nothing but the place itself any more.
    ///
    /// # Errors
    /// [`Refused`]: Xen does not take the code away.
    pub fn close(self) -> Result<(), Refused> {
        // SAFETY: nobody has a reference to what is in the place.
        unsafe { show(self.place, self.place, WRITABLE) }
    }
}
