//! The state in which a virtual CPU starts.
//!
//! Where a processor comes out of reset in the one state it was built with, a virtual CPU comes out of the state that is
//! written down here: registers, page tables, segment bases, and where Xen shall enter the kernel. What is left zero is off
//! or absent, which for a 64-bit kernel on Xen's own descriptors is most of it.
//!
//! Source: Xen's public headers `arch-x86/xen.h` (`vcpu_guest_context`) and `arch-x86/xen-x86_64.h` (`cpu_user_regs`).

use crate::hypercall::callback::{KERNEL_CODE, KERNEL_DATA, TrapInfo};
use crate::hypercall::mmu::Mfn;
use crate::trap::entries::Entries;
use arch::layout::PAGE_SIZE;
use core::mem::offset_of;

/// The kernel starts, not a program.
const IN_KERNEL: u64 = 1 << 2;
/// Events are masked when the failsafe callback is entered.
const FAILSAFE_MASKS_EVENTS: u64 = 1 << 3;
/// Events are masked when the callback for system calls is entered.
const SYSTEM_CALL_MASKS_EVENTS: u64 = 1 << 4;

/// RFLAGS with nothing but what always is: the bit that cannot be cleared, and the interrupt flag, which is not the guest's.
const FLAGS: u64 = 1 << 9 | 1 << 1;

/// `vcpu_guest_context`.
#[repr(C)]
pub struct Context {
    fpu: [u8; 512],
    flags: u64,
    registers: Registers,
    exceptions: [TrapInfo; 256],
    ldt: [u64; 2],
    gdt: [u64; 17],
    kernel_ss: u64,
    kernel_sp: u64,
    control: [u64; 8],
    debug: [u64; 8],
    event: u64,
    failsafe: u64,
    system_call: u64,
    assistance: u64,
    fs_base: u64,
    gs_base_kernel: u64,
    gs_base_user: u64,
}

/// `cpu_user_regs`.
#[repr(C)]
struct Registers {
    general: [u64; 15],
    exception: u64,
    rip: u64,
    cs: u64,
    rflags: u64,
    rsp: u64,
    ss: u64,
    data_selectors: [u64; 4],
}

/// Where a CPU's stacks end.
#[derive(Clone, Copy, Debug)]
pub struct Stacks {
    /// That on which it starts.
    pub first: u64,
    /// That onto which Xen pushes when it comes from user mode.
    pub entry: u64,
}

impl Context {
    /// A CPU that starts with the first instruction of a function, as if called from nowhere: on `stacks`, on the page tables
    /// below `root`, with GS at `area`, and Xen entering the kernel at `entries`.
    pub fn new(entries: &Entries, root: Mfn, stacks: &Stacks, area: u64) -> Self {
        // SAFETY: the structure is integers and arrays of integers throughout.
        let mut context: Self = unsafe { core::mem::zeroed() };
        context.flags = IN_KERNEL | FAILSAFE_MASKS_EVENTS | SYSTEM_CALL_MASKS_EVENTS;
        context.registers.rip = entries.online;
        context.registers.cs = KERNEL_CODE.into();
        context.registers.rflags = FLAGS;
        context.registers.rsp = stacks.first;
        context.registers.ss = KERNEL_DATA.into();
        for (line, exception) in context.exceptions.iter_mut().zip(entries.exceptions()) {
            *line = *exception;
        }
        context.kernel_ss = KERNEL_DATA.into();
        context.kernel_sp = stacks.entry;
        context.control[3] = root.0 * PAGE_SIZE;
        context.event = entries.event;
        context.failsafe = entries.failsafe;
        context.system_call = entries.system_call;
        context.gs_base_kernel = area;
        context
    }
}

const _: () = assert!(size_of::<Context>() == 5168 && size_of::<Registers>() == 200);
const _: () = assert!(offset_of!(Context, registers) == 520 && offset_of!(Context, exceptions) == 720);
const _: () = assert!(offset_of!(Context, kernel_ss) == 4968 && offset_of!(Context, event) == 5112);
const _: () = assert!(offset_of!(Registers, rip) == 128 && offset_of!(Registers, rsp) == 152);

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Entries {
        let mut table = [TrapInfo::default(); 33];
        for (vector, line) in table[..32].iter_mut().enumerate() {
            *line = TrapInfo::new(vector as u8, 0, 0x1000 + vector as u64);
        }
        Entries {
            table,
            event: 0x2000,
            failsafe: 0x3000,
            system_call: 0x5000,
            system_call_32: 0x6000,
            online: 0x4000,
        }
    }

    const STACKS: Stacks = Stacks {
        first: 0x7000,
        entry: 0x9000,
    };

    #[test]
    fn a_cpu_starts_where_and_on_what_it_was_told() {
        let context = Context::new(&entries(), Mfn(5), &STACKS, 0x8000);
        let registers = &context.registers;
        assert_eq!((registers.rip, registers.rsp, registers.cs), (0x4000, 0x7000, 0xe033));
        assert_eq!((context.control[3], context.gs_base_kernel), (0x5000, 0x8000));
        assert_eq!((context.kernel_ss, context.kernel_sp), (0xe02b, 0x9000));
        assert_eq!(
            (context.event, context.failsafe, context.system_call),
            (0x2000, 0x3000, 0x5000)
        );
        assert_eq!(context.flags, 0b11100, "in the kernel; events masked in the callbacks");
    }

    #[test]
    fn exceptions_are_at_the_place_of_their_vector_and_no_others_are_there() {
        let context = Context::new(&entries(), Mfn(5), &STACKS, 0x8000);
        assert_eq!(context.exceptions[14], TrapInfo::new(14, 0, 0x100e));
        assert_eq!(context.exceptions[32..], [TrapInfo::default(); 224]);
    }
}
