//! Sites: the places that differ between the platforms of one image.
//!
//! In Linux's `paravirt_ops` each operation is a call through a table of pointers, and these calls are patched at boot. Here there is no
//! such table. What stands at a site is what the bare machine executes, compiled in line like everything around it, and it is complete:
//! an image that finds itself on a bare machine changes nothing. What stands there under Xen is beside it in the image, assembled for
//! the very registers of that site, and is put there before the first site is reached.
//!
//! There are two kinds of site. A *branch* is five bytes that do nothing and become a jump to the other platform's code, which the
//! compiler has put out of the way; or, where there is a suitable one, an instruction of the bare machine's in so many bytes. An
//! *alternative* is one or more instructions, and becomes others of the same length. A record is eight bytes for either: where the site
//! is, and where that which it becomes is. What lies in the image's code is jumped to; what does not is an alternative, with its lengths
//! before it.

use core::arch::asm;

/// The record of a branch at label 771, which leads to the label that is the operand `xen`.
///
/// An instruction that the bare machine needs anyway can be one, if it leaves nothing behind but flags and, with two ignored prefixes
/// before it, has five bytes at the least. Then the branch costs nothing there.
macro_rules! branch {
    () => {
        ".pushsection .paravirt.sites, \"a\"
        .long 771b - .
        .long {xen} - .
        .popsection"
    };
}
pub(crate) use branch;

/// Whether the kernel is under Xen: five bytes that do nothing, or a jump.
#[inline(always)]
pub(crate) fn under_xen() -> bool {
    // SAFETY: an instruction that does nothing, or a jump to where this block says.
    unsafe {
        asm!(
            "771:",
            ".byte 0x0f, 0x1f, 0x44, 0, 0",
            branch!(),
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

/// The text of an alternative site: the bare machine's instructions, and Xen's, which have the same length, or lack one prefix.
macro_rules! alternative {
    ([$($bare:literal),*], [$($xen:literal),*]) => {
        concat!(
            "771:\n",
            $($bare, "\n",)*
            "772:\n",
            ".pushsection .rodata.paravirt, \"a\"\n",
            "773: .byte 772b - 771b, 775f - 774f\n",
            "774:\n",
            $($xen, "\n",)*
            "775:\n",
            ".popsection\n",
            ".pushsection .paravirt.sites, \"a\"\n",
            ".long 771b - .\n",
            ".long 773b - .\n",
            ".popsection\n",
        )
    };
}
pub(crate) use alternative;
