//! The ROM with an interrupt flag of its own: what a hypervisor would do about interrupts, and nothing else.
//!
//! Masking becomes `mov byte ptr gs:[disp32], 0`, one instruction of nine bytes at the very site, as it is on Xen.
#![no_std]
#![no_main]

use vmi_rom::address;
use vmi_rom::gates;
use vmi_rom::soft_if::entry::All;
use vmi_rom::soft_if::{flag, operations};
use vmi64::{Answer, Call, InitRecord, Refusal};

vmi_rom::rom!(name: "soft-if", init: crate::init, relocate: crate::relocate);

fn init(_: &InitRecord) -> Result<(), Refusal> {
    flag::start();
    Ok(())
}

fn relocate(call: Call, _: usize) -> Answer {
    let function = match call {
        Call::DisableInterrupts => return flag::mask(),
        Call::GetInterruptMask => return flag::read(),
        Call::IRET => return Answer::JumpRel(address!(operations::iret)),
        Call::SYSRET => return Answer::JumpRel(address!(operations::sysret)),
        Call::EnableInterrupts => address!(operations::enable),
        Call::SetInterruptMask => address!(operations::restore),
        Call::Halt => address!(operations::halt),
        Call::SetIDT => address!(gates::set_idt::<All>),
        Call::SetInitialAPState => address!(flag::prepare),
        Call::WriteIDTEntry => address!(gates::write_idt_entry::<All>),
        _ => return Answer::None,
    };
    Answer::CallRel(function)
}
