//! Page tables: every page has the rights it should have and no others, and requests do what they say.

use super::{Case, Outcome, Trouble, check, check_eq, failed};
use crate::fault::probe;
use crate::mm::mappings::{self, Access, MapError};
use crate::mm::{self, frames};
use crate::platform::Platform;
use crate::start;
use alloc::format;
use arch::layout::{MAPPINGS, PAGE_SIZE};
use arch::{Exception, MmuOps, PageTableFlags, PageTableLevel, Pfn, Slot, VirtAddr, image};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "tables-image-has-its-rights",
        run: image_has_its_rights,
    },
    Case {
        name: "tables-nothing-is-writable-and-executable",
        run: nothing_is_writable_and_executable,
    },
    Case {
        name: "tables-user-half-is-empty",
        run: user_half_is_empty,
    },
    Case {
        name: "tables-text-has-no-writable-alias",
        run: text_has_no_writable_alias,
    },
    Case {
        name: "tables-stack-has-a-guard-page",
        run: stack_has_a_guard_page,
    },
    Case {
        name: "tables-rights-are-enforced",
        run: rights_are_enforced,
    },
    Case {
        name: "tables-map-protect-unmap",
        run: map_protect_unmap,
    },
    Case {
        name: "tables-lazy-updates-arrive",
        run: lazy_updates_arrive,
    },
    Case {
        name: "tables-wrong-requests-are-refused",
        run: wrong_requests_are_refused,
    },
];

/// Where these tests map pages.
const PLACE: VirtAddr = VirtAddr::new_truncate(MAPPINGS + (1 << 30));

/// The rights that matter; platforms add bits of their own.
const RIGHTS: PageTableFlags = PageTableFlags::PRESENT
    .union(PageTableFlags::WRITABLE)
    .union(PageTableFlags::NO_EXECUTE);

fn image_has_its_rights() -> Outcome {
    require_no_execute()?;
    let guard = guard_page();
    for segment in image::segments() {
        let mut page = segment.pages.start;
        while page < segment.pages.end {
            let found = mappings::walk(page);
            if found.is_mapped() {
                check_eq!(
                    (segment.name, page, found.pte.flags() & RIGHTS),
                    (segment.name, page, segment.flags & RIGHTS)
                );
            } else {
                check!(segment.name == "data", "{page:#x} in {} is not mapped", segment.name);
            }
            page += PAGE_SIZE;
        }
    }
    check!(!mappings::walk(guard).is_mapped(), "the guard page is mapped");
    Ok(())
}

fn nothing_is_writable_and_executable() -> Outcome {
    require_no_execute()?;
    // The hypervisor's share of the address space is not ours to judge.
    for_each_page(272..512, &mut |address, flags| {
        let both = flags.contains(PageTableFlags::WRITABLE) && !flags.contains(PageTableFlags::NO_EXECUTE);
        check!(!both, "{address:#x} is writable and executable");
        Ok(())
    })
}

fn user_half_is_empty() -> Outcome {
    for_each_page(0..256, &mut |address, _| {
        Err(Trouble::Failed(format!("{address:#x} is mapped")))
    })
}

fn text_has_no_writable_alias() -> Outcome {
    for segment in &image::segments()[..2] {
        let mut page = segment.pages.start;
        while page < segment.pages.end {
            let Some(frame) = Platform::frame(mappings::walk(page).pte) else {
                return Err(Trouble::Failed(format!("{page:#x} is no memory of ours")));
            };
            let alias = mappings::walk(frame.direct()).pte;
            let writable = alias.is_present() && alias.flags().contains(PageTableFlags::WRITABLE);
            check!(
                !writable,
                "{} page {page:#x} is writable at {:#x}",
                segment.name,
                frame.direct()
            );
            page += PAGE_SIZE;
        }
    }
    Ok(())
}

fn stack_has_a_guard_page() -> Outcome {
    check!(
        !mappings::walk(guard_page()).is_mapped(),
        "the page below the stack is mapped"
    );
    check!(
        mappings::walk(start::boot().stack.start).is_mapped(),
        "the stack's lowest page is not mapped"
    );
    Ok(())
}

fn rights_are_enforced() -> Outcome {
    require_no_execute()?;
    static CONSTANT: u8 = 7;
    static RETURN: spin::Mutex<[u8; 16]> = spin::Mutex::new([0xc3; 16]);
    let code: *mut u8 = image::pages().start.as_mut_ptr();
    // SAFETY: each of these must fault; if one does not, the test fails, and a byte was replaced by itself.
    unsafe {
        let byte = code.read_volatile();
        check!(is_page_fault(probe::write(code, byte)), "code can be written");
        check!(
            is_page_fault(probe::write((&raw const CONSTANT).cast_mut(), 7)),
            "constants can be written"
        );
        let data = RETURN.lock().as_ptr();
        check!(is_page_fault(probe::execute(data)), "data can be executed");
        check!(
            is_page_fault(probe::read(guard_page().as_ptr()).map(|_| ())),
            "the guard page can be read"
        );
        check!(
            is_page_fault(probe::read(core::ptr::null()).map(|_| ())),
            "address 0 can be read"
        );
    }
    Ok(())
}

fn map_protect_unmap() -> Outcome {
    require_no_execute()?;
    let frame = frames::allocate_zeroed().ok_or(Trouble::Skipped("no memory"))?;
    let (pointer, direct) = (PLACE.as_mut_ptr::<u8>(), frame.direct().as_mut_ptr::<u8>());
    mappings::map(PLACE, frame, Access::Write).map_err(failed("mapping"))?;
    // SAFETY: the frame and the place are this test's alone.
    unsafe {
        pointer.write_volatile(0xc3);
        check_eq!(direct.read_volatile(), 0xc3);
        check!(
            is_page_fault(probe::execute(pointer)),
            "a writable page can be executed"
        );
        mappings::protect(PLACE, Access::Read).map_err(failed("protecting"))?;
        check!(
            is_page_fault(probe::write(pointer, 1)),
            "a read-only page can be written"
        );
        direct.write_volatile(0x5a);
        check_eq!(pointer.read_volatile(), 0x5a);
        check_eq!(mappings::unmap(PLACE).map_err(failed("unmapping"))?, Some(frame));
        check!(
            is_page_fault(probe::write(pointer, 1)),
            "an unmapped page can be written"
        );
        frames::free(frame, 0).map_err(failed("freeing"))
    }
}

fn lazy_updates_arrive() -> Outcome {
    const PAGES: u64 = 100;
    let frame = frames::allocate_zeroed().ok_or(Trouble::Skipped("no memory"))?;
    let page = |number: u64| PLACE + number * PAGE_SIZE;
    // The tables must stand before the updates are put off.
    mappings::map(page(PAGES), frame, Access::Read).map_err(failed("mapping"))?;
    {
        let _lazy = mm::lazy();
        for number in 0..PAGES {
            mappings::map(page(number), frame, Access::Read).map_err(failed("mapping lazily"))?;
        }
    }
    for number in 0..=PAGES {
        let found = mappings::walk(page(number)).pte;
        check_eq!((number, Platform::frame(found)), (number, Some(frame)));
        // SAFETY: only this test uses the page.
        unsafe { mappings::unmap(page(number)) }.map_err(failed("unmapping"))?;
    }
    // SAFETY: no mapping of the frame is left.
    unsafe { frames::free(frame, 0) }.map_err(failed("freeing"))
}

fn wrong_requests_are_refused() -> Outcome {
    let frame = frames::allocate(0).ok_or(Trouble::Skipped("no memory"))?;
    let map = |page, frame| mappings::map(page, frame, Access::Read);
    check_eq!(map(PLACE + 1, frame), Err(MapError::Unaligned(PLACE + 1)));
    check_eq!(
        map(image::pages().start, frame),
        Err(MapError::OutOfBounds(image::pages().start))
    );
    check_eq!(map(PLACE, Pfn(1 << 39)), Err(MapError::NoSuchFrame(Pfn(1 << 39))));
    check_eq!(map(PLACE, frame), Ok(()));
    check_eq!(map(PLACE, frame), Err(MapError::AlreadyMapped(PLACE)));
    // SAFETY: only this test uses the page and the frame.
    unsafe {
        check_eq!(mappings::unmap(PLACE), Ok(Some(frame)));
        check_eq!(mappings::unmap(PLACE), Err(MapError::NotMapped(PLACE)));
        check_eq!(mappings::protect(PLACE, Access::Write), Err(MapError::NotMapped(PLACE)));
        frames::free(frame, 0).map_err(failed("freeing"))
    }
}

/// Old processors, and emulated ones that were told to, execute whatever they can read.
fn require_no_execute() -> Outcome {
    let pte = Platform::pte(Pfn(0), PageTableFlags::PRESENT | PageTableFlags::NO_EXECUTE);
    if pte.flags().contains(PageTableFlags::NO_EXECUTE) {
        return Ok(());
    }
    Err(Trouble::Skipped("the processor has no no-execute pages"))
}

fn is_page_fault(result: Result<(), probe::Fault>) -> bool {
    result.is_err_and(|fault| fault.exception == Exception::PAGE_FAULT)
}

fn guard_page() -> VirtAddr {
    start::boot().stack.start - PAGE_SIZE
}

/// Calls `visit` with the address and the effective rights of every page that is mapped below entries `range` of the root.
fn for_each_page(range: core::ops::Range<u64>, visit: &mut dyn FnMut(VirtAddr, PageTableFlags) -> Outcome) -> Outcome {
    let all = PageTableFlags::PRESENT | PageTableFlags::WRITABLE;
    for index in range {
        let address = VirtAddr::new_truncate(index << 39);
        visit_below(
            Slot {
                table: Platform::root(),
                level: PageTableLevel::Four,
                address,
            },
            all,
            visit,
        )?;
    }
    Ok(())
}

fn visit_below(
    slot: Slot,
    above: PageTableFlags,
    visit: &mut dyn FnMut(VirtAddr, PageTableFlags) -> Outcome,
) -> Outcome {
    // SAFETY: the walk starts at the root in use and follows tables only.
    let pte = unsafe { mappings::read(slot) };
    if !pte.is_present() {
        return Ok(());
    }
    // What one level forbids, no lower one can permit.
    let writable = above & pte.flags() & PageTableFlags::WRITABLE;
    let effective = PageTableFlags::PRESENT | writable | ((above | pte.flags()) & PageTableFlags::NO_EXECUTE);
    let leaf = slot.level == PageTableLevel::One || pte.flags().contains(PageTableFlags::HUGE_PAGE);
    let (Some(table), Some(level), false) = (Platform::frame(pte), slot.level.next_lower_level(), leaf) else {
        return visit(slot.address, effective);
    };
    for index in 0..512 {
        let address = slot.address + index * level.entry_address_space_alignment();
        visit_below(Slot { table, level, address }, effective, visit)?;
    }
    Ok(())
}
