//! Trees of programs.

use super::*;
use crate::user::UserAccess;
use arch::layout::USER_END;

/// The same array as a tree of user mode.
struct UserArray(Array);

impl Tables for UserArray {
    const TABLE_FLAGS: PageTableFlags = Array::TABLE_FLAGS.union(PageTableFlags::USER_ACCESSIBLE);

    fn read(&self, slot: Slot) -> Pte {
        self.0.read(slot)
    }

    fn write(&mut self, slot: Slot, pte: Pte) {
        self.0.write(slot, pte);
    }

    fn entry(&self, frame: Pfn, flags: PageTableFlags) -> Pte {
        self.0.entry(frame, flags)
    }

    fn frame(&self, pte: Pte) -> Option<Pfn> {
        self.0.frame(pte)
    }

    fn new_table(&mut self, level: PageTableLevel) -> Option<Pfn> {
        self.0.new_table(level)
    }
}

const RW: UserAccess = UserAccess::READ.union(UserAccess::WRITE);

/// A tree with a page at each of these addresses, whose frames are numbered from 1000 on.
fn tree(addresses: &[u64]) -> UserArray {
    let mut tables = UserArray(Array::new(usize::MAX));
    for (index, address) in addresses.iter().enumerate() {
        let slot = make_way(&mut tables, ROOT, VirtAddr::new(*address)).unwrap();
        let pte = leaf(&tables, Pfn(1000 + index as u64), RW, true);
        tables.write(slot, pte);
    }
    tables
}

fn visited(tables: &UserArray, range: core::ops::Range<u64>) -> Vec<u64> {
    let mut visited = Vec::new();
    leaves(tables, ROOT, range, |slot, pte| {
        assert_eq!((slot.level, tables.read(slot)), (PageTableLevel::One, pte));
        visited.push(slot.address.as_u64());
    });
    visited
}

#[test]
fn programs_reach_their_pages_and_no_others() {
    let (user, kernel) = (tree(&[0x40_0000]), &mut Array::new(3));
    let user_page = walk(&user, ROOT, VirtAddr::new(0x40_0000)).slot;
    make_way(kernel, ROOT, page(0)).unwrap();
    let allows = |table: &Pte| table.flags().contains(PageTableFlags::USER_ACCESSIBLE);
    let entries_of = |array: &Array| {
        let entries = array.tables.iter().flatten().copied();
        entries.filter(|entry| entry.is_present()).collect::<Vec<_>>()
    };
    assert_eq!(entries_of(&user.0).iter().filter(|entry| allows(entry)).count(), 4);
    assert_eq!(entries_of(kernel).iter().filter(|entry| allows(entry)).count(), 0);
    assert_eq!((entries_of(kernel).len(), user_page.level), (3, PageTableLevel::One));
}

#[test]
fn an_entry_allows_what_is_right_now() {
    const ALWAYS: PageTableFlags = PageTableFlags::PRESENT.union(PageTableFlags::USER_ACCESSIBLE);
    const DATA: PageTableFlags = ALWAYS.union(PageTableFlags::NO_EXECUTE);
    assert_eq!(leaf_flags(UserAccess::READ, true), DATA);
    assert_eq!(leaf_flags(RW, true), DATA | PageTableFlags::WRITABLE);
    assert_eq!(leaf_flags(RW, false), DATA);
    assert_eq!(leaf_flags(UserAccess::EXECUTE, true), ALWAYS);
    assert_eq!(leaf_flags(UserAccess::empty(), true), PageTableFlags::empty());
}

#[test]
fn a_page_without_rights_is_kept_but_cannot_be_followed() {
    let mut tables = tree(&[0x40_0000]);
    let slot = walk(&tables, ROOT, VirtAddr::new(0x40_0000)).slot;
    for (access, present) in [(RW, true), (UserAccess::empty(), false)] {
        let pte = leaf(&tables, Pfn(77), access, true);
        tables.write(slot, pte);
        assert_eq!((pte.is_present(), leaf_frame(&tables, pte)), (present, Some(Pfn(77))));
        assert_eq!(visited(&tables, 0..USER_END), [0x40_0000]);
    }
    assert!(
        tables.read(slot).bits() & Pte::FRAME_MASK >= 1 << 51,
        "no memory has that address"
    );
    tables.write(slot, Pte::EMPTY);
    assert_eq!(
        (leaf_frame(&tables, Pte::EMPTY), visited(&tables, 0..USER_END)),
        (None, vec![])
    );
}

#[test]
fn the_ends_of_a_range_are_counted_by_pages() {
    let pages = [0, 0x40_0000, 0x40_1000, USER_END - PAGE_SIZE];
    let tables = tree(&pages);
    assert_eq!(visited(&tables, 0..u64::MAX), pages);
    assert_eq!(visited(&tables, 0x40_0fff..0x40_1001), pages[1..3]);
    assert_eq!(visited(&tables, 0x40_1000..USER_END - PAGE_SIZE), pages[2..3]);
    assert_eq!(visited(&tables, 0x40_0000..0x40_0000), []);
    assert_eq!(visited(&tables, USER_END..u64::MAX), []);
}

/// Pages that are near each other, and far.
fn addresses() -> impl Strategy<Value = Vec<u64>> {
    let address = (0u64..3, 0u64..3, 0u64..3, 0u64..3)
        .prop_map(|(four, three, two, one)| ((four * 127) << 39) | ((three * 255) << 30) | (two << 21) | (one << 12));
    prop::collection::btree_set(address, 0..30).prop_map(|set| set.into_iter().collect())
}

proptest! {
    #[test]
    fn every_page_in_a_range_is_visited_once(pages in addresses(), start in 0..USER_END, length in 0..USER_END) {
        let tables = tree(&pages);
        prop_assert_eq!(visited(&tables, 0..USER_END), &pages[..]);
        let end = (start + length).min(USER_END);
        let within: Vec<_> = pages.iter().copied().filter(|page| page + PAGE_SIZE > start && *page < end).collect();
        prop_assert_eq!(visited(&tables, start..end), within);
    }

    #[test]
    fn tables_come_after_those_below_them(pages in addresses()) {
        let mut tables = tree(&pages);
        // What is in the upper half stays out of it.
        make_way(&mut tables, ROOT, page(0)).unwrap();
        let upper = 3;
        let mut seen = Vec::new();
        tables_below(&tables, ROOT, |table, level| seen.push((table, level)));
        prop_assert_eq!(seen.len() + upper + 1, tables.0.tables.len());
        for (position, (table, level)) in seen.iter().enumerate() {
            let below = tables.0.tables[table.0 as usize].iter().filter(|pte| pte.is_present());
            for entry in below.filter(|_| *level != PageTableLevel::One) {
                let lower = seen[..position].iter().find(|(lower, _)| Some(*lower) == tables.frame(*entry));
                prop_assert_eq!(lower.map(|(_, lower)| Some(*lower)), Some(level.next_lower_level()));
            }
        }
    }
}
