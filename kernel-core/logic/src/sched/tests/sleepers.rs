use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn all_wake_in_order_and_none_early(
        deadlines in prop::collection::vec(any::<u64>(), 1..60),
        cancelled in any::<u64>(),
    ) {
        let threads = Threads::new(deadlines.iter().map(|_| fair(1024)));
        let mut sleepers = Sleepers::new();
        // SAFETY: the threads stay to the end; each is inserted once, and removed from the set it is in.
        unsafe {
            for (name, deadline) in deadlines.iter().enumerate() {
                sleepers.insert(threads.pointer(name), *deadline);
            }
            for name in (0..deadlines.len()).filter(|name| cancelled >> name & 1 != 0) {
                prop_assert!(sleepers.remove(threads.pointer(name)));
                prop_assert!(!sleepers.remove(threads.pointer(name)));
            }
        }
        let mut left: Vec<_> = (0..deadlines.len()).filter(|name| cancelled >> name & 1 == 0).collect();
        while let Some(earliest) = sleepers.earliest() {
            prop_assert_eq!(Some(earliest), left.iter().map(|name| deadlines[*name]).min());
            if earliest > 0 {
                prop_assert_eq!(sleepers.pop_due(earliest - 1), None);
            }
            let woken = name(sleepers.pop_due(earliest).unwrap());
            prop_assert_eq!(deadlines[woken], earliest);
            left.retain(|name| *name != woken);
        }
        prop_assert!(left.is_empty());
    }
}

#[test]
#[should_panic(expected = "put to sleep twice")]
fn nobody_sleeps_twice() {
    let threads = Threads::new([fair(1024)]);
    let mut sleepers = Sleepers::new();
    // SAFETY: deliberately inserted twice; the set refuses.
    unsafe {
        sleepers.insert(threads.pointer(0), 1);
        sleepers.insert(threads.pointer(0), 2);
    }
}
