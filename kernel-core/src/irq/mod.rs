//! Interrupts: masking them for a stretch of code, and what to do when one comes.

mod count;

pub use count::{Counts, counts};

use crate::platform::Platform;
use crate::{console, smp, task, timer};
use arch::{Interrupt, IrqOps, percpu};
use core::fmt;
use core::marker::PhantomData;

/// Masks interrupts on this CPU until the guard is dropped, which brings back what was before. Guards nest.
#[inline(always)]
pub fn mask() -> Masked {
    Masked {
        before: Platform::save(),
        this_cpu: PhantomData,
    }
}

/// Proof that interrupts are masked on this CPU. It cannot be sent to another.
#[must_use = "interrupts are masked only as long as the guard lives"]
pub struct Masked {
    before: <Platform as IrqOps>::Flags,
    this_cpu: PhantomData<*const ()>,
}

impl Masked {
    /// Unmasks interrupts and stops the CPU until one came; nothing that arrives in between is missed. Afterwards the mask is as
    /// it was before this guard.
    pub fn halt(self) {
        Platform::enable_and_halt();
        Platform::disable();
    }
}

impl Drop for Masked {
    #[inline(always)]
    fn drop(&mut self) {
        Platform::restore(self.before);
    }
}

impl fmt::Debug for Masked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Masked")
    }
}

/// Whether interrupts are masked on this CPU.
pub fn is_masked() -> bool {
    Platform::masked(Platform::flags())
}

/// Handles one interrupt.
#[inline(always)]
pub fn handle(source: Interrupt) {
    count::record(source);
    percpu::preemption_off();
    match source {
        Interrupt::Alarm => timer::alarm(),
        Interrupt::Console => console::receive(),
        Interrupt::Ipi => {
            task::on_call();
            smp::handle();
        }
        Interrupt::Unexpected(number) => log::warn!("interrupt {number} came, and nobody asked for it"),
    }
    percpu::preemption_on();
}
