//! The page that tells a PV guest what it has been given.
//!
//! Its address is in RSI at the first instruction, and it is all that a PV guest knows: no firmware, no BIOS memory map, no
//! PCI. We take a copy at once, so that the page itself becomes ordinary memory. Source: Xen's public header `xen.h`,
//! `struct start_info`, and the description of a guest's start-of-day layout above it.

use crate::hypercall::mmu::Mfn;
use arch::layout::{IMAGE_BASE, PAGE_SIZE};
use arch::{FrameRange, Pfn};
use core::fmt;

/// `struct start_info`, for a 64-bit PV guest.
#[repr(C)]
#[derive(Clone, Debug)]
pub struct StartInfo {
    magic: [u8; 32],
    /// How many frames the domain has.
    pub frames: u64,
    /// Machine address of the page that Xen shares with the whole domain.
    pub shared_info: u64,
    flags: u32,
    /// Machine frame of the page shared with the configuration store's daemon; 0 as dom0.
    pub store_frame: u64,
    /// Event channel to the configuration store's daemon.
    pub store_port: u32,
    /// Machine frame of the console's page (domU).
    pub console_frame: u64,
    /// Event channel of the console (domU).
    pub console_port: u32,
    page_tables: u64,
    page_table_frames: u64,
    frame_list: u64,
    module_start: u64,
    module_length: u64,
    command_line: [u8; 1024],
    first_list_frame: u64,
    list_frames: u64,
}

/// What is wrong with a `start_info`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// It does not begin as it must for a 64-bit PV guest; these are the bytes.
    Magic([u8; 32]),
    /// The command line is not UTF-8, or does not end.
    CommandLine,
    /// The module is told by frame, which only a kernel with a note of its own asks for.
    ModuleByFrame,
    /// What this field points to does not lie in the memory that Xen mapped at the start.
    Outside(&'static str),
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic(bytes) => write!(
                out,
                "start_info begins with \"{}\" instead of \"xen-3.0-x86_64\"",
                bytes.escape_ascii()
            ),
            Self::CommandLine => out.write_str("start_info has a command line that is not zero-terminated UTF-8"),
            Self::ModuleByFrame => out.write_str("start_info tells the module by frame, which was not asked for"),
            Self::Outside(field) => write!(out, "start_info names a {field} outside the domain's first mapping"),
        }
    }
}

/// The domain may use the machine's hardware.
const INITIAL_DOMAIN: u32 = 1 << 1;
/// The module's start is a frame number instead of an address.
const MODULE_IS_FRAME: u32 = 1 << 3;

/// Room behind the last thing that Xen placed, mapped and unused (public header, item 8 of the layout).
const PADDING: u64 = 512 * 1024;

impl StartInfo {
    /// Checks what everything else relies on.
    ///
    /// # Errors
    /// [`Malformed`], naming the first thing that is wrong.
    pub fn check(&self) -> Result<(), Malformed> {
        if until_zero(&self.magic) != Some(b"xen-3.0-x86_64") {
            return Err(Malformed::Magic(self.magic));
        }
        self.command_line()?;
        self.mapped("list of frames", self.frame_list, self.frames.saturating_mul(8))?;
        self.mapped(
            "root page table",
            self.page_tables,
            self.page_table_frames.saturating_mul(PAGE_SIZE),
        )?;
        if self.module_length != 0 {
            if self.flags & MODULE_IS_FRAME != 0 {
                return Err(Malformed::ModuleByFrame);
            }
            self.mapped("module", self.module_start, self.module_length)?;
        }
        Ok(())
    }

    /// Whether this is dom0.
    pub fn is_initial_domain(&self) -> bool {
        self.flags & INITIAL_DOMAIN != 0
    }

    /// The kernel's command line, without the file name.
    ///
    /// # Errors
    /// [`Malformed::CommandLine`].
    pub fn command_line(&self) -> Result<&str, Malformed> {
        until_zero(&self.command_line)
            .and_then(|bytes| str::from_utf8(bytes).ok())
            .ok_or(Malformed::CommandLine)
    }

    /// The frames of the list that translates this domain's frames into the machine's.
    pub fn list(&self) -> FrameRange {
        covering(self.frame_list, self.frames * 8)
    }

    /// The frames of the page tables the domain was started on, the root first.
    pub fn tables(&self) -> FrameRange {
        covering(self.page_tables, self.page_table_frames * PAGE_SIZE)
    }

    /// The machine frames of the pages that are shared with daemons in dom0; none as dom0.
    pub fn shared_frames(&self) -> impl Iterator<Item = Mfn> {
        let frames = if self.is_initial_domain() {
            [0, 0]
        } else {
            [self.store_frame, self.console_frame]
        };
        frames.into_iter().filter(|&frame| frame != 0).map(Mfn)
    }

    /// The frames of the module, if there is one.
    pub fn module(&self) -> Option<FrameRange> {
        (self.module_length != 0).then(|| covering(self.module_start, self.module_length))
    }

    /// Frames below this one were mapped writable at the start, from [`IMAGE_BASE`] on, unless they are page tables.
    ///
    /// Behind the page tables lie a stack of one page and the padding.
    pub fn mapped_below(&self) -> Pfn {
        self.tables().end + (1 + PADDING / PAGE_SIZE)
    }

    /// Whether `length` bytes at `address` lie in the memory that Xen mapped.
    fn mapped(&self, field: &'static str, address: u64, length: u64) -> Result<(), Malformed> {
        let end = IMAGE_BASE.saturating_add(self.frames.saturating_mul(PAGE_SIZE));
        match address.checked_add(length) {
            Some(behind) if address >= IMAGE_BASE && behind <= end => Ok(()),
            _ => Err(Malformed::Outside(field)),
        }
    }
}

/// The frames of `length` bytes at `address` in Xen's first mapping.
fn covering(address: u64, length: u64) -> FrameRange {
    let start = address - IMAGE_BASE;
    FrameRange::covering(start..start + length)
}

/// The bytes before the first zero.
fn until_zero(bytes: &[u8]) -> Option<&[u8]> {
    bytes.iter().position(|&byte| byte == 0).map(|end| &bytes[..end])
}

const _: () = assert!(core::mem::offset_of!(StartInfo, console_port) == 80);
const _: () = assert!(core::mem::offset_of!(StartInfo, command_line) == 128);
const _: () = assert!(size_of::<StartInfo>() == 1168);

#[cfg(test)]
mod tests;
