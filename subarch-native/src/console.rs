//! The console: the serial line that every test bench has, and the screen that every desk has.
//!
//! Both show the same text. The serial line is there from the first instruction and needs nothing, which is why it comes
//! first: the drivers below keep no state that a panic in the middle of a write could find broken. A machine without one is
//! found out once, and never waited for.

pub mod framebuffer;
mod text;

use crate::{Native, port};
use arch::ConsoleOps;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use uart_16550::backend::PioBackend;
use uart_16550::spec::registers::{FifoTriggerLevel, IER, offsets};
use uart_16550::{BaudRate, Config, Uart16550};

/// The first serial line of a PC, COM1.
pub const SERIAL_PORT: u16 = 0x3f8;

/// How often the transmitter is asked whether it has room before its byte is given up: about a second. Whoever reads the
/// other end may be slow; a cable that nobody reads must not stop the kernel.
const PATIENCE: u32 = 1_000_000;

/// Whether something answered at the port.
static SERIAL_PRESENT: AtomicBool = AtomicBool::new(false);

/// Set when patience ended once: from then on a byte is given up at once, until there is room again.
static SERIAL_STUCK: AtomicBool = AtomicBool::new(false);

impl ConsoleOps for Native {
    fn write(bytes: &[u8]) {
        if SERIAL_PRESENT.load(Relaxed) {
            write_serial(bytes);
        }
        framebuffer::write(bytes);
    }

    fn read() -> Option<u8> {
        if !SERIAL_PRESENT.load(Relaxed) {
            return None;
        }
        serial()?.try_receive_byte().ok()
    }
}

/// Sets up the serial line, with its interrupts off, if there is one.
///
/// # Safety
/// Called by the boot code, which has the port to itself.
pub unsafe fn init() {
    let config = Config {
        baud_rate: BaudRate::Baud115200,
        fifo_trigger_level: Some(FifoTriggerLevel::One),
        ..Config::DEFAULT
    };
    let present = serial().is_some_and(|mut serial| serial.init(config).is_ok());
    SERIAL_PRESENT.store(present, Relaxed);
}

/// Lets the serial line interrupt when it has input, including what it has already. Whoever calls this has connected the
/// interrupt before: it is an edge, and comes only once.
pub fn enable_input() {
    if SERIAL_PRESENT.load(Relaxed) {
        // SAFETY: the port is this module's; its interrupt has a gate.
        unsafe { port::write(SERIAL_PORT + offsets::IER as u16, IER::DATA_READY.bits()) };
    }
}

/// The driver. It has no state but the port's number, so it is made where it is needed.
fn serial() -> Option<Uart16550<PioBackend>> {
    // SAFETY: PCs have nothing but a serial line at these ports, and this module is its only user. Two writers at once mix
    // their bytes, which the border allows.
    unsafe { Uart16550::new_port(SERIAL_PORT) }.ok()
}

/// Writes `bytes` to the serial line, with each line's end as terminals want it.
fn write_serial(bytes: &[u8]) {
    let Some(mut serial) = serial() else { return };
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => {
                send(&mut serial, text);
                send(&mut serial, b"\r\n");
            }
            None => send(&mut serial, line),
        }
    }
}

/// Sends `bytes`, and gives up those for which there is no room in reasonable time.
fn send(serial: &mut Uart16550<PioBackend>, mut bytes: &[u8]) {
    let mut tries = 0;
    while !bytes.is_empty() {
        let sent = serial.send_bytes(bytes);
        bytes = &bytes[sent..];
        if sent > 0 {
            SERIAL_STUCK.store(false, Relaxed);
            tries = 0;
        } else if tries >= PATIENCE || SERIAL_STUCK.load(Relaxed) {
            SERIAL_STUCK.store(true, Relaxed);
            return;
        } else {
            tries += 1;
            core::hint::spin_loop();
        }
    }
}
