//! Input from the console: bytes collected by the interrupt handler, lines edited where they are wanted.

use crate::platform::Platform;
use crate::sync::IrqLock;
use crate::task::WaitList;
use crate::{print, println};
use arch::ConsoleOps;
use kernel_logic::line::{Echo, Line};

/// How many bytes may be typed ahead.
const CAPACITY: usize = 512;

/// Bytes that were typed and not yet read.
static TYPED: IrqLock<Typed> = IrqLock::new(Typed {
    bytes: [0; CAPACITY],
    start: 0,
    length: 0,
});

struct Typed {
    bytes: [u8; CAPACITY],
    start: usize,
    length: usize,
}

impl Typed {
    /// Moves what the platform has in here, as much as there is room for; the rest stays where it is.
    fn fill(&mut self) {
        while self.length < CAPACITY {
            let Some(byte) = Platform::read() else { return };
            self.bytes[(self.start + self.length) % CAPACITY] = byte;
            self.length += 1;
        }
    }

    fn take(&mut self) -> Option<u8> {
        // What did not fit when it was announced is fetched now, since it is not announced again.
        self.fill();
        self.length = self.length.checked_sub(1)?;
        let byte = self.bytes[self.start];
        self.start = (self.start + 1) % CAPACITY;
        Some(byte)
    }
}

/// Threads that wait for input.
static READERS: WaitList = WaitList::new();

/// Handles the announcement of input.
pub fn receive() {
    TYPED.lock().fill();
    READERS.wake_all();
}

/// Prints `prompt` and waits until a line has been typed into `line`, with the usual editing keys.
pub fn read_line(prompt: &str, line: &mut Line) {
    line.clear();
    print!("{prompt}");
    loop {
        match line.type_byte(read_byte()) {
            Echo::Silent => {}
            Echo::Byte(byte) => print!("{}", char::from(byte)),
            Echo::Erase(count) => (0..count).for_each(|_| print!("\x08 \x08")),
            Echo::Bell => print!("\x07"),
            Echo::Abandoned => print!("^C\n{prompt}"),
            Echo::Complete => {
                println!();
                return;
            }
        }
    }
}

fn read_byte() -> u8 {
    let mut byte = None;
    READERS.wait_until(
        || {
            byte = TYPED.lock().take();
            byte.is_some()
        },
        None,
    );
    byte.expect("the wait ends with a byte")
}
