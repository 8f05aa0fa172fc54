use super::*;
use proptest::prelude::*;

fn class(index: usize) -> Class {
    Class::from_index(index).unwrap()
}

/// The order of two classes, whose places tell which they are.
fn edge(held: usize, taken: usize) -> Edge<usize> {
    Edge {
        held: class(held),
        held_since: held,
        taken: class(taken),
        taken_at: taken,
    }
}

#[test]
fn a_class_is_a_place() {
    let mut order = Order::new();
    let (first, second) = (order.class("a.rs").unwrap(), order.class("b.rs").unwrap());
    assert_ne!(first, second);
    assert_eq!(order.class("a.rs"), Some(first));
    assert_eq!((order.created(second), order.created(class(7))), (Some("b.rs"), None));
}

#[test]
fn there_is_an_end_to_classes_and_orders() {
    let mut order = Order::new();
    assert!((0..CLASSES).all(|place| order.class(place).is_some()));
    assert_eq!(order.class(CLASSES), None);
    let mut pairs = (0..CLASSES).flat_map(|first| (first + 1..CLASSES).map(move |then| edge(first, then)));
    assert!(pairs.by_ref().take(EDGES).all(|pair| order.note(pair).is_ok()));
    assert_eq!(order.note(pairs.next().unwrap()), Err(Violation::TooMany));
    assert_eq!(order.note(edge(0, 1)), Ok(()), "what is known needs no room");
}

#[test]
fn two_of_a_class_have_no_order() {
    assert_eq!(Order::new().note(edge(3, 3)), Err(Violation::SameClass));
}

#[test]
fn a_ring_is_named_link_by_link() {
    let mut order = Order::new();
    for (held, taken) in [(0, 1), (1, 2), (2, 3), (0, 3)] {
        assert_eq!(order.note(edge(held, taken)), Ok(()));
    }
    assert_eq!(order.note(edge(3, 1)), Err(Violation::Opposite));
    assert!(order.chain(class(1), class(3)).eq([edge(1, 2), edge(2, 3)]));
    assert_eq!(order.chain(class(3), class(1)).count(), 0);
    assert_eq!(
        order.note(edge(4, 3)),
        Ok(()),
        "another way to the same lock is no ring"
    );
}

#[test]
fn held_locks_are_released_in_any_order() {
    let lock = |lock| HeldLock {
        lock,
        class: class(0),
        since: (),
    };
    let mut held = Held::new();
    for number in 1..=DEPTH {
        assert_eq!(held.push(lock(number)), Ok(()));
    }
    assert_eq!(held.push(lock(99)), Err(TooDeep));
    assert!(held.remove(2) && !held.remove(2) && held.remove(16));
    assert!(held.iter().map(|held| held.lock).eq([1].into_iter().chain(3..DEPTH)));
    assert!((1..DEPTH).filter(|number| held.remove(*number)).count() == DEPTH - 2);
    assert!(held.is_empty());
}

proptest! {
    /// Whoever takes locks by rank is never told off.
    #[test]
    fn a_consistent_order_is_accepted(
        ranks in Just((0..20).collect::<Vec<usize>>()).prop_shuffle(),
        pairs in prop::collection::vec((0usize..20, 0usize..20), 0..200),
    ) {
        let mut order = Order::new();
        for (a, b) in pairs {
            if ranks[a] < ranks[b] {
                prop_assert_eq!(order.note(edge(a, b)), Ok(()));
            }
        }
    }

    /// An order is refused if and only if the way back is known, and then the chain is that way.
    #[test]
    fn exactly_the_rings_are_found(pairs in prop::collection::vec((0usize..12, 0usize..12), 0..100)) {
        let mut order = Order::new();
        let mut reach = [[false; 12]; 12];
        for (held, taken) in pairs {
            let expected = match (held == taken, reach[taken][held]) {
                (true, _) => Err(Violation::SameClass),
                (_, true) => Err(Violation::Opposite),
                _ => Ok(()),
            };
            prop_assert_eq!(order.note(edge(held, taken)), expected);
            let chain: Vec<_> = order.chain(class(taken), class(held)).collect();
            prop_assert_eq!(!chain.is_empty(), expected == Err(Violation::Opposite));
            prop_assert!(chain.windows(2).all(|pair| pair[0].taken == pair[1].held));
            if let (Some(first), Some(last)) = (chain.first(), chain.last()) {
                prop_assert_eq!((first.held, last.taken), (class(taken), class(held)));
            }
            if expected.is_ok() {
                for before in (0..12).filter(|before| *before == held || reach[*before][held]).collect::<Vec<_>>() {
                    for behind in (0..12).filter(|behind| *behind == taken || reach[taken][*behind]).collect::<Vec<_>>() {
                        reach[before][behind] = true;
                    }
                }
            }
        }
    }
}
