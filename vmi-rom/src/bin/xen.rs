//! The ROM for a domain of Xen's with hardware assistance: what Xen can be asked for directly, it is.
//!
//! Everything else is left to the native operations, which the processor virtualises by itself. Without Xen it declines.
#![no_std]
#![no_main]

use vmi_rom::xen::console::Console;
use vmi_rom::xen::shared::{SHARED_INFO, frame_of};
use vmi_rom::xen::{alarm, apic, clock, console, cpu, detect, hypercall, power, start, upcall};
use vmi_rom::{address, gates};
use vmi64::{Answer, Call, InitRecord, Refusal};

vmi_rom::rom!(name: "xen", init: crate::init, relocate: crate::relocate);

fn init(record: &InitRecord) -> Result<(), Refusal> {
    if !detect::is_xen() {
        return Err(Refusal::NO_HYPERVISOR);
    }
    if record.cpus as usize > cpu::MOST {
        return Err(Refusal::MEMORY);
    }
    hypercall::start();
    if !hypercall::has_vector_callback() {
        return Err(cpu::REFUSED);
    }
    upcall::start(apic::timer_entry())?;
    let frame = frame_of(&raw const SHARED_INFO as u64).ok_or(Refusal::MEMORY)?;
    // SAFETY: the frame is one of this ROM's data pages.
    if !unsafe { hypercall::place_shared_info(frame) } {
        return Err(cpu::REFUSED);
    }
    cpu::start(apic::id())?;
    console::start();
    Ok(())
}

fn relocate(call: Call, _: usize) -> Answer {
    let console = console::which();
    let function = match call {
        Call::SetIDT => address!(upcall::arrive),
        Call::WriteIDTEntry => address!(gates::write_idt_entry::<upcall::Upcall>),
        Call::SetInitialAPState => address!(start::prepare),
        Call::APICWrite => address!(apic::write),
        Call::APICRead => address!(apic::read),
        Call::GetCycleFrequency => address!(clock::frequency),
        Call::GetCycleCounter => address!(clock::cycle_counter),
        Call::GetRealCycles => address!(clock::real_cycles),
        Call::SetAlarm => address!(alarm::set_alarm),
        Call::CancelAlarm => address!(alarm::cancel_alarm),
        Call::GetWallclockTime => address!(clock::wall_clock),
        Call::Halt => address!(upcall::vmi_rom_halt),
        Call::FlushOn => address!(hypercall::flush_every_cpu),
        Call::Reboot => address!(power::reboot),
        Call::Shutdown if console != Console::Xens => address!(power::shutdown),
        Call::ConsoleWrite if console != Console::None => address!(console::write),
        Call::ConsoleRead if console != Console::None => address!(console::read),
        Call::ConsoleListen if console != Console::None => address!(console::listen),
        _ => return Answer::None,
    };
    Answer::CallRel(function)
}
