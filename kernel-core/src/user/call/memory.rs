//! Memory: private, anonymous, and never both writable and executable.

use super::Answer;
use crate::user::UserThread;
use crate::user::address_space::Place;
use bitflags::bitflags;
use kernel_logic::user::errno::Errno;
use kernel_logic::user::regions::UserAccess;

bitflags! {
    /// Flags of `mmap` (Linux's `include/uapi/asm-generic/mman-common.h` and `mman.h`).
    #[derive(Clone, Copy, PartialEq, Eq)]
    struct MapFlags: u32 {
        const PRIVATE = 0x2;
        const FIXED = 0x10;
        const ANONYMOUS = 0x20;
        /// The rest are hints that change nothing here.
        const GROWS_DOWN = 0x100;
        const NO_RESERVE = 0x4000;
        const POPULATE = 0x8000;
        const STACK = 0x2_0000;
        const FIXED_NO_REPLACE = 0x10_0000;
    }
}

/// `mmap`: only private and anonymous memory. What is said of a file and a place in it is ignored then, as Linux does.
pub fn map(thread: &UserThread, address: u64, length: u64, access: u64, flags: u64) -> Answer {
    let access = rights(access)?;
    let flags = MapFlags::from_bits(flags as u32).ok_or(Errno::EINVAL)?;
    if !flags.contains(MapFlags::PRIVATE) {
        return Err(Errno::EINVAL);
    }
    if !flags.contains(MapFlags::ANONYMOUS) {
        return Err(Errno::EBADF);
    }
    let place = match flags {
        _ if flags.contains(MapFlags::FIXED_NO_REPLACE) => Place::Free(address),
        _ if flags.contains(MapFlags::FIXED) => Place::Replace(address),
        _ => Place::Anywhere,
    };
    thread.process().space().map(place, length, access)
}

/// `mprotect`.
pub fn protect(thread: &UserThread, address: u64, length: u64, access: u64) -> Answer {
    thread.process().space().protect(address, length, rights(access)?)?;
    Ok(0)
}

/// `munmap`.
pub fn unmap(thread: &UserThread, address: u64, length: u64) -> Answer {
    thread.process().space().unmap(address, length)?;
    Ok(0)
}

fn rights(access: u64) -> Result<UserAccess, Errno> {
    u8::try_from(access)
        .ok()
        .and_then(UserAccess::from_bits)
        .ok_or(Errno::EINVAL)
}
