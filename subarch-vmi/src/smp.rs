//! The CPUs: a ROM adds none, so the firmware's count holds.

use crate::Vmi;
use arch::SmpOps;
use subarch_native::Native;

impl SmpOps for Vmi {
    fn cpu_count() -> u32 {
        Native::cpu_count()
    }
}
