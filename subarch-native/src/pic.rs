//! The two interrupt controllers of the first PCs, silenced.
//!
//! They come up raising interrupts at vectors 8 and up, where today's processors have exceptions. They are moved out of the
//! way, and masked; a spurious interrupt may come through even so, and is then told from an exception by its vector.

use crate::port;
use crate::trap::LEGACY_VECTORS;

/// Command and data port of the first controller and of the second, which is chained to it.
const CONTROLLERS: [(u16, u16); 2] = [(0x20, 0x21), (0xa0, 0xa1)];

/// Moves the controllers to [`LEGACY_VECTORS`] and masks all their inputs.
///
/// # Safety
/// Called by the boot code with interrupts masked; nobody else uses the controllers.
pub unsafe fn silence() {
    /// Start of the initialisation sequence, which goes on at the data port with three more bytes.
    const INITIALISE: u8 = 0x11;
    /// The last byte of the sequence: the interrupts are an 8086's, and are acknowledged by software.
    const X86_MODE: u8 = 0x01;
    /// The mask with all inputs in it.
    const ALL: u8 = 0xff;
    // The second controller is at the first one's input 2: a mask for the first, a number for the second.
    for (((command, data), chain), vector) in CONTROLLERS
        .into_iter()
        .zip([1u8 << 2, 2])
        .zip(LEGACY_VECTORS.step_by(8))
    {
        // SAFETY: the controllers are the caller's, and masked they write nowhere.
        unsafe {
            port::write(command, INITIALISE);
            port::write(data, vector);
            port::write(data, chain);
            port::write(data, X86_MODE);
            port::write(data, ALL);
        }
    }
}
