//! Call sites: the records that tell where they are, and the proof that they are what they claim.
//!
//! A site is a few bytes of kernel code that activation will overwrite. Overwriting the wrong ones would be discovered
//! late and far away, so each site is compared, byte for byte, with what the ABI says must stand there.

use crate::call::{Call, Native};
use crate::{Clobbers, nop};
use core::fmt;

/// One site, as the assembler records it beside the code. 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SiteRecord {
    /// Distance of the site from this field.
    pub distance: i32,
    /// Number of the call.
    pub call: u8,
    /// Size of the site in bytes.
    pub length: u8,
    /// Registers that hold nothing of value at the site, a [`Clobbers`] set.
    pub clobbers: u16,
}

/// Size of a record, as the assembler must lay it out.
pub const SITE_RECORD_SIZE: usize = 8;
const _: () = assert!(size_of::<SiteRecord>() == SITE_RECORD_SIZE);

/// Why a site is not what its record claims: always a bug of the kernel, never of a ROM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SiteError {
    /// The ABI has no call of this number.
    UnknownCall(u8),
    /// The site's size differs from the ABI's for this call.
    Length(Call, u8),
    /// Code around the site keeps a value in a register that the call may change.
    Clobbers(Call, Clobbers),
    /// The bytes at the site are not the native ones and padding.
    Bytes(Call),
}

impl SiteRecord {
    /// The site's address, from the address at which this record lies.
    pub const fn site(&self, record: u64) -> u64 {
        record.wrapping_add_signed(self.distance as i64)
    }

    /// Checks the record against the ABI.
    pub fn check(&self) -> Result<Call, SiteError> {
        let call = Call::from_number(u64::from(self.call)).ok_or(SiteError::UnknownCall(self.call))?;
        if usize::from(self.length) != call.site_length() {
            return Err(SiteError::Length(call, self.length));
        }
        let kept = call.clobbers().difference(Clobbers::from_bits_retain(self.clobbers));
        if kept.is_empty() {
            Ok(call)
        } else {
            Err(SiteError::Clobbers(call, kept))
        }
    }
}

/// Checks that `bytes`, a site of `call`, are as compiled.
pub fn check_bytes(call: Call, bytes: &[u8]) -> Result<(), SiteError> {
    let (native, rest) = match call.native() {
        Native::Bytes(native) => (bytes.starts_with(native), bytes.get(native.len()..)),
        Native::Function => (bytes.first() == Some(&crate::patch::CALL_REL32), bytes.get(5..)),
    };
    match rest {
        Some(rest) if native && is_padding(rest) => Ok(()),
        _ => Err(SiteError::Bytes(call)),
    }
}

/// Whether `rest` is what the assembler writes as padding.
fn is_padding(rest: &[u8]) -> bool {
    let mut expected = [0; 16];
    match expected.get_mut(..rest.len()) {
        Some(expected) => {
            nop::fill(expected);
            expected == rest
        }
        None => false,
    }
}

impl fmt::Display for SiteError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCall(number) => write!(out, "a site of call {number}, which does not exist"),
            Self::Length(call, length) => write!(out, "a site of {} has {length} bytes", call.name()),
            Self::Clobbers(call, kept) => write!(out, "a site of {} keeps {kept:?}", call.name()),
            Self::Bytes(call) => write!(out, "a site of {} does not hold its native bytes", call.name()),
        }
    }
}

impl core::error::Error for SiteError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(call: Call) -> SiteRecord {
        let (number, length) = (call.number() as u8, call.site_length() as u8);
        SiteRecord {
            distance: -16,
            call: number,
            length,
            clobbers: call.clobbers().bits(),
        }
    }

    #[test]
    fn records_are_checked_against_the_abi() {
        for call in Call::ALL {
            assert_eq!(record(*call).check(), Ok(*call));
        }
        let good = record(Call::SetCR3);
        assert_eq!(
            SiteRecord { call: 200, ..good }.check(),
            Err(SiteError::UnknownCall(200))
        );
        assert_eq!(
            SiteRecord { length: 4, ..good }.check(),
            Err(SiteError::Length(Call::SetCR3, 4))
        );
        assert_eq!(
            SiteRecord { clobbers: 0, ..good }.check(),
            Err(SiteError::Clobbers(Call::SetCR3, Clobbers::STANDARD))
        );
        assert_eq!(good.site(0x1000), 0xff0);
    }

    #[test]
    fn native_bytes_and_padding_are_recognised() {
        let disable = [0xfa, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0];
        assert_eq!(check_bytes(Call::DisableInterrupts, &disable), Ok(()));
        assert_eq!(
            check_bytes(Call::EnableInterrupts, &disable),
            Err(SiteError::Bytes(Call::EnableInterrupts))
        );
        assert_eq!(check_bytes(Call::SetAlarm, &[0xe8, 1, 2, 3, 4]), Ok(()));
        assert_eq!(
            check_bytes(Call::SetAlarm, &[0xe8, 1]),
            Err(SiteError::Bytes(Call::SetAlarm))
        );
        assert_eq!(
            check_bytes(Call::SetLazyMode, &[0x90; 5]),
            Err(SiteError::Bytes(Call::SetLazyMode))
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_accepted_or_refused(call in 0..Call::ALL.len(), bytes: Vec<u8>) {
            let _ = check_bytes(Call::ALL[call], &bytes);
        }
    }
}
