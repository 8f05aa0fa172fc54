use super::*;
use std::sync::atomic::AtomicBool;

fn pages(start: u64) -> Range<VirtAddr> {
    VirtAddr::new(start)..VirtAddr::new(start + 0x1000)
}

#[test]
fn a_request_is_told_once_and_done_by_each() {
    let mail = Mail::<4>::new();
    let both = CpuSet::from_bits(0b0110);
    assert_eq!(mail.post(CpuId(0), both, pages(0x1000)), both);
    // CPU 1 has been told already, and not looked.
    assert!(mail.post(CpuId(3), CpuSet::only(CpuId(1)), pages(0x9000)).is_empty());
    let seen = std::cell::RefCell::new(vec![]);
    mail.answer(CpuId(1), |pages| seen.borrow_mut().push(pages.start.as_u64()));
    assert_eq!(*seen.borrow(), [0x1000, 0x9000]);
    assert!(mail.is_answered(CpuId(3)) && !mail.is_answered(CpuId(0)));
    mail.answer(CpuId(2), |_| ());
    assert!(mail.is_answered(CpuId(0)));
}

#[test]
fn nobody_asked_is_nobody_to_wait_for() {
    let mail = Mail::<2>::new();
    assert!(mail.post(CpuId(1), CpuSet::EMPTY, pages(0)).is_empty());
    assert!(mail.is_answered(CpuId(1)));
    mail.answer(CpuId(0), |_| panic!("nobody asked CPU 0"));
}

#[test]
fn who_has_stopped_is_not_waited_for_whenever_it_stopped() {
    let mail = Mail::<4>::new();
    let both = CpuSet::from_bits(0b0110);
    mail.post(CpuId(0), both, pages(0x1000));
    mail.answer(CpuId(2), |_| ());
    assert!(!mail.is_answered(CpuId(0)));
    mail.leave(CpuId(1));
    assert!(mail.is_answered(CpuId(0)));
    mail.post(CpuId(0), both, pages(0x2000));
    assert!(!mail.is_answered(CpuId(0)));
    mail.answer(CpuId(2), |_| ());
    assert!(mail.is_answered(CpuId(0)));
}

/// All ask all at once, and look into their boxes only while they wait: each answer must be for the request of its round.
#[test]
fn cpus_that_ask_each_other_do_not_wait_for_ever() {
    const CPUS: u32 = 4;
    const ROUNDS: u64 = 2000;
    let mail = Mail::<{ CPUS as usize }>::new();
    let done: [AtomicBool; CPUS as usize] = Default::default();
    let flushed = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for me in (0..CPUS).map(CpuId) {
            let (mail, done, flushed) = (&mail, &done, &flushed);
            scope.spawn(move || {
                let answer = || {
                    mail.answer(me, |_| {
                        flushed.fetch_add(1, Relaxed);
                    });
                    std::thread::yield_now();
                };
                let everyone = CpuSet::from_bits((1 << CPUS) - 1);
                for round in 0..ROUNDS {
                    mail.post(me, everyone.without(me), pages(round << 12));
                    while !mail.is_answered(me) {
                        answer();
                    }
                }
                done[me.0 as usize].store(true, Release);
                while !done.iter().all(|done| done.load(Acquire)) {
                    answer();
                }
            });
        }
    });
    assert_eq!(flushed.into_inner(), ROUNDS * u64::from(CPUS) * u64::from(CPUS - 1));
}

/// Run by `RUSTFLAGS="--cfg loom" cargo test -p subarch-native --lib loom`.
#[cfg(loom)]
mod loom {
    use super::*;
    use ::loom::sync::Arc;
    use ::loom::sync::atomic::AtomicU64 as ModelledWord;
    use ::loom::thread;

    word!(ModelledWord);

    type Modelled = Mail<2, ModelledWord>;

    /// What is stored before a request is seen by whoever answers it, and what the answer does by whoever asked.
    #[test]
    fn loom_two_that_ask_each_other_see_what_the_other_wrote() {
        ::loom::model(|| {
            let shared = Arc::new((Modelled::default(), [ModelledWord::new(0), ModelledWord::new(0)]));
            let ask = |shared: &(Modelled, [ModelledWord; 2]), me: u32| {
                let (mail, entries) = shared;
                let other = CpuId(1 - me);
                let answer = || {
                    mail.answer(CpuId(me), |pages| {
                        assert_eq!(pages, super::pages(u64::from(other.0) << 12));
                        assert_eq!(
                            entries[other.0 as usize].load(Relaxed),
                            1,
                            "the old entry would be cached again"
                        );
                    });
                };
                entries[me as usize].store(1, Relaxed);
                mail.post(CpuId(me), CpuSet::only(other), pages(u64::from(me) << 12));
                while !mail.is_answered(CpuId(me)) {
                    answer();
                    thread::yield_now();
                }
                // The interrupt that announced the other's request.
                answer();
            };
            let there = shared.clone();
            let thread = thread::spawn(move || ask(&there, 1));
            ask(&shared, 0);
            // The announced interrupt may be later than all else.
            while !shared.0.is_answered(CpuId(1)) {
                shared.0.answer(CpuId(0), |_| ());
                thread::yield_now();
            }
            thread.join().expect("the other does not panic");
        });
    }
}
