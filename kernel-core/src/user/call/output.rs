//! Writing: to the console, which is all there is to write to.

use super::Answer;
use crate::console;
use crate::user::UserThread;
use arch::layout::USER_END;
use kernel_logic::user::errno::Errno;

/// How much is copied and printed at a time.
const PIECE: usize = 256;

/// As much as Linux writes by one call.
const LONGEST: u64 = 0x7fff_f000;

/// `write`: standard output and standard error are the console; there are no other files.
pub fn write(thread: &UserThread, file: u64, address: u64, length: u64) -> Answer {
    if file as i32 != 1 && file as i32 != 2 {
        return Err(Errno::EBADF);
    }
    if address.checked_add(length).is_none_or(|end| end > USER_END) {
        return Err(Errno::EFAULT);
    }
    let length = length.min(LONGEST);
    let mut written = 0;
    while written < length && !thread.process().is_ending() {
        let mut buffer = [0; PIECE];
        let piece = &mut buffer[..PIECE.min((length - written) as usize)];
        match thread.process().space().read(address + written, piece) {
            Ok(()) => console::write(piece),
            Err(_) if written > 0 => break,
            Err(errno) => return Err(errno),
        }
        written += piece.len() as u64;
    }
    Ok(written)
}
