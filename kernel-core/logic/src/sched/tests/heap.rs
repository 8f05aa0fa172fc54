use crate::sched::embed::Handle;
use crate::sched::heap::{Heap, Order, Plain, Wrapping};
use crate::sched::node::Node;
use core::ptr::NonNull;
use proptest::prelude::*;
use std::collections::BTreeSet;

const NODES: usize = 48;

#[derive(Clone, Debug)]
enum Step {
    Insert(usize, u64),
    Pop,
    Exchange(usize, u64),
    Remove(usize),
}

fn steps(keys: core::ops::Range<u64>) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (0..NODES, keys).prop_map(|(node, key)| Step::Insert(node, key)),
        2 => Just(Step::Pop),
        2 => (0..NODES, any::<u64>()).prop_map(|(node, key)| Step::Exchange(node, key % 1000)),
        2 => (0..NODES).prop_map(Step::Remove),
    ];
    prop::collection::vec(step, 0..300)
}

/// Does `steps` with a heap and with a sorted set, on keys counted from `origin`.
fn compare<O: Order>(steps: &[Step], origin: u64) -> Result<(), TestCaseError> {
    let nodes: Vec<_> = (0..NODES).map(|_| Box::new(Node::new())).collect();
    // SAFETY: the nodes stay where they are to the end.
    let handle = |index: usize| unsafe { Handle::new(NonNull::from(&*nodes[index])) };
    let (mut heap, mut model) = (Heap::<O>::new(), BTreeSet::new());
    for step in steps {
        match *step {
            Step::Insert(node, key) if !nodes[node].linked.get() => {
                nodes[node].key.set(origin.wrapping_add(key));
                heap.insert(handle(node));
                model.insert((key, node));
            }
            Step::Pop => match heap.pop() {
                Some(popped) => {
                    let node = (0..NODES).find(|node| handle(*node) == popped).unwrap();
                    let key = popped.key.get().wrapping_sub(origin);
                    prop_assert_eq!(model.first().map(|first| first.0), Some(key));
                    prop_assert!(model.remove(&(key, node)));
                }
                None => prop_assert!(model.is_empty()),
            },
            Step::Remove(node) if nodes[node].linked.get() => {
                heap.remove(handle(node));
                model.remove(&(nodes[node].key.get().wrapping_sub(origin), node));
            }
            Step::Exchange(node, key) if !nodes[node].linked.get() => {
                let Some(easy) = heap.first().and_then(|first| heap.easy(first)) else {
                    prop_assert!(model.is_empty() || model.len() > 2, "of two it is always easy");
                    continue;
                };
                let first = easy.first;
                let old = (0..NODES).find(|node| handle(*node) == first).unwrap();
                nodes[node].key.set(origin.wrapping_add(key));
                heap.exchange(easy, handle(node));
                prop_assert!(model.remove(&(first.key.get().wrapping_sub(origin), old)));
                model.insert((key, node));
            }
            Step::Insert(..) | Step::Remove(_) | Step::Exchange(..) => {}
        }
        let first = heap.first().map(|node| node.key.get().wrapping_sub(origin));
        prop_assert_eq!(first, model.first().map(|first| first.0));
    }
    for (index, node) in nodes.iter().enumerate() {
        let found = heap.find(|at| at == handle(index)).is_some();
        prop_assert_eq!(
            (found, node.linked.get()),
            (node.linked.get(), model.iter().any(|entry| entry.1 == index))
        );
        let bare = node.next.get().is_none() && node.previous.get().is_none() && node.child.get().is_none();
        prop_assert!(node.linked.get() || bare, "a node outside still has links");
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_heap_is_a_sorted_set(steps in steps(0..40)) {
        compare::<Plain>(&steps, 0)?;
    }

    #[test]
    fn an_order_may_wrap(steps in steps(0..1000)) {
        compare::<Wrapping>(&steps, u64::MAX - 500)?;
    }
}
