//! Call sites: the places in this kernel that a ROM may change.
//!
//! A site is made by the `site!` macro as inline assembly: the native instructions of one call, padding up to the size that the
//! ABI gives this call's sites, and, in another section, a record of where that was. Registers are the ABI's, not the
//! compiler's choice, because a ROM's function will expect its arguments there. Nothing else of a site exists at run
//! time: no flag to test and no pointer to load.

use core::ops::Range;
use core::slice;
use vmi64::site::check_bytes;
use vmi64::{Call, Native, SiteError, SiteRecord};

/// How many bytes of padding follow the native instructions at a site of `call`.
pub const fn padding(call: Call) -> usize {
    let native = match call.native() {
        Native::Bytes(bytes) => bytes.len(),
        Native::Function => 5,
    };
    call.site_length() - native
}

/// A site of the call with this name: its native instructions as assembly text, then operands as in `asm!`.
///
/// The text `call {function}` is for calls whose native form is a function of this crate, given as operand. Text in brackets
/// is for instructions around the site, which stay whatever the ROM says.
macro_rules! site {
    ($call:ident, $native:literal $(, $($operands:tt)*)?) => {
        $crate::site::site!($call, [""] $native [""], $($($operands)*)?)
    };
    ($call:ident, [$before:literal] $native:literal [$after:literal], $($operands:tt)*) => {
        ::core::arch::asm!(
            $before,
            "771:",
            $native,
            $crate::site::record!("site"),
            $after,
            site_padding = const $crate::site::padding(::vmi64::Call::$call),
            site_call = const ::vmi64::Call::$call.number(),
            $($operands)*
        )
    };
}
pub(crate) use site;

/// What follows the native instructions of a site that began at label 771, as one literal: padding, and the record.
///
/// For the name `site` its operands are the constants `site_padding`, as [`padding`] gives it, and `site_call`, the number.
#[macro_export]
#[doc(hidden)]
macro_rules! site_record {
    ($name:literal) => {
        concat!(
            ".if {",
            $name,
            "_padding}\n",
            ".nops {",
            $name,
            "_padding}\n",
            ".endif\n",
            ".pushsection .vmi.sites, \"a\"\n",
            ".long 771b - .\n",
            ".byte {",
            $name,
            "_call}\n",
            ".popsection"
        )
    };
}
pub(crate) use crate::site_record as record;

/// A site of this kernel.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    /// The call that stands there.
    pub call: Call,
    /// Where its bytes are.
    pub address: u64,
}

impl Site {
    /// The bytes that stand at the site now.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the site is code of this image, as its record says, and was compared with what the ABI says is there.
        unsafe { slice::from_raw_parts(self.address as *const u8, self.call.site_length()) }
    }

    /// The addresses of the bytes.
    pub fn range(&self) -> Range<u64> {
        self.address..self.address + self.call.site_length() as u64
    }
}

/// All sites, each checked against the ABI, or what is wrong with the first that is not as it should be.
pub fn all() -> impl Iterator<Item = Result<Site, SiteError>> {
    records().iter().map(|record| {
        let site = Site {
            call: record.check()?,
            address: record.site(record as *const SiteRecord as u64),
        };
        check_bytes(site.call, site.bytes())?;
        Ok(site)
    })
}

/// All sites once [`all`] has found no fault with them; usable while they are being changed.
pub fn checked() -> impl Iterator<Item = Site> {
    records().iter().filter_map(|record| {
        let call = record.check().ok()?;
        Some(Site {
            call,
            address: record.site(record as *const SiteRecord as u64),
        })
    })
}

/// The records, which the linker script has collected.
fn records() -> &'static [SiteRecord] {
    unsafe extern "C" {
        static __vmi_sites_start: SiteRecord;
        static __vmi_sites_end: SiteRecord;
    }
    let (start, end) = (&raw const __vmi_sites_start, &raw const __vmi_sites_end);
    // SAFETY: between the two symbols the linker script has put the records of all sites, and nothing else.
    unsafe { slice::from_raw_parts(start, end.offset_from_unsigned(start)) }
}
