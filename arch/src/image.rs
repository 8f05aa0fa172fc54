//! The kernel's own image in memory, as the linker script laid it out.
//!
//! The platform needs it to map each part with the rights it deserves and no others, the core to check that this was done.
//! Both ask the same five symbols, which only `kernel-core/linker.ld` defines.

use core::ops::Range;
use x86_64::VirtAddr;
use x86_64::structures::paging::PageTableFlags;

/// A part of the image that has the same rights throughout; both ends lie on page boundaries.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Its name in messages.
    pub name: &'static str,
    /// Its addresses.
    pub pages: Range<VirtAddr>,
    /// The rights that every page of it must have, and no others.
    pub flags: PageTableFlags,
}

unsafe extern "C" {
    static __image_start: u8;
    static __text_end: u8;
    static __rodata_end: u8;
    static __image_end: u8;
}

/// The image's parts from low to high addresses, without gaps: code, constants, data (zeroed data and boot stacks included).
pub fn segments() -> [Segment; 3] {
    let present = PageTableFlags::PRESENT | PageTableFlags::GLOBAL;
    let data = present | PageTableFlags::NO_EXECUTE;
    let [start, text_end, rodata_end, end] = bounds();
    [
        Segment {
            name: "text",
            pages: start..text_end,
            flags: present,
        },
        Segment {
            name: "rodata",
            pages: text_end..rodata_end,
            flags: data,
        },
        Segment {
            name: "data",
            pages: rodata_end..end,
            flags: data | PageTableFlags::WRITABLE,
        },
    ]
}

/// The whole image, from its first page to behind its last.
pub fn pages() -> Range<VirtAddr> {
    let [start, _, _, end] = bounds();
    start..end
}

/// Whether `address` lies in the image's code.
pub fn is_text(address: VirtAddr) -> bool {
    let [start, text_end, _, _] = bounds();
    (start..text_end).contains(&address)
}

/// The image's start, the ends of code and of constants, and its end. Only addresses are taken: nothing is read.
fn bounds() -> [VirtAddr; 4] {
    [
        &raw const __image_start,
        &raw const __text_end,
        &raw const __rodata_end,
        &raw const __image_end,
    ]
    .map(VirtAddr::from_ptr)
}
