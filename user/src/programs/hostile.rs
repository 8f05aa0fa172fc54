//! Programs that do what no program may do. The kernel must end each of them, and live.

mod flags;
mod hypervisor;
mod instructions;
mod interrupts;
mod kernel;
mod own;
mod segments;
mod selectors;
mod stacks;
mod tables;

use crate::Program;
use crate::runtime::arguments::Arguments;
use crate::runtime::print::println;
use crate::status;

/// All of them.
pub(crate) const PROGRAMS: &[Program] = &[
    Program::new("privileged", "INSTRUCTION", privileged),
    Program::new("hypercall", "INSTRUCTION", hypervisor::call),
    Program::new("table-registers", "INSTRUCTION", tables::run),
    Program::new("kernel-read", "ADDRESS", kernel::read),
    Program::new("kernel-write", "ADDRESS", kernel::write),
    Program::new("kernel-jump", "ADDRESS", kernel::jump),
    Program::new("kernel-scan", "START PAGES STEP", kernel::scan),
    Program::new("null-read", "", own::null_read),
    Program::new("write-text", "", own::write_text),
    Program::new("execute-data", "", own::execute_data),
    Program::new("execute-stack", "", own::execute_stack),
    Program::new(
        "bad-stack",
        "zero|hole|kernel|read-only|unmapped push|call|breakpoint|undefined|spin",
        stacks::run,
    ),
    Program::new("stack-overflow", "", stacks::overflow),
    Program::new("divide", "", own::divide),
    Program::new("undefined", "", own::undefined),
    Program::new("breakpoint", "", own::breakpoint),
    Program::new("single-step", "[call]", flags::single_step),
    Program::new("alignment-check", "", flags::alignment_check),
    Program::new("nested-task", "", flags::nested_task),
    Program::new("io-privilege", "", flags::io_privilege),
    Program::new("direction-flag", "", flags::direction),
    Program::new("int", "VECTOR", interrupts::one),
    Program::new("interrupts", "", interrupts::all),
    Program::new("segments", "null|own|SELECTOR", segments::run),
];

/// Executes one instruction that only the kernel may execute.
fn privileged(arguments: &Arguments) -> u8 {
    let name = arguments.required(1);
    let mut all = instructions::ALL.iter().chain(selectors::ALL);
    let Some((_, execute)) = all.find(|(known, _)| *known == name) else {
        arguments.refuse("does not know the instruction", name)
    };
    execute();
    survived(name)
}

/// Says that `what` was permitted; the status that says the same.
fn survived(what: &str) -> u8 {
    println!("programs: survived {what}");
    status::SURVIVED
}
