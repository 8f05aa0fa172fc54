//! The serial lines of a machine.
//!
//! A kernel that has the machine to itself, and one whose console is Xen's, uses the first and only. Beneath Xen, a kernel that believes
//! to be on a bare machine has the second, since Xen keeps the first; and if a ROM makes it Xen's guest, it moves to the first. So both
//! are listened to, whatever is typed goes to the one where the kernel is going to listen, and what Xen says for itself on the other is
//! kept apart, for the case that it has to be known.

use crate::cli::RomChoice;
use crate::rom;
use std::ffi::OsString;

/// The serial lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// One that is of interest here, the last of the machine's.
    One,
    /// Two, of which the kernel listens to the first.
    ListenFirst,
    /// Two, of which the kernel listens to the second.
    ListenSecond,
}

impl Lines {
    /// Those of a PVH dom0 with `rom`.
    pub fn of_pvh_dom0(rom: &RomChoice) -> Self {
        match rom {
            RomChoice::Built(name) if name == rom::XEN => Self::ListenFirst,
            _ => Self::ListenSecond,
        }
    }

    /// QEMU's arguments, in the order of the lines: `console` for the one that the kernel listens to, the address `aside` for the other.
    pub fn arguments(self, console: &[&str], aside: OsString) -> Vec<OsString> {
        let console: Vec<OsString> = console.iter().map(OsString::from).collect();
        let aside = vec![OsString::from("-serial"), aside];
        match self {
            Self::One => console,
            Self::ListenFirst => [console, aside].concat(),
            Self::ListenSecond => [aside, console].concat(),
        }
    }
}

/// Tells what a hypervisor says for itself from what its guest says, on a line that both write to.
#[derive(Debug, Default)]
pub struct Sorter {
    line: Vec<u8>,
}

/// Whole lines by who has written them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sorted {
    /// The guest's.
    pub guest: Vec<u8>,
    /// The hypervisor's.
    pub hypervisor: Vec<u8>,
}

impl Sorter {
    /// Takes a chunk; the lines that are complete by now.
    pub fn push(&mut self, chunk: &[u8]) -> Sorted {
        let mut sorted = Sorted::default();
        for byte in chunk {
            self.line.push(*byte);
            if *byte == b'\n' {
                self.sort_into(&mut sorted);
            }
        }
        sorted
    }

    /// The line that will never be complete.
    pub fn end(&mut self) -> Sorted {
        let mut sorted = Sorted::default();
        self.sort_into(&mut sorted);
        sorted
    }

    fn sort_into(&mut self, sorted: &mut Sorted) {
        let line = std::mem::take(&mut self.line);
        let of = if line.trim_ascii_start().starts_with(b"(XEN") {
            &mut sorted.hypervisor
        } else {
            &mut sorted.guest
        };
        of.extend(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_typed_at_where_it_listens() {
        let arguments = |lines: Lines| lines.arguments(&["-serial", "stdio"], "unix:x".into());
        assert_eq!(arguments(Lines::One), ["-serial", "stdio"]);
        assert_eq!(arguments(Lines::ListenFirst), ["-serial", "stdio", "-serial", "unix:x"]);
        assert_eq!(
            arguments(Lines::ListenSecond),
            ["-serial", "unix:x", "-serial", "stdio"]
        );
        let of = |name: &str| Lines::of_pvh_dom0(&RomChoice::Built(name.into()));
        assert_eq!((of("xen"), of("native")), (Lines::ListenFirst, Lines::ListenSecond));
    }

    #[test]
    fn lines_are_sorted_however_they_are_cut() {
        let text = b"(XEN) one\r\nhello\r\n\r(XEN) two\nanyring> ";
        for length in 1..text.len() {
            let (mut sorter, mut guest, mut hypervisor) = (Sorter::default(), vec![], vec![]);
            let mut parts: Vec<Sorted> = text.chunks(length).map(|chunk| sorter.push(chunk)).collect();
            parts.push(sorter.end());
            for part in parts {
                guest.extend(part.guest);
                hypervisor.extend(part.hypervisor);
            }
            assert_eq!(guest, b"hello\r\nanyring> ");
            assert_eq!(hypervisor, b"(XEN) one\r\n\r(XEN) two\n");
        }
    }
}
