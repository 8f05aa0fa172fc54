//! The console: Xen's own for dom0, a ring shared with the daemon in dom0 for any other domain.
//!
//! Xen prints what dom0 asks it to. The page of the ring tells how far either side has come; an event tells the other to look (public header
//! `io/console.h`). A daemon that takes nothing for ten seconds is given up until it takes something again: a kernel must come to its end
//! even if nobody listens.

use crate::cell::Cell;
use crate::xen::hypercall::{self, Parameter, Virq};
use crate::xen::{clock, shared};
use core::slice;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use vmi64::values::NOTHING_TYPED;
use xen_abi::Ring;

/// How long a daemon may take nothing, in nanoseconds. It begins to listen only when it hears of a new domain, which on a busy host has run for
/// seconds by then.
const PATIENCE: u64 = 10_000_000_000;

/// What there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Console {
    /// Nothing that could be asked for.
    None,
    /// Xen's own: this is dom0.
    Xens,
    /// The ring: this is another domain.
    Ring,
}

static CONSOLE: Cell<Console> = Cell::new(Console::None);
/// The event channel.
static PORT: AtomicU32 = AtomicU32::new(0);
/// The vector that input raises; 0 if nobody wants to know.
static VECTOR: AtomicU8 = AtomicU8::new(0);
/// Somebody is putting bytes into the ring.
static BUSY: AtomicBool = AtomicBool::new(false);
/// The daemon was given up.
static DEAF: AtomicBool = AtomicBool::new(false);

/// Finds out what there is. Part of *Init*.
pub fn start() {
    let frame = hypercall::parameter(Parameter::ConsoleFrame);
    // SAFETY: the place is for nothing else. Nothing is printed yet.
    let console = unsafe {
        if frame != 0 && shared::show(shared::CONSOLE.pointer() as u64, frame) {
            PORT.store(hypercall::parameter(Parameter::ConsolePort) as u32, Relaxed);
            Console::Ring
        } else if frame == 0 && hypercall::print(&raw const BUSY as *const u8, 0) {
            Console::Xens
        } else {
            Console::None
        }
    };
    // SAFETY: Init runs alone, with interrupts masked.
    unsafe { CONSOLE.set(console) };
}

/// What there is.
pub fn which() -> Console {
    CONSOLE.get()
}

/// Call 76.
///
/// # Safety
/// `length` bytes at `bytes` can be read.
pub unsafe extern "sysv64" fn write(bytes: *const u8, length: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        if which() == Console::Ring {
            put(bytes, length);
        } else {
            hypercall::print(bytes, length);
        }
    }
}

/// Call 77.
pub extern "sysv64" fn read() -> u64 {
    let typed = if which() == Console::Ring {
        take()
    } else {
        hypercall::typed()
    };
    typed.map_or(NOTHING_TYPED, u64::from)
}

/// Call 78.
pub extern "sysv64" fn listen(vector: u64) {
    let port = match which() {
        Console::Ring => PORT.load(Relaxed),
        _ => hypercall::bind_virq(Virq::Console, 0).unwrap_or(0),
    };
    PORT.store(port, Relaxed);
    VECTOR.store(vector as u8, Release);
    hypercall::unmask(port);
}

/// The event channel of input, and the vector that it shall raise.
pub fn wired() -> Option<(u32, u8)> {
    let vector = VECTOR.load(Acquire);
    (vector != 0).then(|| (PORT.load(Relaxed), vector))
}

/// Waits until everything written has been taken, or nobody takes it.
pub fn drain() {
    if which() == Console::Ring {
        wait_until(Ring::is_drained);
    }
}

fn ring() -> &'static Ring {
    // SAFETY: the page is shown there since Init, if there is one, and all its fields are atomics.
    unsafe { &*shared::CONSOLE.pointer().cast() }
}

/// Puts bytes into the ring, as the daemon makes room. What one that was given up does not take is lost.
///
/// # Safety
/// `length` bytes at `bytes` can be read.
unsafe fn put(bytes: *const u8, length: usize) {
    /// How often somebody else is waited for: it may be the very code that was interrupted by a panic.
    const TRIES: u32 = 100_000;
    let free = || BUSY.compare_exchange(false, true, Acquire, Relaxed).is_ok();
    let _whole = (0..TRIES).any(|_| free());
    // SAFETY: the caller vouches for the bytes.
    let mut bytes = unsafe { slice::from_raw_parts(bytes, length) };
    while !bytes.is_empty() {
        let taken = ring().push(bytes);
        bytes = bytes.get(taken..).unwrap_or_default();
        if taken > 0 {
            DEAF.store(false, Relaxed);
        } else if !wait_until(Ring::has_room) {
            break;
        }
    }
    BUSY.store(false, Release);
    hypercall::send(PORT.load(Relaxed));
}

/// Has the daemon look at the ring until `done`, or until it was patient enough; what `done` said last.
fn wait_until(done: impl Fn(&Ring) -> bool) -> bool {
    let deadline = clock::now().wrapping_add(PATIENCE);
    while !done(ring()) {
        if DEAF.load(Relaxed) || clock::now() > deadline {
            DEAF.store(true, Relaxed);
            return false;
        }
        hypercall::send(PORT.load(Relaxed));
        hypercall::give_way();
    }
    DEAF.store(false, Relaxed);
    true
}

/// A byte of input. The daemon may wait for the room that it leaves.
fn take() -> Option<u8> {
    let byte = ring().pop()?;
    if ring().is_empty() {
        hypercall::send(PORT.load(Relaxed));
    }
    Some(byte)
}
