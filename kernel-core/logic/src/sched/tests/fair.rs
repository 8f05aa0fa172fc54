use super::*;
use crate::sched::weight::FRACTION;
use proptest::prelude::*;

/// A CPU on which time passes.
struct Cpu {
    queue: RunQueue<Thread>,
    threads: Threads,
    now: u64,
}

impl Cpu {
    /// A CPU with threads of these weights, all runnable, of which one runs.
    fn with(weights: &[u32]) -> Self {
        let mut cpu = Self {
            queue: RunQueue::new(CpuId(0)),
            threads: Threads::new(weights.iter().map(|weight| fair(*weight))),
            now: 1_000,
        };
        for thread in 0..weights.len() {
            let _ = cpu.insert(thread);
        }
        cpu.queue.reschedule(cpu.now);
        cpu
    }

    fn insert(&mut self, thread: usize) -> Decision {
        // SAFETY: the tests insert only what is on no queue; the threads stay to the end.
        unsafe { self.queue.insert(self.threads.pointer(thread), self.now) }
    }

    fn running(&self) -> Option<usize> {
        self.queue.running().map(name)
    }

    /// Lets time pass up to the next alarm, or for `at_most`, and does what the alarm says.
    fn run(&mut self, at_most: u64) {
        let limit = self.now + at_most;
        self.now = self
            .queue
            .preempt_at()
            .map_or(limit, |alarm| alarm.clamp(self.now, limit));
        if self.queue.tick(self.now) == Decision::Reschedule {
            self.queue.reschedule(self.now);
        }
    }

    /// How long a thread has run, in nanoseconds of one of normal weight.
    fn virtual_runtime(&self, thread: usize, weight: u32) -> u64 {
        Weight::new(weight).unwrap().virtual_time(self.threads.runtime(thread)) >> FRACTION
    }
}

fn weight() -> impl Strategy<Value = u32> {
    prop_oneof![
        Just(1024u32),
        (-20..=19i8).prop_map(|nice| Weight::from_nice(nice).unwrap().get()),
        Weight::MIN..=Weight::MAX
    ]
}

fn virtual_slice(weight: u32) -> u64 {
    Weight::new(weight).unwrap().virtual_time(SLICE_MAX) >> FRACTION
}

proptest! {
    #[test]
    fn shares_are_by_weight_to_within_a_slice(
        weights in prop::collection::vec(weight(), 1..8),
        pauses in prop::collection::vec(1_000u64..20_000_000, 1..400),
    ) {
        let mut cpu = Cpu::with(&weights);
        let start = cpu.now;
        for pause in pauses {
            cpu.run(pause);
            let had: Vec<_> = (0..weights.len()).map(|thread| cpu.virtual_runtime(thread, weights[thread])).collect();
            for (a, b) in (0..had.len()).flat_map(|a| (0..had.len()).map(move |b| (a, b))) {
                let bound = virtual_slice(weights[a]) + 1_000;
                prop_assert!(had[a] <= had[b] + bound, "{had:?} of {weights:?}: {a} is too far ahead of {b}");
            }
        }
        prop_assert_eq!((0..weights.len()).map(|thread| cpu.threads.runtime(thread)).sum::<u64>(), cpu.now - start);
    }

    #[test]
    fn sleeping_earns_no_more_than_the_credit(
        weights in prop::collection::vec(819u32..=1280, 2..6),
        naps in prop::collection::vec((1_000u64..6_000_000, 1_000u64..9_000_000), 1..200),
    ) {
        let mut cpu = Cpu::with(&weights);
        while cpu.running() != Some(0) {
            cpu.run(SLICE_MAX);
        }
        for (run, sleep) in naps {
            let enough = cpu.threads.runtime(0) + run;
            while cpu.threads.runtime(0) < enough {
                cpu.run(run);
            }
            while cpu.running() != Some(0) {
                cpu.run(SLICE_MAX);
            }
            cpu.queue.leave(cpu.now);
            let morning = cpu.now + sleep;
            while cpu.now < morning {
                cpu.run(morning - cpu.now);
            }
            if cpu.insert(0) == Decision::Reschedule {
                cpu.queue.reschedule(cpu.now);
            }
            while cpu.running() != Some(0) {
                cpu.run(SLICE_MAX);
            }
            let least = (1..weights.len()).map(|thread| cpu.virtual_runtime(thread, weights[thread])).min().unwrap();
            let bound = SLEEPER_CREDIT + 4 * virtual_slice(819);
            prop_assert!(cpu.virtual_runtime(0, weights[0]) <= least + bound);
        }
    }
}

#[test]
fn yielding_visits_everybody_even_if_no_time_passes() {
    for threads in 2..9 {
        let mut cpu = Cpu::with(&vec![1024; threads]);
        let visits: Vec<_> = (0..100).map(|_| name(cpu.queue.yield_now(cpu.now).unwrap())).collect();
        assert!(
            visits.windows(2).all(|pair| pair[0] != pair[1]),
            "yielding means to somebody else"
        );
        for window in visits.windows(2 * threads) {
            assert!((0..threads).all(|thread| window.contains(&thread)), "{visits:?}");
        }
    }
}

#[test]
fn one_that_slept_long_runs_as_soon_as_it_wakes() {
    let mut cpu = Cpu::with(&[1024, 1024]);
    let sleeper = cpu.running().unwrap();
    cpu.now += 10_000;
    cpu.queue.leave(cpu.now);
    cpu.run(100_000_000);
    assert_eq!(cpu.insert(sleeper), Decision::Reschedule);
    assert_eq!(cpu.queue.reschedule(cpu.now).map(name), Some(sleeper));
}

#[test]
fn one_that_slept_for_months_is_not_taken_for_one_from_the_future() {
    let mut cpu = Cpu::with(&[1024, 1024]);
    let sleeper = cpu.running().unwrap();
    cpu.queue.leave(cpu.now);
    for _ in 0..3 {
        cpu.now += 1 << 52;
        let _ = cpu.queue.tick(cpu.now);
    }
    let _ = cpu.insert(sleeper);
    let before = cpu.threads.runtime(sleeper);
    for _ in 0..4_000 {
        cpu.run(SLICE_MAX);
    }
    let had = cpu.threads.runtime(sleeper) - before;
    assert!(had > 1_000 * SLICE_MAX, "it had {had} ns");
}

#[test]
fn who_comes_to_a_busy_cpu_is_not_owed_its_past() {
    let mut cpu = Cpu::with(&[1024, 1024]);
    let late = cpu.running().unwrap();
    cpu.queue.leave(cpu.now);
    cpu.now += 3_600_000_000_000;
    let _ = cpu.insert(late);
    let before = [cpu.threads.runtime(0), cpu.threads.runtime(1)];
    for _ in 0..100 {
        cpu.run(SLICE_MAX);
    }
    let had = [0, 1].map(|thread| cpu.threads.runtime(thread) - before[thread]);
    assert!(had[0].abs_diff(had[1]) <= 2 * SLICE_MAX + SLEEPER_CREDIT, "{had:?}");
}

#[test]
fn a_debt_goes_along_to_another_cpu() {
    let mut cpu = Cpu::with(&[1024, 1024]);
    let debtor = cpu.running().unwrap();
    cpu.now += 50_000_000;
    cpu.queue.leave(cpu.now);
    let mut other = Cpu::with(&[1024]);
    other.queue = RunQueue::new(CpuId(1));
    // SAFETY: the fresh queue takes the resident, which the old one forgot with itself, and then the debtor, which
    // left.
    unsafe {
        let (resident, debtor) = (other.threads.pointer(0), cpu.threads.pointer(debtor));
        let _ = other.queue.insert(resident, 0);
        other.queue.reschedule(0);
        let _ = other.queue.insert(debtor, 0);
        assert_eq!(other.queue.tick(SLICE_MAX), Decision::Reschedule);
        assert_eq!(
            other.queue.reschedule(SLICE_MAX),
            Some(resident),
            "the debtor has run for 50 ms already"
        );
    }
}

#[test]
fn slices_shorten_when_many_wait_but_not_below_the_least() {
    for (threads, slice) in [
        (2, SLICE_MAX),
        (3, 4_000_000),
        (6, 2_000_000),
        (12, SLICE_MIN),
        (40, SLICE_MIN),
    ] {
        let cpu = Cpu::with(&vec![1024; threads]);
        assert_eq!(cpu.queue.preempt_at(), Some(cpu.now + slice), "{threads} threads");
    }
}

#[test]
fn a_lone_thread_needs_no_alarm() {
    let mut cpu = Cpu::with(&[1024]);
    assert_eq!(cpu.queue.preempt_at(), None);
    assert_eq!(cpu.queue.tick(u64::MAX / 2), Decision::Continue);
    assert_eq!(cpu.queue.yield_now(u64::MAX / 2), Some(cpu.threads.pointer(0)));
}
