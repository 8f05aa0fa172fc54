//! Under which conditions figures hold.
//!
//! Instructions are the same on any host, but not on any machine: a figure for xen has Xen's own instructions in it, which differ from one
//! version of Xen to the next, and what a processor can do decides what a kernel executes. So both stand beside the figures, and
//! instructions are compared only where they are the same.

use super::subject::Subject;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What the figures of one image depend on, beside the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditions {
    /// The name that the figures have for their platform's.
    pub platform: String,
    /// QEMU's name of the processor.
    pub processor: String,
    /// The version of Xen, with that of its package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xen: Option<String>,
}

impl Conditions {
    /// Those of the machine that `subject` was measured on, with this output.
    pub fn of(subject: Subject, transcript: &str) -> Self {
        Self {
            platform: subject.name(),
            processor: subject.processor().to_owned(),
            xen: transcript.lines().find_map(xen_version),
        }
    }
}

impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(version) = &self.xen {
            write!(f, "Xen {version} on ")?;
        }
        write!(f, "QEMU's processor {}", self.processor)
    }
}

/// The version in Xen's first line: `(XEN) Xen version 4.17.7 (Debian 4.17.7+13-…) (…)`.
fn xen_version(line: &str) -> Option<String> {
    let (_, banner) = line.split_once("Xen version ")?;
    let (version, _) = banner.split_once(')')?;
    Some(format!("{version})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Platform;

    #[test]
    fn xen_says_exactly_which_it_is() {
        let banner = "(XEN) Xen version 4.17.5 (Debian 4.17.5+72-g01140da4e8-1) (list@example.org) (gcc) debug=n\r\n";
        let conditions = Conditions::of(Subject::Single(Platform::Xen), banner);
        assert_eq!(
            conditions.to_string(),
            "Xen 4.17.5 (Debian 4.17.5+72-g01140da4e8-1) on QEMU's processor qemu64"
        );
    }

    #[test]
    fn a_bare_machine_has_a_processor() {
        assert_eq!(
            Conditions::of(Subject::Single(Platform::Vmi), "").to_string(),
            "QEMU's processor max"
        );
    }
}
