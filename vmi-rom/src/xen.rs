//! The platform that Xen is to a domain with hardware assistance.
//!
//! Such a domain runs a kernel for bare metal as it is: the processor keeps it in its place, and Xen emulates the few devices that are
//! left. What that costs is mostly the local APIC. To set an alarm is to write a register that is no memory, so the processor stops, Xen
//! reads the instruction, finds out what it wanted, and does it; to send an interrupt takes three of these, to end one takes another. Yet
//! Xen has had all of that in a form made to be asked for, from its paravirtual days: timers, event channels, a clock that is read
//! without leaving the domain. So this ROM takes over those calls, each by asking Xen directly, and nothing else: page tables, the
//! interrupt flag and the ways in and out of the kernel are the processor's here, and stay what they were compiled to be.
//!
//! | module | takes over |
//! |---|---|
//! | [`clock`] | the cycle counter, which counts nanoseconds of Xen's system time; stolen time; the calendar |
//! | [`alarm`] | the timer, by the one that Xen has for each virtual CPU |
//! | [`apic`] | messages between CPUs, by event channels; the end of an interrupt that was an event |
//! | [`start`] | the start of a CPU, which begins in 64-bit code |
//! | [`upcall`] | the vector by which all events arrive; waiting for one |
//! | [`console`] | the console |
//! | [`power`] | the end |
//!
//! Waiting is `sti; hlt` here too. HLT leaves the domain, and what Xen does then *is* its `SCHEDOP_block`; to ask for that instead costs the
//! same way out, and is wrong: behind STI the processor holds interrupts back for one instruction more, so that Xen, asked there, takes the
//! domain to be masked and lets it sleep in spite of what is pending.
//!
//! The others are what these stand on: [`detect`], [`hypercall`], [`shared`] (the pages shared with Xen), [`cpu`] (what there is for each CPU).
//!
//! Sources: Xen's public headers, named in each module, of version 4.17.

pub mod alarm;
pub mod apic;
pub mod clock;
pub mod console;
pub mod cpu;
pub mod detect;
pub mod hypercall;
pub mod power;
pub mod shared;
pub mod start;
pub mod upcall;
