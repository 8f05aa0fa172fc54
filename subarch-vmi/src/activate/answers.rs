//! A ROM's answers to everything this kernel has to ask.

use super::RomError;
use crate::rom::Rom;
use crate::site::{self, Site};
use core::{fmt, mem, slice};
use vmi64::{Answer, Call};

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
        Ok(())
    }

    /// What a site of `call` becomes.
    pub fn to(&self, call: Call) -> Answer {
        self.by_number[call.number() as usize]
    }

    /// The bytes of an inline answer; none for any other.
    pub fn inline(answer: Answer) -> &'static [u8] {
        match answer {
            // SAFETY: the check found all of them in the ROM's memory, which is mapped.
            Answer::Inline { address, length } => unsafe { slice::from_raw_parts(address as *const u8, length) },
            _ => &[],
        }
    }

    /// Prints how many sites became what.
    pub fn counted(&self) -> impl fmt::Display {
        let mut counted = Counted::default();
        site::checked().for_each(|site| counted.add(self.to(site.call)));
        counted
    }
}

/// Sites by what they became.
#[derive(Clone, Copy, Default, Debug)]
struct Counted {
    inline: u32,
    calls: u32,
    jumps: u32,
    erased: u32,
    native: u32,
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
        } = self;
        let sites = inline + calls + jumps + erased + native;
        write!(
            out,
            "{sites} sites: {inline} inline, {calls} calls, {jumps} jumps, {erased} erased, {native} native"
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
            "4 sites: 0 inline, 2 calls, 0 jumps, 1 erased, 1 native"
        );
    }
}
