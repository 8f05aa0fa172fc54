//! Sites: the places that differ between the platforms of one image.
//!
//! In Linux's `paravirt_ops` each operation is a call through a table of pointers, and these calls are patched at boot. Here there is no
//! such table. What stands at a site is what the bare machine executes, compiled in line like everything around it, and it is complete:
//! an image that finds itself on a bare machine changes nothing. What stands there under Xen is beside it in the image, assembled for
//! the very registers of that site, and is put there before the first site is reached.
//!
//! There are three kinds of site. An *alternative* is one or more instructions, and becomes others of the same length. A *detour* is an
//! instruction that becomes a jump to others, which use its very registers and change no more. A *branch* is five bytes that do nothing
//! and become a jump to code of the other platform's that the compiler has put out of the way; it sees that there are two ways, and so
//! this is for what is large or rare. A record is eight bytes for each: where the site is, and where that which it becomes is. What lies in
//! the image's code is jumped to; what does not is an alternative, with its lengths before it.

use core::arch::asm;

/// The record of the site at label 771, which becomes what is at the given label: a jump there, if that is code.
macro_rules! record {
    ($target:literal) => {
        concat!(
            ".pushsection .paravirt.sites, \"a\"\n.long 771b - .\n.long ",
            $target,
            " - .\n.popsection\n"
        )
    };
}
pub(crate) use record;

/// What a site leads to under Xen, in its very registers: text that ends with a jump to label 779.
macro_rules! detour {
    ($($instructions:expr),*) => {
        concat!($crate::several::site::record!("774f"), ::arch::detour_text!("774", $($instructions),*))
    };
}
pub(crate) use detour;

/// What a site is under Xen: instructions that have the length of those of the bare machine, or lack one prefix. Behind `jump` they end
/// with a jump to the label, out of line, by the four bytes of a distance that are moved with them.
macro_rules! becomes {
    ($($xen:literal),*) => {
        $crate::several::site::becomes!(@ "0", $($xen),*)
    };
    (jump $label:literal, $($xen:literal),*) => {
        $crate::several::site::becomes!(@ "0x80", $($xen,)* concat!(".long ", $label, " - . - 4"))
    };
    (@ $moved:literal, $($xen:expr),*) => {
        concat!(
            ".pushsection .rodata.paravirt, \"a\"\n",
            "773: .byte 772b - 771b, ", $moved, " + 775f - 774f\n",
            "774:\n",
            $($xen, "\n",)*
            "775:\n",
            ".popsection\n",
            $crate::several::site::record!("773b"),
        )
    };
}
pub(crate) use becomes;

cfg_if::cfg_if! {
    if #[cfg(feature = "vmi")] {
        /// An operation of the bare machine, whose first instruction is behind so many prefixes: what it is under Xen, as text; the call by
        /// which a ROM may take it, the function that is the way there, and text that pushes its arguments; the instructions behind the
        /// first; then operands as in `asm!`.
        macro_rules! operation_then {
            (
                $prefixes:literal, $bare:literal, $xen:expr, $call:ident => $by_rom:path, [$($push:literal),*],
                then [$($rest:expr),*], $($operands:tt)*
            ) => {{
                ::arch::keeping_registers!(keeping_for_rom, $by_rom, [$($push),*]);
                ::core::arch::asm!(
                    ::arch::site_text!($prefixes, $bare),
                    $xen,
                    subarch_vmi::detour_to_rom!([$($push),*]),
                    $($rest,)*
                    "779:",
                    detour_call = const subarch_vmi::vmi64::Call::$call.number(),
                    by_rom = sym keeping_for_rom,
                    $($operands)*
                )
            }};
        }

        /// The result of an operation that takes nothing, in the register `{answer}`: the bare machine's instruction, behind so many
        /// prefixes; what it is under Xen; the call by which a ROM may answer instead, and that site's instruction; then operands.
        macro_rules! answer {
            ($prefixes:literal, $bare:literal, $xen:expr, $call:ident => $at_site:literal, $($operands:tt)*) => {{
                let answer: u64;
                ::core::arch::asm!(
                    ::arch::site_text!($prefixes, $bare),
                    $xen,
                    subarch_vmi::answer_of_rom!($at_site),
                    "779:",
                    detour_call = const subarch_vmi::vmi64::Call::$call.number(),
                    site_padding = const subarch_vmi::vmi64::Call::$call.padding(),
                    site_call = const subarch_vmi::vmi64::Call::$call.number(),
                    site_count = const subarch_vmi::site::counter(subarch_vmi::vmi64::Call::$call),
                    answer = out(reg) answer,
                    $($operands)*
                );
                answer
            }};
        }
    } else {
        /// The same where there is no ROM: what one would do is left out.
        macro_rules! operation_then {
            (
                $prefixes:literal, $bare:literal, $xen:expr, $call:ident => $by_rom:path, [$($push:literal),*],
                then [$($rest:expr),*], $($operands:tt)*
            ) => {
                ::core::arch::asm!(::arch::site_text!($prefixes, $bare), $xen, $($rest,)* "779:", $($operands)*)
            };
        }

        /// The same where there is no ROM: what one would answer is left out.
        macro_rules! answer {
            ($prefixes:literal, $bare:literal, $xen:expr, $call:ident => $at_site:literal, $($operands:tt)*) => {{
                let answer: u64;
                ::core::arch::asm!(
                    ::arch::site_text!($prefixes, $bare), $xen, "779:", answer = out(reg) answer, $($operands)*
                );
                answer
            }};
        }
    }
}
pub(crate) use {answer, operation_then};

/// An operation in one instruction of the bare machine: as above, with none behind the first.
macro_rules! operation {
    (
        $prefixes:literal, $bare:literal, $xen:expr, $call:ident => $by_rom:path, [$($push:literal),*], $($operands:tt)*
    ) => {
        $crate::several::site::operation_then!(
            $prefixes, $bare, $xen, $call => $by_rom, [$($push),*], then [], $($operands)*
        )
    };
}
pub(crate) use operation;

/// An operation that is a function on either platform, an `extern "sysv64"` one; then operands as in `asm!`.
macro_rules! call {
    ($bare:path, $xen:path, $($operands:tt)*) => {
        ::core::arch::asm!(
            ::arch::site_text!("2", "call {bare}"),
            $crate::several::site::detour!("call {xen}\njmp 779f"),
            "779:",
            bare = sym $bare,
            xen = sym $xen,
            $($operands)*
            clobber_abi("sysv64"),
        )
    };
}
pub(crate) use call;

/// Whether the kernel is under Xen: five bytes that do nothing, or a jump.
#[inline(always)]
pub(crate) fn under_xen() -> bool {
    // SAFETY: an instruction that does nothing, or a jump to where this block says.
    unsafe {
        asm!(
            "771:",
            ".byte 0x0f, 0x1f, 0x44, 0, 0",
            record!("{xen}"),
            xen = label { return true },
            options(nomem, nostack, preserves_flags),
        );
    }
    false
}

/// One of two expressions: the bare machine's, or Xen's.
macro_rules! choose {
    ($bare:expr, $xen:expr) => {
        if $crate::several::site::under_xen() {
            $xen
        } else {
            $bare
        }
    };
}
pub(crate) use choose;
