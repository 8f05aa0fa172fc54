//! Patching: the image becomes Xen's.

use super::table::{Image, Record, SiteError, check_compiled, check_made, for_each};
use super::window::Window;
use arch::image;
use arch::site::{self, Change};
use core::ops::Range;
use core::{fmt, slice};
use subarch_xen::{Malformed, Refused, StartInfo};

/// Why an image could not be patched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PatchError {
    /// The table of sites cannot be followed, or was not.
    Site(SiteError),
    /// What Xen tells a domain is not what it should be.
    StartInfo(Malformed),
    /// Xen does not have the code shown in the window, or made read-only.
    Window(Refused),
}

impl From<SiteError> for PatchError {
    fn from(error: SiteError) -> Self {
        Self::Site(error)
    }
}

impl From<Malformed> for PatchError {
    fn from(error: Malformed) -> Self {
        Self::StartInfo(error)
    }
}

impl From<Refused> for PatchError {
    fn from(error: Refused) -> Self {
        Self::Window(error)
    }
}

impl fmt::Display for PatchError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Site(error) => error.fmt(out),
            Self::StartInfo(error) => error.fmt(out),
            Self::Window(error) => write!(out, "the code cannot be changed: {error}"),
        }
    }
}

/// What patching was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patched {
    /// How many sites were changed.
    pub sites: usize,
    /// How long it took, in cycles of the processor's counter.
    pub cycles: u64,
}

/// Makes every site what it is under Xen.
///
/// # Errors
/// [`PatchError`]. If a site cannot be what its record asks for, nothing is changed.
///
/// # Safety
/// Xen has entered the kernel and told `start_info`; this is its only CPU, and no site was reached yet.
pub unsafe fn become_xen(start_info: *const StartInfo) -> Result<Patched, PatchError> {
    let start = cycles();
    let image = Running::new();
    image.for_each(|change| check_compiled(change, &image))?;
    // SAFETY: the caller's promise.
    let mut window = unsafe { Window::open(start_info) }?;
    image.for_each(|change| {
        // SAFETY: the bytes are what stands there under Xen.
        unsafe { window.write(change.site, change.bytes()) }.map_err(PatchError::Window)
    })?;
    window.close()?;
    // What was fetched ahead is forgotten: a serialising instruction (Intel SDM, vol. 3, 9.1.3).
    core::arch::x86_64::__cpuid(0);
    verify(&image)?;
    Ok(Patched {
        sites: records().len(),
        cycles: cycles().wrapping_sub(start),
    })
}

/// The processor's counter, without a site.
fn cycles() -> u64 {
    // SAFETY: Xen lets a domain read it, and reading it has no effect.
    unsafe { core::arch::x86_64::_rdtsc() }
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
    fn for_each<E: From<SiteError>>(&self, visit: impl FnMut(&Change) -> Result<(), E>) -> Result<(), E> {
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
