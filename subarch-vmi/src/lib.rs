//! The platform that a ROM provides: VMI-64.
//!
//! VMware's idea of 2005 was that a kernel need not be compiled for a hypervisor, if the hypervisor brings the code that deals
//! with it. The kernel marks the places where it would do something privileged, and at boot the hypervisor's ROM says
//! what is to stand there. Its weakness was that almost all those places became calls through pointers. Here each place, a
//! *site*, holds the native instructions as compiled, with room behind them; and when a ROM is accepted, the site itself
//! becomes what the ROM wants: other instructions, a direct call, or nothing.
//!
//! So this crate boots as `subarch-native` does, and then looks around ([`rom`]). Without a ROM it *is* native, at the
//! price of a few bytes of padding. The rooms of this house are the same as in the others, and each operation is a site
//! ([`site`]); the ABI itself is in the `vmi64` crate and in `docs/vmi-64.md`.
#![cfg_attr(not(test), no_std)]
#![warn(missing_docs)]

pub mod activate;
mod apic;
pub mod boot;
mod console;
mod cpu;
pub mod detour;
#[doc(hidden)]
pub mod for_parent;
mod irq;
mod mark;
mod mmu;
pub mod native;
mod power;
pub mod rom;
pub mod site;
mod smp;
mod time;
pub mod trap;
mod window;

pub use subarch_native;
pub use vmi64;

use arch::{Mark, calls};
use core::fmt;
use subarch_native::Native;
use vmi64::Call;

/// Whatever the ROM in the option-ROM area makes of this machine.
#[derive(Debug)]
pub enum Vmi {}

impl arch::Subarch for Vmi {
    const NAME: &'static str = "vmi";

    fn describe() -> impl fmt::Display {
        activate::Description
    }

    fn is(name: &str) -> bool {
        name == if activate::is_under_rom() {
            Self::NAME
        } else {
            Native::NAME
        }
    }

    #[inline(always)]
    fn counted_calls() -> impl Iterator<Item = (&'static str, u32)> {
        let counted: &[Call] = if calls::COUNTED { Call::ALL } else { &[] };
        counted.iter().map(|call| (call.name(), calls::counted(*call as usize)))
    }

    #[inline(always)]
    fn mark(mark: Mark) {
        if calls::COUNTED {
            mark::show(mark);
        }
    }
}
