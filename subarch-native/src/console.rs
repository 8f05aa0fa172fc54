//! The console: the serial line that every test bench has, and the screen that every desk has.
//!
//! Both show the same text. The serial line is there from the first instruction and needs nothing, which is why it comes
//! first: the drivers below keep no state that a panic in the middle of a write could find broken. A machine without one is
//! found out once, and never waited for.

pub mod framebuffer;
mod text;

use crate::{Native, port};
use arch::ConsoleOps;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use pc_firmware::SERIAL_LINES;
use uart_16550::backend::PioBackend;
use uart_16550::spec::registers::{FifoTriggerLevel, IER, offsets};
use uart_16550::{BaudRate, Config, Uart16550};

/// How often the transmitter is asked whether it has room before its byte is given up: about a second. Whoever reads the
/// other end may be slow; a cable that nobody reads must not stop the kernel.
const PATIENCE: u32 = 1_000_000;

/// The first of the [`SERIAL_LINES`] at which something answered. A hypervisor that keeps one for itself leaves the kernel the next.
static LINE: AtomicUsize = AtomicUsize::new(NO_LINE);

/// The number of no line.
const NO_LINE: usize = usize::MAX;

/// Set when patience ended once: from then on a byte is given up at once, until there is room again.
static SERIAL_STUCK: AtomicBool = AtomicBool::new(false);

impl ConsoleOps for Native {
    fn write(bytes: &[u8]) {
        write_serial(bytes);
        framebuffer::write(bytes);
    }

    fn read() -> Option<u8> {
        serial(line()?)?.try_receive_byte().ok()
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
    let answers = |line: &usize| serial(*line).is_some_and(|mut serial| serial.init(config.clone()).is_ok());
    LINE.store((0..SERIAL_LINES.len()).find(answers).unwrap_or(NO_LINE), Relaxed);
}

/// Lets the serial line interrupt when it has input, including what it has already. Whoever calls this has connected the
/// interrupt before: it is an edge, and comes only once.
pub fn enable_input() {
    if let Some(line) = line() {
        // SAFETY: the port is this module's; its interrupt has a gate.
        unsafe { port::write(SERIAL_LINES[line].port + offsets::IER as u16, IER::DATA_READY.bits()) };
    }
}

/// The number of the serial line in use, if there is one.
pub fn line() -> Option<usize> {
    Some(LINE.load(Relaxed)).filter(|line| *line < SERIAL_LINES.len())
}

/// The driver. It has no state but the port's number, so it is made where it is needed.
fn serial(line: usize) -> Option<Uart16550<PioBackend>> {
    // SAFETY: PCs have nothing but a serial line at these ports, and this module is its only user. Two writers at once mix
    // their bytes, which the border allows.
    unsafe { Uart16550::new_port(SERIAL_LINES[line].port) }.ok()
}

/// Writes `bytes` to the serial line, with each line's end as terminals want it.
fn write_serial(bytes: &[u8]) {
    let Some(mut serial) = line().and_then(serial) else {
        return;
    };
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
