//! Finding ROMs in the option-ROM area.
//!
//! Firmware puts option ROMs one behind the other at multiples of 2 KiB, wherever there is room, so the only way to find one
//! is to look at every such place. Other ROMs, and stray bytes in the firmware's own data, begin with 55 AA as well; only
//! the second signature, `cVmi`, makes a candidate. A candidate with something wrong is reported, not passed over.

use crate::header::{Header, HeaderError};
use core::ops::Range;

/// Physical addresses in which firmware deploys option ROMs on a PC.
pub const AREA: Range<u64> = 0xc_0000..0xf_0000;

/// The grain of the places at which ROMs begin.
pub const STEP: usize = 2048;

/// A place in the area where a VMI signature is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Distance from the start of the area in bytes.
    pub offset: usize,
    /// Its header, or what is wrong with it.
    pub header: Result<Header, HeaderError>,
}

/// All candidates in `area`, from low to high addresses; `area` begins on a multiple of [`STEP`].
pub fn candidates(area: &[u8]) -> impl Iterator<Item = Candidate> {
    (0..area.len())
        .step_by(STEP)
        .filter_map(|offset| match Header::parse(&area[offset..]) {
            Err(HeaderError::Signature) => None,
            header => Some(Candidate { offset, header }),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An area with a stray option-ROM signature, and a VMI signature whose ROM would end behind the area.
    fn area() -> Vec<u8> {
        let mut area = vec![0; 8 * STEP];
        area[2 * STEP..2 * STEP + 2].copy_from_slice(&[0x55, 0xaa]);
        area[7 * STEP..7 * STEP + 3].copy_from_slice(&[0x55, 0xaa, 0xff]);
        area[7 * STEP + 8..7 * STEP + 12].copy_from_slice(b"cVmi");
        area
    }

    #[test]
    fn stray_signatures_are_passed_over_and_bad_roms_reported() {
        let found: Vec<_> = candidates(&area()).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].offset, 7 * STEP);
        assert_eq!(
            found[0].header,
            Err(HeaderError::TruncatedArea {
                claimed: 255 * 512,
                available: STEP
            })
        );
    }
}
