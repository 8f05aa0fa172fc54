//! This CPU: its area, and what Xen knows of it.
//!
//! The area is found by GS and begins with the `vcpu_info` (see `irq.rs` for why). Behind that head lies what the platform
//! itself keeps for each CPU: its queue of page-table updates and the root it runs on.

use crate::Xen;
use crate::abi::VcpuInfo;
use crate::hypercall::{Granted, callback, vcpu};
use crate::mmu::queue::Queue;
use crate::p2m;
use arch::layout::PAGE_SIZE;
use arch::percpu::{CpuId, PerCpu};
use arch::{CpuOps, Pfn, VirtAddr};
use core::arch::asm;
use core::arch::x86_64::CpuidResult;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What the platform keeps for one CPU.
#[derive(Debug)]
pub struct Cpu {
    head: PerCpu,
    /// Page-table updates that wait for the end of lazy MMU mode.
    pub queue: Queue,
    root: AtomicU64,
}

/// The CPUs the kernel can run on: as long as [`arch::SmpOps`] starts no others, the one it was started on.
static CPUS: [Cpu; 1] = [Cpu {
    head: PerCpu::new(CpuId(0)),
    queue: Queue::new(),
    root: AtomicU64::new(0),
}];

/// Makes GS the boot CPU's area.
///
/// # Safety
/// Called once, before anything that uses GS.
pub unsafe fn load_area() {
    // SAFETY: the caller promises that nobody uses GS yet.
    unsafe { callback::set_kernel_gs_base(CPUS[0].head.prepare()) }.granted();
}

/// Has Xen keep this CPU's `vcpu_info` at the head of its area from now on.
///
/// # Safety
/// Called once, with the area loaded; the translation of frames works.
pub unsafe fn share_info() {
    let info = CPUS[0].head.platform.get() as u64;
    let frame = p2m::machine(p2m::image_frame(info));
    // SAFETY: the head's first 64 bytes are set aside for Xen by the type, lie in the image's writable data, and do not
    // cross a page, being aligned to their size.
    unsafe { vcpu::register_info(0, frame, (info % PAGE_SIZE) as u32) }.granted();
}

impl Cpu {
    /// The executing CPU, as long as the caller cannot be moved to another.
    #[inline(always)]
    pub fn current() -> &'static Self {
        &CPUS[PerCpu::current().cpu().0 as usize]
    }

    /// The root this CPU runs on.
    #[inline(always)]
    pub fn root(&self) -> Pfn {
        Pfn(self.root.load(Relaxed))
    }

    /// Remembers the root this CPU runs on.
    pub fn set_root(&self, root: Pfn) {
        self.root.store(root.0, Relaxed);
    }
}

/// What Xen shares with the executing CPU.
#[inline(always)]
pub fn vcpu_info() -> &'static VcpuInfo {
    // SAFETY: the area's head is the registered `vcpu_info`; it lives as long as the kernel, and all its fields are atomics.
    unsafe { &*PerCpu::current().platform.get().cast() }
}

/// A page fault's address is in the area, put there by Xen before it entered the handler: a kernel in ring 3 cannot read CR2.
///
/// `cpuid` as such is not privileged and would tell about the machine, with features that Xen does not let a guest use. Behind
/// a prefix that only Xen understands it tells what this domain has.
impl CpuOps for Xen {
    #[inline(always)]
    fn page_fault_address() -> VirtAddr {
        VirtAddr::new_truncate(vcpu_info().fault_address.load(Relaxed))
    }

    fn cpuid(leaf: u32, subleaf: u32) -> CpuidResult {
        let (eax, ebx, ecx, edx);
        // SAFETY: Xen knows the five bytes before the instruction and answers in its stead (public header
        // `arch-x86/xen.h`, `XEN_EMULATE_PREFIX`): `ud2`, then "xen". RBX belongs to the compiler, so it is put aside.
        unsafe {
            asm!(
                "mov {saved}, rbx",
                ".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e",
                "cpuid",
                "xchg {saved}, rbx",
                saved = out(reg) ebx,
                inlateout("eax") leaf => eax,
                inlateout("ecx") subleaf => ecx,
                lateout("edx") edx,
                options(nostack, preserves_flags, nomem),
            );
        }
        let ebx: u64 = ebx;
        CpuidResult {
            eax,
            ebx: ebx as u32,
            ecx,
            edx,
        }
    }
}
