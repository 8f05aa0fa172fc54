//! The constants that arguments of calls are made of; the numbers are VMI 3.0's.

/// [`SetPxE`](crate::Call::SetPxE), [`UpdatePxE`](crate::Call::UpdatePxE), [`AllocatePage`](crate::Call::AllocatePage),
/// [`ReleasePage`](crate::Call::ReleasePage): a table of the lowest level, whose entries map 4 KiB pages.
pub const LEVEL_PT: u64 = 1;
/// As [`LEVEL_PT`]: a page directory, level 2.
pub const LEVEL_PD: u64 = 2;
/// As [`LEVEL_PT`]: a table of page-directory pointers, level 3.
pub const LEVEL_PDP: u64 = 4;
/// As [`LEVEL_PT`]: the root, level 4.
pub const LEVEL_PML4: u64 = 8;

/// [`SetPxE`](crate::Call::SetPxE), [`UpdatePxE`](crate::Call::UpdatePxE): the entry is in the address space in use.
pub const UPDATE_CURRENT: u64 = 0x10;
/// As [`UPDATE_CURRENT`]: the change may wait for the next flush of the TLB.
pub const UPDATE_DEFER: u64 = 0x20;

/// [`AllocatePage`](crate::Call::AllocatePage): a range of entries equals that of another table.
pub const ALLOCATE_CLONE: u64 = 0x20;
/// As [`ALLOCATE_CLONE`]: all entries not covered by the clone are zero.
pub const ALLOCATE_ZEROED: u64 = 0x40;

/// [`FlushTLB`](crate::Call::FlushTLB): all translations that are not global.
pub const FLUSH_TLB: u64 = 1;
/// [`FlushTLB`](crate::Call::FlushTLB): the global ones as well.
pub const FLUSH_GLOBAL: u64 = 2;

/// [`SetLazyMode`](crate::Call::SetLazyMode): no batch; what is queued is carried out.
pub const LAZY_NONE: u64 = 0;
/// [`SetLazyMode`](crate::Call::SetLazyMode): changes of page tables may be queued.
pub const LAZY_MMU: u64 = 1;
/// [`SetLazyMode`](crate::Call::SetLazyMode): changes of control registers and stacks may be queued.
pub const LAZY_CPU: u64 = 2;

/// [`GetCycleCounter`](crate::Call::GetCycleCounter) and alarms: time as the outside world counts it.
pub const COUNTER_REAL: u64 = 0;
/// As [`COUNTER_REAL`]: real time less the stolen.
pub const COUNTER_AVAILABLE: u64 = 1;
/// As [`COUNTER_REAL`]: time in which this CPU wanted to run and could not.
pub const COUNTER_STOLEN: u64 = 2;

/// [`SetAlarm`](crate::Call::SetAlarm): the bits that name the counter.
pub const ALARM_COUNTER_MASK: u64 = 0xff;
/// [`SetAlarm`](crate::Call::SetAlarm): the interrupt is that of the local APIC's timer, whose vector the kernel chose.
pub const ALARM_WIRED_LVTT: u64 = 0x1_0000;

/// [`Reboot`](crate::Call::Reboot): as by the processor's INIT.
pub const REBOOT_SOFT: u64 = 0;
/// [`Reboot`](crate::Call::Reboot): as by the machine's reset button.
pub const REBOOT_HARD: u64 = 1;

/// Bit 9 of RFLAGS, the one bit that calls 31 and 32 are about.
pub const INTERRUPT_FLAG: u64 = 0x200;

/// [`ConsoleRead`](crate::Call::ConsoleRead): nothing was typed.
pub const NOTHING_TYPED: u64 = u64::MAX;
