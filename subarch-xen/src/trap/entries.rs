//! Where Xen enters the kernel.
//!
//! These addresses are all that Xen ever learns of the kernel's code. They are needed for every CPU anew, and for the further
//! ones by code that does not know for which kernel it works, so they are kept. Nothing in the kernel calls through them.

use crate::hypercall::callback::TrapInfo;
use crate::smp;
use crate::trap::call::{system_call, system_call_32};
use crate::trap::{exception, failsafe, machine_exception, upcall};
use arch::{Exception, Kernel};
use spin::Once;

/// The addresses of the stubs.
#[derive(Debug)]
pub struct Entries {
    /// The handlers of exceptions, terminated.
    pub table: [TrapInfo; 33],
    /// Events are pending.
    pub event: u64,
    /// Xen could not return to the guest.
    pub failsafe: u64,
    /// A program calls.
    pub system_call: u64,
    /// A program calls in 32-bit mode.
    pub system_call_32: u64,
    /// A further CPU starts.
    pub online: u64,
}

static ENTRIES: Once<Entries> = Once::new();

/// The stubs of the kernel that the image has, remembered for [`get`].
pub fn remember<K: Kernel>() -> &'static Entries {
    ENTRIES.call_once(|| Entries {
        table: table::<K>(),
        event: upcall::<K> as *const () as u64,
        failsafe: failsafe::<K> as *const () as u64,
        system_call: system_call::<K> as *const () as u64,
        system_call_32: system_call_32::<K> as *const () as u64,
        online: smp::online::<K> as *const () as u64,
    })
}

/// The stubs of the kernel that runs.
pub fn get() -> &'static Entries {
    ENTRIES.get().expect("the boot CPU was told first")
}

impl Entries {
    /// The handlers of exceptions, by vector.
    pub fn exceptions(&self) -> &[TrapInfo] {
        &self.table[..self.table.len() - 1]
    }
}

/// The table of exception handlers, terminated.
fn table<K: Kernel>() -> [TrapInfo; 33] {
    macro_rules! table {
        ($($vector:literal)*) => {
            [$(TrapInfo::new($vector, privilege($vector), entry::<K, $vector>()),)* TrapInfo::default()]
        };
    }
    table!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31)
}

/// The stub for vector `VECTOR`.
fn entry<K: Kernel, const VECTOR: u8>() -> u64 {
    const NON_MASKABLE_INTERRUPT: u8 = 2;
    const MACHINE_CHECK: u8 = 18;
    let stub = match VECTOR {
        NON_MASKABLE_INTERRUPT | MACHINE_CHECK => machine_exception::<K, VECTOR>,
        _ => exception::<K, VECTOR>,
    };
    stub as *const () as u64
}

/// Breakpoints may be set in programs; no other exception may be raised by an `int` instruction there.
const fn privilege(vector: u8) -> u8 {
    if vector == Exception::BREAKPOINT.0 { 3 } else { 0 }
}
