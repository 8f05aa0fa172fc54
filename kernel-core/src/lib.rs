//! The kernel, written once against [`arch::Subarch`] and compiled for the platform that `platform.rs` names.
#![no_std]

pub mod panic;
pub mod platform;

use arch::{Boot, ConsoleOps, Interrupt, Kernel, PowerOps, TrapFrame};
use platform::Platform;

/// The core, as the platform's entry points know it.
#[derive(Debug)]
pub enum Core {}

impl Kernel for Core {
    fn console_ready(_command_line: &'static str) {
        Platform::write(b"console ready\n");
    }

    fn start(_boot: Boot) -> ! {
        Platform::write(b"started\n");
        Platform::exit(0)
    }

    fn exception(_frame: &mut TrapFrame) {
        Platform::exit(1)
    }

    fn interrupt(_source: Interrupt) {}
}
