//! Ways for a kernel to end.
//!
//! They differ in who is to notice: the user, a machine that shall start again, the program that runs the tests, or the
//! person who has to find out why.

/// Ways to end; none returns.
pub trait PowerOps {
    /// Switches the machine off.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | ACPI sleep state S5 | as dom0 ACPI S5 through `iopl`, as domU `SHUTDOWN_poweroff` | call 37, *Shutdown*, then as native |
    ///
    /// A machine that cannot be switched off is halted with interrupts masked.
    fn power_off() -> !;

    /// Starts the machine anew.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | ACPI reset register, keyboard controller, triple fault | `SHUTDOWN_reboot` | call 36, *Reboot* |
    fn reboot() -> !;

    /// Ends with `status` (0 to 63; more is cut to 63) for the program that started the machine.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | QEMU's `isa-debug-exit` at port F4h | the same as dom0, `SHUTDOWN_poweroff` as domU | as native |
    ///
    /// Where nobody asked for a status the machine is switched off instead.
    fn exit(status: u8) -> !;

    /// Stops for good after a crash that the core has reported and shall not end the machine for.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | `cli; hlt` for ever | `SHUTDOWN_crash` | as native |
    fn crash() -> !;
}
