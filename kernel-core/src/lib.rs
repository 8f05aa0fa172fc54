//! The kernel, written once against [`arch::Subarch`] and compiled for the platform that `platform.rs` names.
//!
//! Nothing here knows what it runs on. Where the source says `Platform::…`, the compiler puts the one platform's instructions;
//! where platforms differ, they differ behind that name. Start reading at [`start`], which is what happens after a platform has
//! brought the machine into the state that [`arch::Boot`] describes.
#![no_std]

extern crate alloc;

#[macro_use]
pub mod console;

pub mod bench;
pub mod breakage;
pub mod fault;
pub mod irq;
pub mod logging;
pub mod mm;
pub mod monitor;
pub mod options;
pub mod panic;
pub mod platform;
pub mod power;
mod probe;
pub mod report;
pub mod smp;
pub mod start;
pub mod sync;
pub mod task;
pub mod test;
pub mod timer;
pub mod user;

use arch::{Boot, Interrupt, Kernel, Mode, TrapFrame};

/// The core, as the platform's entry points know it.
#[derive(Debug)]
pub enum Core {}

impl Kernel for Core {
    fn console_ready(command_line: &'static str) {
        options::read(command_line);
    }

    fn start(boot: Boot) -> ! {
        start::run(boot)
    }

    fn cpu_online() -> ! {
        smp::cpu_online()
    }

    #[inline(always)]
    fn exception(frame: &mut TrapFrame) {
        fault::handle(frame);
    }

    #[inline(always)]
    fn interrupt(source: Interrupt) {
        irq::handle(source);
    }

    fn system_call(frame: &mut TrapFrame) {
        user::system_call(frame);
    }

    fn interrupts_done(interrupted: Mode) {
        task::interrupts_done();
        if interrupted == Mode::User {
            user::interrupts_done();
        }
    }
}
