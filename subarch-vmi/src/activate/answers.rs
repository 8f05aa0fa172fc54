//! A ROM's answers to everything this kernel has to ask.

use super::RomError;
use crate::detour::{self, Detour};
use crate::rom::Rom;
use crate::site::{self, Site};
use core::{fmt, mem, slice};
use log::debug;
use vmi64::answer::{KIND_CALL_REL, KIND_INLINE, KIND_JUMP_REL, KIND_NONE, KIND_NOP};
use vmi64::{Answer, Call, RawAnswer};

/// Room for the answer to every call, by its number.
const NUMBERS: usize = 128;

/// The checked answers to all calls that have a site. Too large for the boot stack, so there is one, in a `static`.
#[derive(Debug)]
pub struct Answers {
    by_number: [Answer; NUMBERS],
}

impl Answers {
    /// No answers yet, which means *NONE* to all.
    pub const fn none() -> Self {
        Self {
            by_number: [Answer::None; NUMBERS],
        }
    }

    /// Asks about each call that has a site, once, and forgets what another ROM has answered.
    ///
    /// # Errors
    /// [`RomError::Answer`] for the first answer that is not acceptable.
    pub fn ask(&mut self, rom: &Rom) -> Result<(), RomError> {
        self.by_number.fill(Answer::None);
        let memory = rom.memory();
        let mut asked = [false; NUMBERS];
        for Site { call, .. } in site::checked() {
            let number = call.number() as usize;
            if !mem::replace(&mut asked[number], true) {
                // SAFETY: Init has accepted.
                let raw = unsafe { rom.get_relocation(call.number(), call.site_length()) };
                let answer = raw.check(call, &memory);
                self.by_number[number] = answer.map_err(|error| RomError::Answer(call, error))?;
            }
        }
        self.check_clock()
    }

    /// Refuses a counter whose unit or whose readings would come from the ROM, but not both.
    fn check_clock(&self) -> Result<(), RomError> {
        let parts = [Call::GetCycleFrequency, Call::GetRealCycles].map(|call| self.is_taken(call));
        if parts[0] == parts[1] {
            Ok(())
        } else {
            Err(RomError::HalfClock)
        }
    }

    /// What a site of `call` becomes.
    pub fn to(&self, call: Call) -> Answer {
        self.by_number[call.number() as usize]
    }

    /// Whether the ROM wants anything else at sites of `call` than what stands there as compiled. A notice that may be erased is none it
    /// wants.
    pub fn is_taken(&self, call: Call) -> bool {
        let answer = self.to(call);
        let as_compiled = || {
            call.compiled()
                .is_some_and(|bytes| bytes.starts_with(Self::inline(answer)))
        };
        match answer {
            Answer::None | Answer::Nop => false,
            Answer::CallRel(_) | Answer::JumpRel(_) => true,
            Answer::Inline { length, .. } => length != call.site_length() || !as_compiled(),
        }
    }

    /// The bytes of an inline answer; none for any other.
    pub fn inline(answer: Answer) -> &'static [u8] {
        match answer {
            // SAFETY: the check found all of them in the ROM's memory, which is mapped.
            Answer::Inline { address, length } => unsafe { slice::from_raw_parts(address as *const u8, length) },
            _ => &[],
        }
    }

    /// Writes to the log, for developers, which calls were answered how, a line for each kind of answer: `xtask` reads them.
    pub fn tell(&self) {
        for kind in [KIND_NONE, KIND_CALL_REL, KIND_JUMP_REL, KIND_NOP, KIND_INLINE] {
            let calls = Call::ALL.iter().filter(move |call| {
                let asked = site::checked().any(|site| site.call == **call);
                asked && RawAnswer::encode(self.to(**call)).kind_and_length & 0xff == kind
            });
            debug!("vmi: answer {kind}: {}", Names(calls));
        }
    }

    /// Prints how many sites became what, and how many detours were opened.
    pub fn counted(&self) -> impl fmt::Display {
        let mut counted = Counted::default();
        site::checked().for_each(|site| counted.add(self.to(site.call)));
        let open = |detour: &Detour| self.is_taken(detour.call);
        counted.detours = detour::all().flatten().filter(open).count() as u32;
        counted
    }
}

/// Prints the names of calls.
struct Names<I>(I);

impl<'a, I: Iterator<Item = &'a Call> + Clone> fmt::Display for Names<I> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.clone().try_for_each(|call| write!(out, "{} ", call.name()))
    }
}

/// Sites by what they became, and detours that are open.
#[derive(Clone, Copy, Default, Debug)]
struct Counted {
    inline: u32,
    calls: u32,
    jumps: u32,
    erased: u32,
    native: u32,
    detours: u32,
}

impl Counted {
    fn add(&mut self, answer: Answer) {
        let count = match answer {
            Answer::Inline { .. } => &mut self.inline,
            Answer::CallRel(_) => &mut self.calls,
            Answer::JumpRel(_) => &mut self.jumps,
            Answer::Nop => &mut self.erased,
            Answer::None => &mut self.native,
        };
        *count += 1;
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            inline,
            calls,
            jumps,
            erased,
            native,
            detours,
        } = self;
        let sites = inline + calls + jumps + erased + native;
        write!(
            out,
            "{sites} sites: {inline} inline, {calls} calls, {jumps} jumps, {erased} erased, {native} native; {detours} detours"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_has_a_place() {
        assert!(Call::ALL.iter().all(|call| (call.number() as usize) < NUMBERS));
    }

    #[test]
    fn sites_are_counted_by_kind() {
        let mut counted = Counted::default();
        for answer in [Answer::None, Answer::Nop, Answer::CallRel(1), Answer::CallRel(2)] {
            counted.add(answer);
        }
        assert_eq!(
            counted.to_string(),
            "4 sites: 0 inline, 2 calls, 0 jumps, 1 erased, 1 native; 0 detours"
        );
    }

    fn answers(given: &[(Call, Answer)]) -> Answers {
        let mut answers = Answers::none();
        for (call, answer) in given {
            answers.by_number[call.number() as usize] = *answer;
        }
        answers
    }

    fn inline(bytes: &'static [u8]) -> Answer {
        Answer::Inline {
            address: bytes.as_ptr() as u64,
            length: bytes.len(),
        }
    }

    #[test]
    fn a_call_is_taken_by_whoever_wants_something_else() {
        let native: &[u8] = &[0x2e, 0x2e, 0x0f, 0x22, 0xdf];
        let answers = answers(&[
            (Call::SetCR3, inline(native)),
            (Call::SetCR4, inline(&native[2..])),
            (Call::Halt, Answer::CallRel(0x1000)),
            (Call::SetLazyMode, Answer::Nop),
        ]);
        let taken = [Call::SetCR3, Call::SetCR4, Call::Halt, Call::SetLazyMode, Call::SetPxE];
        assert_eq!(
            taken.map(|call| answers.is_taken(call)),
            [false, true, true, false, false]
        );
    }

    #[test]
    fn half_a_clock_is_refused() {
        let [unit, reading] =
            [Call::GetCycleFrequency, Call::GetRealCycles].map(|call| (call, Answer::CallRel(0x1000)));
        assert_eq!(answers(&[unit]).check_clock(), Err(RomError::HalfClock));
        assert_eq!(answers(&[reading]).check_clock(), Err(RomError::HalfClock));
        assert_eq!(answers(&[unit, reading]).check_clock(), Ok(()));
        assert_eq!(answers(&[]).check_clock(), Ok(()));
    }
}
