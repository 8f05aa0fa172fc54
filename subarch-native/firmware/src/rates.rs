//! How fast the cycle counter and the local APIC's timer run: what CPUID tells, and what follows from readings of clocks.
//!
//! A processor may tell the crystal that drives both, a hypervisor what it makes of them. Xen's word comes first where Xen is: the
//! processor's leaves may shine through beneath it, but the timer is Xen's own and counts as Xen likes. Of that rate it says nothing.

mod interval;

pub use interval::{Interval, Moment};

use core::arch::x86_64::CpuidResult;
use core::fmt;
use core::ops::RangeInclusive;

/// The rates of the clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frequencies {
    /// The cycle counter's ticks per second.
    pub cycle_counter: u64,
    /// The ticks per second of the local APIC's timer, divided by 1.
    pub timer: u64,
    /// How that is known.
    pub source: Source,
}

/// How the rates are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The processor tells its crystal's rate.
    Processor,
    /// The hypervisor tells them.
    Hypervisor,
    /// The hypervisor tells the cycle counter's, by which the timer's was measured.
    CycleCounter,
    /// Measured against the clock of this name.
    Measured(&'static str),
}

impl fmt::Display for Frequencies {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [counter, timer] = [self.cycle_counter, self.timer].map(|rate| (rate + 500_000) / 1_000_000);
        write!(out, "TSC at {counter} MHz, APIC timer at {timer} MHz, ")?;
        match self.source {
            Source::Processor => out.write_str("as the processor says"),
            Source::Hypervisor => out.write_str("as the hypervisor says"),
            Source::CycleCounter => out.write_str("the one as the hypervisor says, the other measured by it"),
            Source::Measured(by) => write!(out, "measured by {by}"),
        }
    }
}

/// Rates that a cycle counter and a timer can have. Outside, something else was measured.
const PLAUSIBLE_COUNTER: RangeInclusive<u64> = 50_000_000..=20_000_000_000;
const PLAUSIBLE_TIMER: RangeInclusive<u64> = 1_000_000..=20_000_000_000;

impl Frequencies {
    /// The rates, if they are ones that a machine can have.
    pub fn plausible(self) -> Option<Self> {
        let plausible = PLAUSIBLE_COUNTER.contains(&self.cycle_counter) && PLAUSIBLE_TIMER.contains(&self.timer);
        plausible.then_some(self)
    }
}

/// What CPUID tells of the rates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// Both.
    Both(Frequencies),
    /// The cycle counter's ticks per second. The timer is to be measured by them.
    CycleCounter(u64),
}

impl Told {
    /// Asks `cpuid`, which takes a leaf and a subleaf.
    pub fn by(cpuid: impl Fn(u32, u32) -> CpuidResult) -> Option<Self> {
        let hypervisor = hypervisor(&cpuid);
        let by_xen = hypervisor.filter(|found| found.signature == XEN);
        if let Some(rate) = by_xen.and_then(|found| by_xen_in(&cpuid, found)) {
            return Some(Self::CycleCounter(rate));
        }
        by_processor(&cpuid)
            .or_else(|| by_hypervisor(&cpuid, hypervisor?))
            .map(Self::Both)
    }
}

/// The first leaf that a hypervisor answers (by agreement among hypervisors; Intel SDM keeps the range free).
pub const HYPERVISOR_LEAVES: u32 = 0x4000_0000;

/// The signature of Xen.
pub const XEN: [u8; 12] = *b"XenVMMXenVMM";

/// A hypervisor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hypervisor {
    /// Its name for itself.
    pub signature: [u8; 12],
    /// The last leaf that it answers.
    pub last_leaf: u32,
}

/// The hypervisor, if one says that it is there (bit 31 of ECX of leaf 1, which processors keep clear).
pub fn hypervisor(cpuid: impl Fn(u32, u32) -> CpuidResult) -> Option<Hypervisor> {
    (cpuid(1, 0).ecx >> 31 == 1).then(|| {
        let leaf = cpuid(HYPERVISOR_LEAVES, 0);
        let mut signature = [0; 12];
        signature.copy_from_slice([leaf.ebx, leaf.ecx, leaf.edx].map(u32::to_le_bytes).as_flattened());
        Hypervisor {
            signature,
            last_leaf: leaf.eax,
        }
    })
}

/// The cycle counter's rate in Xen's leaf on time, in kHz (Xen's public header `arch-x86/cpuid.h`, leaf 4, subleaf 0).
fn by_xen_in(cpuid: impl Fn(u32, u32) -> CpuidResult, xen: Hypervisor) -> Option<u64> {
    const TIME: u32 = HYPERVISOR_LEAVES + 3;
    let rate = (xen.last_leaf >= TIME).then(|| u64::from(cpuid(TIME, 0).ecx) * 1000);
    rate.filter(|rate| PLAUSIBLE_COUNTER.contains(rate))
}

/// The rate of the crystal that drives both, and the counter's ratio to it (Intel SDM, vol. 3, 19.7.3; vol. 2, CPUID leaf 15h).
fn by_processor(cpuid: impl Fn(u32, u32) -> CpuidResult) -> Option<Frequencies> {
    /// EAX and EBX are the ratio's denominator and numerator, ECX is the crystal's rate in Hz; each is 0 if it is not told.
    const CRYSTAL: u32 = 0x15;
    if cpuid(0, 0).eax < CRYSTAL {
        return None;
    }
    let leaf = cpuid(CRYSTAL, 0);
    let crystal = u64::from(leaf.ecx);
    Frequencies {
        cycle_counter: (crystal * u64::from(leaf.ebx)).checked_div(leaf.eax.into())?,
        timer: crystal,
        source: Source::Processor,
    }
    .plausible()
}

/// What hypervisors agreed to tell in this leaf, in kHz (LKML, 2008: "CPUID usage for interaction between Hypervisors and Linux").
fn by_hypervisor(cpuid: impl Fn(u32, u32) -> CpuidResult, found: Hypervisor) -> Option<Frequencies> {
    /// EAX is the cycle counter's rate, EBX that of the APIC timer.
    const TIMING: u32 = HYPERVISOR_LEAVES + 0x10;
    if !(TIMING..TIMING + 0x100).contains(&found.last_leaf) {
        return None;
    }
    let leaf = cpuid(TIMING, 0);
    Frequencies {
        cycle_counter: u64::from(leaf.eax) * 1000,
        timer: u64::from(leaf.ebx) * 1000,
        source: Source::Hypervisor,
    }
    .plausible()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A processor that answers these leaves, and 0 to all others.
    fn told(leaves: &[(u32, [u32; 4])]) -> Option<Told> {
        Told::by(|leaf, _| {
            let found = leaves.iter().find(|(number, _)| *number == leaf);
            let [eax, ebx, ecx, edx] = found.map_or([0; 4], |(_, registers)| *registers);
            CpuidResult { eax, ebx, ecx, edx }
        })
    }

    /// Of a hypervisor: that there is one, which, and its last leaf.
    fn leaves_of(name: &[u8; 12], last: u32) -> [(u32, [u32; 4]); 2] {
        let word = |from: usize| u32::from_le_bytes([name[from], name[from + 1], name[from + 2], name[from + 3]]);
        [
            (1, [0, 0, 1 << 31, 0]),
            (HYPERVISOR_LEAVES, [last, word(0), word(4), word(8)]),
        ]
    }

    const CRYSTAL: [(u32, [u32; 4]); 2] = [(0, [0x16, 0, 0, 0]), (0x15, [2, 200, 24_000_000, 0])];

    fn both(cycle_counter: u64, timer: u64, source: Source) -> Option<Told> {
        Some(Told::Both(Frequencies {
            cycle_counter,
            timer,
            source,
        }))
    }

    #[test]
    fn the_processor_tells_its_crystal() {
        assert_eq!(told(&CRYSTAL), both(2_400_000_000, 24_000_000, Source::Processor));
        assert_eq!(told(&[]), None);
        assert_eq!(told(&[CRYSTAL[0], (0x15, [0; 4])]), None);
    }

    #[test]
    fn hypervisors_tell_if_they_have_the_leaf() {
        let timing = (0x4000_0010, [2_100_000, 1_000_000, 0, 0]);
        let with = |last| [leaves_of(b"KVMKVMKVM\0\0\0", last).as_slice(), &[timing]].concat();
        assert_eq!(
            told(&with(0x4000_0010)),
            both(2_100_000_000, 1_000_000_000, Source::Hypervisor)
        );
        assert_eq!(told(&with(0x4000_0001)), None);
        assert_eq!(told(&[timing]), None, "nobody says that there is one");
    }

    #[test]
    fn xen_tells_the_counter_and_is_asked_before_the_processor() {
        let time = (0x4000_0003, [2, 0, 2_099_999, 1]);
        let under_xen = |last| [leaves_of(b"XenVMMXenVMM", last).as_slice(), &[time], &CRYSTAL].concat();
        assert_eq!(told(&under_xen(0x4000_0005)), Some(Told::CycleCounter(2_099_999_000)));
        assert_eq!(
            told(&under_xen(0x4000_0002)),
            both(2_400_000_000, 24_000_000, Source::Processor)
        );
    }
}
