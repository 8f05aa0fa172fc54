//! The takeover itself: the sites' new bytes, and what the ROM must know from then on.

use super::RomError;
use super::answers::Answers;
use crate::console;
use crate::cpu::announce_system_call;
use crate::detour::{self, Detour};
use crate::mmu::by_rom;
use crate::site::{self, Site, site};
use crate::{Vmi, window};
use arch::layout::DIRECT_MAP;
use arch::site::Change;
use arch::{Boot, MemoryMap, MmuOps, PageTableFlags, PageTableLevel, Pfn, Pte, VirtAddr};
use subarch_native::mmu::tables::Table;
use subarch_native::trap;
use vmi64::call::SITE_MAX;
use vmi64::site::check_bytes;
use vmi64::{Answer, Call, patch};
use x86_64::structures::DescriptorTablePointer;

/// Computes the new bytes of every site and every detour, to find out whether it can be done.
///
/// # Errors
/// [`RomError::Patch`] for the first that cannot be changed.
pub fn rehearse(answers: &Answers) -> Result<(), RomError> {
    changes(answers).try_for_each(|change| change.map(drop))
}

/// Changes them, then makes the processor forget what it has read of the old ones.
///
/// # Errors
/// [`RomError::Window`] before the first was changed, or never: later ones need no memory.
pub fn patch(answers: &Answers, free: &mut MemoryMap) -> Result<(), RomError> {
    for change in changes(answers) {
        let (_, change) = change?;
        // SAFETY: the bytes are what a checked answer makes of this place. Interrupts are masked, this is the only CPU, and
        // nothing called from here contains a site or a detour.
        unsafe { window::write(free, VirtAddr::new_truncate(change.site), change.bytes()) }
            .map_err(RomError::Window)?;
    }
    serialise();
    Ok(())
}

/// Reads all of them again, those too that should not have changed, and compares each with what was computed for it, byte for byte.
///
/// Never inlined, for a debugger that stops the machine here and changes what is about to be read (`xtask/src/test/tampering.rs`).
///
/// # Panics
/// One is something else. There is no way back: half of the kernel may be the ROM's.
#[inline(never)]
pub fn verify(answers: &Answers) {
    let wrong = changes(answers)
        .flatten()
        // SAFETY: it is code of this image: the bytes of a site or a detour, whose records were checked.
        .find(|(_, change)| unsafe { change.found() } != change.bytes());
    if let Some((call, change)) = wrong {
        panic!(
            "the code at {:#x} is not what was written for {}",
            change.site,
            call.name()
        );
    }
    let untouched = site::checked().filter(|site| answers.to(site.call) == Answer::None);
    let wrong = untouched
        .filter_map(|site| Some((site.address, check_bytes(site.call, site.bytes()).err()?)))
        .next();
    if let Some((address, error)) = wrong {
        panic!("the takeover changed what it should not have, at {address:#x}: {error}");
    }
}

/// Tells the ROM what it has not seen: the direct map, the frames that are page tables, and the ways into the kernel.
pub fn announce(boot: &Boot) {
    by_rom::set_linear_mapping(VirtAddr::new_truncate(DIRECT_MAP), boot.direct_below.0, Pfn(0));
    announce_tables(Vmi::root(), PageTableLevel::Four);
    announce_entries();
    console::listen();
}

/// Tells the ROM of the ways into the kernel, the gates for traps and that of system calls, which each CPU does for itself.
pub fn announce_entries() {
    if let Some(gates) = trap::gates() {
        set_gates(gates);
    }
    announce_system_call();
}

/// What an answer makes of `length` bytes for `call` at `address`; nothing, if they stay as they are.
fn change(call: Call, address: u64, length: usize, answer: Answer) -> Result<Option<(Call, Change)>, RomError> {
    let mut bytes = [0; SITE_MAX];
    let bytes = &mut bytes[..length];
    let changed = patch::rewrite(answer, address, Answers::inline(answer), bytes)
        .map_err(|error| RomError::Patch(call, error))?;
    let made = Change::new(address, bytes).filter(|_| changed);
    Ok(made.map(|change| (call, change)))
}

/// All changes that `answers` ask for, or why one cannot be made.
fn changes(answers: &Answers) -> impl Iterator<Item = Result<(Call, Change), RomError>> {
    let of_site = |Site { call, address }| change(call, address, call.site_length(), answers.to(call));
    let of_detour = |detour: Detour| {
        let Detour { call, address, .. } = detour;
        change(call, address, detour.length, Answer::JumpRel(detour.target))
    };
    let detours = detour::all().flatten();
    let opened = detours.filter(|detour| answers.is_taken(detour.call));
    site::checked()
        .map(of_site)
        .chain(opened.map(of_detour))
        .filter_map(Result::transpose)
}

/// Gives each table over that can be reached from `table`, lower ones first.
fn announce_tables(table: Pfn, level: PageTableLevel) {
    if let Some(below) = level.next_lower_level() {
        // SAFETY: a table of the tree in use, in the direct map; nobody changes it meanwhile.
        let entries = unsafe { &*table.direct().as_ptr::<Table>() };
        for entry in entries
            .iter()
            .filter(|entry| entry.is_present() && !entry.flags().contains(PageTableFlags::HUGE_PAGE))
        {
            announce_tables(Pfn::containing(entry.bits() & Pte::FRAME_MASK), below);
        }
    }
    by_rom::table_give(table.0, by_rom::level(level));
}

/// Loads the table of gates once more, by way of the ROM.
fn set_gates(gates: &'static [trap::Gate; 256]) {
    let pointer = DescriptorTablePointer {
        limit: (size_of_val(gates) - 1) as u16,
        base: VirtAddr::from_ptr(gates),
    };
    // SAFETY: the gates are the ones already in use, and live as long as the kernel.
    unsafe { site!(SetIDT, "lidt [rdi]", in("rdi") &raw const pointer, clobber_abi("sysv64")) }
}

/// Makes the processor drop what it has fetched and decoded ahead (Intel SDM, vol. 3, 9.1.3).
fn serialise() {
    subarch_native::cpu::cpuid(0, 0);
}
