//! The `log` crate's messages, on the console.

use crate::platform::Platform;
use arch::TimeOps;
use log::{LevelFilter, Log, Metadata, Record};

struct Console;

static CONSOLE: Console = Console;

/// Sends messages of `level` and above to the console from now on.
pub fn install(level: LevelFilter) {
    // It fails only if there is a logger already, and the first one is this one.
    if log::set_logger(&CONSOLE).is_ok() {
        log::set_max_level(level);
    }
}

impl Log for Console {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let target = record.target().split("::").next().unwrap_or_default();
            println!(
                "[{:>12}] {:5} {target}: {}",
                Platform::now(),
                record.level(),
                record.args()
            );
        }
    }

    fn flush(&self) {}
}
