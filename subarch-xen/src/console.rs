//! The console: Xen's own as dom0, a ring shared with dom0 otherwise.
//!
//! Dom0 asks Xen to print, which is as simple as it sounds. Any other domain has a page that it shares with the console
//! daemon in dom0, and an event channel to nudge it with. Nothing happens on such a ring unless the daemon gets to run, so
//! a full one is waited for asleep; and since a kernel must come to its end even when nobody reads it, a daemon that takes
//! nothing for ten seconds is given up until it takes something again.

use crate::Xen;
use crate::hypercall::event::{Port, send};
use crate::hypercall::mmu::Mfn;
use crate::hypercall::{Granted, memory, sched};
use crate::start_info::StartInfo;
use crate::{p2m, view};
use arch::{ConsoleOps, Pfn, TimeOps};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use core::time::Duration;
use spin::Once;
use xen_abi::Ring;

/// How long a daemon may take nothing before it is given up. It begins to listen only when it hears of a new domain, which on a busy
/// host has run for seconds by then.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long to sleep between two looks at a full ring.
const NAP: Duration = Duration::from_micros(100);

/// The console of a domain other than dom0.
#[derive(Debug)]
struct Shared {
    frame: Pfn,
    port: Port,
}

static SHARED: Once<Shared> = Once::new();

/// Whether the daemon was given up.
static DEAF: AtomicBool = AtomicBool::new(false);

/// Takes the console that `start_info` describes into use; until then everything goes to Xen's.
pub fn adopt(start_info: &StartInfo) {
    if start_info.is_initial_domain() {
        return;
    }
    let frame = p2m::frame(Mfn(start_info.console_frame)).expect("the console's page is one of the domain's own");
    SHARED.call_once(|| Shared {
        frame,
        port: Port(start_info.console_port),
    });
}

/// The event channel that announces input; `None` if it is Xen that does.
pub fn port() -> Option<Port> {
    SHARED.get().map(|shared| shared.port)
}

/// Waits until everything written has been taken, or nobody takes it.
pub fn drain() {
    if let Some(shared) = SHARED.get() {
        shared.wait_until(Ring::is_drained);
    }
}

/// Both ways are usable from the first instruction on: before the boot code has looked for a ring everything goes to Xen's
/// console, which shows dom0's output always and another domain's if it was told to.
///
/// Nothing is translated: Xen and the daemon's terminal put a carriage return where one is needed.
impl ConsoleOps for Xen {
    fn write(bytes: &[u8]) {
        match SHARED.get() {
            Some(shared) => shared.write(bytes),
            None => {
                memory::console_write(bytes).granted();
            }
        }
    }

    fn read() -> Option<u8> {
        match SHARED.get() {
            Some(shared) => shared.read(),
            None => {
                let mut byte = [0];
                (memory::console_read(&mut byte).granted() == 1).then_some(byte[0])
            }
        }
    }
}

impl Shared {
    /// The page itself.
    fn ring(&self) -> &Ring {
        // SAFETY: the frame is the console's, kept out of the core's memory, in view at all times, and all fields are
        // atomics.
        unsafe { &*view::of(self.frame).cast() }
    }

    /// Writes `bytes`, as much at a time as there is room for. What a daemon that was given up does not take is lost.
    fn write(&self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = self.ring().push(bytes);
            bytes = &bytes[taken..];
            self.notify();
            if taken > 0 {
                DEAF.store(false, Relaxed);
            } else if !self.wait_until(Ring::has_room) {
                return;
            }
        }
    }

    /// Takes a byte of input.
    fn read(&self) -> Option<u8> {
        let byte = self.ring().pop()?;
        if self.ring().is_empty() {
            // The daemon may be waiting for room.
            self.notify();
        }
        Some(byte)
    }

    /// Tells the daemon to look at the ring.
    fn notify(&self) {
        send(self.port).granted();
    }

    /// Sleeps until the daemon has brought `state` about; false if it is given up. As long as it takes something now and then,
    /// it is not, however slow it may be.
    fn wait_until(&self, state: impl Fn(&Ring) -> bool) -> bool {
        let (mut since, mut waiting) = (Xen::now(), self.ring().waiting());
        while !state(self.ring()) {
            let now = Xen::now();
            if self.ring().waiting() < waiting {
                (since, waiting) = (now, self.ring().waiting());
                DEAF.store(false, Relaxed);
            }
            if DEAF.load(Relaxed) || now - since > PATIENCE {
                DEAF.store(true, Relaxed);
                return false;
            }
            sched::sleep_until((now + NAP).nanoseconds()).granted();
        }
        true
    }
}
