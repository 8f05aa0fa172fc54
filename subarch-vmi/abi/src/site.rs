//! Call sites: the records that tell where they are, and the proof that they are what they claim.
//!
//! A site is a few bytes of kernel code that activation will overwrite. Overwriting the wrong ones would be discovered
//! late and far away, so each site is compared, byte for byte, with what the ABI says must stand there.

use crate::call::Call;
use core::fmt;

/// One site, as the assembler records it beside the code. A kernel has a thousand of them, so there is nothing in it that the call's
/// row of the ABI says as well.
#[repr(C, packed)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SiteRecord {
    /// Distance of the site from this field.
    pub distance: i32,
    /// Number of the call.
    pub call: u8,
}

/// Size of a record, as the assembler must lay it out.
pub const SITE_RECORD_SIZE: usize = 5;
const _: () = assert!(size_of::<SiteRecord>() == SITE_RECORD_SIZE);

/// Why a site is not what its record claims: always a bug of the kernel, never of a ROM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SiteError {
    /// The ABI has no call of this number.
    UnknownCall(u8),
    /// The bytes at the site are not the native ones and padding.
    Bytes(Call),
}

impl SiteRecord {
    /// The site's address, from the address at which this record lies.
    pub const fn site(&self, record: u64) -> u64 {
        record.wrapping_add_signed(self.distance as i64)
    }

    /// The call of the site, if the ABI has it.
    pub fn check(&self) -> Result<Call, SiteError> {
        Call::from_number(u64::from(self.call)).ok_or(SiteError::UnknownCall(self.call))
    }
}

/// Checks that `bytes`, a site of `call`, are as compiled.
pub fn check_bytes(call: Call, bytes: &[u8]) -> Result<(), SiteError> {
    let as_compiled = match call.compiled() {
        Some(compiled) => bytes == &compiled[..call.site_length()],
        None => bytes.len() == call.site_length() && bytes.first() == Some(&crate::patch::CALL_REL32),
    };
    as_compiled.then_some(()).ok_or(SiteError::Bytes(call))
}

impl fmt::Display for SiteError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCall(number) => write!(out, "a site of call {number}, which does not exist"),
            Self::Bytes(call) => write!(out, "a site of {} does not hold its native bytes", call.name()),
        }
    }
}

impl core::error::Error for SiteError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn records_are_checked_against_the_abi() {
        let record = |call| SiteRecord { distance: -16, call };
        for call in Call::ALL {
            assert_eq!(record(call.number() as u8).check(), Ok(*call));
        }
        assert_eq!(record(200).check(), Err(SiteError::UnknownCall(200)));
        assert_eq!(record(0).site(0x1000), 0xff0);
    }

    #[test]
    fn native_bytes_and_padding_are_recognised() {
        let disable = [0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0xfa];
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
