//! What a place is to become, byte for byte, and whether it has.

use core::slice;

/// How many bytes a place may have.
pub const LONGEST: usize = 32;

/// How many bytes a jump has.
pub const JUMP_SIZE: usize = 5;

/// First byte of `jmp rel32`.
const JUMP: u8 = 0xe9;

/// A place in the code, and what is to stand there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Where it is.
    pub site: u64,
    /// One more, so that they can be copied all behind a prefix.
    bytes: [u8; LONGEST + 1],
    length: usize,
}

impl Change {
    /// Nothing, nowhere.
    pub const NONE: Self = Self {
        site: 0,
        bytes: [0; LONGEST + 1],
        length: 0,
    };

    /// `bytes` at `site`; `None` if these are more than a place may have.
    pub fn new(site: u64, bytes: &[u8]) -> Option<Self> {
        let mut change = Self {
            site,
            length: bytes.len(),
            ..Self::NONE
        };
        change.bytes[..LONGEST].get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(change)
    }

    /// Makes it `length` bytes at `site`: the first of `bytes`, or `prefix` and these. They are at most [`LONGEST`], or it is none.
    #[inline(always)]
    pub fn set(&mut self, site: u64, length: usize, prefix: Option<u8>, bytes: &[u8; LONGEST]) {
        (self.site, self.length) = (site, length.min(LONGEST));
        match prefix {
            None => self.bytes[..LONGEST].copy_from_slice(bytes),
            Some(prefix) => {
                self.bytes[0] = prefix;
                self.bytes[1..=LONGEST].copy_from_slice(bytes);
            }
        }
    }

    /// Makes it a jump at `site` to `target`, both in the image.
    #[inline(always)]
    pub fn set_jump(&mut self, site: u64, target: u64) {
        (self.site, self.length) = (site, JUMP_SIZE);
        self.bytes[0] = JUMP;
        self.set_distance(target);
    }

    /// Whether it is one.
    #[inline(always)]
    pub fn is_jump(&self) -> bool {
        self.bytes().first() == Some(&JUMP) && self.length == JUMP_SIZE
    }

    /// Makes its last four bytes the distance of `target` from its end, as in a jump or call.
    #[inline(always)]
    pub fn set_distance(&mut self, target: u64) {
        let distance = target.wrapping_sub(self.end()) as i32;
        if let Some((_, last)) = self.bytes[..self.length].split_last_chunk_mut() {
            *last = distance.to_le_bytes();
        }
    }

    /// What is to stand there.
    #[inline(always)]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// How many bytes that is.
    #[inline(always)]
    pub fn length(&self) -> usize {
        self.length
    }

    /// The address behind it.
    #[inline(always)]
    pub fn end(&self) -> u64 {
        self.site + self.length as u64
    }

    /// What stands there now.
    ///
    /// # Safety
    /// It is in the image that runs, and nobody changes it meanwhile.
    pub unsafe fn found(&self) -> &[u8] {
        // SAFETY: the caller vouches for the place.
        unsafe { slice::from_raw_parts(self.site as *const u8, self.length) }
    }
}

/// The table that the linker script has collected between two symbols.
///
/// # Safety
/// Between them are values of type `T`, and nothing else.
pub unsafe fn table<T>(start: *const T, end: *const T) -> &'static [T] {
    // SAFETY: the caller vouches for what is there; the image's constants are never changed.
    unsafe { slice::from_raw_parts(start, end.offset_from_unsigned(start)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_leads_from_its_end_to_its_target() {
        let jump = |target| {
            let mut change = Change::NONE;
            change.set_jump(0x1000, target);
            change
        };
        let ahead = jump(0x1085);
        assert_eq!(
            (ahead.bytes(), ahead.is_jump()),
            ([0xe9, 0x80, 0, 0, 0].as_slice(), true)
        );
        assert_eq!(jump(0x1000).bytes(), [0xe9, 0xfb, 0xff, 0xff, 0xff]);
    }

    #[test]
    fn the_distance_is_the_end_of_whatever_it_is() {
        let mut branch = Change::new(0x1000, &[0x0f, 0x85, 0, 0, 0, 0]).unwrap();
        branch.set_distance(0x1010);
        assert_eq!(
            (branch.bytes(), branch.end()),
            ([0x0f, 0x85, 10, 0, 0, 0].as_slice(), 0x1006)
        );
        assert!(!branch.is_jump());
    }

    #[test]
    fn bytes_may_follow_a_prefix() {
        let bytes: [u8; LONGEST] = core::array::from_fn(|index| index as u8 + 1);
        let mut change = Change::NONE;
        change.set(0x1000, 3, None, &bytes);
        assert_eq!((change.site, change.bytes()), (0x1000, [1, 2, 3].as_slice()));
        change.set(0x2000, LONGEST, Some(0x2e), &bytes);
        assert_eq!(
            (change.bytes()[..2].to_vec(), change.length()),
            (vec![0x2e, 1], LONGEST)
        );
    }

    #[test]
    fn more_than_fits_is_no_change() {
        assert_eq!(Change::new(0, &[0x90; LONGEST]).unwrap().length(), LONGEST);
        assert_eq!(Change::new(0, &[0x90; LONGEST + 1]), None);
    }
}
