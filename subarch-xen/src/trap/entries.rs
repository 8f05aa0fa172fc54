//! Where Xen enters the kernel.
//!
//! These addresses are all that Xen ever learns of the kernel's code. They are needed for every CPU anew, and for the further
//! ones by code that does not know for which kernel it works, so they are kept. Nothing in the kernel calls through them.

use crate::hypercall::callback::TrapInfo;
use crate::smp;
use crate::trap::{exception, failsafe, upcall};
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
            [$(TrapInfo::new($vector, privilege($vector), exception::<K, $vector> as *const () as u64),)* TrapInfo::default()]
        };
    }
    table!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31)
}

/// Breakpoints may be set in programs; no other exception may be raised by an `int` instruction there.
const fn privilege(vector: u8) -> u8 {
    if vector == Exception::BREAKPOINT.0 { 3 } else { 0 }
}
