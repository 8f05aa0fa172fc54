//! Instructions that are allowed to fault.
//!
//! A backtrace over a damaged stack, a debugger's look at memory, a test that tries what must be impossible: each wants to
//! know whether an instruction faults, and to live on. Such an instruction is entered in the table of section `.faults`,
//! with the address to continue at. The exception handler looks there before it gives up.

use arch::{Exception, TrapFrame, VirtAddr};
use core::arch::asm;

/// Set in RAX, above the vector, when a probe has faulted.
const FAULTED: u64 = 1 << 8;

/// The bit of a page fault's error code that says: an instruction fetch.
const FETCH: u64 = 1 << 4;

/// A fault that a probe met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Which exception it was.
    pub exception: Exception,
    /// Its error code.
    pub error_code: u64,
    /// For a page fault: the address.
    pub address: VirtAddr,
}

/// An entry of the table: where a fault may happen and where it continues then.
#[repr(C)]
struct Entry {
    instruction: u64,
    landing: u64,
}

/// Executes one instruction; evaluates to what it faulted with, if it did. RAX, RCX and RDX are the handler's.
macro_rules! probe {
    ($instruction:literal $(, $($operands:tt)*)?) => {{
        let (outcome, error_code, address): (u64, u64, u64);
        // SAFETY: the caller of the surrounding function vouches for the instruction's effects; a fault continues at label 3.
        unsafe {
            asm!(
                concat!("2: ", $instruction),
                "3:",
                ".pushsection .faults, \"a\"",
                ".quad 2b, 3b",
                ".popsection",
                inout("rax") 0u64 => outcome, inout("rdx") 0u64 => error_code, inout("rcx") 0u64 => address,
                $($($operands)*)?
            )
        };
        fault(outcome, error_code, address)
    }};
}

/// Reads 8 bytes at `address`.
///
/// # Errors
/// The [`Fault`] that the read caused.
///
/// # Safety
/// If the read does not fault, it has no effect but its value.
pub unsafe fn read(address: *const u64) -> Result<u64, Fault> {
    let value: u64;
    probe!("mov {value}, [{address}]", address = in(reg) address, value = out(reg) value)?;
    Ok(value)
}

/// Writes a byte to `address`.
///
/// # Errors
/// The [`Fault`] that the write caused.
///
/// # Safety
/// If the write does not fault, nothing else is broken by it.
pub unsafe fn write(address: *mut u8, value: u8) -> Result<(), Fault> {
    probe!("mov [{address}], {value}", address = in(reg) address, value = in(reg_byte) value)
}

/// Calls the code at `address`.
///
/// # Errors
/// The [`Fault`] that its first instruction fetch caused.
///
/// # Safety
/// If there is code after all, it is a function without arguments and effects.
pub unsafe fn execute(address: *const u8) -> Result<(), Fault> {
    probe!("call {address}", address = in(reg) address, clobber_abi("sysv64"))
}

/// Executes an instruction that does not exist.
///
/// # Errors
/// Always, by design: the [`Fault`] it causes.
pub fn undefined_instruction() -> Result<(), Fault> {
    probe!("ud2")
}

/// Divides by zero.
///
/// # Errors
/// Always, by design: the [`Fault`] it causes.
pub fn division_by_zero() -> Result<(), Fault> {
    probe!("div {zero}", zero = in(reg) 0u64)
}

/// Lets the interrupted code continue behind its probe, if `frame` is a fault of one.
pub(super) fn recover(frame: &mut TrapFrame, address: VirtAddr) -> bool {
    let Some(landing) = table()
        .iter()
        .find(|entry| entry.instruction == frame.rip)
        .map(|entry| entry.landing)
    else {
        return recover_from_call(frame, address);
    };
    land(frame, address, landing);
    true
}

/// A fetch that faulted is reported at the address that was called; the probe's own is on the stack.
fn recover_from_call(frame: &mut TrapFrame, address: VirtAddr) -> bool {
    let fetch = frame.exception() == Exception::PAGE_FAULT && frame.error_code & FETCH != 0;
    if !fetch || address.as_u64() != frame.rip {
        return false;
    }
    // SAFETY: the kernel's stack can be read, or the exception could not have been delivered on it; a probe survives the rest.
    let Ok(landing) = (unsafe { read(frame.rsp as *const u64) }) else {
        return false;
    };
    if !table().iter().any(|entry| entry.landing == landing) {
        return false;
    }
    frame.rsp += 8;
    land(frame, address, landing);
    true
}

fn land(frame: &mut TrapFrame, address: VirtAddr, landing: u64) {
    frame.rip = landing;
    frame.rax = FAULTED | frame.vector;
    frame.rdx = frame.error_code;
    frame.rcx = address.as_u64();
}

fn fault(outcome: u64, error_code: u64, address: u64) -> Result<(), Fault> {
    if outcome & FAULTED == 0 {
        return Ok(());
    }
    Err(Fault {
        exception: Exception(outcome as u8),
        error_code,
        address: VirtAddr::new_truncate(address),
    })
}

fn table() -> &'static [Entry] {
    unsafe extern "C" {
        static __faults_start: Entry;
        static __faults_end: Entry;
    }
    let (start, end) = (&raw const __faults_start, &raw const __faults_end);
    // SAFETY: the linker script puts nothing but entries between these symbols.
    unsafe { core::slice::from_raw_parts(start, (end as usize - start as usize) / size_of::<Entry>()) }
}
