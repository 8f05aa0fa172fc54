//! The registers that grew: x87, SSE, AVX and what came after.
//!
//! Which of them exist is for Xen to say (by `cpuid`, as a guest sees it), which of them programs may use is for the kernel, and
//! then a program saves and restores them by itself. The kernel's word is two control registers. To write them is privileged,
//! and there is no hypercall for either; but Xen lets a PV guest execute these two instructions, catches the faults and does
//! what was meant. With the port in `port.rs` they are all the privileged instructions in this crate, executed once on each CPU.
//!
//! Sources: Intel SDM, vol. 1, 13.1 to 13.3 (XCR0, its bits, CPUID leaf 0Dh); vol. 3, 2.5 (CR4).

use crate::Xen;
use arch::CpuOps;
use core::arch::asm;
use core::arch::x86_64::CpuidResult;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// CR4 as a program needs it: `fxsave` (bit 9), SSE's exceptions (10), `xsave` (18). Bit 5 is what 64-bit mode requires. Xen
/// takes the third from here and decides about the others itself; what is not set (`rdfsbase` among it) programs shall not have.
const CR4: u64 = 1 << 5 | 1 << 9 | 1 << 10 | 1 << 18;

const X87: u64 = 1 << 0;
const SSE: u64 = 1 << 1;
const AVX: u64 = 1 << 2;
/// The three components of AVX-512, of which there are all or none.
const AVX_512: u64 = 0b111 << 5;

/// XCR0 on all CPUs; zero if there is no such register.
static STATE: AtomicU64 = AtomicU64::new(0);

/// Which components programs may use.
#[inline]
pub fn state() -> u64 {
    STATE.load(Relaxed)
}

/// Learns which components this domain has.
pub fn learn() {
    STATE.store(permitted(Xen::cpuid(1, 0), || Xen::cpuid(0xd, 0)), Relaxed);
}

/// Lets programs on this CPU use the components.
pub fn enable() {
    let state = state();
    if state == 0 {
        return;
    }
    // SAFETY: Xen emulates both for a guest's kernel. They give programs registers that the kernel itself does not use.
    unsafe {
        asm!("mov cr4, {}", in(reg) CR4, options(nostack, nomem, preserves_flags));
        asm!(
            "xsetbv",
            in("ecx") 0,
            in("eax") state as u32,
            in("edx") (state >> 32) as u32,
            options(nostack, nomem, preserves_flags),
        );
    }
}

/// The components that a processor with these `features` (leaf 1) and `components` (leaf 0Dh) has and that this kernel knows; none
/// without `xsave`.
fn permitted(features: CpuidResult, components: impl FnOnce() -> CpuidResult) -> u64 {
    const XSAVE: u32 = 1 << 26;
    if features.ecx & XSAVE == 0 {
        return 0;
    }
    let offered = components();
    let offered = u64::from(offered.edx) << 32 | u64::from(offered.eax);
    let mut permitted = X87 | SSE | (offered & AVX);
    if offered & (AVX | AVX_512) == AVX | AVX_512 {
        permitted |= AVX_512;
    }
    permitted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(eax: u32, ecx: u32) -> CpuidResult {
        CpuidResult {
            eax,
            ebx: 0,
            ecx,
            edx: 0,
        }
    }

    fn of(components: u32) -> u64 {
        permitted(result(0, 1 << 26), || result(components, 0))
    }

    #[test]
    fn without_xsave_there_is_nothing_to_permit() {
        assert_eq!(permitted(result(0, !(1 << 26)), || unreachable!("not asked")), 0);
    }

    #[test]
    fn what_is_known_and_offered_is_permitted() {
        assert_eq!(of(0b11), 0b11);
        assert_eq!(of(0b111), 0b111);
        assert_eq!(of(0b1110_0111), 0b1110_0111);
        assert_eq!(of(0x2ff), 0b1110_0111, "neither bounds registers nor protection keys");
    }

    #[test]
    fn avx_512_comes_whole_and_with_avx() {
        assert_eq!(of(0b0110_0111), 0b111);
        assert_eq!(of(0b1110_0011), 0b11);
    }
}
