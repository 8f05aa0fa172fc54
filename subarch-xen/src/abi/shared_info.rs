//! The page that Xen shares with the whole domain: event channels and the calendar.
//!
//! It is a frame of Xen's, not of ours, so there is no address for it until we give it one: the boot code maps it over
//! [`SHARED_INFO`], a page of the image that serves as nothing but a place. Source: Xen's public header `xen.h`,
//! `struct shared_info`.

use super::VcpuInfo;
use core::sync::atomic::{AtomicU32, AtomicU64};

/// How many words the bitmaps of event channels have, and how many bits each word.
pub const WORDS: usize = 64;

/// `struct shared_info`, up to what is used here.
#[repr(C, align(4096))]
#[derive(Debug)]
pub struct SharedInfo {
    vcpus: [[u8; size_of::<VcpuInfo>()]; 32],
    /// One bit for each event channel: something happened.
    pub pending: [AtomicU64; WORDS],
    /// One bit for each event channel: it must wait.
    pub mask: [AtomicU64; WORDS],
    /// Odd while Xen is writing the calendar.
    pub calendar_version: AtomicU32,
    /// Seconds from 1970 to the start of system time, the lower half.
    pub seconds: AtomicU32,
    /// Nanoseconds on top.
    pub nanoseconds: AtomicU32,
    /// The upper half of the seconds.
    pub seconds_high: AtomicU32,
}

/// Where the shared page is seen once the boot code has mapped it.
pub static SHARED_INFO: SharedInfo = SharedInfo {
    vcpus: [[0; size_of::<VcpuInfo>()]; 32],
    pending: [const { AtomicU64::new(0) }; WORDS],
    mask: [const { AtomicU64::new(0) }; WORDS],
    calendar_version: AtomicU32::new(0),
    seconds: AtomicU32::new(0),
    nanoseconds: AtomicU32::new(0),
    seconds_high: AtomicU32::new(0),
};

const _: () = assert!(core::mem::offset_of!(SharedInfo, pending) == 2048);
const _: () = assert!(core::mem::offset_of!(SharedInfo, calendar_version) == 3072);
const _: () = assert!(size_of::<SharedInfo>() == 4096);
