//! What the machine's memory is like, and the hypervisor's console.
//!
//! Sources: Xen's public headers `memory.h` and `xen.h` (`CONSOLEIO_*`).

use super::{Call, Refused, call};

/// The last machine frame that is memory.
///
/// # Errors
/// None that a PV guest can meet.
pub fn maximum_ram_page() -> Result<u64, Refused> {
    const MAXIMUM_RAM_PAGE: u64 = 2;
    // SAFETY: it only answers.
    unsafe { call(Call::MemoryOp, [MAXIMUM_RAM_PAGE, 0]) }
}

/// Writes `bytes` to the hypervisor's console. From a domain other than dom0 only a debugging Xen shows them.
///
/// # Errors
/// `EFAULT` if the bytes are not mapped.
pub fn console_write(bytes: &[u8]) -> Result<u64, Refused> {
    const WRITE: u64 = 0;
    // SAFETY: Xen only reads the bytes, during the call.
    unsafe { call(Call::ConsoleIo, [WRITE, bytes.len() as u64, bytes.as_ptr() as u64]) }
}

/// Reads what was typed on the hypervisor's console into `buffer`; the answer is how many bytes.
///
/// # Errors
/// `EFAULT` if the buffer is not mapped writable.
pub fn console_read(buffer: &mut [u8]) -> Result<u64, Refused> {
    const READ: u64 = 1;
    // SAFETY: Xen only writes into the buffer, during the call, and any byte is a valid byte.
    unsafe { call(Call::ConsoleIo, [READ, buffer.len() as u64, buffer.as_mut_ptr() as u64]) }
}
