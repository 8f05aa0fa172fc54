use super::*;
use proptest::prelude::*;

const RW: UserAccess = UserAccess::READ.union(UserAccess::WRITE);
const RX: UserAccess = UserAccess::READ.union(UserAccess::EXECUTE);

/// Addresses from page number `start` to before `end` of what programs have.
fn pages(numbers: Range<u64>) -> Range<u64> {
    LOWEST + numbers.start * PAGE_SIZE..LOWEST + numbers.end * PAGE_SIZE
}

fn shown(regions: &Regions) -> Vec<(Range<u64>, UserAccess)> {
    regions.iter().map(|region| (region.pages, region.access)).collect()
}

#[test]
fn refusals_name_what_is_wrong() {
    let mut regions = Regions::new();
    regions.insert(pages(4..6), RW).unwrap();
    let before = regions.clone();
    let odd = LOWEST + 8..LOWEST + PAGE_SIZE;
    let below = LOWEST - PAGE_SIZE..LOWEST + PAGE_SIZE;
    let above = USER_END - PAGE_SIZE..USER_END + PAGE_SIZE;
    assert_eq!(regions.insert(odd.clone(), RW), Err(RegionError::Unaligned(LOWEST + 8)));
    assert_eq!(
        regions.remove(LOWEST..LOWEST + 1),
        Err(RegionError::Unaligned(LOWEST + 1))
    );
    assert_eq!(regions.protect(pages(3..3), RW), Err(RegionError::Empty));
    assert_eq!(regions.insert(below.clone(), RW), Err(RegionError::OutOfBounds(below)));
    assert_eq!(regions.remove(above.clone()), Err(RegionError::OutOfBounds(above)));
    assert_eq!(
        regions.insert(pages(3..9), RW),
        Err(RegionError::Overlaps(pages(4..5).start))
    );
    assert_eq!(
        regions.insert(pages(5..9), RW),
        Err(RegionError::Overlaps(pages(5..6).start))
    );
    assert_eq!(
        regions.protect(pages(3..5), RX),
        Err(RegionError::NotMapped(pages(3..4).start))
    );
    assert_eq!(
        regions.protect(pages(5..8), RX),
        Err(RegionError::NotMapped(pages(6..7).start))
    );
    assert_eq!(
        regions.insert(pages(8..9), UserAccess::all()),
        Err(RegionError::WriteAndExecute)
    );
    assert_eq!(regions.protect(pages(4..6), RW | RX), Err(RegionError::WriteAndExecute));
    assert_eq!(regions, before);
}

#[test]
fn the_messages_hold_the_offending_value() {
    let messages = [
        RegionError::OutOfBounds(0..0x1000).to_string(),
        RegionError::Overlaps(0x2000).to_string(),
    ];
    assert_eq!(
        messages,
        [
            "0x0..0x1000 is not within 0x10000..0x7ffffffff000, where programs live",
            "0x2000 is mapped already"
        ]
    );
}

#[test]
fn neighbours_with_equal_rights_are_one() {
    let mut regions = Regions::new();
    regions.insert(pages(0..2), RW).unwrap();
    regions.insert(pages(4..6), RW).unwrap();
    regions.insert(pages(2..4), RW).unwrap();
    assert_eq!(shown(&regions), [(pages(0..6), RW)]);
    regions.protect(pages(2..4), RX).unwrap();
    assert_eq!(
        shown(&regions),
        [(pages(0..2), RW), (pages(2..4), RX), (pages(4..6), RW)]
    );
    regions.protect(pages(1..6), RW).unwrap();
    regions.remove(pages(5..99)).unwrap();
    assert_eq!((shown(&regions), regions.pages()), (vec![(pages(0..5), RW)], 5));
}

#[test]
fn an_empty_address_space_has_room_for_all_that_fits() {
    let mut regions = Regions::new();
    assert_eq!(regions.gap(USER_END - LOWEST), Some(LOWEST));
    assert_eq!(
        (
            regions.gap(USER_END - LOWEST + 1),
            regions.gap(0),
            regions.gap(u64::MAX)
        ),
        (None, None, None)
    );
    regions.insert(LOWEST..USER_END, UserAccess::empty()).unwrap();
    assert_eq!(regions.gap(1), None);
}

#[test]
fn the_number_of_regions_is_limited() {
    let mut regions = Regions::new();
    for index in 0..MAX_REGIONS as u64 {
        regions.insert(pages(4 * index..4 * index + 3), RW).unwrap();
    }
    let full = regions.clone();
    assert_eq!(regions.remove(pages(1..2)), Err(RegionError::TooMany));
    assert_eq!(regions.protect(pages(1..2), RX), Err(RegionError::TooMany));
    assert_eq!(regions.insert(pages(3..4), RX), Err(RegionError::TooMany));
    assert_eq!(regions, full);
    regions.remove(pages(2..5)).unwrap();
    regions.protect(pages(0..2), RX).unwrap();
    assert_eq!(regions.len(), MAX_REGIONS);
}

/// The last pages of programs, one by one; below is one region without rights.
#[derive(Clone)]
struct Model([Option<UserAccess>; Self::PAGES]);

impl Model {
    const PAGES: usize = 24;
    const START: u64 = USER_END - Self::PAGES as u64 * PAGE_SIZE;

    fn address(page: usize) -> u64 {
        Self::START + page as u64 * PAGE_SIZE
    }

    fn highest_gap(&self, length: usize) -> Option<u64> {
        let fits = |start: &usize| self.0[*start..start + length].iter().all(Option::is_none);
        (0..=Self::PAGES - length).rev().find(fits).map(Self::address)
    }

    /// What the regions must be: the runs of equal rights.
    fn regions(&self) -> Vec<(Range<u64>, UserAccess)> {
        let mut runs = vec![(LOWEST..Self::START, UserAccess::empty())];
        for (page, access) in self
            .0
            .iter()
            .enumerate()
            .filter_map(|(page, access)| Some((page, (*access)?)))
        {
            let (start, end) = (Self::address(page), Self::address(page + 1));
            match runs.last_mut() {
                Some((range, same)) if range.end == start && *same == access => range.end = end,
                _ => runs.push((start..end, access)),
            }
        }
        runs
    }
}

fn access() -> impl Strategy<Value = UserAccess> {
    prop::sample::select(vec![UserAccess::empty(), UserAccess::READ, RW, RX])
}

proptest! {
    #[test]
    fn behaves_like_a_list_of_pages(
        steps in prop::collection::vec((0u8..3, 0..Model::PAGES, 1..Model::PAGES, access()), 0..60)
    ) {
        let (mut regions, mut model) = (Regions::new(), Model([None; Model::PAGES]));
        regions.insert(LOWEST..Model::START, UserAccess::empty()).unwrap();
        for (step, start, length, access) in steps {
            let end = Model::PAGES.min(start + length);
            let (range, touched) = (Model::address(start)..Model::address(end), &mut model.0[start..end]);
            match step {
                0 => {
                    let taken = touched.iter().position(Option::is_some).map(|page| Model::address(start + page));
                    prop_assert_eq!(regions.insert(range, access), taken.map_or(Ok(()), |at| Err(RegionError::Overlaps(at))));
                    if taken.is_none() {
                        touched.fill(Some(access));
                    }
                }
                1 => {
                    let hole = touched.iter().position(Option::is_none).map(|page| Model::address(start + page));
                    prop_assert_eq!(regions.protect(range, access), hole.map_or(Ok(()), |at| Err(RegionError::NotMapped(at))));
                    if hole.is_none() {
                        touched.fill(Some(access));
                    }
                }
                _ => {
                    prop_assert_eq!(regions.remove(range), Ok(()));
                    touched.fill(None);
                }
            }
            prop_assert_eq!(shown(&regions), model.regions());
            prop_assert_eq!(regions.gap(length as u64 * PAGE_SIZE - 1), model.highest_gap(length));
            for (page, access) in model.0.iter().enumerate() {
                let found = regions.find(Model::address(page) + 77).map(|region| region.access);
                prop_assert_eq!(found, *access);
            }
        }
    }
}
