//! Error numbers of hypercalls.
//!
//! Xen has a list of its own, which agrees with Linux on x86 as far as it goes, because it was once Linux's. A number in a log
//! helps nobody, so each one has its name here.
//!
//! Those that mean something to the code ("there is no such CPU") are constants; the others are only ever printed.
//!
//! Source: Xen's public header `errno.h`.

use core::fmt;

/// An error number, positive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(pub u16);

impl Errno {
    /// There is no such thing, such as a virtual CPU of that number.
    pub const NOENT: Self = Self(2);
    /// Xen, or the share of it that the domain may use, is out of memory.
    pub const NOMEM: Self = Self(12);

    /// The error in a hypercall's answer, if it is one: answers from -4095 to -1 are.
    #[inline(always)]
    pub const fn of(answer: i64) -> Option<Self> {
        if answer < 0 && answer > -4096 {
            Some(Self(-answer as u16))
        } else {
            None
        }
    }

    /// Its name in the header, `unknown error` if it has none there.
    pub fn name(self) -> &'static str {
        match self.0 {
            1 => "EPERM",
            2 => "ENOENT",
            3 => "ESRCH",
            4 => "EINTR",
            5 => "EIO",
            6 => "ENXIO",
            7 => "E2BIG",
            8 => "ENOEXEC",
            9 => "EBADF",
            10 => "ECHILD",
            11 => "EAGAIN",
            12 => "ENOMEM",
            13 => "EACCES",
            14 => "EFAULT",
            16 => "EBUSY",
            17 => "EEXIST",
            18 => "EXDEV",
            19 => "ENODEV",
            20 => "ENOTDIR",
            21 => "EISDIR",
            22 => "EINVAL",
            23 => "ENFILE",
            24 => "EMFILE",
            28 => "ENOSPC",
            30 => "EROFS",
            31 => "EMLINK",
            33 => "EDOM",
            34 => "ERANGE",
            35 => "EDEADLK",
            36 => "ENAMETOOLONG",
            37 => "ENOLCK",
            38 => "ENOSYS",
            39 => "ENOTEMPTY",
            61 => "ENODATA",
            62 => "ETIME",
            74 => "EBADMSG",
            75 => "EOVERFLOW",
            84 => "EILSEQ",
            85 => "ERESTART",
            88 => "ENOTSOCK",
            90 => "EMSGSIZE",
            95 => "EOPNOTSUPP",
            98 => "EADDRINUSE",
            99 => "EADDRNOTAVAIL",
            105 => "ENOBUFS",
            106 => "EISCONN",
            107 => "ENOTCONN",
            110 => "ETIMEDOUT",
            111 => "ECONNREFUSED",
            _ => "unknown error",
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.name(), self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_page_of_numbers_is_errors() {
        assert_eq!(Errno::of(0), None);
        assert_eq!(Errno::of(-22), Some(Errno(22)));
        assert_eq!(Errno::of(-4095), Some(Errno(4095)));
        assert_eq!(Errno::of(-4096), None);
        assert_eq!(Errno::of(i64::MIN), None);
    }

    #[test]
    fn errors_have_names() {
        assert_eq!(Errno(16).to_string(), "EBUSY (16)");
        assert_eq!(Errno(4000).to_string(), "unknown error (4000)");
    }
}
