//! Reading and writing programs' memory for them.
//!
//! Each page is found by a walk, and filled or copied first if need be, exactly as if the program had touched it. The lock of the
//! address space is held meanwhile, so no other thread can take the page away between the walk and the copy.

use super::{AddressSpace, Attempt, Unresolved};
use arch::layout::{PAGE_SIZE, USER_END};
use core::ops::Range;
use kernel_logic::user::errno::Errno;

impl AddressSpace {
    /// Copies the program's bytes from `address` on.
    ///
    /// # Errors
    /// `EFAULT` if the program itself could not read all of them; some may have been copied.
    pub fn read(&self, address: u64, into: &mut [u8]) -> Result<(), Errno> {
        self.with_pieces(address, into.len(), Attempt::Read, |piece, memory| {
            // SAFETY: the piece is in a frame that stays the program's while the lock is held; programs may write it at the same
            // time, which makes the bytes theirs to answer for, but never invalid.
            unsafe { memory.copy_to_nonoverlapping(into[piece.clone()].as_mut_ptr(), piece.len()) };
        })
    }

    /// Copies `bytes` to the program's memory at `address`.
    ///
    /// # Errors
    /// `EFAULT` if the program itself could not write all of it; some may have been written.
    pub fn write(&self, address: u64, bytes: &[u8]) -> Result<(), Errno> {
        self.with_pieces(address, bytes.len(), Attempt::Write, |piece, memory| {
            // SAFETY: as above; the frame is one that the program may write, and nobody else owns.
            unsafe { memory.copy_from_nonoverlapping(bytes[piece.clone()].as_ptr(), piece.len()) };
        })
    }

    /// Reads a 32-bit number.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_u32(&self, address: u64) -> Result<u32, Errno> {
        let mut bytes = [0; 4];
        self.read(address, &mut bytes)?;
        Ok(u32::from_ne_bytes(bytes))
    }

    /// Calls `copy` for each piece of the `length` bytes at `address` that lies in one page: where in the whole it is, and where its
    /// first byte is in the direct map.
    fn with_pieces(
        &self,
        address: u64,
        length: usize,
        attempt: Attempt,
        mut copy: impl FnMut(Range<usize>, *mut u8),
    ) -> Result<(), Errno> {
        let end = address.checked_add(length as u64).filter(|end| *end <= USER_END);
        let end = end.ok_or(Errno::EFAULT)?;
        let mut memory = self.memory.lock();
        let mut at = address;
        while at < end {
            let piece_end = (at / PAGE_SIZE + 1).saturating_mul(PAGE_SIZE).min(end);
            let frame = memory.frame_for(self, at, attempt).map_err(errno)?;
            let first = frame.direct() + at % PAGE_SIZE;
            copy(
                (at - address) as usize..(piece_end - address) as usize,
                first.as_mut_ptr(),
            );
            at = piece_end;
        }
        Ok(())
    }
}

fn errno(reason: Unresolved) -> Errno {
    match reason {
        Unresolved::NotAllowed => Errno::EFAULT,
        Unresolved::OutOfMemory => Errno::ENOMEM,
    }
}
