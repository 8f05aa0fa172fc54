//! This CPU: its area, and what Xen knows of it.
//!
//! The area is found by GS and begins with the `vcpu_info` (see `irq.rs` for why). Among the variables behind that head are
//! the platform's own: the CPU's queue of page-table updates.

pub mod entry_stack;
pub mod extended;
pub mod user;

use crate::Xen;
use crate::hypercall::{Granted, Refused, callback, vcpu};
use crate::mmu::queue::Queue;
use crate::{p2m, trap};
use arch::layout::PAGE_SIZE;
use arch::percpu::{PLATFORM_OFFSET, PerCpu, PerCpuVar};
use arch::user::UserContext;
use arch::{CpuOps, Pfn, TrapFrame, VirtAddr};
use core::arch::asm;
use core::arch::x86_64::CpuidResult;
use xen_abi::VcpuInfo;
use xen_abi::vcpu_info;

/// What the platform keeps for one CPU.
#[derive(Debug)]
pub struct Cpu {
    /// Page-table updates that wait for the end of lazy MMU mode.
    pub queue: Queue,
}

#[unsafe(link_section = ".percpu")]
/// What the platform keeps for each CPU.
pub static CPU: PerCpuVar<Cpu> = PerCpuVar::new(Cpu { queue: Queue::new() });

/// Makes GS the boot CPU's area.
///
/// # Safety
/// Called once, before anything that uses GS.
pub unsafe fn load_area() {
    // SAFETY: the caller promises that nobody uses GS yet, and calls once.
    unsafe { callback::set_kernel_gs_base(&raw const *PerCpu::prepare_boot() as u64) }.granted();
}

/// Has Xen keep the boot CPU's `vcpu_info` at the head of its area from now on.
///
/// # Safety
/// Called once, with the area loaded; the translation of frames works.
pub unsafe fn share_boot_info() {
    let area = PerCpu::current();
    let frame = p2m::image_frame(area.platform.get() as u64);
    // SAFETY: the boot CPU's area lies in the image's writable data; the caller calls once.
    unsafe { share_info(area, frame) }.granted();
}

/// Has Xen keep the `vcpu_info` of the CPU that `area` is for at the head of it, which lies in `frame`.
///
/// Xen allows this of the executing CPU, and of one that was not started yet. It then says that events are pending, all of
/// them, so that none of before is missed.
///
/// # Errors
/// `ENOENT` if the domain has no such CPU.
///
/// # Safety
/// Called once for each area.
pub unsafe fn share_info(area: &'static PerCpu, frame: Pfn) -> Result<(), Refused> {
    let offset = area.platform.get() as u64 % PAGE_SIZE;
    // SAFETY: the head's first 64 bytes are set aside for Xen by the type, and being aligned to their size they do not cross a
    // page; areas are never given back.
    unsafe { vcpu::register_info(area.cpu().0, p2m::machine(frame), offset as u32)? };
    Ok(())
}

impl Cpu {
    /// The executing CPU.
    ///
    /// # Safety
    /// The caller cannot be moved to another CPU as long as it uses the answer.
    #[inline(always)]
    pub unsafe fn this() -> &'static Self {
        // SAFETY: the caller vouches for staying; what handlers may not see half done is masked by whoever does it.
        unsafe { CPU.this() }
    }
}

/// What Xen shares with the CPU that `area` is for.
#[inline(always)]
pub fn info_of(area: &'static PerCpu) -> &'static VcpuInfo {
    // SAFETY: the area's head is the registered `vcpu_info`, or will be; it lives as long as the kernel, and all its fields
    // are atomics.
    unsafe { &*area.platform.get().cast() }
}

/// What Xen shares with the executing CPU, as long as the caller cannot be moved to another.
#[inline(always)]
pub fn vcpu_info() -> &'static VcpuInfo {
    info_of(PerCpu::current())
}

/// Offset from the GS base of the address of the last page fault.
pub const FAULT_ADDRESS: usize = PLATFORM_OFFSET + vcpu_info::FAULT_ADDRESS;

/// A page fault's address is in the area, put there by Xen before it entered the handler: a kernel in ring 3 cannot read CR2.
///
/// `cpuid` as such is not privileged and would tell about the machine, with features that Xen does not let a guest use. Behind
/// a prefix that only Xen understands it tells what this domain has.
///
/// In user mode the selectors are the kernel's own, both being ring 3's. What differs is the page tables.
impl CpuOps for Xen {
    const USER_CODE: u16 = callback::KERNEL_CODE;
    const USER_STACK: u16 = callback::KERNEL_DATA;

    #[inline(always)]
    fn page_fault_address() -> VirtAddr {
        let address;
        // SAFETY: GS is this CPU's area, and its head what Xen shares. Xen puts there what it found in CR2, which is canonical: another
        // address makes no page fault (Intel SDM, vol. 3, 6.15).
        unsafe {
            asm!("mov {}, gs:[{offset}]", out(reg) address, offset = const FAULT_ADDRESS,
                 options(nostack, preserves_flags, readonly));
            VirtAddr::new_unsafe(address)
        }
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

    /// # Safety
    /// As [`CpuOps::load_user`] asks.
    #[inline]
    unsafe fn load_user(previous: &UserContext, next: &UserContext) {
        // SAFETY: the caller vouches for the same.
        unsafe { user::load(previous, next) }
    }

    /// # Safety
    /// As [`CpuOps::enter_user`] asks.
    unsafe fn enter_user(frame: &TrapFrame) -> ! {
        // SAFETY: the caller vouches for the same.
        unsafe { trap::call::enter_user(frame) }
    }

    #[inline]
    fn extended_state() -> u64 {
        extended::state()
    }
}
