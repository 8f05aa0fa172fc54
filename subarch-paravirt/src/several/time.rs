//! Clocks and the alarm.
//!
//! Both are what a bare machine's processor does with its cycle counter, in line; under Xen a few instructions lead around that. Of the places
//! where the counter is read a ROM may have something to say as well.

use super::site::{choose, detour, operation, operation_then};
use super::{Bare, Either, Paravirt};
use arch::percpu::{AREA_OFFSET, CPU_OFFSET};
use arch::{Instant, TimeOps};
use core::arch::asm;
use core::fmt;
use core::time::Duration;
use subarch_native::apic::{Register, address};
use subarch_native::time::{FARTHEST, TICKS};
use subarch_xen::assembly::clock;
use subarch_xen::{Xen, assembly};

cfg_if::cfg_if! {
    if #[cfg(feature = "vmi")] {
        use subarch_vmi::for_parent::{CYCLE as RATE, START};
        use subarch_vmi::site;
        use subarch_vmi::vmi64::Call;

        /// RAX becomes the counter that the clock goes by, at a site that a ROM may change. RDX is changed.
        macro_rules! read_counter {
            () => {
                concat!(
                    "771:\nrdtsc\nshl rdx, 32\nor rax, rdx\n",
                    subarch_vmi::site_record!("site"),
                    "/* {site_count} */",
                )
            };
        }

        const CALL: u64 = Call::GetRealCycles.number();
        const COUNT: usize = site::counter(Call::GetRealCycles);
        const _: () = assert!(Call::GetRealCycles.padding() == 0);
    } else {
        use subarch_native::time::{NANOSECONDS as RATE, START};

        /// RAX becomes the counter that the clock goes by. RDX is changed.
        macro_rules! read_counter {
            () => { "rdtsc\nshl rdx, 32\nor rax, rdx /* {site_call} {site_count} */" };
        }

        const CALL: u64 = 0;
        const COUNT: usize = 0;
    }
}

/// Of the counter in RAX makes nanoseconds since the clock's start, in RDX and RAX as a product with 32 binary places.
macro_rules! nanoseconds {
    () => {
        "sub rax, [rip + {START}]
        mul qword ptr [rip + {RATE}]"
    };
}

impl TimeOps for Paravirt {
    #[inline(always)]
    fn now() -> Instant {
        let (low, high): (u64, u64);
        // SAFETY: reading a counter has no effect; the rest is read.
        unsafe {
            asm!(
                "771: .byte 0x2e, 0x2e",
                detour!(subarch_xen::now_in_assembly!()),
                read_counter!(),
                nanoseconds!(),
                "779:",
                START = sym START, RATE = sym RATE, site_call = const CALL, site_count = const COUNT,
                AREA = const AREA_OFFSET, VERSION = const clock::VERSION, CYCLES = const clock::CYCLES,
                SYSTEM_TIME = const clock::SYSTEM_TIME, MULTIPLIER = const clock::MULTIPLIER, SHIFT = const clock::SHIFT,
                LATEST = sym assembly::LATEST,
                out("rax") low, out("rdx") high, out("rcx") _, area = out(reg) _, version = out(reg) _,
                options(nostack),
            );
        }
        Instant::from_nanoseconds(high << 32 | low >> 32)
    }

    /// The same instructions on either.
    #[inline(always)]
    fn cycles() -> u64 {
        Bare::cycles()
    }

    fn cycles_to_duration(cycles: u64) -> Duration {
        choose!(Bare::cycles_to_duration(cycles), Xen::cycles_to_duration(cycles))
    }

    fn wall_clock() -> Duration {
        choose!(Bare::wall_clock(), Xen::wall_clock())
    }

    #[inline(always)]
    fn set_alarm(deadline: Instant) {
        arch::keeping_registers!(keeping_for_xen, assembly::set_alarm, ["push {deadline}"]);
        // SAFETY: the alarm's interrupt has a handler.
        unsafe {
            operation_then!(
                3, "xor ecx, ecx",
                detour!(subarch_xen::set_alarm_in_assembly!()),
                SetAlarm => subarch_vmi::for_parent::set_alarm, ["push {deadline}"],
                then [
                    read_counter!(),
                    nanoseconds!(),
                    "shrd rax, rdx, 32",
                    "sub {deadline}, rax",
                    "cmovb {deadline}, rcx",
                    "mov rax, [rip + {FARTHEST}]",
                    "cmp {deadline}, rax",
                    "cmovb rax, {deadline}",
                    "mul qword ptr [rip + {TICKS}]",
                    "shrd rax, rdx, 32",
                    "or eax, 1",
                    "mov [{timer}], eax"
                ],
                START = sym START, RATE = sym RATE, site_call = const CALL, site_count = const COUNT,
                FARTHEST = sym FARTHEST, TICKS = sym TICKS,
                deadline = inout(reg) deadline.nanoseconds() => _, timer = in(reg) address(Register::InitialCount),
                CPU_NUMBER = const CPU_OFFSET, SET_SINGLESHOT_TIMER = const assembly::SET_ALARM[1],
                VCPU_OP = const assembly::SET_ALARM[0], COUNTED = const arch::calls::COUNTED as u8,
                set_alarm = sym keeping_for_xen,
                out("rax") _, out("rcx") _, out("rdx") _, out("rsi") _, out("rdi") _, out("r11") _,
            );
        }
    }

    #[inline(always)]
    fn cancel_alarm() {
        arch::keeping_registers!(keeping_for_xen, assembly::cancel_alarm, []);
        // SAFETY: whoever waits for the alarm asked for this.
        unsafe {
            operation!(
                2, "mov dword ptr [{timer}], 0",
                detour!("call {xen}\njmp 779f"),
                CancelAlarm => subarch_vmi::for_parent::cancel_alarm, [],
                timer = in(reg) address(Register::InitialCount), xen = sym keeping_for_xen,
                options(nostack),
            );
        }
    }

    #[inline(always)]
    fn stolen() -> Duration {
        choose!(Bare::stolen(), Xen::stolen())
    }

    fn clock_source() -> impl fmt::Display {
        choose!(Either::Bare(Bare::clock_source()), Either::Xen(Xen::clock_source()))
    }
}
