//! The numbers by which a system call says why it failed.
//!
//! A program does not see the kernel's errors, however well they are named; it sees one number, in the register in which a
//! success would be. So every error of the kernel's own that a program can cause is given one here.

use super::elf::ElfError;
use super::numbered::numbered;
use super::regions::RegionError;
use super::stack::StackError;

/// An error as Linux numbers it on x86-64 (`asm-generic/errno-base.h` and `errno.h`).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Errno(u16);

numbered!(Errno, "error" {
    /// Not permitted.
    EPERM = 1,
    /// No such file.
    ENOENT = 2,
    /// No such process.
    ESRCH = 3,
    /// Interrupted by a signal.
    EINTR = 4,
    /// The arguments are too long.
    E2BIG = 7,
    /// The file cannot be executed.
    ENOEXEC = 8,
    /// No such file descriptor.
    EBADF = 9,
    /// No child processes.
    ECHILD = 10,
    /// Not now; what was asked for may be possible later.
    EAGAIN = 11,
    /// No memory.
    ENOMEM = 12,
    /// Access denied.
    EACCES = 13,
    /// Not an address of the program's.
    EFAULT = 14,
    /// It is there already.
    EEXIST = 17,
    /// An argument makes no sense.
    EINVAL = 22,
    /// No such system call.
    ENOSYS = 38,
    /// Time is up.
    ETIMEDOUT = 110,
});

impl Errno {
    /// What a system call that failed leaves in RAX: the number, negative.
    pub const fn as_result(self) -> u64 {
        (self.0 as u64).wrapping_neg()
    }
}

/// As `mmap` and `mprotect` of Linux answer, with `EACCES` for what no page may be.
impl From<RegionError> for Errno {
    fn from(error: RegionError) -> Self {
        match error {
            RegionError::Unaligned(_) | RegionError::Empty => Self::EINVAL,
            RegionError::Overlaps(_) => Self::EEXIST,
            RegionError::WriteAndExecute => Self::EACCES,
            RegionError::OutOfBounds(_) | RegionError::NotMapped(_) | RegionError::TooMany => Self::ENOMEM,
        }
    }
}

/// As `execve` of Linux answers.
impl From<ElfError> for Errno {
    fn from(_: ElfError) -> Self {
        Self::ENOEXEC
    }
}

/// As `execve` of Linux answers.
impl From<StackError> for Errno {
    fn from(error: StackError) -> Self {
        match error {
            StackError::StringTooLong(_) | StackError::TooLarge(_) => Self::E2BIG,
            StackError::ZeroInString(_) => Self::EINVAL,
            StackError::BadTop(_) => Self::ENOMEM,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_small_negative_numbers() {
        assert_eq!(Errno::EPERM.as_result(), u64::MAX);
        assert_eq!(Errno::ETIMEDOUT.as_result() as i64, -110);
    }

    #[test]
    fn numbers_are_shown_by_name() {
        assert_eq!(
            (Errno::EFAULT.to_string(), Errno(5000).to_string()),
            ("EFAULT".into(), "error 5000".into())
        );
        assert_eq!(
            (Errno(5000).name(), format!("{:?}", Errno::ENOSYS)),
            (None, "ENOSYS".into())
        );
    }

    #[test]
    fn what_a_program_causes_has_a_number() {
        let regions = [
            RegionError::Empty,
            RegionError::NotMapped(0),
            RegionError::WriteAndExecute,
            RegionError::Overlaps(0),
        ];
        let expected = [Errno::EINVAL, Errno::ENOMEM, Errno::EACCES, Errno::EEXIST];
        assert_eq!(regions.map(Errno::from), expected);
        let start = [
            Errno::from(ElfError::NotElf),
            StackError::TooLarge(1).into(),
            StackError::ZeroInString(0).into(),
        ];
        assert_eq!(start, [Errno::ENOEXEC, Errno::E2BIG, Errno::EINVAL]);
    }
}
