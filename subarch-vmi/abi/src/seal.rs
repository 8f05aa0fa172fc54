//! Finishing a ROM: its length and its checksum, as firmware wants them.
//!
//! A linker can lay out a ROM but not add up its bytes. Whoever builds one pads the flat image with zeroes to
//! [`sealed_length`], then calls [`seal`] once; from then on firmware deploys it, and
//! [`Header::parse`](crate::Header::parse) has something to check.

use crate::header::{BLOCK, CHECKSUM, HEADER_SIZE, ROM_LENGTH};
use core::fmt;

/// The most blocks that firmware deploys: the length is one byte, and 0 means nothing.
const BLOCKS_MAX: usize = 255;

/// Why an image cannot become a ROM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SealError {
    /// The image, of this many bytes, is shorter than the header.
    TooShort(usize),
    /// The image, of this many bytes, is longer than the 127.5 KiB an option ROM can have.
    TooLong(usize),
    /// The image, of this many bytes, was not padded to a multiple of 512.
    NotPadded(usize),
}

/// The length to which an image of `length` bytes is to be padded.
pub const fn sealed_length(length: usize) -> usize {
    length.next_multiple_of(BLOCK)
}

/// Writes the length and the checksum into `image`, a flat image padded to [`sealed_length`].
pub fn seal(image: &mut [u8]) -> Result<(), SealError> {
    let blocks = image.len() / BLOCK;
    if image.len() < HEADER_SIZE {
        return Err(SealError::TooShort(image.len()));
    }
    if blocks > BLOCKS_MAX {
        return Err(SealError::TooLong(image.len()));
    }
    if !image.len().is_multiple_of(BLOCK) {
        return Err(SealError::NotPadded(image.len()));
    }
    image[ROM_LENGTH] = blocks as u8;
    image[CHECKSUM] = 0;
    image[CHECKSUM] = image.iter().fold(0, |sum: u8, byte| sum.wrapping_sub(*byte));
    Ok(())
}

impl fmt::Display for SealError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort(length) => write!(out, "{length} bytes are less than a ROM's header"),
            Self::TooLong(length) => write!(out, "{length} bytes are more than the 130,560 of an option ROM"),
            Self::NotPadded(length) => write!(out, "{length} bytes are not a multiple of {BLOCK}"),
        }
    }
}

impl core::error::Error for SealError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_image_adds_up_to_zero_however_often_it_is_sealed() {
        let mut image: Vec<u8> = (0..1024).map(|index| (index * 7) as u8).collect();
        for _ in 0..2 {
            seal(&mut image).unwrap();
            assert_eq!(image.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)), 0);
            assert_eq!(image[ROM_LENGTH], 2);
        }
    }

    #[test]
    fn sizes_that_firmware_would_drop_are_refused() {
        assert_eq!(seal(&mut [0; 16]), Err(SealError::TooShort(16)));
        assert_eq!(seal(&mut [0; 513]), Err(SealError::NotPadded(513)));
        assert_eq!(seal(&mut vec![0; 128 * 1024]), Err(SealError::TooLong(128 * 1024)));
        assert_eq!(sealed_length(513), 1024);
    }
}
