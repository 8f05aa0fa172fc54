//! Locks that nobody else wants: taking and giving back.

use super::Benchmark;
use super::meter::{Figures, measure};
use crate::sync::{IrqLock, Mutex};
use core::hint::black_box;

pub(super) const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "irq-lock",
        run: irq_lock,
    },
    Benchmark {
        name: "mutex",
        run: mutex,
    },
];

fn irq_lock() -> Figures {
    static LOCK: IrqLock<u64> = IrqLock::new(0);
    measure(|| *LOCK.lock() += black_box(1))
}

fn mutex() -> Figures {
    static MUTEX: Mutex<u64> = Mutex::new(0);
    measure(|| *MUTEX.lock() += black_box(1))
}
