//! Ready-made answers to *GetRelocationInfo*.

use vmi64::call::SITE_MAX;
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

/// What stands at a site of `call` as compiled, to be copied from this ROM; what has no instructions there stays as the kernel has it.
pub fn native_bytes(call: Call, room: usize) -> Answer {
    match call.native() {
        Native::Bytes(&[_, ..]) if call.site_length() <= room => Answer::Inline {
            address: (&raw const COMPILED[call as usize]) as u64,
            length: call.site_length(),
        },
        Native::Bytes(_) | Native::Function => Answer::None,
    }
}

/// What calls have a number below.
const NUMBERS: usize = 128;

/// Sites as compiled, by the number of the call. In one piece, with no address in it.
static COMPILED: [[u8; SITE_MAX]; NUMBERS] = {
    let mut sites = [[0; SITE_MAX]; NUMBERS];
    let mut index = 0;
    while index < Call::ALL.len() {
        let call = Call::ALL[index];
        if let Some(bytes) = call.compiled() {
            sites[call as usize] = bytes;
        }
        index += 1;
    }
    sites
};
