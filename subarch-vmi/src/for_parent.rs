//! What a parent of several platforms needs at places that a ROM may change as well as it.

pub use crate::mmu::by_rom::{flush_page, set_entry};
pub use crate::mmu::flush_on;
pub use crate::time::by_rom::cancel_alarm;
pub use crate::time::{CYCLE, START};

use crate::time::by_rom;
use arch::Instant;

/// Has the ROM set this CPU's alarm to `deadline`, in nanoseconds on the kernel's clock.
pub extern "sysv64" fn set_alarm(deadline: u64) {
    by_rom::set_alarm(Instant::from_nanoseconds(deadline));
}
