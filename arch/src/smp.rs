//! The CPUs of the machine.
//!
//! Today the core runs on the CPU it was started on and only reports the others; starting them joins this room together
//! with the scheduler that feeds them.

/// The CPUs that the platform offers.
pub trait SmpOps {
    /// How many CPUs the machine has, the one executing included.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | the enabled local APICs of ACPI's MADT | `VCPUOP_is_up` for each number | as native |
    ///
    /// At least 1, and constant while the kernel runs.
    fn cpu_count() -> u32;
}
