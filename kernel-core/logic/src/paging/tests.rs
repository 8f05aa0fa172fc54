mod space;

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Page tables in an array, with as many as there are frames left.
struct Array {
    tables: Vec<[Pte; 512]>,
    left: usize,
}

impl Array {
    fn new(left: usize) -> Self {
        Self {
            tables: vec![[Pte::EMPTY; 512]],
            left,
        }
    }
}

impl Tables for Array {
    fn read(&self, slot: Slot) -> Pte {
        self.tables[slot.table.0 as usize][slot.index()]
    }

    fn write(&mut self, slot: Slot, pte: Pte) {
        self.tables[slot.table.0 as usize][slot.index()] = pte;
    }

    fn entry(&self, frame: Pfn, flags: PageTableFlags) -> Pte {
        Pte::from_bits(frame.address() | flags.bits())
    }

    fn frame(&self, pte: Pte) -> Option<Pfn> {
        Some(Pfn::containing(pte.bits() & Pte::FRAME_MASK))
    }

    fn new_table(&mut self, _level: PageTableLevel) -> Option<Pfn> {
        self.left = self.left.checked_sub(1)?;
        self.tables.push([Pte::EMPTY; 512]);
        Some(Pfn(self.tables.len() as u64 - 1))
    }
}

const ROOT: Pfn = Pfn(0);

fn page(number: u64) -> VirtAddr {
    VirtAddr::new_truncate(0xffff_c900_0000_0000 + number * PAGE_SIZE)
}

#[test]
fn refusals_name_what_is_wrong() {
    let mut tables = Array::new(3);
    let odd = page(0) + 8;
    assert_eq!(
        map(&mut tables, ROOT, odd, Pfn(1), Access::Read),
        Err(MapError::Unaligned(odd))
    );
    map(&mut tables, ROOT, page(0), Pfn(1), Access::Read).unwrap();
    assert_eq!(
        map(&mut tables, ROOT, page(0), Pfn(2), Access::Read),
        Err(MapError::AlreadyMapped(page(0)))
    );
    assert_eq!(unmap(&mut tables, ROOT, page(1)), Err(MapError::NotMapped(page(1))));
    assert_eq!(
        map(&mut tables, ROOT, page(512), Pfn(1), Access::Read),
        Err(MapError::OutOfMemory)
    );
}

#[test]
fn large_pages_are_seen_but_not_changed() {
    let mut tables = Array::new(9);
    let slot = map(&mut tables, ROOT, page(0), Pfn(1), Access::Read).unwrap();
    let above = walk(&tables, ROOT, page(512));
    assert_eq!(
        (above.slot.level, above.is_mapped(), slot.level),
        (PageTableLevel::Two, false, PageTableLevel::One)
    );
    tables.write(
        above.slot,
        tables.entry(Pfn(512), Access::Write.flags() | PageTableFlags::HUGE_PAGE),
    );
    assert!(walk(&tables, ROOT, page(700)).is_mapped());
    assert_eq!(unmap(&mut tables, ROOT, page(700)), Err(MapError::LargePage(page(700))));
    assert_eq!(
        map(&mut tables, ROOT, page(700), Pfn(1), Access::Read),
        Err(MapError::LargePage(page(700)))
    );
}

#[test]
fn no_access_is_both_writable_and_executable() {
    for access in [Access::Read, Access::Write, Access::Execute] {
        assert_eq!(Access::of(access.flags()), Some(access));
    }
    assert_eq!(Access::of(PageTableFlags::PRESENT | PageTableFlags::WRITABLE), None);
}

proptest! {
    #[test]
    fn behaves_like_a_map(steps in prop::collection::vec((0u8..3, 0u64..2000, 1u64..1 << 30), 0..200)) {
        let (mut tables, mut model) = (Array::new(usize::MAX), BTreeMap::new());
        for (step, number, frame) in steps {
            match step {
                0 => {
                    let mapped = map(&mut tables, ROOT, page(number), Pfn(frame), Access::Write).is_ok();
                    prop_assert_eq!(mapped, !model.contains_key(&number));
                    model.entry(number).or_insert((frame, Access::Write));
                }
                1 => {
                    let unmapped = unmap(&mut tables, ROOT, page(number)).ok().flatten();
                    prop_assert_eq!(unmapped.map(|pfn| pfn.0), model.remove(&number).map(|entry| entry.0));
                }
                _ => {
                    let changed = protect(&mut tables, ROOT, page(number), Access::Execute).is_ok();
                    prop_assert_eq!(changed, model.contains_key(&number));
                    model.entry(number).and_modify(|entry| entry.1 = Access::Execute);
                }
            }
        }
        for number in 0..2000 {
            let found = walk(&tables, ROOT, page(number));
            let expected = model.get(&number).map(|(frame, access)| tables.entry(Pfn(*frame), access.flags()));
            prop_assert_eq!(found.is_mapped().then_some(found.pte), expected);
        }
    }
}
