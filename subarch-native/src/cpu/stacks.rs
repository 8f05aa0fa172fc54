//! Stacks for the worst moments, three for each CPU.
//!
//! A double fault usually means that the stack is gone, and a non-maskable interrupt or a machine check may hit at any instruction, also
//! where the stack is still a program's. They therefore get stacks of their own through the task state segment, each with a guard page like any other. The boot CPU needs
//! its own before there is any memory to speak of, so they are part of the image; those of the others are mapped when the
//! kernel's page tables are built, with a page left out below each.

use crate::mmu::devices::EXCEPTION_STACKS;
use arch::layout::PAGE_SIZE;
use arch::percpu::CpuId;
use arch::stack::GuardedStack;
use arch::{Exception, VirtAddr};
use core::arch::global_asm;
use core::ops::Range;

/// Room for a register dump with a backtrace, formatted by an unoptimised kernel.
const SIZE: usize = 16 * 1024;

// The size as a symbol of the image, for whoever proves on the image that it is enough: `cargo xtask audit`.
global_asm!(".globl exception_stack_size", ".set exception_stack_size, {size}", size = const SIZE);

/// How many stacks a CPU has.
const COUNT: usize = 3;

/// The boot CPU's stacks.
static OF_BOOT_CPU: [GuardedStack<SIZE>; COUNT] = [const { GuardedStack::new() }; COUNT];

/// Which stack of the task state segment `vector` runs on, counted from 1; 0 is the interrupted one.
pub fn stack_of(vector: u8) -> u8 {
    const NON_MASKABLE_INTERRUPT: u8 = 2;
    const MACHINE_CHECK: u8 = 18;
    match vector {
        NON_MASKABLE_INTERRUPT => 1,
        vector if Exception(vector) == Exception::DOUBLE_FAULT => 2,
        MACHINE_CHECK => 3,
        _ => 0,
    }
}

/// The stacks that [`stack_of`] counts, of `cpu`.
pub(crate) fn of(cpu: CpuId) -> [Range<VirtAddr>; COUNT] {
    match cpu {
        CpuId(0) => OF_BOOT_CPU.each_ref().map(GuardedStack::range),
        CpuId(number) => core::array::from_fn(|stack| of_other(u64::from(number - 1) * COUNT as u64 + stack as u64)),
    }
}

/// The pages of the image below the boot CPU's stacks, which must not be mapped.
pub(crate) fn guard_pages() -> [VirtAddr; COUNT] {
    OF_BOOT_CPU.each_ref().map(GuardedStack::guard_page)
}

/// The `number`th of the stacks that are not in the image.
fn of_other(number: u64) -> Range<VirtAddr> {
    let start = EXCEPTION_STACKS + number * (PAGE_SIZE + SIZE as u64) + PAGE_SIZE;
    start..start + SIZE as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trap::stubs::ANYWHERE;

    #[test]
    fn vectors_that_strike_anywhere_have_stacks_of_their_own() {
        let with_stack = (0..32).filter(|vector| stack_of(*vector) != 0);
        assert_eq!(with_stack.map(|vector| 1 << vector).sum::<u32>(), ANYWHERE);
        let numbers: Vec<_> = [2, 8, 18].map(stack_of).into();
        assert_eq!(numbers, [1, 2, 3]);
    }

    #[test]
    fn no_two_stacks_touch() {
        let mut all: Vec<_> = (1..64).map(CpuId).flat_map(of).collect();
        all.sort_by_key(|stack| stack.start);
        assert!(all[0].start > EXCEPTION_STACKS);
        assert!(all.windows(2).all(|pair| pair[0].end + PAGE_SIZE <= pair[1].start));
        assert!(all.iter().all(|stack| stack.end.is_aligned(16u64)));
    }
}
