//! Starting a CPU: a reset, a page number, and patience.
//!
//! The manual's recipe (Intel SDM, vol. 3, 9.4.4.1) waits 10 milliseconds after the reset, for processors that needed them, and
//! sends the start message twice, because the first may be lost. Waiting is what makes booting many CPUs slow, so it is turned
//! round here: the start message comes almost at once, and again as long as the CPU has not taken its parcel. A CPU that runs
//! ignores further ones.

use super::apic_id;
use super::online::online;
use super::parcel::Parcel;
use super::trampoline::Trampoline;
use crate::apic::LocalApic;
use crate::boot::Entry;
use crate::ipi::{Message, send};
use crate::mmu::kernel_root;
use arch::percpu::PerCpu;
use arch::smp::StartError;
use arch::{IrqOps, Pfn, SmpOps, TimeOps, VirtAddr};
use core::ops::Range;
use core::time::Duration;
use spin::{Mutex, Once};
use x86_64::registers::control::{Cr0, Cr4, Efer, EferFlags};

/// From the reset to the first start message, and from there to the second; each later one waits twice as long as the last.
const FIRST_PAUSE: Duration = Duration::from_micros(200);

/// How many start messages are sent. The pauses add up to 0.4 seconds.
const MESSAGES: u32 = 11;

/// The trampoline, if there was memory for it. Whoever starts a CPU has it to itself.
static TRAMPOLINE: Once<Mutex<Trampoline>> = Once::new();

/// Builds the trampoline in the frames from `page` on, for the core of `E`.
///
/// # Safety
/// The [`PAGES`](super::TRAMPOLINE_PAGES) frames are nobody else's for good, lie below 1 MiB, and are writable in the direct map.
pub(crate) unsafe fn set_up<E: Entry>(page: Pfn) {
    TRAMPOLINE.call_once(|| {
        // SAFETY: the caller vouches for the frames.
        let mut trampoline = unsafe { Trampoline::build(page) };
        trampoline.parcel_mut().entry = online::<E> as *const () as u64;
        Mutex::new(trampoline)
    });
}

/// What [`SmpOps::start_cpu`] is here, for any platform `P` on bare-metal foundations.
///
/// `announce` is called before anything is sent, with the number of the CPU's local APIC and the parcel it is going to find.
/// Returns when the CPU has taken its parcel, and so no longer depends on anything that the next one needs.
///
/// # Errors
/// As there; [`StartError::NoAnswer`] if the CPU did not take its parcel, and then it never will.
///
/// # Safety
/// As there.
pub unsafe fn start_cpu<P>(
    area: &'static PerCpu,
    stack: Range<VirtAddr>,
    announce: impl FnOnce(u8, &Parcel),
) -> Result<(), StartError>
where
    P: LocalApic + IrqOps + TimeOps + SmpOps,
{
    let id = apic_id(area.cpu()).ok_or(StartError::NoSuchCpu(area.cpu()))?;
    let mut trampoline = TRAMPOLINE.get().ok_or(StartError::NoMemory)?.lock();
    // SAFETY: the last parcel was taken or withdrawn, so no CPU reads these tables.
    unsafe { trampoline.show_kernel(kernel_root()) };
    pack(&mut trampoline, area, stack, kernel_root());
    let parcel = trampoline.parcel();
    announce(id, parcel);
    // SAFETY: the caller vouches that the CPU does not run; the trampoline is ready for it.
    let send = |message| unsafe { send::<P>(id, message) };
    let wait = |span| pause::<P>(span, || parcel.is_taken());
    match deliver(parcel, id, trampoline.start_page(), send, wait) {
        Delivery::Taken => Ok(()),
        Delivery::Withdrawn => Err(StartError::NoAnswer(area.cpu())),
    }
}

/// Fills in the parcel: registers as they are on this CPU, and what is the new one's own.
fn pack(trampoline: &mut Trampoline, area: &'static PerCpu, stack: Range<VirtAddr>, root: Pfn) {
    let start_root = trampoline.root();
    let parcel = trampoline.parcel_mut();
    parcel.cr0 = Cr0::read_raw() as u32;
    parcel.cr4 = Cr4::read_raw() as u32;
    // That the mode is active is the processor's to say.
    parcel.efer = (Efer::read() - EferFlags::LONG_MODE_ACTIVE).bits() as u32;
    parcel.start_root = start_root;
    parcel.root = root.address();
    parcel.stack = stack.end.as_u64();
    parcel.area = VirtAddr::from_ptr(area).as_u64();
}

/// What became of a parcel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Delivery {
    /// The CPU has it.
    Taken,
    /// The CPU did not take it in time, and cannot any more.
    Withdrawn,
}

/// Addresses `parcel` to the CPU of local APIC `id`, and wakes that at `page`. `wait` waits for so long, or until the parcel is taken,
/// and says whether it is.
fn deliver(
    parcel: &Parcel,
    id: u8,
    page: u8,
    send: impl FnMut(Message),
    wait: impl FnMut(Duration) -> bool,
) -> Delivery {
    parcel.address_to(id);
    if !wake(page, send, wait) && parcel.withdraw(id) {
        Delivery::Withdrawn
    } else {
        Delivery::Taken
    }
}

/// Has a CPU reset and start at `page`, again and again until `wait` says that it did; what it said last.
fn wake(page: u8, mut send: impl FnMut(Message), mut wait: impl FnMut(Duration) -> bool) -> bool {
    send(Message::Init);
    wait(FIRST_PAUSE);
    (0..MESSAGES).any(|message| {
        send(Message::Start { page });
        wait(FIRST_PAUSE * (1 << message))
    })
}

/// Waits for `span`, or until `done` says so; what it said last.
fn pause<P: TimeOps + SmpOps>(span: Duration, done: impl Fn() -> bool) -> bool {
    let end = P::now() + span;
    let mut turn = 0u32;
    while P::now() < end && !done() {
        P::spin(turn);
        turn = turn.saturating_add(1);
    }
    done()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smp::parcel::{NOBODY, TAKEN};
    use core::cell::{Cell, RefCell};
    use core::sync::atomic::Ordering::{Acquire, Release};

    const ID: u8 = 3;
    const PAGE: u8 = 0x9f;

    /// Delivers to a CPU that `hears` each pause, counted from 0; returns what was sent, how long that took, and the end of it.
    fn deliver_to(parcel: &Parcel, hears: impl Fn(usize) -> bool) -> (Vec<Message>, Duration, Delivery) {
        let (sent, spent) = (RefCell::new(vec![]), Cell::new(Duration::ZERO));
        let send = |message| sent.borrow_mut().push(message);
        let wait = |span| {
            spent.set(spent.get() + span);
            hears(sent.borrow().len() - 1)
        };
        let delivery = deliver(parcel, ID, PAGE, send, wait);
        (sent.into_inner(), spent.get(), delivery)
    }

    #[test]
    fn a_deaf_cpu_is_given_up_and_finds_nothing_later() {
        let parcel = Parcel::new(0x9_f000, 0x80, 0x100);
        let (sent, spent, delivery) = deliver_to(&parcel, |_| false);
        assert_eq!(delivery, Delivery::Withdrawn);
        assert_eq!(parcel.owner.load(Acquire), NOBODY);
        assert_eq!((sent.len(), sent[0]), (1 + MESSAGES as usize, Message::Init));
        assert!(
            sent[1..]
                .iter()
                .all(|message| *message == Message::Start { page: PAGE })
        );
        assert_eq!(spent, FIRST_PAUSE * (1 << MESSAGES));
    }

    #[test]
    fn a_cpu_that_starts_is_left_alone() {
        let parcel = Parcel::new(0x9_f000, 0x80, 0x100);
        let (sent, _, delivery) = deliver_to(&parcel, |pause| {
            assert_eq!(parcel.owner.load(Acquire), u32::from(ID));
            pause == 2
        });
        assert_eq!((sent.len(), delivery), (3, Delivery::Taken));
    }

    #[test]
    fn a_cpu_that_takes_the_parcel_in_the_last_moment_has_started() {
        let parcel = Parcel::new(0x9_f000, 0x80, 0x100);
        let (_, _, delivery) = deliver_to(&parcel, |pause| {
            if pause == MESSAGES as usize {
                parcel.owner.store(TAKEN, Release);
            }
            false
        });
        assert_eq!(delivery, Delivery::Taken);
    }
}
