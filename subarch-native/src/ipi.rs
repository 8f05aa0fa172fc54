//! Interrupts from one CPU to another: two stores into the local APIC.
//!
//! The first names the receiver, the second says what it gets and sends it (Intel SDM, vol. 3, 12.6.1). Whatever interrupts
//! between the two and sends something itself would redirect the second, so both are one critical section.

use crate::apic::{LocalApic, Register};
use arch::IrqOps;
use core::sync::atomic::{Ordering::SeqCst, fence};

/// What a CPU can be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Message {
    /// An ordinary interrupt.
    Interrupt(u8),
    /// A reset, after which it waits for [`Start`](Self::Start).
    Init,
    /// The order to begin in real mode at the start of this page.
    Start {
        /// The page's number: its address is below 1 MiB.
        page: u8,
    },
}

impl Message {
    /// What the command register's lower half takes: vector, delivery mode, and the level that the manual wants asserted for
    /// all but an obsolete message (Intel SDM, vol. 3, fig. 12-12).
    pub const fn command(self) -> u32 {
        const ASSERT: u32 = 1 << 14;
        const MODE_INIT: u32 = 0b101 << 8;
        const MODE_START: u32 = 0b110 << 8;
        ASSERT
            | match self {
                Self::Interrupt(vector) => vector as u32,
                Self::Init => MODE_INIT,
                Self::Start { page } => MODE_START | page as u32,
            }
    }
}

/// Sends `message` to the CPU of local APIC `to`, which may be the executing one. What was written to memory before is seen by
/// whoever receives it.
///
/// # Safety
/// The vector of an interrupt has a gate on that CPU; a CPU that is reset runs nothing that is needed.
pub unsafe fn send<P: LocalApic + IrqOps>(to: u8, message: Message) {
    /// The command before is still on its way.
    const PENDING: u32 = 1 << 12;
    let flags = P::save();
    fence(SeqCst);
    while P::read_apic(Register::CommandLow) & PENDING != 0 {
        core::hint::spin_loop();
    }
    // SAFETY: the caller vouches for what arrives there.
    unsafe {
        P::write_apic(Register::CommandHigh, u32::from(to) << 24);
        P::write_apic(Register::CommandLow, message.command());
    }
    P::restore(flags);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_those_of_the_manual() {
        assert_eq!(Message::Interrupt(0x42).command(), 0x4042);
        assert_eq!(Message::Init.command(), 0x4500);
        assert_eq!(Message::Start { page: 0x9f }.command(), 0x469f);
    }
}
