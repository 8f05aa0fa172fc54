//! Exceptions: they are told apart, they tell what happened, and code continues after them.

use super::{Case, Outcome, check, check_eq};
use crate::fault::{self, probe, provoke};
use arch::layout::MAPPINGS;
use arch::{Exception, VirtAddr};
use core::arch::asm;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "faults-breakpoint-is-passed",
        run: breakpoint_is_passed,
    },
    Case {
        name: "faults-are-told-apart",
        run: are_told_apart,
    },
    Case {
        name: "faults-page-fault-tells-address-and-access",
        run: page_fault_tells,
    },
    Case {
        name: "faults-registers-survive",
        run: registers_survive,
    },
    Case {
        name: "faults-ten-thousand",
        run: ten_thousand,
    },
];

/// Mapped by nobody.
const NOWHERE: VirtAddr = VirtAddr::new_truncate(MAPPINGS + (2 << 30) + 0x123);

fn breakpoint_is_passed() -> Outcome {
    let before = fault::breakpoints();
    provoke::breakpoint();
    check_eq!(fault::breakpoints(), before + 1);
    Ok(())
}

fn are_told_apart() -> Outcome {
    let exception = |result: Result<(), probe::Fault>| result.err().map(|fault| fault.exception);
    check_eq!(
        exception(probe::undefined_instruction()),
        Some(Exception::INVALID_OPCODE)
    );
    check_eq!(exception(probe::division_by_zero()), Some(Exception(0)));
    // SAFETY: an address that is not canonical cannot be read.
    let wild = unsafe { probe::read((1u64 << 62) as *const u64) };
    check_eq!(exception(wild.map(|_| ())), Some(Exception::GENERAL_PROTECTION));
    Ok(())
}

fn page_fault_tells() -> Outcome {
    // SAFETY: nobody mapped the page, so none of these has an effect.
    let (read, write) = unsafe { (probe::read(NOWHERE.as_ptr()), probe::write(NOWHERE.as_mut_ptr(), 1)) };
    let (Err(read), Err(write)) = (read, write) else {
        return Err(super::Trouble::Failed("no fault".into()));
    };
    check_eq!((read.address, write.address), (NOWHERE, NOWHERE));
    // Bit 1 of the error code: a write. Bit 0: the page is present. Bit 2, user mode, is what Xen's guests are in.
    check_eq!((read.error_code & 3, write.error_code & 3), (0, 2));
    Ok(())
}

fn registers_survive() -> Outcome {
    let [mut r8, mut r12, mut rdi, mut r15] = [0x1111_u64, 0x2222, 0x3333, 0x4444];
    // SAFETY: the handler of a breakpoint changes no register.
    unsafe { asm!("int3", inout("r8") r8, inout("r12") r12, inout("rdi") rdi, inout("r15") r15) };
    check_eq!([r8, r12, rdi, r15], [0x1111, 0x2222, 0x3333, 0x4444]);
    Ok(())
}

fn ten_thousand() -> Outcome {
    for round in 0..10_000 {
        check!(probe::undefined_instruction().is_err(), "round {round} did not fault");
    }
    Ok(())
}
