//! One platform that is a bare machine or Xen, whichever entered the kernel.

pub mod boot;
mod console;
mod cpu;
mod irq;
mod mmu;
mod patch;
mod power;
pub mod site;
mod smp;
pub mod table;
mod time;
mod window;

use arch::Subarch;
use core::fmt;
use site::choose;
use subarch_xen::Xen;

cfg_if::cfg_if! {
    if #[cfg(feature = "vmi")] {
        use subarch_vmi::for_parent::flush_on as flush_on_bare;
        use subarch_vmi::Vmi as Bare;
    } else {
        use subarch_native::mmu::flush_on as flush_on_bare;
        use subarch_native::Native as Bare;
    }
}

/// Whichever platform entered the kernel.
#[derive(Debug)]
pub enum Paravirt {}

impl Subarch for Paravirt {
    const NAME: &'static str = "paravirt";

    fn describe() -> impl fmt::Display {
        choose!(Either::Bare(Bare::describe()), Either::Xen(boot::describe()))
    }

    fn is(name: &str) -> bool {
        choose!(Bare::is(name), Xen::is(name))
    }
}

/// What is one thing on a bare machine, and another under Xen.
enum Either<B, X> {
    Bare(B),
    Xen(X),
}

impl<B: fmt::Display, X: fmt::Display> fmt::Display for Either<B, X> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bare(bare) => bare.fmt(out),
            Self::Xen(xen) => xen.fmt(out),
        }
    }
}
