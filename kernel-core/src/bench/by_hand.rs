//! The same operation written by hand, measured like what the compiler makes of it.

use super::meter::{Figures, measure_by_hand};
use super::scratch;
use crate::platform::Platform;
use arch::{ByHand, TimeOps};

/// Measures `operation` as the platform has written it by hand; `None` if it has not.
pub(super) fn measure(operation: ByHand) -> Option<Figures> {
    let page = scratch::Page::map();
    // SAFETY: nobody refers to the page.
    let figures = unsafe { measure_by_hand(operation, page.slot) };
    // The alarm may have been set or cancelled: the scheduler sets it as it needs it when it has gone off.
    Platform::set_alarm(Platform::now());
    figures
}
