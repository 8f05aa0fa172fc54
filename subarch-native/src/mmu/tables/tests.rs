use super::*;
use arch::layout::{DIRECT_MAP, MAPPINGS, MAPPINGS_SIZE};
use proptest::prelude::*;

/// Tables in the host's memory, with frame numbers from 1 on.
#[derive(Debug)]
struct Arena {
    tables: Vec<Box<Table>>,
    room: usize,
}

impl Arena {
    fn tree(room: usize) -> Tree<Self> {
        let mut arena = Self { tables: vec![], room };
        let root = arena.new_table().expect("room for a root");
        Tree::new(root, arena, PageTableFlags::empty())
    }
}

impl TableMemory for Arena {
    fn new_table(&mut self) -> Option<Pfn> {
        (self.tables.len() < self.room).then(|| self.tables.push(Box::new([Pte::EMPTY; 512])))?;
        Some(Pfn(self.tables.len() as u64))
    }

    fn table(&mut self, frame: Pfn) -> &mut Table {
        &mut self.tables[frame.0 as usize - 1]
    }
}

fn translated(tree: &Tree<Arena>, address: u64) -> Option<Pfn> {
    translate(tree.root, VirtAddr::new(address), |frame| {
        &tree.memory.tables[frame.0 as usize - 1]
    })
}

const FLAGS: PageTableFlags = PageTableFlags::PRESENT.union(PageTableFlags::WRITABLE);

#[test]
fn a_gigabyte_is_one_entry_where_the_processor_can() {
    let frames = FrameRange::new(Pfn(0), Pfn(64 << 18));
    for (largest, tables) in [(LargestPage::Huge, 2), (LargestPage::Large, 2 + 64)] {
        let mut tree = Arena::tree(100);
        tree.map(VirtAddr::new(DIRECT_MAP), frames, FLAGS, largest)
            .expect("there is room");
        assert_eq!(tree.memory.tables.len(), tables);
        assert_eq!(
            translated(&tree, DIRECT_MAP + (5 << 30) + 0x1234),
            Some(Pfn((5 << 18) + 1))
        );
    }
}

#[test]
fn splitting_a_page_changes_one_translation_only() {
    let mut tree = Arena::tree(100);
    let frames = FrameRange::new(Pfn(0), Pfn(1 << 18));
    tree.map(VirtAddr::new(DIRECT_MAP), frames, FLAGS, LargestPage::Huge)
        .expect("there is room");
    let page = VirtAddr::new(DIRECT_MAP + 0x40_3000);
    tree.replace(page, Pte::EMPTY).expect("there is room");
    assert_eq!(translated(&tree, page.as_u64()), None);
    assert_eq!(translated(&tree, page.as_u64() - 1), Some(Pfn(0x402)));
    assert_eq!(translated(&tree, page.as_u64() + 0x1000), Some(Pfn(0x404)));
    assert_eq!(translated(&tree, DIRECT_MAP + (1 << 30) - 1), Some(Pfn((1 << 18) - 1)));
}

#[test]
fn what_is_reserved_leaves_the_root_as_it_is() {
    let mut tree = Arena::tree(100);
    let span = VirtAddr::new(MAPPINGS)..VirtAddr::new(MAPPINGS + MAPPINGS_SIZE);
    tree.reserve(span.clone()).expect("there is room");
    assert_eq!(tree.memory.tables.len(), 3);
    let root = *tree.memory.tables[0];
    let page = FrameRange::new(Pfn(7), Pfn(8));
    for address in [span.start, span.end - PAGE_SIZE] {
        assert_eq!(translated(&tree, address.as_u64()), None);
        tree.map(address, page, FLAGS, LargestPage::Small)
            .expect("there is room");
    }
    assert_eq!(*tree.memory.tables[0], root);
}

#[test]
fn only_the_upper_half_is_copied() {
    let table =
        |first: u64| -> Box<Table> { Box::new(core::array::from_fn(|index| Pte::from_bits(first + index as u64))) };
    let (kernels, mut programs) = (table(1000), table(5000));
    // SAFETY: these are tables, and nobody else's.
    unsafe { copy_half(kernels.as_ptr(), programs.as_mut_ptr()) };
    assert_eq!(programs[..256], table(5000)[..256]);
    assert_eq!(programs[256..], kernels[256..]);
}

#[test]
fn what_is_mapped_is_not_mapped_over() {
    let mut tree = Arena::tree(100);
    let frames = FrameRange::new(Pfn(7), Pfn(8));
    let address = VirtAddr::new(DIRECT_MAP);
    tree.map(address, frames, FLAGS, LargestPage::Huge)
        .expect("there is room");
    let again = tree.map(address, frames, FLAGS, LargestPage::Huge);
    assert_eq!(again, Err(MapError::Occupied(address)));
}

#[test]
fn no_memory_for_tables_is_an_error() {
    let mut tree = Arena::tree(3);
    let frames = FrameRange::new(Pfn(0), Pfn(1));
    let result = tree.map(VirtAddr::new(DIRECT_MAP), frames, FLAGS, LargestPage::Huge);
    assert_eq!(result, Err(MapError::OutOfMemory));
}

#[test]
fn flags_the_processor_lacks_are_left_out() {
    let mut tree = Arena::tree(100);
    tree.unsupported = PageTableFlags::NO_EXECUTE;
    let frames = FrameRange::new(Pfn(0), Pfn(512));
    tree.map(
        VirtAddr::new(DIRECT_MAP),
        frames,
        FLAGS | PageTableFlags::NO_EXECUTE,
        LargestPage::Large,
    )
    .expect("there is room");
    let leaf = tree.memory.tables.last().expect("it was just made")[0];
    assert_eq!(leaf.flags(), FLAGS | PageTableFlags::HUGE_PAGE);
}

proptest! {
    /// Whatever the alignment and the page sizes, exactly the asked range is mapped, each page to its frame.
    #[test]
    fn exactly_the_range_is_mapped(
        page in 0u64..1 << 20,
        shift in prop_oneof![Just(0), 0u64..1 << 20],
        count in 1u64..1 << 20,
        probes in prop::collection::vec(any::<u64>(), 8),
    ) {
        // Where only small pages fit, mapping much takes long.
        let count = if shift == 0 { count } else { count % 5000 + 1 };
        let first = Pfn(page + shift);
        let mut tree = Arena::tree(5000);
        let address = DIRECT_MAP + page * PAGE_SIZE;
        tree.map(VirtAddr::new(address), FrameRange::new(first, first + count), FLAGS, LargestPage::Huge)
            .expect("there is room");
        for probe in probes.into_iter().map(|probe| probe % count).chain([0, count - 1]) {
            prop_assert_eq!(translated(&tree, address + probe * PAGE_SIZE), Some(first + probe));
        }
        prop_assert_eq!(translated(&tree, address + count * PAGE_SIZE), None);
        prop_assert_eq!(translated(&tree, address - 1), None);
    }
}
