//! The page that Xen shares with the whole domain: event channels and the calendar.
//!
//! It is a frame of Xen's, not of the guest's, so there is no address for it until the guest gives it one: a page of its own that serves as
//! nothing but a place. Source: Xen's public header `xen.h`, `struct shared_info`.

use super::VcpuInfo;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Relaxed, fence};

/// How many words the bitmaps of event channels have, and how many bits each word.
pub const WORDS: usize = 64;

/// `struct shared_info`, up to what is used here.
#[repr(C, align(4096))]
#[derive(Debug)]
pub struct SharedInfo {
    vcpus: [VcpuInfo; 32],
    /// One bit for each event channel: something happened.
    pub pending: [AtomicU64; WORDS],
    /// One bit for each event channel: it must wait.
    pub mask: [AtomicU64; WORDS],
    /// Odd while Xen is writing the calendar.
    calendar_version: AtomicU32,
    /// Seconds from 1970 to the start of system time, the lower half.
    seconds: AtomicU32,
    /// Nanoseconds on top.
    nanoseconds: AtomicU32,
    /// The upper half of the seconds.
    seconds_high: AtomicU32,
}

impl SharedInfo {
    /// A place for the page: nothing has happened.
    pub const fn new() -> Self {
        Self {
            vcpus: [const { VcpuInfo::new() }; 32],
            pending: [const { AtomicU64::new(0) }; WORDS],
            mask: [const { AtomicU64::new(0) }; WORDS],
            calendar_version: AtomicU32::new(0),
            seconds: AtomicU32::new(0),
            nanoseconds: AtomicU32::new(0),
            seconds_high: AtomicU32::new(0),
        }
    }

    /// When system time started: seconds since 1970, and nanoseconds. Dom0 may correct it at any time, so it is read anew each time; the
    /// version is odd while Xen is writing, and another afterwards.
    pub fn start_of_system_time(&self) -> (u64, u32) {
        loop {
            let version = self.calendar_version.load(Acquire);
            let (low, high) = (self.seconds.load(Relaxed), self.seconds_high.load(Relaxed));
            let nanoseconds = self.nanoseconds.load(Relaxed);
            fence(Acquire);
            if version & 1 == 0 && self.calendar_version.load(Relaxed) == version {
                return (u64::from(high) << 32 | u64::from(low), nanoseconds);
            }
        }
    }
}

impl Default for SharedInfo {
    fn default() -> Self {
        Self::new()
    }
}

const _: () = assert!(core::mem::offset_of!(SharedInfo, pending) == 2048);
const _: () = assert!(core::mem::offset_of!(SharedInfo, calendar_version) == 3072);
const _: () = assert!(size_of::<SharedInfo>() == 4096);
