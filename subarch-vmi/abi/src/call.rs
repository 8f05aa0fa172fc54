//! The calls of VMI-64: one row each, in one table.
//!
//! Numbers below 74 are those of VMI 3.0 and mean the same, widened to 64 bits; those from 74 on are new. A number that is missing here is not
//! part of the ABI, and a ROM answers it with *NONE*. For each call the table says what stands at a call site before any
//! ROM was found, how much room the site has for what the ROM may want there, and what the ROM may change.

use crate::clobbers::Clobbers;
use crate::nop;

/// The size of the largest site there is.
pub const SITE_MAX: usize = 16;

/// The prefix in front of the native instructions of a site, as often as there is room for: a CS override, which 64-bit mode
/// ignores (AMD64 manual, vol. 3, 1.2.4), and with which assemblers lengthen instructions that are to end at a certain address. So a
/// site that was left alone costs no instruction more than what it does.
pub const PREFIX: u8 = 0x2e;

/// What stands at a call site as compiled, behind its padding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Native {
    /// These instructions, which do on bare metal what the call means.
    Bytes(&'static [u8]),
    /// A `call rel32` to a function of the kernel that takes and returns what the call does: too long to stand at each site.
    Function,
}

/// What may be done with the control flow of a call site.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// The call gives a result or has an effect that the kernel relies on: it must be carried out.
    Effect,
    /// The call informs the hypervisor; one that needs no information may have the site erased.
    Notice,
    /// The call does not come back to the site, so that a jump serves as well as a call.
    Departure,
    /// The site is the first instruction of an entry, where the stack may be a program's: nothing may be pushed, so it cannot be a
    /// call. It may be erased by a ROM that has done the work before.
    Arrival,
}

/// Declares [`Call`] together with the table of its properties.
macro_rules! calls {
    ($($(#[$doc:meta])* $number:literal $name:ident { $native:expr, site $length:literal, $clobbers:ident, $shape:ident })*) => {
        /// A call, by its number in the ABI.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum Call {
            $($(#[$doc])* $name = $number,)*
        }

        impl Call {
            /// All calls, by ascending number.
            pub const ALL: &'static [Call] = &[$(Call::$name),*];

            /// The call with this number, if the ABI has it.
            pub const fn from_number(number: u64) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The call's name in the ABI document and in messages.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// What stands at a site of this call as compiled.
            pub const fn native(self) -> Native {
                match self {
                    $(Self::$name => $native,)*
                }
            }

            /// The size of every site of this call in bytes: at least 5, so that `call rel32` always fits, and at most
            /// [`SITE_MAX`].
            pub const fn site_length(self) -> usize {
                match self {
                    $(Self::$name => $length,)*
                }
            }

            /// The registers that this call may change.
            pub const fn clobbers(self) -> Clobbers {
                match self {
                    $(Self::$name => Clobbers::$clobbers,)*
                }
            }

            /// What may be done with the control flow of a site of this call.
            pub const fn shape(self) -> Shape {
                match self {
                    $(Self::$name => Shape::$shape,)*
                }
            }
        }
    };
}

calls! {
    /// Identification of the processor. EAX = leaf, ECX = subleaf; gives EAX, EBX, ECX, EDX.
    0 Cpuid { Native::Bytes(&[0x0f, 0xa2]), site 5, IDENTIFICATION, Effect }
    /// Writes a model-specific register. ECX = register, EDX:EAX = value.
    1 Wrmsr { Native::Bytes(&[0x0f, 0x30]), site 5, STANDARD, Effect }
    /// Reads a model-specific register. ECX = register; gives EDX:EAX.
    2 Rdmsr { Native::Bytes(&[0x0f, 0x32]), site 5, STANDARD, Effect }
    /// Loads the GDT. RDI = address of a 10-byte pseudo-descriptor. `lgdt [rdi]`.
    3 SetGDT { Native::Bytes(&[0x0f, 0x01, 0x17]), site 5, STANDARD, Effect }
    /// Loads the IDT. RDI = address of a 10-byte pseudo-descriptor. `lidt [rdi]`.
    5 SetIDT { Native::Bytes(&[0x0f, 0x01, 0x1f]), site 5, STANDARD, Effect }
    /// Loads the task register. DI = selector. `ltr di`.
    6 SetTR { Native::Bytes(&[0x0f, 0x00, 0xdf]), site 5, STANDARD, Effect }
    /// Writes 8 bytes of a GDT. RDI = table, RSI = entry, RDX = value. `mov [rdi + rsi * 8], rdx`.
    11 WriteGDTEntry { Native::Bytes(&[0x48, 0x89, 0x14, 0xf7]), site 5, STANDARD, Effect }
    /// Writes a gate of the IDT. RDI = table, RSI = vector, RDX = low half, RCX = high half.
    /// `shl rsi, 4; mov [rdi + rsi], rdx; mov [rdi + rsi + 8], rcx`.
    13 WriteIDTEntry {
        Native::Bytes(&[0x48, 0xc1, 0xe6, 0x04, 0x48, 0x89, 0x14, 0x37, 0x48, 0x89, 0x4c, 0x37, 0x08]),
        site 13, STANDARD, Effect
    }
    /// Sets the stack on which the next entry from user mode arrives. RDI = TSS, RSI = stack pointer. `mov [rdi + 4], rsi`.
    14 UpdateKernelStack { Native::Bytes(&[0x48, 0x89, 0x77, 0x04]), site 5, STANDARD, Effect }
    /// Writes CR0. RDI = value. `mov cr0, rdi`.
    15 SetCR0 { Native::Bytes(&[0x0f, 0x22, 0xc7]), site 5, STANDARD, Effect }
    /// Switches the address space, which also flushes this CPU's TLB. RDI = value. `mov cr3, rdi`.
    17 SetCR3 { Native::Bytes(&[0x0f, 0x22, 0xdf]), site 5, STANDARD, Effect }
    /// Writes CR4. RDI = value. `mov cr4, rdi`.
    18 SetCR4 { Native::Bytes(&[0x0f, 0x22, 0xe7]), site 5, STANDARD, Effect }
    /// Reads CR0 into RAX. `mov rax, cr0`.
    19 GetCR0 { Native::Bytes(&[0x0f, 0x20, 0xc0]), site 5, RAX, Effect }
    /// Reads the address of the last page fault into RAX. `mov rax, cr2`.
    20 GetCR2 { Native::Bytes(&[0x0f, 0x20, 0xd0]), site 5, RAX, Effect }
    /// Reads CR3 into RAX. `mov rax, cr3`.
    21 GetCR3 { Native::Bytes(&[0x0f, 0x20, 0xd8]), site 5, RAX, Effect }
    /// Reads CR4 into RAX. `mov rax, cr4`.
    22 GetCR4 { Native::Bytes(&[0x0f, 0x20, 0xe0]), site 5, RAX, Effect }
    /// Reads the processor's own cycle counter into EDX:EAX. `rdtsc`.
    27 Rdtsc { Native::Bytes(&[0x0f, 0x31]), site 5, COUNTER, Effect }
    /// Unmasks interrupts and delivers pending ones before it returns. `sti`.
    29 EnableInterrupts { Native::Bytes(&[0xfb]), site 9, FLAGS, Effect }
    /// Masks interrupts. `cli`.
    30 DisableInterrupts { Native::Bytes(&[0xfa]), site 9, FLAGS, Effect }
    /// Reads an image of RFLAGS into RAX, of which only bit 9 has a meaning. `pushfq; pop rax`.
    31 GetInterruptMask { Native::Bytes(&[0x9c, 0x58]), site 9, RAX, Effect }
    /// Masks or unmasks as bit 9 of RDI says, delivering pending interrupts. RDI = an image from call 31. `push rdi; popfq`.
    32 SetInterruptMask { Native::Bytes(&[0x57, 0x9d]), site 5, FLAGS, Effect }
    /// Returns from an interrupt by the five words at RSP; to user mode it swaps GS first.
    /// `test byte ptr [rsp + 8], 3; jz +3; swapgs; iretq`.
    33 IRET {
        Native::Bytes(&[0xf6, 0x44, 0x24, 0x08, 0x03, 0x74, 0x03, 0x0f, 0x01, 0xf8, 0x48, 0xcf]),
        site 12, FLAGS, Departure
    }
    /// Returns from a system call, unmasking interrupts. RCX = address, R11 = flags, RSP = the five words of an interrupt
    /// return, of which the user's stack pointer is used. `mov rsp, [rsp + 24]; swapgs; sysretq`.
    34 SYSRET {
        Native::Bytes(&[0x48, 0x8b, 0x64, 0x24, 0x18, 0x0f, 0x01, 0xf8, 0x48, 0x0f, 0x07]),
        site 12, FLAGS, Departure
    }
    /// Unmasks interrupts and waits for one, in one step. `sti; hlt`.
    35 Halt { Native::Bytes(&[0xfb, 0xf4]), site 5, STANDARD, Effect }
    /// Starts the machine anew. RDI = 0 like INIT, 1 like a reset. Comes back if it cannot.
    36 Reboot { Native::Function, site 5, STANDARD, Effect }
    /// Tells the hypervisor that the machine shall end. Comes back if there is none to tell.
    37 Shutdown { Native::Function, site 5, STANDARD, Effect }
    /// Writes a page-table entry. RDI = value, RSI = the entry's address in the linear map. `mov [rsi], rdi`.
    38 SetPxE { Native::Bytes(&[0x48, 0x89, 0x3e]), site 5, STANDARD, Effect }
    /// Announces that an entry was changed by an ordinary store. RDI = the entry's address, RSI = level and flags, RDX = the
    /// virtual address it maps.
    40 UpdatePxE { Native::Bytes(&[]), site 5, STANDARD, Notice }
    /// A frame becomes a page table. RDI = frame number, RSI = level and flags, RDX = frame it is a clone of, RCX = first cloned
    /// entry, R8 = number of cloned entries.
    44 AllocatePage { Native::Bytes(&[]), site 5, STANDARD, Notice }
    /// A frame is no page table any more. RDI = frame number, RSI = level and flags.
    45 ReleasePage { Native::Bytes(&[]), site 5, STANDARD, Notice }
    /// Forgets one translation on this CPU. RDI = virtual address. `invlpg [rdi]`.
    46 InvalPage { Native::Bytes(&[0x0f, 0x01, 0x3f]), site 5, STANDARD, Effect }
    /// Forgets translations on this CPU. RDI = which, see [`FLUSH_TLB`](crate::values::FLUSH_TLB).
    47 FlushTLB { Native::Function, site 5, STANDARD, Effect }
    /// Declares a linear map. RDI = slot 0 to 3, RSI = virtual address, RDX = number of pages, RCX = first frame.
    48 SetLinearMapping { Native::Bytes(&[]), site 5, STANDARD, Notice }
    /// A CPU is about to be started, by the messages of its bare metal: INIT, and a page to begin at. RDI = address of an
    /// [`ApState`](crate::ApState), which tells in what state it will come out.
    62 SetInitialAPState { Native::Bytes(&[]), site 5, STANDARD, Notice }
    /// Writes a register of the local APIC. RDI = its virtual address, ESI = value. `mov [rdi], esi`.
    63 APICWrite { Native::Bytes(&[0x89, 0x37]), site 5, STANDARD, Effect }
    /// Reads a register of the local APIC. RDI = its virtual address; gives EAX. `mov eax, [rdi]`.
    64 APICRead { Native::Bytes(&[0x8b, 0x07]), site 5, STANDARD, Effect }
    /// Gives the unit of call 67, in hertz, in RAX.
    66 GetCycleFrequency { Native::Function, site 5, STANDARD, Effect }
    /// Reads a cycle counter into RAX. EDI = which: 0 real, 1 available, 2 stolen; any other reads as 0.
    /// `rdtsc; shl rdx, 32; or rax, rdx; cmp edi, 2; jb +2; xor eax, eax`.
    67 GetCycleCounter {
        Native::Bytes(&[0x0f, 0x31, 0x48, 0xc1, 0xe2, 0x20, 0x48, 0x09, 0xd0, 0x83, 0xff, 0x02, 0x72, 0x02, 0x31, 0xc0]),
        site 16, STANDARD, Effect
    }
    /// Sets this CPU's alarm, which goes off once. RDI = counter and flags, RSI = expiry in cycles.
    68 SetAlarm { Native::Function, site 5, STANDARD, Effect }
    /// Drops this CPU's alarm. RDI = counter; gives 1 in RAX if it was set and will not go off any more.
    69 CancelAlarm { Native::Function, site 5, STANDARD, Effect }
    /// Gives the nanoseconds since 1970-01-01 00:00 UTC in RAX.
    70 GetWallclockTime { Native::Function, site 5, STANDARD, Effect }
    /// Begins or ends a batch of updates. RDI = 0 none (and carry out what is queued), 1 page tables, 2 processor state.
    73 SetLazyMode { Native::Bytes(&[]), site 5, STANDARD, Notice }
    /// Brings in the kernel's GS on entry from user mode, unless the hypervisor has done so. `swapgs`.
    74 SwapGS { Native::Bytes(&[0x0f, 0x01, 0xf8]), site 5, FLAGS, Arrival }
    /// Reads the real cycle counter into RAX: call 67 with 0, for the clock, which asks for nothing else. `rdtsc; shl rdx, 32; or rax, rdx`.
    75 GetRealCycles {
        Native::Bytes(&[0x0f, 0x31, 0x48, 0xc1, 0xe2, 0x20, 0x48, 0x09, 0xd0]),
        site 9, COUNTER, Effect
    }
    /// Prints on the console. RDI = address of the bytes, RSI = their number; lines end with a line feed.
    76 ConsoleWrite { Native::Function, site 5, STANDARD, Effect }
    /// Takes a byte that was typed on the console into RAX; all ones if there is none.
    77 ConsoleRead { Native::Function, site 5, STANDARD, Effect }
    /// Input on the console shall raise an interrupt. RDI = its vector.
    78 ConsoleListen { Native::Bytes(&[]), site 5, STANDARD, Notice }
    /// Forgets all translations, global ones too, on several CPUs, and comes back when that is done. RDI = which, a bit for each by the
    /// kernel's own numbers; whoever does not know these does it on all.
    79 FlushOn { Native::Function, site 5, STANDARD, Effect }
}

impl Call {
    /// The call's number in the ABI.
    pub const fn number(self) -> u64 {
        self as u64
    }

    /// How many bytes of a site are left beside its native instructions.
    pub const fn padding(self) -> usize {
        let native = match self.native() {
            Native::Bytes(bytes) => bytes.len(),
            Native::Function => 5,
        };
        self.site_length() - native
    }

    /// A whole site as compiled, in the first [`site_length`](Self::site_length) bytes: prefixes and the native instructions, or a NOP
    /// where there are none. Nothing for a call whose native form is a function of the kernel.
    pub const fn compiled(self) -> Option<[u8; SITE_MAX]> {
        let Native::Bytes(native) = self.native() else {
            return None;
        };
        let mut bytes = [PREFIX; SITE_MAX];
        if native.is_empty() {
            nop::fill(bytes.split_at_mut(self.site_length()).0);
        }
        bytes
            .split_at_mut(self.padding())
            .1
            .split_at_mut(native.len())
            .0
            .copy_from_slice(native);
        Some(bytes)
    }

    /// Whether *NOP* is an answer to this call: notices may go unheard, and GS may have been swapped before the entry.
    pub const fn may_be_erased(self) -> bool {
        matches!(self.shape(), Shape::Notice | Shape::Arrival)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_site_has_room_for_its_native_bytes_and_for_a_call() {
        for call in Call::ALL {
            let native = match call.native() {
                Native::Bytes(bytes) => bytes.len(),
                Native::Function => 5,
            };
            assert!(
                (5..=SITE_MAX).contains(&call.site_length()) && native <= call.site_length(),
                "{}",
                call.name()
            );
        }
    }

    #[test]
    fn padding_stands_in_front_of_instructions() {
        let compiled = |call: Call| call.compiled().map(|bytes| bytes[..call.site_length()].to_vec());
        assert_eq!(
            compiled(Call::DisableInterrupts),
            Some(vec![0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0xfa])
        );
        assert_eq!(compiled(Call::SwapGS), Some(vec![0x2e, 0x2e, 0x0f, 0x01, 0xf8]));
        assert_eq!(compiled(Call::SetLazyMode), Some(vec![0x0f, 0x1f, 0x44, 0, 0]));
        assert_eq!(compiled(Call::SetAlarm), None);
    }

    #[test]
    fn numbers_and_calls_map_one_to_one() {
        for number in 0..=300 {
            if let Some(call) = Call::from_number(number) {
                assert_eq!(call.number(), number);
            }
        }
        assert!(
            Call::ALL
                .iter()
                .all(|call| Call::from_number(call.number()) == Some(*call))
        );
        assert!(Call::ALL.is_sorted());
    }

    #[test]
    fn native_bytes_that_use_a_register_leave_the_others_alone() {
        assert_eq!(Call::DisableInterrupts.clobbers(), Clobbers::FLAGS);
        assert!(!Clobbers::STANDARD.contains(Clobbers::RBX));
        assert!(Call::SwapGS.may_be_erased() && Call::UpdatePxE.may_be_erased() && !Call::SetPxE.may_be_erased());
    }
}
