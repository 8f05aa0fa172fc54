//! The essence of an operation: what of it can be noticed outside the registers.
//!
//! Two sequences that cost the same need not do the same: `mov byte ptr gs:[1], 1` masks interrupts under Xen and
//! `mov byte ptr gs:[1], 0` unmasks them. So the essence has every instruction that only a kernel has a reason for, every locked one and
//! every store beyond the stack, in their order and with all that matters: which way a value goes, which variable it is, and the constants
//! that are in the registers read, as a port's number or a hypercall's. What does not matter is which register the compiler took.

use super::names::Names;
use crate::audit::violation::formatter;
use iced_x86::{
    Formatter, FormatterOutput, FormatterTextKind, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind,
    Register, UsedRegister,
};
use std::collections::BTreeMap;

/// The essence of `instructions`, one text each.
pub fn of(instructions: &[Instruction], names: &Names) -> Vec<String> {
    let mut formatter = formatter(Some(Box::new(names.clone())));
    let mut factory = InstructionInfoFactory::new();
    let mut constants = Constants::default();
    let mut essence = Vec::new();
    for instruction in instructions {
        if names.label(instruction.ip()).is_some() {
            constants = Constants::default();
        }
        let info = factory.info(instruction);
        let stores = info
            .used_memory()
            .iter()
            .any(|memory| is_write(memory.access()) && !matches!(memory.base(), Register::RSP | Register::RBP));
        if stores || is_special(instruction) {
            let mut text = Anonymous::default();
            formatter.format(instruction, &mut text);
            let read = constants.read_by(instruction, info.used_registers(), names);
            essence.push(format!("{}{read}", text.0));
        }
        constants.follow(instruction, info.used_registers());
    }
    essence
}

/// Whether only a kernel, or code that shares memory with other CPUs, has a reason for it.
fn is_special(instruction: &Instruction) -> bool {
    use Mnemonic::*;
    let by_name = matches!(
        instruction.mnemonic(),
        Syscall | Rdtsc | Rdtscp | Cpuid | Pause | Pushfq | Popfq | Iretq | Mfence | Lfence | Sfence | Xgetbv
    );
    let is_exchange = instruction.mnemonic() == Xchg && instruction.memory_base() != Register::None;
    let segments = [instruction.op0_register(), instruction.op1_register()];
    by_name
        || is_exchange
        || instruction.is_privileged()
        || instruction.has_lock_prefix()
        || instruction.segment_prefix() == Register::GS
        || segments.into_iter().any(Register::is_segment_register)
}

fn is_write(access: OpAccess) -> bool {
    use OpAccess::*;
    matches!(access, Write | CondWrite | ReadWrite | ReadCondWrite)
}

/// An instruction as text in which general registers are but sizes.
#[derive(Default)]
struct Anonymous(String);

impl FormatterOutput for Anonymous {
    fn write(&mut self, text: &str, _: FormatterTextKind) {
        self.0.push_str(text);
    }

    fn write_register(&mut self, _: &Instruction, _: u32, _: Option<u32>, text: &str, register: Register) {
        match register {
            Register::RSP | Register::RBP => self.0.push_str(text),
            _ if register.is_gpr() => self.0.push_str(&format!("r{}", register.size() * 8)),
            _ => self.0.push_str(text),
        }
    }
}

/// The registers whose values are written in the instructions before.
#[derive(Default)]
struct Constants(BTreeMap<Register, u64>);

impl Constants {
    /// Takes note of what `instruction`, which uses these registers, leaves in them.
    fn follow(&mut self, instruction: &Instruction, used: &[UsedRegister]) {
        for each in used.iter().filter(|each| is_write(each.access())) {
            self.0.remove(&each.register().full_register());
        }
        let target = instruction.op0_register();
        if instruction.is_call_near() {
            self.0.clear();
        } else if target.size() >= 2
            && let Some(value) = constant(instruction)
        {
            self.0.insert(target.full_register(), value);
        }
    }

    /// The known values that `instruction` reads, as text to be put behind it. Addresses in the image are none: they move.
    fn read_by(&self, instruction: &Instruction, used: &[UsedRegister], names: &Names) -> String {
        let read: Vec<_> = match instruction.mnemonic() {
            Mnemonic::Syscall => HYPERCALL.to_vec(),
            _ => used
                .iter()
                .filter(|each| !matches!(each.access(), OpAccess::Write | OpAccess::CondWrite))
                .map(|each| each.register().full_register())
                .collect(),
        };
        let known = read.iter().filter_map(|register| self.0.get(register));
        let texts: Vec<_> = known
            .filter(|value| !names.is_in_image(**value))
            .map(|value| format!("{value:#x}"))
            .collect();
        match texts.as_slice() {
            [] => String::new(),
            texts => format!(" with {}", texts.join(", ")),
        }
    }
}

/// Number and arguments of a hypercall (Xen's public header `arch-x86/xen-x86_64.h`).
const HYPERCALL: [Register; 6] = [
    Register::RAX,
    Register::RDI,
    Register::RSI,
    Register::RDX,
    Register::R10,
    Register::R8,
];

/// What `instruction` puts into its register, if that is always the same.
fn constant(instruction: &Instruction) -> Option<u64> {
    let is_same = instruction.op0_register() == instruction.op1_register();
    match (instruction.mnemonic(), instruction.op1_kind()) {
        (Mnemonic::Mov, kind) if kind >= OpKind::Immediate8 && kind <= OpKind::Immediate32to64 => {
            Some(instruction.immediate(1))
        }
        (Mnemonic::Xor, OpKind::Register) if is_same => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sequence::Sequence;
    use crate::audit::image::sample::image;
    use iced_x86::code_asm::*;

    fn essence(write: &dyn Fn(&mut CodeAssembler)) -> Vec<String> {
        let image = image(&[("probe.G.f", write)]);
        Sequence::of(&image, &image.functions[0]).essence
    }

    #[test]
    fn values_and_directions_matter() {
        let masks = essence(&|a| a.mov(byte_ptr(1).gs(), 1).unwrap());
        let unmasks = essence(&|a| a.mov(byte_ptr(1).gs(), 0).unwrap());
        let reads = essence(&|a| a.mov(al, byte_ptr(1).gs()).unwrap());
        assert_eq!(masks, ["mov byte ptr gs:[1], 1"]);
        assert_eq!(unmasks, ["mov byte ptr gs:[1], 0"]);
        assert_eq!(reads, ["mov r8, gs:[1]"]);
        assert_ne!(
            essence(&|a| a.mov(cr3, rax).unwrap()),
            essence(&|a| a.mov(rax, cr3).unwrap())
        );
    }

    #[test]
    fn registers_do_not_matter_and_what_is_in_them_does() {
        let stops = |number: u64, by: AsmRegister64| {
            essence(&|a| {
                a.mov(rax, number).unwrap();
                a.mov(by, 0x380_u64).unwrap();
                a.mov(dword_ptr(by), 0).unwrap();
                a.syscall().unwrap();
            })
        };
        assert_eq!(
            stops(29, rcx),
            ["mov dword ptr [r64], 0 with 0x380", "syscall with 0x1d"]
        );
        assert_eq!(stops(29, rcx), stops(29, rbx));
        assert_ne!(stops(29, rcx), stops(30, rcx));
    }

    #[test]
    fn what_is_known_is_forgotten_where_it_may_have_changed() {
        let behind_a_label = essence(&|a| {
            let mut again = a.create_label();
            a.mov(ecx, 0x10).unwrap();
            a.set_label(&mut again).unwrap();
            a.wrmsr().unwrap();
            a.jmp(again).unwrap();
        });
        assert_eq!(behind_a_label, ["wrmsr"]);
        let port = essence(&|a| {
            a.mov(dx, 0x3f8).unwrap();
            a.in_(al, dx).unwrap();
        });
        assert_eq!(port, ["in r8, r16 with 0x3f8"]);
        let overwritten = essence(&|a| {
            a.mov(ecx, 0x10).unwrap();
            a.mov(cl, 1).unwrap();
            a.wrmsr().unwrap();
        });
        assert_eq!(overwritten, ["wrmsr"]);
    }

    #[test]
    fn the_stack_and_the_registers_are_nobodys_business() {
        let nothing = essence(&|a| {
            a.push(rbx).unwrap();
            a.mov(qword_ptr(rbp - 8), rax).unwrap();
            a.mov(rcx, qword_ptr(rdi)).unwrap();
            a.xchg(rbx, rsi).unwrap();
        });
        assert!(nothing.is_empty(), "{nothing:?}");
    }
}
