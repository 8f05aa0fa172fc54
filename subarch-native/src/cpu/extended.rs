//! The extended state of programs: x87, SSE, AVX and what was added since.
//!
//! The kernel is compiled to use none of it, so it belongs to programs alone. What the platform does is to switch it on, on each
//! CPU alike, and to say what there is. Components are switched on by name: a new one that the kernel has never heard of might be
//! large, or come with rules about who saves it when.

use super::{Features, cpuid};
use bitflags::bitflags;
use x86_64::registers::xcontrol::XCr0;

bitflags! {
    /// Components of the extended state, by their bits in XCR0 (Intel SDM, vol. 1, 13.1).
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    struct Components: u64 {
        const X87 = 1 << 0;
        const SSE = 1 << 1;
        const AVX = 1 << 2;
        /// Mask registers, upper halves of the first 16 registers, and the other 16: all three or none.
        const AVX_512 = 0b111 << 5;
    }
}

impl Components {
    /// Those of `supported` that programs may use. Each needs the ones before it (Intel SDM, vol. 1, 13.3).
    fn usable(supported: u64) -> Self {
        let mut usable = Self::X87;
        for next in [Self::SSE, Self::AVX, Self::AVX_512] {
            if supported & next.bits() != next.bits() {
                break;
            }
            usable |= next;
        }
        usable
    }
}

/// Which components programs may use, by the bits of XCR0; zero on a processor without that register.
pub fn components() -> u64 {
    match Features::detect().contains(Features::EXTENDED_STATE) {
        true => Components::usable(supported()).bits(),
        false => 0,
    }
}

/// Switches on what [`components`] says, on a CPU whose CR4 allows it.
///
/// # Safety
/// `CR4.OSXSAVE` is set.
pub(super) unsafe fn switch_on() {
    // SAFETY: these bits are supported by the processor and complete; the register is there, as the caller promises.
    unsafe { XCr0::write_raw(Components::usable(supported()).bits()) };
}

/// The components that the processor has (Intel SDM, vol. 2, "CPUID", leaf 0DH).
fn supported() -> u64 {
    let leaf = cpuid(0xd, 0);
    u64::from(leaf.edx) << 32 | u64::from(leaf.eax)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_knows_is_switched_on_and_nothing_else() {
        // x87 to AVX-512, MPX (bits 3 and 4), protection keys (9), and bits of the future.
        assert_eq!(Components::usable(u64::MAX).bits(), 0xe7);
        assert_eq!(Components::usable(0b111).bits(), 0b111);
        assert_eq!(Components::usable(0b11).bits(), 0b11);
    }

    #[test]
    fn a_component_without_its_foundations_stays_off() {
        assert_eq!(Components::usable(0xe3).bits(), 0b11);
        assert_eq!(Components::usable(0x67).bits(), 0b111);
        assert_eq!(Components::usable(0).bits(), 1);
    }
}
