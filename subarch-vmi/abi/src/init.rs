//! What the kernel hands to a ROM's *Init*, and what it hears back.
//!
//! The kernel has booted on bare metal, as far as it can tell, and has measured its clocks. A ROM that emulates nothing
//! would have to do all of that again; so it is told. The ROM in turn may decline: there may be no hypervisor under it.

use core::fmt;

/// The argument of *Init*, by address in RDI; valid only during that call.
///
/// Fields are only ever appended, and `size` tells a ROM which of them there are.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct InitRecord {
    /// Size of this record in bytes.
    pub size: u32,
    /// Major number of the kernel's ABI.
    pub major: u16,
    /// Minor number of the kernel's ABI.
    pub minor: u16,
    /// Where the copy of the ROM is mapped, on a page boundary, for reading and executing.
    pub image: u64,
    /// Length of the copy in bytes.
    pub image_length: u64,
    /// Where the zeroed data pages are mapped, for reading and writing: the page boundary behind the image.
    pub data: u64,
    /// Length of the data in bytes.
    pub data_length: u64,
    /// Distance from the GS base of this ROM's bytes of each CPU.
    pub per_cpu_offset: u32,
    /// How many bytes these are.
    pub per_cpu_size: u32,
    /// Virtual address of physical address 0 in the direct map of memory.
    pub direct_map: u64,
    /// Virtual address of the local APIC's registers.
    pub local_apic: u64,
    /// Ticks of the time-stamp counter in a second.
    pub cycle_frequency: u64,
    /// Ticks of the local APIC's timer in a second, with the divider as the kernel has set it.
    pub alarm_frequency: u64,
    /// How many CPUs the machine has.
    pub cpus: u32,
    /// Zero.
    pub reserved: u32,
}

/// Size of the record of ABI 64.0.
pub const INIT_RECORD_SIZE: usize = 88;
const _: () = assert!(size_of::<InitRecord>() == INIT_RECORD_SIZE);

/// A ROM's reason to decline, as *Init* returns it in RAX. Zero means that it accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal(pub u64);

impl Refusal {
    /// There is nothing beneath the kernel that this ROM could speak to.
    pub const NO_HYPERVISOR: Self = Self(1);
    /// The record is shorter than the ROM needs, or of another major number.
    pub const RECORD: Self = Self(2);
    /// The data pages or the per-CPU bytes are fewer than the ROM needs.
    pub const MEMORY: Self = Self(3);
    /// The local APIC is not mapped, or a frequency is not known.
    pub const TIMER: Self = Self(4);

    /// What *Init* returned, as a result.
    pub const fn check(code: u64) -> Result<(), Self> {
        if code == 0 { Ok(()) } else { Err(Self(code)) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match *self {
            Self::NO_HYPERVISOR => "no hypervisor beneath",
            Self::RECORD => "the Init record is not one it knows",
            Self::MEMORY => "too little memory of its own",
            Self::TIMER => "no local APIC or no known frequency",
            _ => "a reason of its own",
        };
        write!(out, "{reason} (code {:#x})", self.0)
    }
}

impl core::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_its_reason() {
        assert_eq!(Refusal::check(0), Ok(()));
        assert_eq!(
            Refusal::check(1).unwrap_err().to_string(),
            "no hypervisor beneath (code 0x1)"
        );
        assert_eq!(
            Refusal::check(u64::MAX).unwrap_err().to_string(),
            "a reason of its own (code 0xffffffffffffffff)"
        );
    }
}
