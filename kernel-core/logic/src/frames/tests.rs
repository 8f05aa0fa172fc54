use super::*;
use proptest::prelude::*;
use shares::{Last, Shares};
use std::alloc::{Layout, alloc, dealloc};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Host memory that plays the frames from 0 on.
struct Host {
    memory: *mut u8,
    layout: Layout,
    shares: Rc<Shares>,
}

impl Host {
    fn new(frames: u64) -> Self {
        let layout = Layout::from_size_align(frames as usize * 4096, 4096).unwrap();
        // SAFETY: the layout is not empty.
        let memory = unsafe { alloc(layout) };
        // SAFETY: as many bytes as were allocated. Whoever wants zeros has to write them.
        unsafe { memory.write_bytes(0xa5, layout.size()) };
        Self {
            memory,
            layout,
            shares: Rc::new(Shares::new()),
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // SAFETY: allocated by `new` with this layout.
        unsafe { dealloc(self.memory, self.layout) };
    }
}

impl FrameMemory for Host {
    fn pointer(&self, frame: Pfn) -> *mut u8 {
        assert!(
            frame.0 * 4096 < self.layout.size() as u64,
            "frame {frame:?} does not exist"
        );
        self.memory.wrapping_add(frame.0 as usize * 4096)
    }

    fn section_added(&self, section: usize, counts: NonNull<AtomicU16>) {
        // SAFETY: the allocator has set them aside.
        unsafe { self.shares.add_section(section, counts) };
    }
}

fn range(start: u64, end: u64) -> FrameRange {
    FrameRange::new(Pfn(start), Pfn(end))
}

fn add(buddy: &mut Buddy<Host>, range: FrameRange) -> Result<(), AddError> {
    // SAFETY: host memory that nobody else uses.
    unsafe { buddy.add(range) }
}

fn free(buddy: &mut Buddy<Host>, block: Pfn, order: u8) -> Result<(), NotAllocated> {
    // SAFETY: the tests do not use the blocks.
    unsafe { buddy.free(block, order) }
}

#[test]
fn memory_joins_to_whole_sections_again() {
    let mut buddy = Buddy::new(Host::new(2 * SECTION_FRAMES));
    add(&mut buddy, range(1, 2 * SECTION_FRAMES)).unwrap();
    let before = buddy.free_blocks();
    let frames: Vec<_> = std::iter::from_fn(|| buddy.allocate(0)).collect();
    assert_eq!((frames.len() as u64, buddy.free_frames()), (buddy.managed_frames(), 0));
    for frame in frames.iter().step_by(2).chain(frames.iter().skip(1).step_by(2)) {
        free(&mut buddy, *frame, 0).unwrap();
    }
    assert_eq!(buddy.free_blocks(), before);
}

#[test]
fn a_piece_may_be_added_to_a_section_later() {
    let mut buddy = Buddy::new(Host::new(SECTION_FRAMES));
    add(&mut buddy, range(0, 100)).unwrap();
    add(&mut buddy, range(100, SECTION_FRAMES)).unwrap();
    assert_eq!(buddy.managed_frames(), SECTION_FRAMES - METADATA_FRAMES);
    assert!(buddy.allocate(MAX_ORDER - 1).is_some());
}

#[test]
fn every_frame_has_a_count_of_its_owners() {
    let host = Host::new(2 * SECTION_FRAMES);
    let shares = host.shares.clone();
    let mut buddy = Buddy::new(host);
    add(&mut buddy, range(5, 2 * SECTION_FRAMES)).unwrap();
    let frames: Vec<_> = std::iter::from_fn(|| buddy.allocate(0)).collect();
    frames.iter().for_each(|frame| shares.share(*frame).unwrap());
    for last in [Last::No, Last::Yes] {
        assert!(frames.iter().all(|frame| shares.release(*frame) == last));
    }
    for frame in frames {
        free(&mut buddy, frame, 0).unwrap();
    }
}

#[test]
fn wrong_pieces_are_refused_by_name() {
    let mut buddy = Buddy::new(Host::new(SECTION_FRAMES));
    assert_eq!(add(&mut buddy, range(7, 9)), Err(AddError::TooSmall(Pfn(7))));
    add(&mut buddy, range(10, 20)).unwrap();
    assert_eq!(add(&mut buddy, range(15, 25)), Err(AddError::AlreadyManaged(Pfn(15))));
    let beyond = MAX_SECTIONS as u64 * SECTION_FRAMES;
    assert_eq!(
        add(&mut buddy, range(beyond, beyond + 9)),
        Err(AddError::OutOfReach(Pfn(beyond)))
    );
}

#[test]
fn a_block_is_freed_once_and_by_its_order() {
    let mut buddy = Buddy::new(Host::new(64));
    add(&mut buddy, range(0, 64)).unwrap();
    let block = buddy.allocate(2).unwrap();
    assert_eq!(free(&mut buddy, block, 1), Err(NotAllocated(block, 1)));
    assert_eq!(free(&mut buddy, block + 1, 0), Err(NotAllocated(block + 1, 0)));
    free(&mut buddy, block, 2).unwrap();
    assert_eq!(free(&mut buddy, block, 2), Err(NotAllocated(block, 2)));
    assert_eq!(free(&mut buddy, Pfn(u64::MAX), 0), Err(NotAllocated(Pfn(u64::MAX), 0)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn blocks_are_aligned_disjoint_and_come_back(
        holes in prop::collection::vec((0u64..600, 3u64..200), 1..6),
        steps in prop::collection::vec((any::<bool>(), 0u8..6, any::<prop::sample::Index>()), 0..300),
    ) {
        let mut buddy = Buddy::new(Host::new(1024));
        for (start, length) in holes {
            // Overlaps are refused; what was added counts.
            let _ = add(&mut buddy, range(start, start + length));
        }
        let (managed, before) = (buddy.free_frames(), buddy.free_blocks());
        let mut live = BTreeMap::new();
        for (allocate, order, index) in steps {
            if allocate {
                if let Some(block) = buddy.allocate(order) {
                    prop_assert_eq!(block.0 % (1 << order), 0);
                    live.insert(block.0, order);
                }
            } else if !live.is_empty() {
                let (&block, &order) = live.iter().nth(index.index(live.len())).unwrap();
                live.remove(&block);
                prop_assert!(free(&mut buddy, Pfn(block), order).is_ok());
            }
            let used: u64 = live.values().map(|order| 1u64 << order).sum();
            prop_assert_eq!(buddy.free_frames() + used, managed);
            prop_assert!(live.iter().zip(live.iter().skip(1)).all(|((a, order), (b, _))| a + (1 << order) <= *b));
        }
        for (block, order) in live {
            prop_assert!(free(&mut buddy, Pfn(block), order).is_ok());
        }
        prop_assert_eq!(buddy.free_blocks(), before);
    }
}
