use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

const THREADS: usize = 12;

#[derive(Clone, Debug)]
enum Step {
    Push(usize),
    Remove(usize),
    Wake(usize, u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..THREADS).prop_map(Step::Push),
        1 => (0..THREADS).prop_map(Step::Remove),
        1 => (prop_oneof![0..4usize, Just(usize::MAX)], any::<u16>())
            .prop_map(|(limit, refused)| Step::Wake(limit, refused)),
    ]
}

/// Wakes in the model: whom, in order.
fn wake(model: &mut VecDeque<usize>, limit: usize, refused: u16) -> Vec<usize> {
    let mut woken = Vec::new();
    while woken.len() < limit
        && let Some(first) = model.pop_front()
    {
        if refused >> first & 1 == 0 {
            woken.push(first);
        }
    }
    woken
}

proptest! {
    #[test]
    fn a_wait_queue_is_a_queue(steps in prop::collection::vec(step(), 0..200)) {
        let threads = Threads::new([fair(1024); THREADS]);
        let (mut queue, mut model) = (WaitQueue::new(), VecDeque::new());
        for step in steps {
            match step {
                Step::Push(thread) if !model.contains(&thread) => {
                    // SAFETY: the threads stay to the end, and this one does not wait.
                    unsafe { queue.push(threads.pointer(thread)) };
                    model.push_back(thread);
                }
                Step::Push(_) => {}
                Step::Remove(thread) => {
                    // SAFETY: there is only this queue.
                    let removed = unsafe { queue.remove(threads.pointer(thread)) };
                    prop_assert_eq!(removed, model.contains(&thread));
                    model.retain(|waiter| *waiter != thread);
                }
                Step::Wake(limit, refused) => {
                    let mut woken = Vec::new();
                    let count = queue.wake(limit, |thread| {
                        let accepted = refused >> name(thread) & 1 == 0;
                        woken.extend(accepted.then(|| name(thread)));
                        accepted
                    });
                    prop_assert_eq!(count, woken.len());
                    prop_assert_eq!(woken, wake(&mut model, limit, refused));
                }
            }
            prop_assert_eq!(queue.is_empty(), model.is_empty());
        }
    }
}
