//! Where a device's wire arrives: the answer that tables give, and the PC AT's where they are silent.

/// An input of an I/O APIC, as the firmware's tables describe it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Input {
    /// The physical address of the I/O APIC's registers.
    pub registers: u64,
    /// The input's number there.
    pub number: u8,
    /// Whether the wire is active when low.
    pub active_low: bool,
    /// Whether the level counts, and not the change.
    pub level_triggered: bool,
}

impl Input {
    /// The input of interrupt `number` of a PC AT where no table says otherwise.
    pub const fn of_pc_at(number: u8) -> Self {
        Self {
            registers: 0xfec0_0000,
            number,
            active_low: false,
            level_triggered: false,
        }
    }
}
