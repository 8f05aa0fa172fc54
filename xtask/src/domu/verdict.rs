//! Why a guest run ended, when it was not the guest that said so.
//!
//! The host inside QEMU hands the guest's exit status through. Two statuses it sets itself; the reasons are then in the
//! host's log, between hundreds of lines that nobody wants to read, so the telling ones are picked out.

use std::fs;
use std::path::Path;

/// Exit status when the host could not create the guest; `init.sh` has the same number.
pub const UNABLE: u8 = 61;
/// Exit status when the guest ended without saying how; `init.sh` has the same number.
pub const CRASHED: u8 = 62;

/// How many lines of the log are shown at most.
const SHOWN: usize = 40;

/// What to tell about a run that ended with `status`; nothing, if the status is the guest's own.
#[must_use]
pub fn explain(status: u8, log: &Path) -> Option<String> {
    let what = match status {
        UNABLE => "the Xen host could not create the guest",
        CRASHED => "the guest ended without an exit status: it crashed, or could not say it",
        _ => return None,
    };
    Some(format!("{what}; the host's last words:\n{}", reasons(log)))
}

/// The lines of the host's log that tell why a machine died, indented; for a run that ended without any status.
#[must_use]
pub fn reasons(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    text.map_or_else(|error| format!("  (unreadable: {error})"), |text| telling_lines(&text))
}

/// How Xen begins what it says while it makes a virtual processor, register by register.
const OF_NO_INTEREST: &str = "(XEN) HVM";

/// What follows the creation of the guest, or if that was never reached the end of the log.
#[must_use]
pub fn telling_lines(log: &str) -> String {
    let of_interest = |line: &&str| !line.is_empty() && !line.starts_with(OF_NO_INTEREST);
    let lines: Vec<&str> = log.lines().map(str::trim_end).filter(of_interest).collect();
    let created = lines.iter().rposition(|line| line.starts_with("host: dom0 is up"));
    let telling = &lines[created.map_or(0, |line| line + 1)..];
    let cut = telling.len().saturating_sub(SHOWN);
    telling[cut..].iter().map(|line| format!("  {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_those_of_the_script() {
        let script = include_str!("init.sh");
        assert!(script.contains(&format!("unable={UNABLE} ")));
        assert!(script.contains(&format!("crashed={CRASHED} ")));
    }

    #[test]
    fn the_guests_own_status_needs_no_explanation() {
        assert_eq!(explain(0, Path::new("/nonexistent")), None);
        assert!(
            explain(CRASHED, Path::new("/nonexistent"))
                .expect("a host's status")
                .contains("unreadable")
        );
    }

    #[test]
    fn only_what_came_after_the_creation_is_shown() {
        let log = "(XEN) Xen version 4.17\r\nhost: dom0 is up, xl creates the guest\r\n\r\n(XEN) HVM d1v0 save: CPU\n(XEN) Domain 1 crashed\r\n";
        assert_eq!(telling_lines(log), "  (XEN) Domain 1 crashed\n");
        let early: String = (0..100).map(|number| format!("line {number}\n")).collect();
        assert!(telling_lines(&early).starts_with("  line 60\n"));
    }
}
