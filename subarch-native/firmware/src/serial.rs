//! The serial lines of a PC: at the same ports since 1981.

/// A serial line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SerialLine {
    /// The first of its ports.
    pub port: u16,
    /// Its interrupt on a PC AT.
    pub interrupt: u8,
}

/// COM1 and COM2.
pub const SERIAL_LINES: [SerialLine; 2] = [
    SerialLine {
        port: 0x3f8,
        interrupt: 4,
    },
    SerialLine {
        port: 0x2f8,
        interrupt: 3,
    },
];
