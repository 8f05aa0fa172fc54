use super::*;

#[cfg(not(loom))]
mod by_example {
    use super::*;
    use proptest::prelude::*;

    /// Owners of the frames of one section, which keeps its counts here.
    struct Counted {
        shares: Shares,
        _counts: Vec<AtomicU16>,
    }

    const SECTION: usize = 3;
    const FIRST: Pfn = Pfn(SECTION as u64 * SECTION_FRAMES);

    impl Counted {
        fn new() -> Self {
            let mut counts: Vec<_> = (0..SECTION_FRAMES).map(|_| AtomicU16::new(0)).collect();
            let shares = Shares::new();
            // SAFETY: one count for each frame, which live as long as the table that points to them.
            unsafe { shares.add_section(SECTION, NonNull::new(counts.as_mut_ptr()).unwrap()) };
            Self {
                shares,
                _counts: counts,
            }
        }
    }

    #[test]
    fn the_count_is_full_rather_than_wrong() {
        let counted = Counted::new();
        let shares = &counted.shares;
        (0..u16::MAX).for_each(|_| shares.share(FIRST).unwrap());
        assert_eq!(shares.share(FIRST), Err(TooManyOwners(FIRST)));
        assert!(shares.is_shared(FIRST) && !shares.is_shared(FIRST + 1));
        assert!((0..u16::MAX).all(|_| shares.release(FIRST) == Last::No));
        assert_eq!([shares.release(FIRST), shares.release(FIRST)], [Last::Yes; 2]);
    }

    #[test]
    #[should_panic(expected = "nobody counts the owners of frame 0x5fff")]
    fn frames_without_a_count_are_refused() {
        Counted::new().shares.is_shared(Pfn(FIRST.0 - 1));
    }

    #[test]
    #[should_panic(expected = "nobody counts the owners of frame 0xffffffffffffffff")]
    fn frames_beyond_reach_are_refused() {
        let _ = Counted::new().shares.release(Pfn(u64::MAX));
    }

    proptest! {
        #[test]
        fn the_last_owner_is_told_so(steps in prop::collection::vec((0u64..4, any::<bool>()), 0..200)) {
            let counted = Counted::new();
            let mut owners = [1; 4];
            for (frame, add) in steps {
                let (owners, frame) = (&mut owners[frame as usize], FIRST + frame * 2730);
                prop_assert_eq!(counted.shares.is_shared(frame), *owners > 1);
                if add {
                    prop_assert_eq!(counted.shares.share(frame), Ok(()));
                    *owners += 1;
                } else {
                    let last = if *owners == 1 { Last::Yes } else { Last::No };
                    prop_assert_eq!(counted.shares.release(frame), last);
                    *owners = (*owners - 1).max(1);
                }
            }
        }
    }
}

/// Run by `RUSTFLAGS="--cfg loom" cargo test -p kernel-logic --release loom`.
#[cfg(loom)]
mod loom {
    use super::*;
    use ::loom::cell::UnsafeCell;
    use ::loom::sync::Arc;
    use ::loom::thread;

    /// A frame and the count of its owners.
    struct Frame {
        count: AtomicU16,
        contents: UnsafeCell<u32>,
    }

    impl Frame {
        fn with_owners(owners: u16) -> Arc<Self> {
            Arc::new(Self {
                count: AtomicU16::new(owners - 1),
                contents: UnsafeCell::new(0),
            })
        }

        /// What an owner does: looks at the frame, gives it up, and if it was the last, reuses it.
        fn end(&self) -> u32 {
            // SAFETY: owners only read; loom checks that nobody writes meanwhile.
            self.contents.with(|contents| unsafe { contents.read() });
            match release(&self.count) {
                Last::Yes => self.reuse(),
                Last::No => 0,
            }
        }

        /// What an owner that forks does, both halves of it ending in turn.
        fn fork_and_end(&self) -> u32 {
            share(&self.count).unwrap();
            self.end() + self.end()
        }

        fn reuse(&self) -> u32 {
            // SAFETY: the frame has no other owner; loom checks it.
            self.contents.with_mut(|contents| unsafe { contents.write(1) });
            1
        }
    }

    #[test]
    fn loom_of_all_owners_one_is_the_last() {
        ::loom::model(|| {
            let frame = Frame::with_owners(3);
            let others = [frame.clone(), frame.clone()].map(|frame| thread::spawn(move || frame.end()));
            let last = frame.end();
            assert_eq!(
                others
                    .into_iter()
                    .fold(last, |last, other| last + other.join().unwrap()),
                1
            );
        });
    }

    #[test]
    fn loom_an_owner_may_come_while_another_goes() {
        ::loom::model(|| {
            let frame = Frame::with_owners(2);
            let other = frame.clone();
            let other = thread::spawn(move || other.end());
            assert_eq!(frame.fork_and_end() + other.join().unwrap(), 1);
        });
    }

    #[test]
    fn loom_who_is_alone_may_write() {
        ::loom::model(|| {
            let frame = Frame::with_owners(2);
            let other = frame.clone();
            let other = thread::spawn(move || other.end());
            while is_shared(&frame.count) {
                thread::yield_now();
            }
            frame.reuse();
            assert_eq!((other.join().unwrap(), frame.end()), (0, 1));
        });
    }
}
