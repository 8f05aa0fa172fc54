//! The head of a ROM: what firmware reads, what the kernel reads, and the two slots through which it enters.

/// Makes a program a ROM: its header, and the two entries with the conventions of the ABI.
///
/// `init` is a `fn(&InitRecord) -> Result<(), Refusal>`, `relocate` a `fn(Call, usize) -> Answer` that gets the call and
/// the size of its sites. What a broken ROM is to lie about can be given by name; see the ROMs that do.
#[macro_export]
macro_rules! rom {
    (name: $name:literal, init: $init:path, relocate: $relocate:path
        $(, major: $major:literal)? $(, surplus: $surplus:literal)? $(, firmware_entry: $entry:literal)?) => {
        ::core::arch::global_asm!(
            ".section .vmi.header, \"ax\"",
            ".globl vmi_rom_header",
            "vmi_rom_header:",
            ".byte 0x55, 0xaa",
            // The length in units of 512 bytes is written when the ROM is sealed.
            ".byte 0",
            // Firmware calls this entry in 16-bit mode: a short jump to offset 60h.
            ".byte 0xeb, 0x60 - 5",
            ".org vmi_rom_header + 0x08",
            ".ascii \"cVmi\"",
            ".byte {minor}",
            ".byte {major}",
            // Two entry slots, and the checksum, which is written when the ROM is sealed.
            ".byte 2, 0",
            ".org vmi_rom_header + 0x16",
            ".word 2f - vmi_rom_header",
            ".org vmi_rom_header + 0x20",
            ".long vmi_rom_image_end - vmi_rom_header + {surplus}",
            ".long vmi_rom_data_pages",
            concat!(".ascii \"", $name, "\""),
            ".org vmi_rom_header + 0x40",
            "2:",
            ".asciz \"MIT OR Apache-2.0\"",
            ".org vmi_rom_header + 0x60",
            $crate::rom!(@or [$($entry)?] "retf"),
            ".org vmi_rom_header + 0x80",
            "jmp {init}",
            ".org vmi_rom_header + 0x88",
            "jmp {relocate}",
            ".org vmi_rom_header + 0x90",
            ".previous",
            major = const $crate::rom!(@or [$($major)?] ::vmi64::MAJOR),
            surplus = const $crate::rom!(@or [$($surplus)?] 0),
            minor = const ::vmi64::MINOR,
            init = sym entry::init,
            relocate = sym entry::relocate,
        );

        /// The entries, by the convention of the ABI.
        mod entry {
            use ::vmi64::{Answer, Call, InitRecord, RawAnswer};

            /// *Init*: takes the record's address, returns 0 or the reason for a refusal.
            pub extern "sysv64" fn init(record: &InitRecord) -> u64 {
                match $crate::facts::remember(record).and_then(|()| $init(record)) {
                    Ok(()) => 0,
                    Err(refusal) => refusal.0,
                }
            }

            /// *GetRelocationInfo*: takes a call's number and the size of its sites.
            pub extern "sysv64" fn relocate(number: u64, room: u64) -> RawAnswer {
                let answer = match Call::from_number(number) {
                    Some(call) => $relocate(call, room as usize),
                    None => Answer::None,
                };
                RawAnswer::encode(answer)
            }
        }
    };
    (@or [] $default:expr) => { $default };
    (@or [$given:expr] $default:expr) => { $given };
}
