//! Detours: how a call with operands costs nothing as long as no ROM has taken it.
//!
//! A site has the ABI's registers, so that whoever reaches it must first move values there, and may rely on no other. On the way of a
//! page-table entry that is more than the store itself. So where an operation has operands, what stands in its place is the native
//! instruction as bare metal has it, in whatever registers the compiler likes; and the site is elsewhere, out of the way, in a function
//! that nobody calls. When a ROM takes the call, the native instruction becomes a jump there, and only then anyone pays for moving
//! things about.
//!
//! | what the ROM answered | the detour | the site behind it |
//! |---|---|---|
//! | *NONE*, *NOP*, or *INLINE* with the native bytes | stays closed | never reached |
//! | anything else | becomes `jmp` | as for any site |
//!
//! So detours are this kernel's affair. The interface knows nothing of them.

use arch::{VirtAddr, image};
use core::ops::Range;
use core::{fmt, slice};
use vmi64::Call;
use vmi64::call::SITE_MAX;

/// The native instruction of the call of this name as assembly text, behind so many prefixes that it has at least five bytes whatever
/// its operands; the `extern "sysv64"` function that is the way by the ROM; text that pushes its arguments, the last one first; then
/// operands as in `asm!`.
///
/// The jump leads to a few instructions beside the kernel's functions, which call that function and change no register but flags. So
/// the compiler sees one instruction, and nothing of the rest.
macro_rules! detour {
    ($call:ident, $prefixes:literal, $native:literal, $by_rom:path, [$($push:literal),*], $($operands:tt)*) => {{
        ::arch::keeping_registers!(keeping_registers, $by_rom, [$($push),*]);
        ::core::arch::asm!(
            ::arch::site_text!($prefixes, $native),
            $crate::detour_to_rom!([$($push),*]),
            "779:",
            detour_call = const ::vmi64::Call::$call.number(),
            by_rom = sym keeping_registers,
            $($operands)*
        )
    }};
}
pub(crate) use detour;

/// The result of a call that takes nothing: native instructions that leave it in the register `{answer}`, whichever that is, behind
/// so many prefixes; and those of the site, which leave it in RAX.
///
/// The detour leads to the site itself and two exchanges, and changes nothing but `{answer}` and flags.
macro_rules! answer {
    ($call:ident, $prefixes:literal, $native:literal, $at_site:literal) => {{
        let answer: u64;
        ::core::arch::asm!(
            ::arch::site_text!($prefixes, $native),
            $crate::answer_of_rom!($at_site),
            "779:",
            detour_call = const ::vmi64::Call::$call.number(),
            site_padding = const ::vmi64::Call::$call.padding(),
            site_call = const ::vmi64::Call::$call.number(),
            site_count = const $crate::site::counter(::vmi64::Call::$call),
            answer = out(reg) answer,
        );
        answer
    }};
}
pub(crate) use answer;

/// What a detour for a call leads to: the function `{by_rom}`, with what the texts push.
#[macro_export]
#[doc(hidden)]
macro_rules! detour_to_rom {
    ([$($push:literal),*]) => {
        concat!(
            $crate::detour_record!("773f"),
            ::arch::detour_text!("773", $($push,)* "call {by_rom}\njmp 779f"),
        )
    };
}

/// What a detour for an answer leads to: the site itself, and two exchanges.
#[macro_export]
#[doc(hidden)]
macro_rules! answer_of_rom {
    ($at_site:literal) => {
        concat!(
            $crate::detour_record!("773f"),
            ::arch::detour_text!(
                "773",
                "xchg rax, {answer}",
                $crate::site_count!("site"),
                $crate::site_begin!("site"),
                $at_site,
                "\n",
                $crate::site_record!("site"),
                "xchg rax, {answer}\njmp 779f"
            ),
        )
    };
}

/// Whether a ROM has taken the call of this name: a NOP that becomes a jump. For what is no single instruction natively.
macro_rules! taken {
    ($call:ident) => {{
        let mut taken = false;
        // SAFETY: an instruction that does nothing, or a jump to where this block says.
        unsafe {
            ::core::arch::asm!(
                "771:",
                ".nops 5",
                "772:",
                $crate::detour::record!("{rom}"),
                detour_call = const ::vmi64::Call::$call.number(),
                rom = label { taken = true },
                options(nomem, nostack, preserves_flags),
            );
        }
        taken
    }};
}
pub(crate) use taken;

/// The record of a detour from label 771 to label 772, which leads to the given label if call `detour_call` is taken.
#[macro_export]
#[doc(hidden)]
macro_rules! detour_record {
    ($target:literal) => {
        concat!(
            ".pushsection .vmi.detours, \"a\"\n.long 771b - .\n.long ",
            $target,
            " - .\n.byte {detour_call}\n.byte 772b - 771b\n.popsection\n"
        )
    };
}
pub(crate) use crate::detour_record as record;

/// A detour, as the assembler records it.
#[repr(C, packed)]
#[derive(Clone, Copy, Debug)]
struct Record {
    /// Distance of the native instruction from this field.
    distance: i32,
    /// Distance of the way by the ROM from this field.
    target: i32,
    /// Number of the call.
    call: u8,
    /// How many bytes the native instruction has, prefixes included.
    length: u8,
}

/// Size of a record, as the assembler must lay it out.
const RECORD_SIZE: usize = 10;
const _: () = assert!(size_of::<Record>() == RECORD_SIZE);

/// A detour of this kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Detour {
    /// The call whose taking opens it.
    pub call: Call,
    /// Where the native instruction is.
    pub address: u64,
    /// How many bytes it has.
    pub length: usize,
    /// Where it leads when it is open.
    pub target: u64,
}

/// Why a record is of no detour: always a bug of the kernel, never of a ROM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DetourError {
    /// The ABI has no call of this number.
    UnknownCall(u8),
    /// It has not the bytes for a jump, or more than an instruction can have.
    Length(Call, u8),
    /// It is not in the kernel's code, or does not lead there.
    Outside(Call),
}

impl fmt::Display for DetourError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCall(number) => write!(out, "a detour for call {number}, which does not exist"),
            Self::Length(call, length) => write!(out, "a detour for {} of {length} bytes", call.name()),
            Self::Outside(call) => write!(out, "a detour for {} that is not in the code", call.name()),
        }
    }
}

impl Detour {
    /// The bytes that stand there now.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: it is code of this image, as its record says, which was checked.
        unsafe { slice::from_raw_parts(self.address as *const u8, self.length) }
    }

    /// The addresses of the bytes.
    pub fn range(&self) -> Range<u64> {
        self.address..self.address + self.length as u64
    }
}

impl Record {
    /// What a record at address `at` says, if that can be; `is_text` tells what code is.
    fn check(self, at: u64, is_text: impl Fn(u64) -> bool) -> Result<Detour, DetourError> {
        let call = Call::from_number(self.call.into()).ok_or(DetourError::UnknownCall(self.call))?;
        let length = usize::from(self.length);
        let detour = Detour {
            call,
            address: at.wrapping_add_signed(self.distance.into()),
            length,
            target: (at + size_of::<i32>() as u64).wrapping_add_signed(self.target.into()),
        };
        if !(5..SITE_MAX).contains(&length) {
            return Err(DetourError::Length(call, self.length));
        }
        let inside = [detour.address, detour.address + length as u64 - 1, detour.target];
        if inside.into_iter().all(is_text) {
            Ok(detour)
        } else {
            Err(DetourError::Outside(call))
        }
    }
}

/// All detours, or what is wrong with the first that cannot be one.
pub fn all() -> impl Iterator<Item = Result<Detour, DetourError>> {
    let is_text = |address| image::is_text(VirtAddr::new_truncate(address));
    records()
        .iter()
        .map(move |record| record.check(record as *const Record as u64, is_text))
}

/// The records, which the linker script has collected.
fn records() -> &'static [Record] {
    unsafe extern "C" {
        static __vmi_detours_start: Record;
        static __vmi_detours_end: Record;
    }
    let (start, end) = (&raw const __vmi_detours_start, &raw const __vmi_detours_end);
    // SAFETY: between the two symbols the linker script has put the records of all detours, and nothing else.
    unsafe { arch::site::table(start, end) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Record = Record {
        distance: -0x800,
        target: -0x404,
        call: Call::SetPxE as u8,
        length: 5,
    };

    fn check(record: Record) -> Result<Detour, DetourError> {
        record.check(0x2000, |address| (0x1000..0x1fff).contains(&address))
    }

    #[test]
    fn a_record_tells_where_it_starts_and_leads() {
        let expected = Detour {
            call: Call::SetPxE,
            address: 0x1800,
            length: 5,
            target: 0x1c00,
        };
        assert_eq!(check(GOOD), Ok(expected));
        assert_eq!(expected.range(), 0x1800..0x1805);
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let refused = [
            (Record { call: 99, ..GOOD }, DetourError::UnknownCall(99)),
            (Record { length: 4, ..GOOD }, DetourError::Length(Call::SetPxE, 4)),
            (Record { length: 16, ..GOOD }, DetourError::Length(Call::SetPxE, 16)),
            (Record { distance: 0, ..GOOD }, DetourError::Outside(Call::SetPxE)),
            (Record { distance: -4, ..GOOD }, DetourError::Outside(Call::SetPxE)),
            (Record { target: 0, ..GOOD }, DetourError::Outside(Call::SetPxE)),
        ];
        for (record, error) in refused {
            assert_eq!(check(record), Err(error));
        }
    }
}
