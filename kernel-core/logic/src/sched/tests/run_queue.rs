//! Several run queues against a model that knows only where each thread is.

use super::*;
use proptest::prelude::*;

const CPUS: usize = 3;
const THREADS: usize = 10;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Away,
    Waits(usize),
    Runs(usize),
}

#[derive(Clone, Debug)]
enum Step {
    Insert(usize, usize),
    Remove(usize),
    Reschedule(usize),
    Tick(usize),
    Yield(usize),
    Leave(usize),
    Steal(usize, usize),
    SetClass(usize, Class),
    SetAffinity(usize, CpuSet),
}

fn class() -> impl Strategy<Value = Class> {
    prop_oneof![
        3 => (Weight::MIN..=Weight::MAX).prop_map(fair),
        2 => (1u8..5).prop_map(realtime),
        1 => (1u8..=99).prop_map(realtime),
    ]
}

fn affinity() -> impl Strategy<Value = CpuSet> {
    (1u64..1 << CPUS).prop_map(CpuSet::from_bits)
}

fn step() -> impl Strategy<Value = Step> {
    let (cpu, thread) = (0..CPUS, 0..THREADS);
    prop_oneof![
        8 => (thread.clone(), cpu.clone()).prop_map(|(thread, cpu)| Step::Insert(thread, cpu)),
        1 => thread.clone().prop_map(Step::Remove),
        3 => cpu.clone().prop_map(Step::Reschedule),
        3 => cpu.clone().prop_map(Step::Tick),
        3 => cpu.clone().prop_map(Step::Yield),
        3 => cpu.clone().prop_map(Step::Leave),
        3 => (cpu.clone(), cpu).prop_map(|(thief, victim)| Step::Steal(thief, victim)),
        1 => (thread.clone(), class()).prop_map(|(thread, class)| Step::SetClass(thread, class)),
        1 => (thread, affinity()).prop_map(|(thread, affinity)| Step::SetAffinity(thread, affinity)),
    ]
}

/// The queues, and where each thread must be.
struct World {
    threads: Threads,
    queues: [RunQueue<Thread>; CPUS],
    places: [Place; THREADS],
    busy: u64,
    now: u64,
}

impl World {
    fn new(threads: Vec<(Class, CpuSet)>) -> Self {
        Self {
            threads: Threads::bound(threads),
            queues: core::array::from_fn(|cpu| RunQueue::new(CpuId(cpu as u32))),
            places: [Place::Away; THREADS],
            busy: 0,
            now: 0,
        }
    }

    fn pass(&mut self, time: u64) {
        self.now += time;
        self.busy += time
            * self
                .places
                .iter()
                .filter(|place| matches!(place, Place::Runs(_)))
                .count() as u64;
    }

    fn runner(&self, cpu: usize) -> Option<usize> {
        self.places.iter().position(|place| *place == Place::Runs(cpu))
    }

    fn waiters(&self, cpu: usize) -> Vec<usize> {
        (0..THREADS)
            .filter(|thread| self.places[*thread] == Place::Waits(cpu))
            .collect()
    }

    fn priority(&self, thread: usize) -> u8 {
        match self.threads.facts(thread).class {
            Class::Realtime(priority) => priority.get(),
            Class::Fair(_) => 0,
        }
    }

    fn may_run(&self, thread: usize, cpu: usize) -> bool {
        self.threads.facts(thread).affinity.contains(CpuId(cpu as u32))
    }

    fn insert(&mut self, thread: usize, cpu: usize) {
        if self.places[thread] != Place::Away || !self.may_run(thread, cpu) {
            return;
        }
        // SAFETY: the thread is on no queue, and stays to the end.
        let decision = unsafe { self.queues[cpu].insert(self.threads.pointer(thread), self.now) };
        self.places[thread] = Place::Waits(cpu);
        self.follow(decision, cpu);
    }

    fn follow(&mut self, decision: Decision, cpu: usize) {
        match (decision, self.runner(cpu)) {
            (Decision::Reschedule, _) => self.reschedule(cpu),
            (Decision::Continue, Some(runner)) => {
                let outranked = |thread: &usize| self.priority(*thread) > self.priority(runner);
                assert!(!self.waiters(cpu).iter().any(outranked), "a real-time thread must wait");
            }
            (Decision::Continue, None) => assert!(self.waiters(cpu).is_empty(), "an idle CPU was not told"),
        }
    }

    fn reschedule(&mut self, cpu: usize) {
        let next = self.queues[cpu].reschedule(self.now);
        self.switched(cpu, self.runner(cpu), next);
    }

    /// `next` runs; `stayed` still wants to.
    fn switched(&mut self, cpu: usize, stayed: Option<usize>, next: Option<NonNull<Thread>>) {
        if let Some(stayed) = stayed {
            self.places[stayed] = Place::Waits(cpu);
        }
        let candidates = self.waiters(cpu);
        let Some(next) = next.map(name) else {
            assert!(candidates.is_empty(), "a runnable thread was not found");
            return;
        };
        assert!(candidates.contains(&next));
        let highest = candidates.iter().map(|thread| self.priority(*thread)).max();
        assert_eq!(Some(self.priority(next)), highest, "real-time threads come first");
        self.places[next] = Place::Runs(cpu);
    }

    /// Yields by turns where only clocks matter, and checks that this leaves alarms early enough.
    fn yield_now(&mut self, cpu: usize) -> Option<NonNull<Thread>> {
        let fair = |thread: &usize| self.priority(*thread) == 0;
        let waiters = self.waiters(cpu);
        let only_clocks =
            !waiters.is_empty() && waiters.iter().all(fair) && self.runner(cpu).is_some_and(|runner| fair(&runner));
        let alarm = self.queues[cpu].preempt_at();
        match self.queues[cpu].take_turns(self.now) {
            Some(turn) => {
                assert!(only_clocks && Some(name(turn.from)) == self.runner(cpu));
                assert!(alarm.is_some() && self.queues[cpu].preempt_at() >= alarm);
                Some(turn.to)
            }
            None => {
                assert!(!only_clocks || waiters.len() > 2, "two can always take turns");
                self.queues[cpu].yield_now(self.now)
            }
        }
    }

    fn leave(&mut self, cpu: usize) {
        if let Some(runner) = self.runner(cpu) {
            self.places[runner] = Place::Away;
        }
        let next = self.queues[cpu].leave(self.now);
        self.switched(cpu, None, next);
    }

    fn steal(&mut self, thief: usize, victim: usize) {
        let stolen = self.queues[victim].steal(CpuId(thief as u32)).map(name);
        let candidates: Vec<_> = self
            .waiters(victim)
            .into_iter()
            .filter(|thread| self.may_run(*thread, thief))
            .collect();
        let Some(stolen) = stolen else {
            assert!(candidates.is_empty(), "nothing was found to steal");
            return;
        };
        assert!(candidates.contains(&stolen));
        assert_eq!(
            Some(self.priority(stolen)),
            candidates.iter().map(|thread| self.priority(*thread)).max()
        );
        self.places[stolen] = Place::Away;
        self.insert(stolen, thief);
    }

    fn set_class(&mut self, thread: usize, class: Class) {
        let (Place::Waits(cpu) | Place::Runs(cpu)) = self.places[thread] else {
            return;
        };
        // SAFETY: the thread is on this queue.
        let decision = unsafe { self.queues[cpu].set_class(self.threads.pointer(thread), class, self.now) };
        self.follow(decision, cpu);
    }

    fn set_affinity(&mut self, thread: usize, affinity: CpuSet) {
        let (Place::Waits(cpu) | Place::Runs(cpu)) = self.places[thread] else {
            return;
        };
        // SAFETY: the thread is on this queue.
        let fit = unsafe { self.queues[cpu].set_affinity(self.threads.pointer(thread), affinity) };
        match (fit, affinity.contains(CpuId(cpu as u32)), self.places[thread]) {
            (Fit::Here, true, _) => {}
            (Fit::TakenOut, false, Place::Waits(_)) => self.places[thread] = Place::Away,
            (Fit::MustLeave, false, Place::Runs(_)) => self.leave(cpu),
            wrong => panic!("{wrong:?}"),
        }
    }

    fn remove(&mut self, thread: usize) {
        for cpu in 0..CPUS {
            let waits = self.places[thread] == Place::Waits(cpu);
            if waits || self.places[thread] == Place::Runs(cpu) || self.places[thread] == Place::Away {
                // SAFETY: the thread is on this queue or on none.
                assert_eq!(unsafe { self.queues[cpu].remove(self.threads.pointer(thread)) }, waits);
            }
            if waits {
                self.places[thread] = Place::Away;
            }
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Insert(thread, cpu) => self.insert(thread, cpu),
            Step::Remove(thread) => self.remove(thread),
            Step::Reschedule(cpu) => self.reschedule(cpu),
            Step::Tick(cpu) => {
                let decision = self.queues[cpu].tick(self.now);
                self.follow(decision, cpu);
            }
            Step::Yield(cpu) => {
                let next = self.yield_now(cpu);
                self.switched(cpu, self.runner(cpu), next);
            }
            Step::Leave(cpu) => self.leave(cpu),
            Step::Steal(thief, victim) if thief != victim => self.steal(thief, victim),
            Step::Steal(..) => {}
            Step::SetClass(thread, class) => self.set_class(thread, class),
            Step::SetAffinity(thread, affinity) => self.set_affinity(thread, affinity),
        }
    }

    fn check(&self) {
        for (cpu, queue) in self.queues.iter().enumerate() {
            assert_eq!(queue.running().map(name), self.runner(cpu));
            assert_eq!(queue.waiting() as usize, self.waiters(cpu).len());
            let here = self.waiters(cpu).into_iter().chain(self.runner(cpu));
            assert!(
                here.into_iter().all(|thread| self.may_run(thread, cpu)),
                "a thread is where it may not run"
            );
        }
    }
}

proptest! {
    #[test]
    fn nobody_is_lost_outranked_or_astray(
        threads in prop::collection::vec((class(), affinity()), THREADS),
        steps in prop::collection::vec((step(), 0u64..3_000_000), 1..250),
    ) {
        let mut world = World::new(threads);
        for (step, time) in steps {
            world.pass(time);
            world.take(step);
            world.check();
        }
        for cpu in 0..CPUS {
            let expected = world.waiters(cpu).len() + usize::from(world.runner(cpu).is_some());
            let idle = usize::from(world.runner(cpu).is_none());
            (0..expected + idle).for_each(|_| world.leave(cpu));
            prop_assert_eq!(world.queues[cpu].running(), None);
            world.check();
        }
        let ran: u64 = (0..THREADS).map(|thread| world.threads.runtime(thread)).sum();
        prop_assert_eq!(ran, world.busy);
    }
}

/// The names of `threads` in the order in which they run on one CPU if each leaves at once.
fn order_of_running(threads: &Threads, queue: &mut RunQueue<Thread>) -> Vec<usize> {
    (0..threads.0.len()).filter_map(|_| queue.leave(0).map(name)).collect()
}

fn queue_with(threads: &Threads) -> RunQueue<Thread> {
    let mut queue = RunQueue::new(CpuId(0));
    for thread in 0..threads.0.len() {
        // SAFETY: the threads are new, and the tests keep them to the end.
        let _ = unsafe { queue.insert(threads.pointer(thread), 0) };
    }
    queue
}

#[test]
fn realtime_threads_run_by_priority_and_then_in_order() {
    let threads = Threads::new([
        fair(1024),
        realtime(1),
        realtime(99),
        realtime(50),
        realtime(99),
        realtime(1),
    ]);
    assert_eq!(
        order_of_running(&threads, &mut queue_with(&threads)),
        [2, 4, 3, 1, 5, 0]
    );
}

#[test]
fn an_interrupted_realtime_thread_goes_on_before_its_equals_and_one_that_yields_after() {
    let threads = Threads::new([realtime(5), realtime(5), realtime(6)]);
    let mut queue = queue_with(&threads);
    // SAFETY: the last thread waits on this queue, and returns to it.
    unsafe {
        assert!(queue.remove(threads.pointer(2)));
        assert_eq!(queue.reschedule(0).map(name), Some(0));
        assert_eq!(queue.insert(threads.pointer(2), 1), Decision::Reschedule);
    }
    assert_eq!(queue.reschedule(1).map(name), Some(2));
    assert_eq!(queue.leave(2).map(name), Some(0), "it was interrupted");
    assert_eq!(queue.yield_now(3).map(name), Some(1));
    assert_eq!(queue.yield_now(4).map(name), Some(0));
    assert_eq!(queue.preempt_at(), None, "real-time threads have no slices");
}

#[test]
fn one_that_was_realtime_does_not_get_that_time_again() {
    let threads = Threads::new([fair(1024), realtime(7)]);
    let mut queue = queue_with(&threads);
    assert_eq!(queue.reschedule(0).map(name), Some(1));
    // SAFETY: the thread runs on this queue.
    let _ = unsafe { queue.set_class(threads.pointer(1), fair(1024), 1_000_000_000) };
    let mut now = 1_000_000_000;
    for _ in 0..10 {
        now += SLICE_MAX;
        if queue.tick(now) == Decision::Reschedule {
            queue.reschedule(now);
        }
    }
    let had = [threads.runtime(0), threads.runtime(1) - 1_000_000_000];
    assert!(had[0].abs_diff(had[1]) <= SLICE_MAX, "{had:?}");
}

#[test]
#[should_panic(expected = "may not run on")]
fn nobody_is_put_where_it_may_not_run() {
    let threads = Threads::bound([(fair(1024), CpuSet::only(CpuId(1)))]);
    queue_with(&threads);
}

#[test]
#[should_panic(expected = "on a run queue twice")]
fn nobody_waits_twice() {
    let threads = Threads::new([fair(1024)]);
    let mut queue = queue_with(&threads);
    // SAFETY: deliberately inserted twice; the queue refuses.
    let _ = unsafe { queue.insert(threads.pointer(0), 0) };
}
