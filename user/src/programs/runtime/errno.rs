//! Linux's error numbers, those that the programs expect (asm-generic/errno-base.h, errno.h).

/// Why a system call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errno(pub u16);

impl Errno {
    /// Operation not permitted.
    pub const EPERM: Self = Self(1);
    /// No such process.
    pub const ESRCH: Self = Self(3);
    /// Not an open file.
    pub const EBADF: Self = Self(9);
    /// No child processes.
    pub const ECHILD: Self = Self(10);
    /// Not now.
    pub const EAGAIN: Self = Self(11);
    /// No memory, or no such addresses.
    pub const ENOMEM: Self = Self(12);
    /// An address that is not the program's.
    pub const EFAULT: Self = Self(14);
    /// An argument that makes no sense.
    pub const EINVAL: Self = Self(22);
    /// No such system call.
    pub const ENOSYS: Self = Self(38);
    /// The time is over.
    pub const ETIMEDOUT: Self = Self(110);
}
