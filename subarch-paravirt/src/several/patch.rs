//! Patching: the image becomes Xen's.

use super::table::{Image, Record, SiteError, check_compiled, check_made, for_each};
use arch::image;
use arch::site::{self, Change};
use core::ops::Range;
use core::slice;

/// Makes every site what it is under Xen.
///
/// # Errors
/// [`SiteError`] for the first that cannot be; nothing is changed then, unless what was written does not stand there.
///
/// # Safety
/// The kernel is under Xen, this is its only CPU, no site was reached yet, and the image's code can be written where it is.
pub unsafe fn become_xen() -> Result<(), SiteError> {
    let image = Running::new();
    image.for_each(|change| check_compiled(change, &image))?;
    image.for_each(|change| {
        let (from, to) = (change.bytes(), change.site as *mut u8);
        // SAFETY: the bytes are what stands there under Xen; the caller vouches for the rest.
        unsafe { to.copy_from_nonoverlapping(from.as_ptr(), from.len()) };
        Ok(())
    })?;
    // What was fetched ahead is forgotten: a serialising instruction (Intel SDM, vol. 3, 9.1.3).
    core::arch::x86_64::__cpuid(0);
    verify(&image)
}

/// Reads every site again.
///
/// Never inlined, for a debugger that stops the machine here and changes what is about to be read (`xtask/src/test/tampering.rs`).
#[inline(never)]
fn verify(image: &Running) -> Result<(), SiteError> {
    image.for_each(|change| check_made(change, image))
}

/// The image that runs: where its code and its constants are.
struct Running([Range<u64>; 2]);

impl Running {
    fn new() -> Self {
        let [code, constants, _] = image::segments();
        Self([code, constants].map(|segment| segment.pages.start.as_u64()..segment.pages.end.as_u64()))
    }

    /// Shows `visit` all changes.
    fn for_each(&self, visit: impl FnMut(&Change) -> Result<(), SiteError>) -> Result<(), SiteError> {
        let records = records();
        for_each(records, records.as_ptr().addr() as u64, self, visit)
    }
}

impl Image for Running {
    #[inline(always)]
    fn parts(&self) -> &[Range<u64>; 2] {
        &self.0
    }

    #[inline(always)]
    fn bytes(&self, address: u64, length: usize) -> &[u8] {
        // SAFETY: the caller asks for bytes of the image.
        unsafe { slice::from_raw_parts(address as *const u8, length) }
    }
}

/// The records, which the linker script has collected.
fn records() -> &'static [Record] {
    unsafe extern "C" {
        static __paravirt_sites_start: Record;
        static __paravirt_sites_end: Record;
    }
    let (start, end) = (&raw const __paravirt_sites_start, &raw const __paravirt_sites_end);
    // SAFETY: between the two symbols the linker script has put the records of all sites, and nothing else.
    unsafe { site::table(start, end) }
}
