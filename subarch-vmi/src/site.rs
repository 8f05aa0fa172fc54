//! Call sites: the places in this kernel that a ROM may change.
//!
//! A site is made by the `site!` macro as inline assembly: padding up to the size that the ABI gives this call's sites, the native
//! instructions of one call, and, in another section, a record of where that was. The padding is prefixes of the first instruction,
//! so that it costs none. Registers are the ABI's, not the compiler's choice, because a ROM's function will expect its arguments
//! there. Nothing else of a site exists at run time: no flag to test and no pointer to load.
//!
//! Fixed registers, and those that a ROM may change, do cost something: moves, and values kept elsewhere. Sites that have none, or only
//! results, are therefore where the operation is, and most others behind a [detour](crate::detour).

use core::ops::Range;
use core::slice;
use vmi64::site::check_bytes;
use vmi64::{Call, SiteError, SiteRecord};

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
            $crate::site::count!("site"),
            $crate::site::begin!("site"),
            $native,
            $crate::site::record!("site"),
            $after,
            site_padding = const ::vmi64::Call::$call.padding(),
            site_call = const ::vmi64::Call::$call.number(),
            site_count = const $crate::site::counter(::vmi64::Call::$call),
            $($operands)*
        )
    };
}
pub(crate) use site;

/// A site of a call that has no native instructions: a NOP where a ROM may want to be told of something. Operands as in `asm!`.
macro_rules! notice {
    ($call:ident, $($operands:tt)*) => {
        ::core::arch::asm!(
            $crate::site::count!("site"),
            "771:",
            ".nops {site_length}",
            $crate::site::record!("site"),
            site_length = const ::vmi64::Call::$call.site_length(),
            site_call = const ::vmi64::Call::$call.number(),
            site_count = const $crate::site::counter(::vmi64::Call::$call),
            $($operands)*
        )
    };
}
pub(crate) use notice;

/// What stands in front of a site in an image that counts how often it goes to the ROM ([`arch::calls`]): GS is the kernel's there. It
/// changes arithmetic flags. For the name `site` its operand is the constant `site_count`, as [`counter`] gives it.
#[cfg(feature = "count-calls")]
#[macro_export]
#[doc(hidden)]
macro_rules! site_count {
    ($name:literal) => {
        concat!("inc dword ptr gs:[{", $name, "_count}]\n")
    };
}

/// What stands in front of a site in an image that counts; this one does not. Its operand is used for a comment.
#[cfg(not(feature = "count-calls"))]
#[macro_export]
#[doc(hidden)]
macro_rules! site_count {
    ($name:literal) => {
        concat!("/* {", $name, "_count} */\n")
    };
}
pub(crate) use crate::site_count as count;

/// Where the number of calls of this kind is counted, as an offset from the GS base.
pub const fn counter(call: Call) -> usize {
    arch::calls::offset(call as usize)
}

/// What stands in front of the native instructions of a site, as one literal: label 771, and prefixes.
///
/// For the name `site` its operand is the constant `site_padding`, which is [`Call::padding`].
#[macro_export]
#[doc(hidden)]
macro_rules! site_begin {
    ($name:literal) => {
        concat!("771:\n", ".fill {", $name, "_padding}, 1, 0x2e\n")
    };
}
pub(crate) use crate::site_begin as begin;

/// The record of the site that began at label 771, or another, as one literal. For the name `site` its operand is the constant `site_call`, the
/// number.
#[macro_export]
#[doc(hidden)]
macro_rules! site_record {
    ($name:literal) => {
        $crate::site_record!($name, "771b")
    };
    ($name:literal, $label:literal) => {
        concat!(
            ".pushsection .vmi.sites, \"a\"\n",
            ".long ",
            $label,
            " - .\n",
            ".byte {",
            $name,
            "_call}\n",
            ".popsection\n"
        )
    };
}
pub(crate) use crate::site_record as record;

// What the text above writes.
const _: () = assert!(vmi64::call::PREFIX == 0x2e);

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
    unsafe { arch::site::table(start, end) }
}
