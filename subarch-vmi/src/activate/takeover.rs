//! The takeover itself: the sites' new bytes, and what the ROM must know from then on.

use super::RomError;
use super::answers::Answers;
use crate::cpu::announce_system_call;
use crate::site::{self, Site, site};
use crate::{Vmi, mmu, window};
use arch::layout::DIRECT_MAP;
use arch::{Boot, MemoryMap, MmuOps, PageTableFlags, PageTableLevel, Pfn, Pte, VirtAddr};
use subarch_native::mmu::tables::Table;
use subarch_native::trap;
use vmi64::{Call, patch};
use x86_64::structures::DescriptorTablePointer;

/// The largest site there is.
const SITE_MAX: usize = 16;

/// Computes the new bytes of every site, to find out whether it can be done.
///
/// # Errors
/// [`RomError::Patch`] for the first site that cannot be changed.
pub fn rehearse(answers: &Answers) -> Result<(), RomError> {
    site::checked().try_for_each(|site| new_bytes(answers, &site).map(|_| ()))
}

/// Changes every site, then makes the processor forget what it has read of the old ones.
///
/// # Errors
/// [`RomError::Window`] before the first site was changed, or never: later ones need no memory.
pub fn patch(answers: &Answers, free: &mut MemoryMap) -> Result<(), RomError> {
    for site in site::checked() {
        if let Some((bytes, length)) = new_bytes(answers, &site)? {
            // SAFETY: the bytes are what a checked answer makes of this site. Interrupts are masked, this is the only CPU, and
            // nothing called from here contains a site.
            unsafe { window::write(free, VirtAddr::new_truncate(site.address), &bytes[..length]) }
                .map_err(RomError::Window)?;
        }
    }
    serialise();
    Ok(())
}

/// Tells the ROM what it has not seen: the direct map, the frames that are page tables, and the ways into the kernel.
pub fn announce(boot: &Boot) {
    mmu::set_linear_mapping(VirtAddr::new_truncate(DIRECT_MAP), boot.direct_below.0, Pfn(0));
    announce_tables(Vmi::root(), PageTableLevel::Four);
    announce_entries();
}

/// Tells the ROM of the ways into the kernel, the gates for traps and that of system calls, which each CPU does for itself.
pub fn announce_entries() {
    if let Some(gates) = trap::gates() {
        set_gates(gates);
    }
    announce_system_call();
}

/// What a site becomes, with its length, if it becomes anything else.
fn new_bytes(answers: &Answers, site: &Site) -> Result<Option<([u8; SITE_MAX], usize)>, RomError> {
    let length = site.call.site_length();
    let answer = answers.to(site.call);
    let mut bytes = [0; SITE_MAX];
    patch::rewrite(answer, site.address, Answers::inline(answer), &mut bytes[..length])
        .map(|changed| changed.then_some((bytes, length)))
        .map_err(|error| RomError::Patch(site.call, error))
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
    // SAFETY: it is a table of this level, and written by the platform's operations only from here on.
    unsafe { Vmi::table_give(table, level) };
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

const _: () = {
    let mut index = 0;
    while index < Call::ALL.len() {
        assert!(Call::ALL[index].site_length() <= SITE_MAX);
        index += 1;
    }
};
