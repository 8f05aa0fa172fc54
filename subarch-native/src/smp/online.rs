//! The first Rust that a started CPU runs: what `boot.rs` does for the first CPU, as far as there is one of it per CPU.

use crate::boot::Entry;
use crate::cpu::{self, Features};
use crate::{apic, mmu, trap};
use arch::percpu::PerCpu;
use arch::{Kernel, Pfn};

/// Continues on the CPU's own stack, on the trampoline's page tables, with the registers of the CPU that started it: moves to
/// the kernel's page tables at the physical address `root`, and becomes a CPU like any other.
pub(super) extern "C" fn online<E: Entry>(area: &'static PerCpu, root: u64) -> ! {
    // SAFETY: the starter passed an area that was prepared for this CPU, and its own page tables, which map the devices. The
    // stubs are an entry macro's. Nobody has used this CPU's APIC, and interrupts are masked since the reset.
    unsafe {
        mmu::switch(Pfn::containing(root));
        cpu::load_segments(area);
        trap::load(E::trap_stubs());
        cpu::take_system_calls(E::system_call_stub());
        cpu::set_up(Features::detect());
        apic::find();
        apic::set_up();
    }
    E::Kernel::cpu_online()
}
