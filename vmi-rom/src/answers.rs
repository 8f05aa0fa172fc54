//! Ready-made answers to *GetRelocationInfo*.

use vmi64::{Answer, Call, Native};

/// The address of a function of this ROM, wherever the ROM is.
///
/// Taken by an instruction of its own, lest the compiler collect many of them in a table: that would hold addresses, which
/// nobody relocates.
#[macro_export]
macro_rules! address {
    ($function:path) => {{
        let address: u64;
        // SAFETY: taking an address has no effect on anything else.
        unsafe {
            ::core::arch::asm!("lea {}, [rip + {}]", out(reg) address, sym $function,
                options(pure, nomem, nostack, preserves_flags));
        }
        address
    }};
}

/// The native instructions of `call`, to be copied from this ROM; what has none here stays as the kernel has it.
pub fn native_bytes(call: Call, room: usize) -> Answer {
    match call.native() {
        Native::Bytes(bytes) if !bytes.is_empty() && bytes.len() <= room => Answer::Inline {
            address: bytes.as_ptr() as u64,
            length: bytes.len(),
        },
        Native::Bytes(_) | Native::Function => Answer::None,
    }
}
