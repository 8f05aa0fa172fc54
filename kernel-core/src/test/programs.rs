//! Programs: those that do their work, those that must be stopped, and what is left of both.
//!
//! The programs are in the boot module, and how each must end is in the list that they share with this file.

use super::{Case, Outcome, Trouble, check, check_eq, failed};
use crate::mm::frames;
use crate::platform::Platform;
use crate::task;
use crate::user::{self, End, Process, StartError};
use crate::{smp, start};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use arch::layout::{DIRECT_MAP, MAPPINGS, PAGE_SIZE};
use arch::percpu::PerCpu;
use arch::{SmpOps, TimeOps, VirtAddr, image};
use core::time::Duration;
use kernel_logic::user::signal::Signal;
use user_programs::cases::{self, HOSTILE, ORDINARY};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "programs-malformed-are-refused",
        run: malformed_are_refused,
    },
    Case {
        name: "programs-do-their-work",
        run: || quietly(|| all_end_rightly(ORDINARY)),
    },
    Case {
        name: "programs-do-their-work-at-once",
        run: || quietly(work_at_once),
    },
    Case {
        name: "programs-hostile-are-stopped",
        run: hostile_are_stopped,
    },
    Case {
        name: "programs-see-no-kernel-memory",
        run: see_no_kernel_memory,
    },
    Case {
        name: "programs-are-preempted-and-killed",
        run: are_preempted_and_killed,
    },
    Case {
        name: "programs-keep-their-registers",
        run: keep_their_registers,
    },
    Case {
        name: "programs-copy-on-write-everywhere",
        run: copy_on_write_everywhere,
    },
    Case {
        name: "programs-cannot-take-all-memory",
        run: cannot_take_all_memory,
    },
    Case {
        name: "programs-leave-no-trace",
        run: || leave_no_trace(200),
    },
];

/// The tests that take longer, for `test=soak`.
pub(super) const LONG_CASES: &[Case] = &[Case {
    name: "programs-ten-thousand-leave-no-trace",
    run: || leave_no_trace(10_000),
}];

/// The file in the boot module.
fn file() -> Result<&'static [u8], Trouble> {
    start::module().ok_or(Trouble::Skipped("no boot module was given"))
}

fn begin(arguments: &[&str]) -> Result<Arc<Process>, Trouble> {
    let arguments: Vec<&[u8]> = arguments.iter().map(|argument| argument.as_bytes()).collect();
    user::start(file()?, &arguments, &[b"PLACE=kernel"]).map_err(failed("starting a program"))
}

fn run(arguments: &[&str]) -> Result<End, Trouble> {
    Ok(begin(arguments)?.wait())
}

/// The end in the words of the list.
fn end(end: End) -> cases::End {
    match end {
        End::Exited(status) => cases::End::Exit(status),
        End::Killed(signal) => {
            cases::End::Killed(cases::Signal::from_number(signal.number()).expect("the list knows all signals"))
        }
    }
}

fn malformed_are_refused() -> Outcome {
    let file = file()?;
    let start = |file: &[u8]| user::start(file, &[b"x"], &[]);
    let mut wrong_machine = file[..file.len().min(1 << 16)].to_vec();
    wrong_machine[18] = 40;
    for (what, bytes) in [
        ("text", &b"#!/bin/sh"[..]),
        ("nothing", &[]),
        ("a head alone", &file[..64]),
        ("ARM", &wrong_machine),
    ] {
        let refused = matches!(start(bytes), Err(StartError::Elf(_)));
        check!(refused, "{what} was taken for a program");
    }
    let long = alloc::vec![b'x'; 4 << 20];
    check!(
        matches!(user::start(file, &[&long], &[]), Err(StartError::Stack(_))),
        "an argument of 4 MiB was passed"
    );
    Ok(())
}

fn all_end_rightly(cases: &[cases::Case]) -> Outcome {
    let mut wrong = String::new();
    for case in cases {
        let ended = end(run(case.arguments)?);
        if !case.allows(ended) {
            wrong += &format!("`{case}` ended with {ended}; ");
        }
    }
    check!(wrong.is_empty(), "{wrong}");
    Ok(())
}

fn work_at_once() -> Outcome {
    let processes: Result<Vec<_>, _> = ORDINARY.iter().map(|case| begin(case.arguments)).collect();
    for (case, process) in ORDINARY.iter().zip(processes?) {
        let ended = end(process.wait());
        check!(case.allows(ended), "`{case}` ended with {ended}");
    }
    Ok(())
}

/// Runs `test` without a report of every program that is killed, which it expects.
fn quietly(test: impl FnOnce() -> Outcome) -> Outcome {
    let level = log::max_level();
    log::set_max_level(level.min(log::LevelFilter::Error));
    let outcome = test();
    log::set_max_level(level);
    outcome
}

fn hostile_are_stopped() -> Outcome {
    quietly(|| all_end_rightly(HOSTILE))
}

fn see_no_kernel_memory() -> Outcome {
    static SECRET: u64 = 0x5ec2e7;
    let on_the_stack = SECRET;
    let places = [
        ("its code", image::pages().start),
        ("its constants", VirtAddr::from_ptr(&raw const SECRET)),
        ("its data", image::pages().end - 8u64),
        ("a CPU's area", VirtAddr::from_ptr(PerCpu::current())),
        ("a kernel stack", VirtAddr::from_ptr(&raw const on_the_stack)),
        ("the direct map", VirtAddr::new(DIRECT_MAP)),
        ("its mappings", VirtAddr::new(MAPPINGS)),
        ("the hypervisor's", VirtAddr::new(0xffff_8000_0000_0000)),
        ("the hypervisor's table of frames", VirtAddr::new(0xffff_8280_0000_0000)),
        ("the last byte", VirtAddr::new(u64::MAX - 7)),
    ];
    quietly(|| {
        for (what, address) in places {
            let address = format!("{address:#x}");
            for attempt in ["kernel-read", "kernel-write", "kernel-jump"] {
                let ended = run(&[attempt, &address])?;
                check!(
                    ended == End::Killed(Signal::SIGSEGV),
                    "{attempt} of {what} at {address} ended with {ended:?}"
                );
            }
        }
        Ok(())
    })
}

fn are_preempted_and_killed() -> Outcome {
    let count = smp::online().len() + 1;
    let busy: Result<Vec<_>, _> = (0..count).map(|_| begin(&["busy"])).collect();
    let busy = busy?;
    // This thread goes on although every CPU has a program that never stops.
    let until = Platform::now() + Duration::from_millis(50);
    while Platform::now() < until {
        task::yield_now();
    }
    check!(
        busy.iter().all(|process| process.ended().is_none()),
        "a program that never stops stopped"
    );
    for process in &busy {
        process.end(End::Killed(Signal::SIGKILL));
    }
    for process in busy {
        check_eq!(process.wait(), End::Killed(Signal::SIGKILL));
    }
    Ok(())
}

fn keep_their_registers() -> Outcome {
    let count = 2 * smp::online().len() + 1;
    let seeds: Vec<String> = (0..count).map(|seed| seed.to_string()).collect();
    let processes: Result<Vec<_>, _> = seeds
        .iter()
        .flat_map(|seed| [begin(&["fpu", seed]), begin(&["registers", seed])])
        .collect();
    for process in processes? {
        check_eq!(process.wait(), End::Exited(0));
    }
    Ok(())
}

fn copy_on_write_everywhere() -> Outcome {
    let storms: Result<Vec<_>, _> = (0..smp::online().len()).map(|_| begin(&["cow-storm", "10"])).collect();
    for storm in storms? {
        check_eq!(storm.wait(), End::Exited(0));
    }
    Ok(())
}

fn cannot_take_all_memory() -> Outcome {
    /// Of more it would take too long to use up.
    const LARGE: u64 = (1 << 30) / PAGE_SIZE;
    if frames::usage().total > LARGE {
        return Err(Trouble::Skipped("the machine has more than 1 GiB"));
    }
    let size = (8 * frames::usage().total * PAGE_SIZE).to_string();
    let take_all = || {
        quietly(|| {
            check_eq!(run(&["memory", &size])?, End::Killed(Signal::SIGKILL));
            Ok(())
        })
    };
    without_loss(take_all)?;
    check_eq!(run(&["hello"])?, End::Exited(0));
    Ok(())
}

/// Programs come and go, and all memory is as before.
fn leave_no_trace(count: u32) -> Outcome {
    let at_once = 2 * smp::online().len();
    let round = || -> Outcome {
        let processes: Result<Vec<_>, _> = (0..at_once).map(|_| begin(&["exit", "0"])).collect();
        for process in processes? {
            check_eq!(process.wait(), End::Exited(0));
        }
        Ok(())
    };
    without_loss(|| (0..count / at_once).try_for_each(|_| round()))
}

/// Sees to it that `work` gives back what it takes.
///
/// Stacks and heap are kept for those that come next, so work that happens to need more of them at once than any before seems to lose
/// memory. It does so once or twice; what leaks does every time.
fn without_loss(work: impl Fn() -> Outcome) -> Outcome {
    const ATTEMPTS: usize = 5;
    let mut lost = Vec::new();
    for _ in 0..ATTEMPTS {
        let before = settled_memory();
        work()?;
        let after = settled_memory();
        if after >= before {
            return Ok(());
        }
        lost.push(before - after);
    }
    Err(Trouble::Failed(format!("{lost:?} frames were lost, time after time")))
}

/// How many frames are free when all that is still ending has ended.
fn settled_memory() -> u64 {
    const QUIET: Duration = Duration::from_millis(20);
    loop {
        let before = frames::usage().free;
        let until = Platform::now() + QUIET;
        while Platform::now() < until {
            Platform::spin(0);
            task::yield_now();
        }
        if frames::usage().free == before {
            return before;
        }
    }
}
