//! Masking interrupts, the most frequent operation of the border by orders of magnitude.
//!
//! This group decides whether the whole idea is affordable: a kernel masks interrupts thousands of times between any two
//! things a user would notice. Each operation must therefore come out, at the place of use, as nothing but the
//! instructions in its table; no call, no lookup of "which CPU am I", no preemption guard around it.

/// Masking, unmasking and awaiting interrupts on the CPU that executes the operation.
pub trait IrqOps {
    /// What [`flags`](Self::flags) reads and [`restore`](Self::restore) takes: the interrupt state of one CPU at one moment.
    type Flags: Copy;

    /// Masks interrupts on this CPU.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | `cli` | `mov byte ptr gs:[upcall_mask], 1` | call 30, *DisableInterrupts* |
    ///
    /// Afterwards no handler runs on this CPU until [`enable`](Self::enable), or a [`restore`](Self::restore) to unmasked.
    /// Exceptions and non-maskable interrupts are not affected.
    fn disable();

    /// Unmasks interrupts on this CPU and delivers what became pending meanwhile.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | `sti` | clear `upcall_mask`, test `upcall_pending`, rarely a hypercall | call 29, *EnableInterrupts* |
    ///
    /// Afterwards every interrupt that was pending has been handled, or is handled after one more instruction (the `sti`
    /// shadow of the Intel SDM, vol. 2, "STI").
    fn enable();

    /// Reads whether interrupts are masked, in the platform's own form.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | `pushfq; pop` | `mov al, gs:[upcall_mask]` | call 31, *GetInterruptMask* |
    ///
    /// Afterwards nothing has changed; the answer holds until this CPU executes one of the other operations.
    fn flags() -> Self::Flags;

    /// Whether `flags` were taken with interrupts masked. Pure: it touches nothing but its argument.
    fn masked(flags: Self::Flags) -> bool;

    /// Brings interrupts back to what they were when `flags` was read.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | `test; jz; sti` | as `enable` if it was unmasked | as `enable` if it was unmasked |
    ///
    /// Called with interrupts masked, so that only a return to unmasked does anything; it delivers pending interrupts as
    /// [`enable`](Self::enable) does.
    #[inline(always)]
    fn restore(flags: Self::Flags) {
        // In this order compilers let unmasking follow, and jump over it; the other way round they may put it behind all else.
        if Self::masked(flags) {
            return;
        }
        Self::enable();
    }

    /// Reads the state, then masks: the front half of every critical section.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | `pushfq; pop; cli` | `mov al, gs:[upcall_mask]`, then the store of `disable` | calls 31 and 30 |
    ///
    /// Afterwards interrupts are masked and the returned state undoes that. An interrupt between the two steps is harmless:
    /// its handler returns with the state it found.
    #[inline(always)]
    fn save() -> Self::Flags {
        let flags = Self::flags();
        Self::disable();
        flags
    }

    /// Unmasks interrupts and stops this CPU until one arrives, as one step.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | `sti; hlt` | hypercall 29, `SCHEDOP_block` | call 35, *Halt* |
    ///
    /// Called with interrupts masked, after testing that there is nothing to do: an interrupt that arrives between the test
    /// and the stop ends the stop at once. Afterwards interrupts are unmasked and at least one has been handled, though it
    /// need not be the one that was waited for.
    fn enable_and_halt();
}
