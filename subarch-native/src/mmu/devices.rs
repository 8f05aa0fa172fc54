//! Where the registers and the memory of devices are mapped, and what else the boot code maps at fixed addresses.
//!
//! Never in the direct map: what is cached there must not be cached here. The upper half of the address space for single
//! mappings is the platform's own, so each device of the boot code has an address that is known at compile time, and an
//! access to one of its registers is one instruction.

use arch::layout::{MAPPINGS, MAPPINGS_SIZE, PAGE_SIZE};
use arch::{FrameRange, PageTableFlags, VirtAddr};

/// The start of the platform's half of the mappings.
const BASE: u64 = MAPPINGS + MAPPINGS_SIZE / 2;

/// The local APIC's registers.
pub const LOCAL_APIC: VirtAddr = VirtAddr::new(BASE);

/// The registers of the I/O APIC that the console's interrupt goes to.
pub const IO_APIC: VirtAddr = VirtAddr::new(BASE + 0x1000);

/// The register that switches the machine off, on machines that have no ports for it.
pub const SLEEP_CONTROL: VirtAddr = VirtAddr::new(BASE + 0x2000);

/// The register that resets the machine, on machines that have no port for it.
pub const RESET: VirtAddr = VirtAddr::new(BASE + 0x4000);

/// The stacks for exceptions of all CPUs but the first, each above a page that stays empty: `cpu::stacks`.
pub const EXCEPTION_STACKS: VirtAddr = VirtAddr::new(BASE + (1 << 24));

/// The framebuffer, and much room for it.
pub const FRAMEBUFFER: VirtAddr = VirtAddr::new(BASE + (1 << 30));

/// How accesses to a device's memory may be treated on their way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caching {
    /// Each access reaches the device, in order: registers.
    Uncached,
    /// Writes may be gathered: memory that is only written, such as a framebuffer.
    WriteCombining,
}

/// A stretch of device memory, and where it is to be mapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Device {
    /// The page that the device's first page is mapped to.
    pub at: VirtAddr,
    /// Its physical address, not necessarily at a page's start.
    pub physical: u64,
    /// Its size in bytes.
    pub size: u64,
    /// How accesses are treated.
    pub caching: Caching,
}

impl Device {
    /// Registers at `physical` that lie in two pages at the most.
    pub const fn registers(at: VirtAddr, physical: u64) -> Self {
        Self {
            at,
            physical,
            size: 8,
            caching: Caching::Uncached,
        }
    }

    /// The frames to map.
    pub fn frames(&self) -> FrameRange {
        FrameRange::covering(self.physical..self.physical.saturating_add(self.size))
    }

    /// Where the device's first byte is found once it is mapped.
    pub fn address(&self) -> VirtAddr {
        self.at + self.physical % PAGE_SIZE
    }

    /// The rights and the memory type of its pages. The write-through bit alone selects write-combining: `cpu::set_up`.
    pub fn flags(&self) -> PageTableFlags {
        let memory_type = match self.caching {
            Caching::Uncached => PageTableFlags::NO_CACHE | PageTableFlags::WRITE_THROUGH,
            Caching::WriteCombining => PageTableFlags::WRITE_THROUGH,
        };
        memory_type
            | PageTableFlags::PRESENT
            | PageTableFlags::WRITABLE
            | PageTableFlags::GLOBAL
            | PageTableFlags::NO_EXECUTE
    }
}
