//! The ROM that does everything itself: each operation of the kernel becomes a direct call into it, but for the one
//! at which there is no stack to return by.
//!
//! It is what Amsden proposed in 2006 as a harness (LKML, 441AF747.5000400@vmware.com): if a kernel works with it, then no
//! privileged operation has escaped the interface, and the difference to `native` is the price of not inlining.
#![no_std]
#![no_main]

use vmi_rom::{address, alarm, answers, clock, operations, power};
use vmi64::{Answer, Call, InitRecord, Refusal};

vmi_rom::rom!(name: "call", init: crate::init, relocate: crate::relocate);

fn init(_: &InitRecord) -> Result<(), Refusal> {
    clock::start();
    Ok(())
}

fn relocate(call: Call, room: usize) -> Answer {
    let function = match call {
        Call::IRET => return Answer::JumpRel(address!(operations::iret)),
        Call::SYSRET => return Answer::JumpRel(address!(operations::sysret)),
        // There may be no stack for a call.
        Call::SwapGS => return answers::native_bytes(call, room),
        Call::Cpuid => address!(operations::cpuid),
        Call::Wrmsr => address!(operations::wrmsr),
        Call::Rdmsr => address!(operations::rdmsr),
        Call::SetGDT => address!(operations::set_gdt),
        Call::SetIDT => address!(operations::set_idt),
        Call::SetTR => address!(operations::set_tr),
        Call::WriteGDTEntry => address!(operations::write_gdt_entry),
        Call::WriteIDTEntry => address!(operations::write_idt_entry),
        Call::UpdateKernelStack => address!(operations::update_kernel_stack),
        Call::SetCR0 => address!(operations::set_cr0),
        Call::SetCR3 => address!(operations::set_cr3),
        Call::SetCR4 => address!(operations::set_cr4),
        Call::GetCR0 => address!(operations::get_cr0),
        Call::GetCR2 => address!(operations::get_cr2),
        Call::GetCR3 => address!(operations::get_cr3),
        Call::GetCR4 => address!(operations::get_cr4),
        Call::Rdtsc => address!(operations::rdtsc),
        Call::EnableInterrupts => address!(operations::enable_interrupts),
        Call::DisableInterrupts => address!(operations::disable_interrupts),
        Call::GetInterruptMask => address!(operations::get_interrupt_mask),
        Call::SetInterruptMask => address!(operations::set_interrupt_mask),
        Call::Halt => address!(operations::halt),
        Call::Reboot => address!(power::reboot),
        Call::SetPxE => address!(operations::set_pxe),
        Call::InvalPage => address!(operations::inval_page),
        Call::FlushTLB => address!(operations::flush_tlb),
        Call::APICWrite => address!(operations::apic_write),
        Call::APICRead => address!(operations::apic_read),
        Call::GetCycleFrequency => address!(clock::frequency),
        Call::GetCycleCounter => address!(operations::cycle_counter),
        Call::GetRealCycles => address!(operations::real_cycles),
        Call::SetAlarm => address!(alarm::set_alarm),
        Call::CancelAlarm => address!(alarm::cancel_alarm),
        Call::GetWallclockTime => address!(clock::wall_clock),
        Call::Shutdown
        | Call::UpdatePxE
        | Call::AllocatePage
        | Call::ReleasePage
        | Call::SetLinearMapping
        | Call::SetInitialAPState
        | Call::SetLazyMode => address!(operations::notice),
        // Devices stay what they are, and so do the messages by which CPUs ask each other.
        Call::ConsoleWrite | Call::ConsoleRead | Call::ConsoleListen | Call::FlushOn => return Answer::None,
    };
    Answer::CallRel(function)
}
