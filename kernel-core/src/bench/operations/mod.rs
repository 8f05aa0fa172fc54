//! Every operation of the border by itself.
//!
//! What is in a file here is what the file of the same name in `arch` declares, in the same order. Left out is what cannot be measured so:
//!
//! | left out | because |
//! |---|---|
//! | all of `PowerOps`, `CpuOps::enter_user` | they do not return; the way to user mode is part of every figure that programs measure |
//! | `SmpOps::start_cpu` | a CPU starts once, and the machine that measures has one |
//! | `TimeOps::clock_source`, `Subarch::describe` | they write a phrase for the boot report |
//! | what `MmuOps::map_direct` does for a section of memory | each comes once; measured is what it takes when there is nothing to do |

mod console;
mod cpu;
mod irq;
mod mmu;
mod smp;
mod time;

pub(super) use console::BENCHMARKS as CONSOLE;
pub(super) use cpu::BENCHMARKS as CPU;
pub(super) use irq::BENCHMARKS as IRQ;
pub(super) use mmu::BENCHMARKS as MMU;
pub(super) use smp::BENCHMARKS as SMP;
pub(super) use time::BENCHMARKS as TIME;
