//! Where things lie in the address space, on every platform alike.
//!
//! | from | what |
//! |---|---|
//! | `0` | programs, up to [`USER_END`] |
//! | `0xffff_8000_0000_0000` | the hypervisor's: under Xen its tables, elsewhere empty |
//! | `0xffff_8880_0000_0000` | the direct map: frame *n* at [`DIRECT_MAP`] + *n* × 4096 |
//! | `0xffff_c900_0000_0000` | mappings made one by one: stacks with guard pages, device registers |
//! | `0xffff_ffff_8000_0000` | the image, at the physical address it was linked for plus this |
//!
//! Bounds of the hypervisor's share: Xen's public header `arch-x86/xen-x86_64.h`, `HYPERVISOR_VIRT_START` and `_END`.

use x86_64::VirtAddr;

/// Size of a page and of a frame, in bytes.
pub const PAGE_SIZE: u64 = 4096;

/// Where the addresses of programs end. The last page below the hole in the middle of the address space stays unused: a system
/// call in its last bytes would return to an address in the hole, at which Intel's `sysret` faults in ring 0.
pub const USER_END: u64 = 0x7fff_ffff_f000;

/// Where the direct map of all usable memory starts.
pub const DIRECT_MAP: u64 = 0xffff_8880_0000_0000;

/// How much the direct map can hold at the most: 64 TiB.
pub const DIRECT_MAP_SIZE: u64 = 1 << 46;

/// Where mappings made page by page start.
pub const MAPPINGS: u64 = 0xffff_c900_0000_0000;

/// How much address space there is for mappings made page by page: 1 TiB.
pub const MAPPINGS_SIZE: u64 = 1 << 40;

/// Virtual address of physical address 0 in the image's own mapping.
pub const IMAGE_BASE: u64 = 0xffff_ffff_8000_0000;

/// Where the kernel sees physical address `physical` (under Xen: pseudo-physical), if the direct map covers it.
#[inline(always)]
pub const fn direct(physical: u64) -> VirtAddr {
    VirtAddr::new_truncate(DIRECT_MAP + physical)
}
