//! The executing CPU: what it is, and the door to user mode.

use super::super::Benchmark;
use super::super::meter::{Figures, consume, hidden, measure, measure_in_registers, measure_several};
use super::super::scratch;
use crate::irq;
use crate::mm::stack::KernelStack;
use crate::platform::Platform;
use arch::{ByHand, CpuOps, UserContext};
use core::hint::black_box;

pub(in super::super) const BENCHMARKS: &[Benchmark] = &[
    Benchmark::leaf("cpu.page_fault_address", ByHand::PageFaultAddress, page_fault_address),
    Benchmark::leaf("cpu.cpuid", ByHand::Cpuid, cpuid),
    Benchmark::new("cpu.load_user", load_user),
    Benchmark::new("cpu.extended_state", extended_state),
];

fn page_fault_address() -> Figures {
    measure_in_registers((), |()| consume(Platform::page_fault_address().as_u64()))
}

fn cpuid() -> Figures {
    measure_in_registers((0, 0), |(leaf, subleaf)| {
        let (leaf, subleaf) = (hidden(leaf), hidden(subleaf));
        let answer = Platform::cpuid(leaf as u32, subleaf as u32);
        consume(answer.eax);
        (leaf, subleaf)
    })
}

/// Changes from one program to another, with page tables and a stack of its own each.
fn load_user() -> Figures {
    let spaces = [scratch::space(), scratch::space()];
    let stacks = [(); 2].map(|()| KernelStack::new().expect("memory for a stack"));
    let context = |number: usize| UserContext {
        root: Some(spaces[number].root()),
        kernel_stack: stacks[number].range().end,
        fs_base: 0,
    };
    let (none, one, other) = (UserContext::NONE, context(0), context(1));
    let masked = irq::mask();
    // SAFETY: no program has run yet, so none is loaded; each is loaded instead of the one before, and nobody goes to user mode by
    // them. They live until neither is loaded any more.
    let figures = unsafe {
        Platform::load_user(&none, &one);
        let figures = measure_several(2, || {
            Platform::load_user(&one, &other);
            Platform::load_user(&other, &one);
        });
        Platform::load_user(&one, &none);
        figures
    };
    drop(masked);
    figures
}

fn extended_state() -> Figures {
    measure(|| {
        black_box(Platform::extended_state());
    })
}
