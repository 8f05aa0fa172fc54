//! Threads that are moved from CPU to CPU while they mask and unmask interrupts.
//!
//! Masking must hit the CPU that executes it, whatever happens between any two of its instructions. Some platforms need two
//! or three for it, and this is where it would show: a thread is moved in the middle, and from then on some CPU has interrupts
//! masked that nobody will ever unmask.
//!
//! So threads do nothing but mask and unmask, while on each CPU a *disturber* sleeps until it is woken from another CPU, or for a
//! random number of nanoseconds. It takes the CPU from whoever has it, at whatever instruction that is, gives the evicted thread
//! to another CPU, and wakes another disturber.
//!
//! (QEMU looks for interrupts between the blocks of code that it translates. To have it look between all instructions, give it
//! `-accel tcg,one-insn-per-tb=on`, or `-singlestep` before release 8.1.)

use super::super::{Case, Outcome, check, check_eq, failed};
use super::{need_two_cpus, run_on_every_cpu, spawn, wait_for};
use crate::irq;
use crate::platform::Platform;
use crate::smp;
use crate::task::{self, Class, JoinHandle, Options, Priority, WaitList};
use alloc::sync::Arc;
use alloc::vec::Vec;
use arch::percpu::{CpuId, CpuSet, MAX_CPUS, this_cpu};
use arch::{Instant, IrqOps, SmpOps, TimeOps};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use core::time::Duration;

pub(in super::super) const CASES: &[Case] = &[
    Case {
        name: "threads-move-while-they-mask",
        run: || move_while_they_mask(500, Some(TIME)),
    },
    Case {
        name: "threads-are-moved-while-they-mask",
        run: || be_moved(10, TIME),
    },
];

/// Minutes long.
pub(in super::super) const LONG_CASES: &[Case] = &[
    Case {
        name: "threads-move-millions-of-times-while-they-mask",
        run: || move_while_they_mask(500_000, None),
    },
    Case {
        name: "threads-are-moved-millions-of-times-while-they-mask",
        run: || be_moved(2_000_000, Duration::ZERO),
    },
];

/// On a busy host a move takes as long as the host lets the other CPU wait.
const TIME: Duration = Duration::from_millis(200);

/// Each of four threads goes from CPU to CPU so often, or as often as it can in `limit`. They interrupt each other by arriving.
fn move_while_they_mask(moves: u64, limit: Option<Duration>) -> Outcome {
    need_two_cpus()?;
    let wrong = Arc::new(AtomicU64::new(0));
    let end = limit.map(|limit| Platform::now() + limit);
    let threads: Result<Vec<_>, _> = (0..4)
        .map(|offset| {
            let wrong = wrong.clone();
            spawn(move || {
                let cpus = smp::online().len();
                let in_time = |round: &u64| *round == 0 || end.is_none_or(|end| Platform::now() < end);
                for round in (0..moves).take_while(in_time) {
                    let target = CpuId((round as u32 + offset) % cpus);
                    task::set_affinity(CpuSet::only(target));
                    wrong.fetch_add((this_cpu() != target).into(), Relaxed);
                    for _ in 0..20 {
                        Platform::disable();
                        wrong.fetch_add((!irq::is_masked()).into(), Relaxed);
                        Platform::enable();
                        wrong.fetch_add(irq::is_masked().into(), Relaxed);
                    }
                }
            })
        })
        .collect();
    threads?.into_iter().for_each(JoinHandle::join);
    check_eq!(wrong.load(Relaxed), 0);
    // No CPU was left masked: each still answers.
    run_on_every_cpu()
}

/// The disturbance lasts until threads have been moved `moves` times, and at least for `span`.
fn be_moved(moves: u64, span: Duration) -> Outcome {
    need_two_cpus()?;
    let scene = Arc::new(Scene::new());
    let cpus = smp::online();
    let mut threads = Vec::new();
    // Fewer than CPUs: who is given away shall run at once.
    for _ in 0..cpus.len() / 2 {
        let scene = scene.clone();
        threads.push(spawn(move || scene.mask_and_unmask())?);
    }
    for cpu in cpus.iter() {
        let scene = scene.clone();
        let disturber = task::spawn_with(disturber_on(cpu), move || scene.disturb(cpu));
        threads.push(disturber.map_err(failed("starting a thread"))?);
    }
    let start = Platform::now();
    let busy = scene.watch(moves, span);
    scene.over.store(true, Relaxed);
    let all_end = wait_for(|| threads.iter().all(JoinHandle::is_finished));
    log::debug!("{} moves in {:?}", scene.moves.load(Relaxed), Platform::now() - start);
    check!(
        busy,
        "no thread was moved for {QUIET:?}: a CPU may have been left masked"
    );
    check!(all_end, "not all threads end: a CPU may have been left masked");
    check_eq!(scene.wrong.load(Relaxed), 0);
    run_on_every_cpu()
}

/// If nobody is moved for so long, nobody ever will be.
const QUIET: Duration = Duration::from_secs(20);

/// For how long a disturber leaves its CPU alone at least, in nanoseconds. Where to read the clock and to set the alarm takes longer than that,
/// the time is over before it sleeps, and it becomes more: whoever goes behind a disturber would never run.
const BREATH: u64 = 10_000;

fn spin_while(condition: impl Fn() -> bool) {
    while condition() {
        Platform::spin(0);
    }
}

/// It goes before whoever masks.
fn disturber_on(cpu: CpuId) -> Options {
    Options {
        class: Class::Realtime(Priority::MIN),
        affinity: CpuSet::only(cpu),
    }
}

struct Scene {
    over: AtomicBool,
    /// What wakes the disturber of each CPU.
    bells: Vec<Bell>,
    /// How many of the masking threads run on each CPU, as far as they know.
    masking: [AtomicU32; MAX_CPUS as usize],
    /// How often a masking thread found itself on another CPU.
    moves: AtomicU64,
    /// How often somebody found interrupts masked that should not have been, or the other way round.
    wrong: AtomicU64,
}

/// What a disturber waits for.
#[derive(Default)]
struct Bell {
    rung: AtomicBool,
    waiting: WaitList,
}

impl Bell {
    fn ring(&self) {
        self.rung.store(true, Relaxed);
        self.waiting.wake_one();
    }

    /// Waits for the next ring, or until `deadline`. Tells whether the CPU was free meanwhile, rather than the deadline over before the
    /// wait began.
    fn await_ring(&self, deadline: Instant) -> bool {
        let mut asked = 0;
        self.rung.store(false, Relaxed);
        let is_rung = || {
            asked += 1;
            self.rung.load(Relaxed)
        };
        self.waiting.wait_until(is_rung, Some(deadline));
        asked > 1
    }
}

impl Scene {
    fn new() -> Self {
        Self {
            over: AtomicBool::new(false),
            bells: smp::online().iter().map(|_| Bell::default()).collect(),
            masking: [const { AtomicU32::new(0) }; MAX_CPUS as usize],
            moves: AtomicU64::new(0),
            wrong: AtomicU64::new(0),
        }
    }

    /// The bell of `cpu`. CPUs are numbered without gaps, unless one has been left out; then two share one.
    fn bell(&self, cpu: CpuId) -> &Bell {
        &self.bells[cpu.0 as usize % self.bells.len()]
    }

    fn masking_on(&self, cpu: CpuId) -> &AtomicU32 {
        &self.masking[cpu.0 as usize]
    }

    /// Does nothing but mask and unmask, in all ways there are.
    fn mask_and_unmask(&self) {
        let mut here = this_cpu();
        self.masking_on(here).fetch_add(1, Relaxed);
        while !self.over.load(Relaxed) {
            Platform::disable();
            Platform::enable();
            let guard = irq::mask();
            let (masked, before) = (irq::is_masked(), here);
            here = this_cpu();
            drop(guard);
            if !masked || irq::is_masked() {
                self.wrong.fetch_add(1, Relaxed);
            }
            if here != before {
                self.masking_on(before).fetch_sub(1, Relaxed);
                self.masking_on(here).fetch_add(1, Relaxed);
                self.moves.fetch_add(1, Relaxed);
            }
        }
    }

    /// Strikes at random, and sends whoever was struck elsewhere.
    fn disturb(&self, cpu: CpuId) {
        let mut random = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(u64::from(cpu.0) + 1);
        let mut breath = BREATH;
        let others = smp::online().without(cpu);
        while !self.over.load(Relaxed) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let alarm = Platform::now() + Duration::from_nanos(breath + random % (6 * breath));
            let has_slept = self.bell(cpu).await_ring(alarm);
            breath = if has_slept {
                (breath - breath / 8).max(BREATH)
            } else {
                2 * breath
            };
            self.wrong.fetch_add(irq::is_masked().into(), Relaxed);
            let choice = (random >> 32) as usize % others.len() as usize;
            let other = others.iter().nth(choice).unwrap_or(cpu);
            let moves = self.moves.load(Relaxed);
            if self.masking_on(cpu).load(Relaxed) > 0 && task::give_away_to(other) {
                // Until the evicted thread runs there, which a busy host may take long to allow, and a little longer.
                let end = Platform::now() + Duration::from_millis(20);
                spin_while(|| self.moves.load(Relaxed) == moves && Platform::now() < end);
                let end = Platform::now() + Duration::from_nanos(random % 4096);
                spin_while(|| Platform::now() < end);
            }
            self.bell(other).ring();
        }
    }

    /// Waits until there have been so many moves for so long; `false` if they cease.
    fn watch(&self, moves: u64, span: Duration) -> bool {
        let start = Platform::now();
        let mut last = (0, start);
        loop {
            task::sleep(Duration::from_millis(5));
            let (now, seen) = (Platform::now(), self.moves.load(Relaxed));
            if seen >= moves && now >= start + span {
                return true;
            }
            if seen != last.0 {
                last = (seen, now);
            } else if now > last.1 + QUIET {
                return false;
            }
        }
    }
}
