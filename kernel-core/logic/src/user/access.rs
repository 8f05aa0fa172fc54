//! What a program may do with a page.

use core::fmt;

bitflags::bitflags! {
    /// The rights to a page of a program; none at all is possible, too. The bits are those of `mmap`'s third argument (Linux,
    /// `asm-generic/mman-common.h`: `PROT_READ`, `PROT_WRITE`, `PROT_EXEC`).
    ///
    /// Asking is free: that nobody gets [`WRITE`](Self::WRITE) together with [`EXECUTE`](Self::EXECUTE) is seen to by those who grant.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct UserAccess: u8 {
        /// Reading.
        const READ = 1;
        /// Writing. The processor lets who may write also read.
        const WRITE = 2;
        /// Executing. The processor lets who may execute also read.
        const EXECUTE = 4;
    }
}

impl UserAccess {
    /// Whether somebody with these rights could write code and run it.
    pub const fn is_write_and_execute(self) -> bool {
        self.contains(Self::WRITE.union(Self::EXECUTE))
    }
}

/// As `ls` and `/proc/*/maps` show rights: `r-x`.
impl fmt::Display for UserAccess {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (right, letter) in [(Self::READ, "r"), (Self::WRITE, "w"), (Self::EXECUTE, "x")] {
            out.write_str(if self.contains(right) { letter } else { "-" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_shown_as_everywhere() {
        let shown = [
            UserAccess::empty(),
            UserAccess::READ | UserAccess::EXECUTE,
            UserAccess::all(),
        ]
        .map(|a| a.to_string());
        assert_eq!(shown, ["---", "r-x", "rwx"]);
    }

    #[test]
    fn only_both_together_are_write_and_execute() {
        let bad: Vec<_> = (0..8)
            .filter(|bits| UserAccess::from_bits_retain(*bits).is_write_and_execute())
            .collect();
        assert_eq!(bad, [6, 7]);
    }
}
