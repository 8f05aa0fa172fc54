//! The one question that is put to Xen itself: which memory there is.
//!
//! Start information has a memory map since its version 1. Xen writes that for guests that its toolstack builds, and version 0 for the
//! first domain, which it builds itself (as of 4.17): there the map is to be asked for. That needs no page of Xen's, only the
//! instruction by which a processor of its maker calls what is beneath.

use crate::cpu;
use arch::memory::MAX_RANGES;
use core::arch::asm;
use pc_firmware::pvh::MAP_ENTRY_SIZE;
use pc_firmware::rates::{XEN, hypervisor};

/// Memory for the answer.
pub type Answer = [[u8; MAP_ENTRY_SIZE]; MAX_RANGES];

/// The question, and where the answer goes (Xen's public header `memory.h`, `xen_memory_map`).
#[repr(C)]
struct Question {
    entries: u32,
    answer: *mut Answer,
}

/// Asks for the memory map, if this is Xen.
pub fn memory_map(answer: &mut Answer) -> Option<&[[u8; MAP_ENTRY_SIZE]]> {
    /// The hypercall on memory, and what is asked of it: `XENMEM_memory_map`.
    const MEMORY: u64 = 12;
    const MEMORY_MAP: u64 = 9;
    hypervisor(cpu::cpuid).filter(|found| found.signature == XEN)?;
    let entries = answer.len() as u32;
    let mut question = Question { entries, answer };
    // SAFETY: Xen writes no more entries than there is room for, and their number; both live through the call.
    let result = unsafe { hypercall(MEMORY, MEMORY_MAP, &raw mut question as u64) };
    (result == 0).then(|| answer.get(..question.entries as usize))?
}

/// Asks Xen for `number` with two arguments (Xen's public header `arch-x86/xen-x86_64.h`).
///
/// # Safety
/// This is Xen, and what it writes as this asks of it may be written.
unsafe fn hypercall(number: u64, first: u64, second: u64) -> i64 {
    let mut result = number;
    // SAFETY: the caller vouches for what Xen does; both change no register but the result's. Intel's processors call by an instruction
    // of their own, which those of all other makers with a hypervisor beneath do not know.
    unsafe {
        if cpu::is_intel() {
            asm!("vmcall", inout("rax") result, in("rdi") first, in("rsi") second, options(nostack));
        } else {
            asm!("vmmcall", inout("rax") result, in("rdi") first, in("rsi") second, options(nostack));
        }
    }
    result as i64
}
