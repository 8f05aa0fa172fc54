//! The registers that only programs use: x87, SSE, AVX.
//!
//! The kernel is compiled without them, so they belong to whichever program's thread ran last on a CPU, and stay in the
//! registers while the kernel works. They are saved when that thread is left, since it may go on elsewhere, and restored only
//! when the registers hold somebody else's.
//!
//! `xsave` and its kin need no privilege. What is in them is chosen by the platform when it sets up a CPU; a processor without them
//! has `fxsave` (Intel SDM, vol. 1, 10.5 and chapter 13).

use crate::platform::Platform;
use alloc::alloc::{alloc_zeroed, dealloc};
use arch::CpuOps;
use core::alloc::Layout;
use core::arch::asm;
use core::ptr::NonNull;
use spin::Once;

/// What the processor needs room for, and how it is told what to save.
#[derive(Clone, Copy, Debug)]
struct Format {
    layout: Layout,
    /// Bits of XCR0, zero for `fxsave`.
    components: u64,
    /// `xsaveopt` is there, which leaves out what has not changed.
    optimised: bool,
}

/// Leaf of CPUID that describes the extended state.
const STATE_LEAF: u32 = 0xd;

/// What `fxsave` writes: 512 bytes. `xsave` adds a header of 64.
const LEGACY_SIZE: usize = 512;

/// Where MXCSR lies in either format (Intel SDM, vol. 1, table 10-2); the x87 control word is at the start.
const MXCSR: usize = 24;

/// Where the header of `xsave` begins, whose first word says which components are not in their initial state.
const HEADER: usize = 512;

/// What a program finds in the x87 control word: all exceptions masked, full precision.
const INITIAL_CONTROL_WORD: u16 = 0x37f;

/// What a program finds in MXCSR: all exceptions masked.
const INITIAL_MXCSR: u32 = 0x1f80;

/// The state of one thread while it is in memory, with what of the format a switch must know.
#[derive(Debug)]
pub(super) struct ExtendedState {
    area: NonNull<u8>,
    /// The components as the instructions take them, low half and high half.
    components: [u32; 2],
    optimised: bool,
}

// SAFETY: the area is this state's own.
unsafe impl Send for ExtendedState {}
// SAFETY: only the CPU that runs the thread, or is about to, uses the area.
unsafe impl Sync for ExtendedState {}

impl ExtendedState {
    /// The state in which programs begin; `None` without memory.
    pub fn new() -> Option<Self> {
        let format = format();
        // SAFETY: the layout is not empty.
        let area = NonNull::new(unsafe { alloc_zeroed(format.layout) })?;
        let state = Self {
            area,
            components: [format.components as u32, (format.components >> 32) as u32],
            optimised: format.optimised,
        };
        state.put(0, &INITIAL_CONTROL_WORD.to_ne_bytes());
        state.put(MXCSR, &INITIAL_MXCSR.to_ne_bytes());
        if format.components != 0 {
            // x87 and SSE are as written above; all others, being absent, initial.
            state.put(HEADER, &(format.components & 3).to_ne_bytes());
        }
        Some(state)
    }

    /// A copy of the state in memory.
    pub fn duplicate(&self) -> Option<Self> {
        let copy = Self::new()?;
        // SAFETY: both areas have the format's size, and the copy is nobody else's.
        unsafe { copy.area.copy_from_nonoverlapping(self.area, format().layout.size()) };
        Some(copy)
    }

    /// Saves this CPU's registers.
    #[inline(always)]
    pub fn save(&self) {
        let (area, [low, high]) = (self.area.as_ptr(), self.components);
        // SAFETY: the area has the size and alignment that the processor asks for, and nobody else uses it; the instructions
        // are those it has.
        unsafe {
            if self.optimised {
                asm!("xsaveopt64 [{}]", in(reg) area, in("eax") low, in("edx") high, options(nostack, preserves_flags));
            } else if self.is_legacy() {
                asm!("fxsave64 [{}]", in(reg) area, options(nostack, preserves_flags));
            } else {
                asm!("xsave64 [{}]", in(reg) area, in("eax") low, in("edx") high, options(nostack, preserves_flags));
            }
        }
    }

    /// Loads this CPU's registers.
    #[inline(always)]
    pub fn restore(&self) {
        let (area, [low, high]) = (self.area.as_ptr(), self.components);
        // SAFETY: the area holds what `new` or `save` wrote, in the processor's format. The kernel uses none of the registers.
        unsafe {
            if self.is_legacy() {
                asm!("fxrstor64 [{}]", in(reg) area, options(nostack, preserves_flags));
            } else {
                asm!("xrstor64 [{}]", in(reg) area, in("eax") low, in("edx") high, options(nostack, preserves_flags));
            }
        }
    }

    /// Whether the processor has only `fxsave`. (The low half is never empty otherwise: x87 is always part of it.)
    #[inline(always)]
    fn is_legacy(&self) -> bool {
        self.components[0] == 0
    }

    fn put(&self, offset: usize, bytes: &[u8]) {
        // SAFETY: callers stay within the area, which nobody else knows yet.
        unsafe {
            let to = self.area.add(offset);
            to.copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len());
        }
    }
}

impl Drop for ExtendedState {
    fn drop(&mut self) {
        // SAFETY: allocated by `new` with this layout, and the thread is gone.
        unsafe { dealloc(self.area.as_ptr(), format().layout) };
    }
}

fn format() -> &'static Format {
    static FORMAT: Once<Format> = Once::new();
    FORMAT.call_once(|| {
        let components = Platform::extended_state();
        let size = match components {
            0 => LEGACY_SIZE,
            _ => Platform::cpuid(STATE_LEAF, 0).ebx as usize,
        };
        Format {
            layout: Layout::from_size_align(size, 64).expect("CPUID tells a size that memory can have"),
            components,
            optimised: components != 0 && Platform::cpuid(STATE_LEAF, 1).eax & 1 != 0,
        }
    })
}
