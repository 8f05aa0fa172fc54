//! `soak`: the same boot many times over.
//!
//! A race in the boot path, a timer calibrated by luck, a field read before it is set: such faults show once in dozens
//! of boots. The kernel is told to list its tests and end, so that a boot costs little more than itself.

use crate::build::{self, Built};
use crate::cli::Soak;
use crate::failure::Failure;
use crate::qemu;
use crate::qemu::machine::Extras;
use crate::qemu::session::Console;
use crate::setup::Setup;
use crate::workshop::Workshop;
use anyhow::{Result, ensure};
use std::time::Duration;

/// The kernel arguments of a boot that ends by itself.
const ARGUMENTS: &str = "test=list";
/// How long one boot may take.
const LIMIT: Duration = Duration::from_secs(240);

/// Boots as often as asked and prints how long a boot took.
///
/// # Errors
/// The first boot that does not end with status 0, with its output.
pub fn run(workshop: &Workshop, asked: &Soak) -> Result<()> {
    let setup = Setup::new(&asked.image, &asked.machine)?;
    let built = build::kernel(workshop, &setup.configuration, setup.release)?;
    let mut times = Vec::new();
    for number in 1..=asked.count {
        times.push(boot(workshop, &setup, &built, number)?);
    }
    println!(
        "{setup}: {} boots, none failed; from QEMU's start to its end {}",
        asked.count,
        spread(&mut times)
    );
    Ok(())
}

/// One boot; how long it took.
fn boot(workshop: &Workshop, setup: &Setup, built: &Built, number: u32) -> Result<Duration> {
    let machine = qemu::prepare(workshop, setup, built, ARGUMENTS, &Extras::default())?;
    let outcome = machine.run(Console::Unattended(LIMIT))?;
    let status = outcome.ending.status();
    let good = matches!(status, Ok(0)) && outcome.transcript.contains("anyring: exit status 0");
    if !good {
        println!("{}{}", outcome.transcript, outcome.remark.unwrap_or_default());
    }
    ensure!(
        good,
        Failure::NoVerdict.error(format!("{setup}: boot {number} failed: {}", outcome.ending))
    );
    eprintln!("{setup}: boot {number}: {} ms", outcome.elapsed.as_millis());
    Ok(outcome.elapsed)
}

/// The shortest, the middle and the longest of `times`.
fn spread(times: &mut [Duration]) -> String {
    times.sort_unstable();
    match times {
        [] => "nothing was measured".into(),
        [first, ..] => format!(
            "{} ms at least, {} ms in the middle, {} ms at most",
            first.as_millis(),
            times[times.len() / 2].as_millis(),
            times[times.len() - 1].as_millis()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_is_ordered() {
        let mut times = [30, 10, 20].map(Duration::from_millis);
        assert_eq!(spread(&mut times), "10 ms at least, 20 ms in the middle, 30 ms at most");
        assert_eq!(spread(&mut []), "nothing was measured");
    }
}
