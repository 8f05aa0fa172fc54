//! Dropping translations on other CPUs: an interrupt asks for it, and whoever asked waits.
//!
//! A CPU remembers translations without telling anyone, and only it can forget them. So a page that goes away is not gone until
//! every CPU that may have used it has been asked and has answered. The dangerous case is two CPUs that ask each other with
//! interrupts masked: neither would take the other's interrupt. Hence whoever waits here answers meanwhile, by looking
//! into its box instead of waiting for the interrupt that announces what is in it.
//!
//! The boxes ([`mail`]) are plain statics without locks: each CPU has one request of its own at a time, and a word in
//! which the others leave a bit when they want something.

pub mod mail;

use crate::apic::LocalApic;
use crate::ipi::{Message, send};
use crate::smp::apic_id;
use crate::trap::SHOOTDOWN_VECTOR;
use arch::layout::PAGE_SIZE;
use arch::percpu::{CpuId, CpuSet, MAX_CPUS, this_cpu};
use arch::{IrqOps, MmuOps, SmpOps, VirtAddr};
use core::ops::Range;
use mail::Mail;

/// The requests of all CPUs.
static MAIL: Mail<{ MAX_CPUS as usize }> = Mail::new();

/// Beyond so many pages everything is dropped instead: refilling costs less than the instructions, one a page.
const MOST_PAGES: u64 = 32;

/// Drops what the CPUs in `cpus` have cached of the translations of `pages`; what [`MmuOps::flush_on`] is here, for any platform
/// `P` on bare-metal foundations.
///
/// Most often it is about this CPU alone, and then it is over soon. Of others somebody beneath may take care: `otherwise` does so if it can,
/// and says whether it did.
#[inline(always)]
pub fn flush_on<P>(cpus: CpuSet, pages: Range<VirtAddr>, otherwise: impl FnOnce(CpuSet) -> bool)
where
    P: MmuOps + IrqOps + SmpOps + LocalApic,
{
    let flags = P::save();
    let me = this_cpu();
    if !cpus.without(me).is_empty() {
        among::<P>(me, cpus, pages, otherwise);
    } else if cpus.contains(me) {
        flush::<P>(pages);
    }
    P::restore(flags);
}

/// The same, where not only `me` is in `cpus`, with interrupts masked.
#[inline(never)]
fn among<P>(me: CpuId, cpus: CpuSet, pages: Range<VirtAddr>, otherwise: impl FnOnce(CpuSet) -> bool)
where
    P: MmuOps + IrqOps + SmpOps + LocalApic,
{
    let others = cpus.without(me);
    let asked = if otherwise(others) {
        CpuSet::EMPTY
    } else {
        MAIL.post(me, others, pages.clone())
    };
    for to in asked.iter().filter_map(apic_id) {
        // SAFETY: the vector has a gate, on every CPU that runs.
        unsafe { send::<P>(to, Message::Interrupt(SHOOTDOWN_VECTOR)) };
    }
    if cpus.contains(me) {
        flush::<P>(pages);
    }
    let mut turn = 0u32;
    while !MAIL.is_answered(me) {
        answer::<P>();
        P::spin(turn);
        turn = turn.saturating_add(1);
    }
}

/// Does what the other CPUs have asked of this one. Called with interrupts masked, on any occasion: having been asked nothing
/// is fine.
pub fn answer<P: MmuOps>() {
    MAIL.answer(this_cpu(), flush::<P>);
}

/// Lets nobody wait for an answer of this CPU any more. Called before it stops for good: it is then in code of the image, whose
/// translations never change, so what else it remembers does no harm.
pub(crate) fn leave() {
    MAIL.leave(this_cpu());
}

/// Drops the translations of `pages` on this CPU.
fn flush<P: MmuOps>(pages: Range<VirtAddr>) {
    let first = pages.start.align_down(PAGE_SIZE);
    let size = pages.end.as_u64().saturating_sub(first.as_u64());
    if size.div_ceil(PAGE_SIZE) > MOST_PAGES {
        return P::flush_all();
    }
    for offset in (0..size).step_by(PAGE_SIZE as usize) {
        P::flush_page(first + offset);
    }
}
