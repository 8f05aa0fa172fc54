//! The one console every platform has, from the first instruction to the last.
//!
//! It is how a kernel without any driver says what went wrong, so it may depend on nothing: no lock, no heap, no interrupt.

/// The platform's console: a serial line, Xen's console, a ring shared with another domain.
pub trait ConsoleOps {
    /// Writes `bytes` and returns when the console has taken all of them.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | 16550 at I/O port 3F8h; framebuffer text as well | `console_io` as dom0, the shared ring as domU | as native |
    ///
    /// May be called at any moment after the platform's boot code called [`Kernel::console_ready`](crate::Kernel::console_ready),
    /// also from a panic: it takes no lock. Two CPUs writing at once mix their bytes; the core prevents that by a lock of its
    /// own.
    fn write(bytes: &[u8]);

    /// The next byte typed, if there is one.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | 16550 receive buffer | `console_io` as dom0, the shared ring as domU | as native |
    ///
    /// Never waits. [`Interrupt::Console`](crate::Interrupt::Console) announces input; the handler reads until `None`.
    fn read() -> Option<u8>;
}
