//! What the floating-point and vector registers hold: made from a seed, loaded, and looked at again.

use crate::runtime::pattern::word;
use core::arch::asm;
use core::arch::x86_64::{__cpuid, _fxrstor64, _fxsave64};

/// How much of the vector registers the processor has and the kernel permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Sixteen of 128 bits.
    Sse,
    /// Sixteen of 256 bits.
    Avx,
    /// Thirty-two of 512 bits, and eight masks.
    Avx512,
}

impl Width {
    /// What CPUID and XCR0 say (Intel SDM, vol. 1, 14.3 and 15.2).
    pub fn available() -> Self {
        const OSXSAVE_AND_AVX: u32 = 1 << 27 | 1 << 28;
        if __cpuid(1).ecx & OSXSAVE_AND_AVX != OSXSAVE_AND_AVX {
            return Self::Sse;
        }
        match permitted() {
            parts if parts & 0xe6 == 0xe6 => Self::Avx512,
            parts if parts & 0x6 == 0x6 => Self::Avx,
            _ => Self::Sse,
        }
    }
}

/// XCR0.
fn permitted() -> u32 {
    let low;
    // SAFETY: CPUID says that the kernel has enabled the instruction.
    unsafe { asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") _, options(nomem, nostack, preserves_flags)) };
    low
}

/// An image of the registers.
#[repr(C, align(64))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// What `fxsave` stores: x87, the control words, and the low halves.
    legacy: [u64; 64],
    /// The vector registers, eight words each, of which the narrower ones use the first two or four.
    vectors: [[u64; 8]; 32],
    /// The mask registers of AVX-512, 16 bits of each.
    masks: [u64; 8],
}

/// Offsets in words in what `fxsave` stores (Intel SDM, vol. 1, table 10-2).
const CONTROL: usize = 0;
const MXCSR: usize = 3;
const X87: usize = 4;
const XMM: usize = 20;

impl Image {
    /// The image that belongs to `seed`.
    pub fn of(seed: u64, width: Width) -> Self {
        let mut image = Self::empty();
        // Every x87 exception masked and the precision full, rounding as the seed says; all eight registers in use.
        image.legacy[CONTROL] = 0x037f | (seed & 3) << 10 | 0xff << 32;
        image.legacy[MXCSR] = 0x1f80 | (seed >> 2 & 3) << 13;
        for register in 0..8 {
            image.legacy[X87 + 2 * register] = word(seed, register) | 1 << 63;
            image.legacy[X87 + 2 * register + 1] = 0x3fff + register as u64;
        }
        let (count, words) = match width {
            Width::Sse => (16, 2),
            Width::Avx => (16, 4),
            Width::Avx512 => (32, 8),
        };
        for (register, vector) in image.vectors[..count].iter_mut().enumerate() {
            for (index, part) in vector[..words].iter_mut().enumerate() {
                *part = word(seed, 100 + 8 * register + index);
            }
        }
        for register in 0..16 {
            image.legacy[XMM + 2 * register..][..2].copy_from_slice(&image.vectors[register][..2]);
        }
        if width == Width::Avx512 {
            image.masks = core::array::from_fn(|register| word(seed, 400 + register) & 0xffff);
        }
        image
    }

    /// All zeroes.
    pub const fn empty() -> Self {
        Self {
            legacy: [0; 64],
            vectors: [[0; 8]; 32],
            masks: [0; 8],
        }
    }

    /// Loads the registers.
    #[inline(never)]
    pub fn load(&self, width: Width) {
        // SAFETY: the image is aligned, MXCSR has no reserved bit, and code compiled for this target has nothing in these registers.
        unsafe {
            _fxrstor64(self.legacy.as_ptr().cast());
            match width {
                Width::Sse => {}
                Width::Avx => asm!(
                    ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
                    "vmovdqu ymm\\n, [{0} + 64 * \\n]",
                    ".endr",
                    in(reg) &self.vectors, options(nostack, readonly, preserves_flags)
                ),
                Width::Avx512 => asm!(
                    ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
                    "vmovdqu64 zmm\\n, [{0} + 64 * \\n]",
                    ".endr",
                    ".irp n,0,1,2,3,4,5,6,7",
                    "kmovw k\\n, [{1} + 8 * \\n]",
                    ".endr",
                    in(reg) &self.vectors, in(reg) &self.masks, options(nostack, readonly, preserves_flags)
                ),
            }
        }
    }

    /// Stores the registers, without changing them.
    #[inline(never)]
    pub fn store(&mut self, width: Width) {
        // SAFETY: the image is aligned and large enough.
        unsafe {
            _fxsave64(self.legacy.as_mut_ptr().cast());
            match width {
                Width::Sse => asm!(
                    ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
                    "movdqu [{0} + 64 * \\n], xmm\\n",
                    ".endr",
                    in(reg) &mut self.vectors, options(nostack, preserves_flags)
                ),
                Width::Avx => asm!(
                    ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
                    "vmovdqu [{0} + 64 * \\n], ymm\\n",
                    ".endr",
                    in(reg) &mut self.vectors, options(nostack, preserves_flags)
                ),
                Width::Avx512 => asm!(
                    ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
                    "vmovdqu64 [{0} + 64 * \\n], zmm\\n",
                    ".endr",
                    ".irp n,0,1,2,3,4,5,6,7",
                    "kmovw [{1} + 8 * \\n], k\\n",
                    ".endr",
                    in(reg) &mut self.vectors, in(reg) &mut self.masks, options(nostack, preserves_flags)
                ),
            }
        }
        self.forget_history();
    }

    /// Clears what is not a register's content: the addresses of the last x87 instruction, the mask of MXCSR, and what the
    /// processor leaves free.
    fn forget_history(&mut self) {
        self.legacy[CONTROL] &= 0xff_ffff_ffff;
        self.legacy[1] = 0;
        self.legacy[2] = 0;
        self.legacy[MXCSR] &= 0xffff_ffff;
        (0..8).for_each(|register| self.legacy[X87 + 2 * register + 1] &= 0xffff);
        self.legacy[XMM + 32..].fill(0);
    }
}
