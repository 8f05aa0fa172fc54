//! Looking at physical memory that firmware or a loader filled, before anything is known about it.
//!
//! Every address found there is somebody else's claim. So it is looked at in bounds, as bytes, and an address that leads out
//! of what can be seen is an answer (`None`), not a fault.

use arch::layout::direct;

/// Physical memory, as far as it can be seen.
pub trait PhysicalMemory {
    /// The `length` bytes at `address`, if all of them can be seen.
    fn bytes(&self, address: u64, length: usize) -> Option<&[u8]>;
}

/// What the loader's page tables show in the direct map: everything below a limit.
#[derive(Debug)]
pub struct Shown {
    below: u64,
}

impl Shown {
    /// Memory below `below`.
    ///
    /// # Safety
    /// The page tables in use show all of it in the direct map as long as the value lives, and nobody changes what is looked at
    /// through it.
    pub unsafe fn new(below: u64) -> Self {
        Self { below }
    }

    /// The first address that cannot be seen.
    pub fn below(&self) -> u64 {
        self.below
    }
}

impl PhysicalMemory for Shown {
    fn bytes(&self, address: u64, length: usize) -> Option<&[u8]> {
        let end = address.checked_add(length as u64)?;
        if end > self.below {
            return None;
        }
        // SAFETY: in the direct map and unchanging, as `new`'s caller promised.
        Some(unsafe { core::slice::from_raw_parts(direct(address).as_ptr(), length) })
    }
}

/// Little-endian numbers at fixed places of a structure.
pub trait Fields {
    /// The byte at `offset`.
    fn u8_at(&self, offset: usize) -> Option<u8>;

    /// The 16-bit number at `offset`.
    fn u16_at(&self, offset: usize) -> Option<u16>;

    /// The 32-bit number at `offset`.
    fn u32_at(&self, offset: usize) -> Option<u32>;

    /// The 64-bit number at `offset`.
    fn u64_at(&self, offset: usize) -> Option<u64>;
}

impl Fields for [u8] {
    fn u8_at(&self, offset: usize) -> Option<u8> {
        self.get(offset).copied()
    }

    fn u16_at(&self, offset: usize) -> Option<u16> {
        Some(u16::from_le_bytes(*self.get(offset..)?.first_chunk()?))
    }

    fn u32_at(&self, offset: usize) -> Option<u32> {
        Some(u32::from_le_bytes(*self.get(offset..)?.first_chunk()?))
    }

    fn u64_at(&self, offset: usize) -> Option<u64> {
        Some(u64::from_le_bytes(*self.get(offset..)?.first_chunk()?))
    }
}

/// Physical memory for tests: some bytes, the first of them at an address.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct Pieces(pub Vec<(u64, Vec<u8>)>);

#[cfg(test)]
impl PhysicalMemory for Pieces {
    fn bytes(&self, address: u64, length: usize) -> Option<&[u8]> {
        self.0.iter().find_map(|(start, bytes)| {
            let offset = usize::try_from(address.checked_sub(*start)?).ok()?;
            bytes.get(offset..offset.checked_add(length)?)
        })
    }
}
