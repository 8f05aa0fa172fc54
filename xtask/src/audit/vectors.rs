//! Registers that belong to programs: no code of the kernel computes with floating point or vectors.
//!
//! The kernel does not save x87, SSE and AVX registers when it is entered, only when another program's turn comes. In between they
//! hold what the interrupted program left there. So whatever touches them saves, loads or tests them for a program, and is listed.

use super::allowance::Allowances;
use super::image::Image;
use super::violation::Violation;
use super::{Finding, Rule, Subject};
use anyhow::Result;
use iced_x86::{Instruction, InstructionInfoFactory, Mnemonic, Register};

/// The rule.
pub const RULE: Rule = Rule { name: "vectors", check };

/// The list of what is allowed.
const LIST: &str = "xtask/src/audit/vectors.toml";

fn check(subject: &Subject<'_>) -> Result<Finding> {
    let allowed = Allowances::parse(RULE.name, LIST, include_str!("vectors.toml"), subject.platforms)?;
    Ok(vectors(&subject.image, &allowed))
}

fn vectors(image: &Image, allowed: &Allowances) -> Finding {
    let mut factory = InstructionInfoFactory::new();
    let mut finding = Finding::default();
    let mut found = 0;
    for (function, instruction) in image.all_instructions() {
        if !touches_vectors(&mut factory, &instruction) {
            continue;
        }
        found += 1;
        if !allowed.allows(image, function, &instruction) {
            let what = "a register that belongs to the interrupted program";
            finding
                .violations
                .push(Violation::at(RULE.name, what, image, function, &instruction));
        }
    }
    finding.violations.extend(allowed.superfluous());
    finding.details = allowed
        .used()
        .map(|(times, reason)| format!("{times:5} {reason}"))
        .collect();
    finding.summary = format!("{found} instructions touch extended state, all of them to save, to load or to test it");
    finding
}

/// Whether `instruction` uses x87, MMX, SSE or AVX state.
fn touches_vectors(factory: &mut InstructionInfoFactory, instruction: &Instruction) -> bool {
    let is_vector = |register: Register| {
        register.is_vector_register() || register.is_mm() || register.is_st() || register.is_k() || register.is_tmm()
    };
    let mut used = factory.info(instruction).used_registers().iter();
    instruction.is_save_restore_instruction()
        || instruction.fpu_stack_increment_info().writes_top()
        || is_control(instruction)
        || used.any(|used| is_vector(used.register()))
}

/// Instructions that set the modes of that state.
fn is_control(instruction: &Instruction) -> bool {
    use Mnemonic::*;
    matches!(
        instruction.mnemonic(),
        Fninit | Fldcw | Fnstcw | Fnclex | Ldmxcsr | Stmxcsr | Vldmxcsr | Vstmxcsr | Emms | Wait
    )
}

#[cfg(test)]
mod tests {
    use super::super::image::sample::{Part, image};
    use super::*;
    use crate::platform::Platform;
    use iced_x86::code_asm::*;

    fn extended(parts: &[Part<'_>], list: &str) -> Vec<String> {
        let allowed = Allowances::parse(RULE.name, "list", list, &[Platform::Xen]).unwrap();
        vectors(&image(parts), &allowed)
            .violations
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn registers_of_programs_are_found_whatever_their_kind() {
        let culprits: [Part<'_>; 5] = [
            ("sse", &|a| a.movaps(xmm0, xmm1).unwrap()),
            ("avx", &|a| a.vzeroupper().unwrap()),
            ("x87", &|a| a.fld1().unwrap()),
            ("mmx", &|a| a.emms().unwrap()),
            ("save", &|a| a.fxsave64(ptr(rdi)).unwrap()),
        ];
        for culprit in culprits {
            assert_eq!(extended(&[culprit], "").len(), 1, "{}", culprit.0);
        }
        assert!(extended(&[("integer", &|a| a.add(rax, rbx).unwrap())], "").is_empty());
    }

    #[test]
    fn what_saves_them_is_listed() {
        let list = "[[allow]]\nfunctions = [\"save\"]\nkinds = [\"fxsave64\"]\nreason = \"test\"";
        assert!(extended(&[("save", &|a| a.fxsave64(ptr(rdi)).unwrap())], list).is_empty());
        let other = extended(&[("other", &|a| a.fxsave64(ptr(rdi)).unwrap())], list);
        assert_eq!(other.len(), 2, "not listed, and the list superfluous: {other:?}");
    }
}
