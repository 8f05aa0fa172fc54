use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Keeps the model small enough to enumerate, and the map dense enough to join and split.
const LAST: u64 = 60;

fn range(start: u64, end: u64) -> FrameRange {
    FrameRange::new(Pfn(start), Pfn(end))
}

fn frames(map: &MemoryMap) -> BTreeSet<u64> {
    map.ranges()
        .iter()
        .flat_map(|range| range.iter())
        .map(|pfn| pfn.0)
        .collect()
}

#[test]
fn bytes_round_inwards_for_use_and_outwards_for_keeping() {
    assert_eq!(FrameRange::inside(1..3 * 4096 + 1), range(1, 3));
    assert_eq!(FrameRange::covering(1..3 * 4096 + 1), range(0, 4));
    assert!(FrameRange::inside(4097..8191).is_empty());
}

#[test]
fn early_frames_come_from_the_lowest_range_with_room() {
    let mut map = MemoryMap::new();
    map.insert(range(1, 3)).unwrap();
    map.insert(range(10, 20)).unwrap();
    assert_eq!(map.take(4, Pfn(100)), Some(Pfn(10)));
    assert_eq!(map.take(2, Pfn(100)), Some(Pfn(1)));
    assert_eq!(map.take(7, Pfn(100)), None);
    assert_eq!(map.take(6, Pfn(19)), None);
    assert_eq!(map.ranges(), [range(14, 20)]);
}

#[test]
fn a_map_without_room_refuses_and_keeps_what_it_has() {
    let mut map = MemoryMap::new();
    for i in 0..MAX_RANGES as u64 {
        map.insert(range(10 * i, 10 * i + 5)).unwrap();
    }
    let before = map.clone();
    assert_eq!(map.insert(range(7, 8)), Err(TooManyRanges));
    assert_eq!(map.remove(range(2, 3)), Err(TooManyRanges));
    assert_eq!(map, before);
    assert_eq!(map.insert(range(5, 10)), Ok(()));
    assert_eq!(map.ranges()[0], range(0, 15));
}

proptest! {
    #[test]
    fn behaves_like_a_set(steps in prop::collection::vec((any::<bool>(), 0..LAST, 0..LAST), 0..40)) {
        let (mut map, mut model) = (MemoryMap::new(), BTreeSet::new());
        for (add, a, b) in steps {
            let (start, end) = (a.min(b), a.max(b));
            if add {
                map.insert(range(start, end)).unwrap();
                model.extend(start..end);
            } else {
                map.remove(range(start, end)).unwrap();
                model.retain(|frame| !(start..end).contains(frame));
            }
            prop_assert_eq!(frames(&map), model.clone());
            prop_assert!(map.ranges().windows(2).all(|pair| pair[0].end < pair[1].start));
            prop_assert!(map.ranges().iter().all(|range| !range.is_empty()));
        }
    }
}
