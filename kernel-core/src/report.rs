//! What the kernel says when it is up.

use crate::mm::frames;
use crate::platform::Platform;
use crate::smp;
use alloc::string::String;
use arch::layout::PAGE_SIZE;
use arch::{Boot, CpuOps, SmpOps, Subarch, TimeOps};
use core::fmt;
use kernel_logic::bytes::Bytes;
use time::OffsetDateTime;

/// Prints the boot report; its last line says how long it all took.
pub fn print(boot: &Boot) {
    println!(
        "Anyring {} on {}: {}, entered by {}",
        env!("CARGO_PKG_VERSION"),
        Platform::NAME,
        Platform::describe(),
        boot.entry
    );
    print_machine();
    // Taken before it is printed: the console's speed is not the kernel's.
    let cycles = Platform::cycles().saturating_sub(boot.entry_cycles);
    let nanoseconds = Platform::cycles_to_duration(cycles).as_nanos();
    println!("anyring: ready in {nanoseconds} ns ({cycles} cycles since entry)");
}

/// Prints what the kernel runs on and with.
pub fn print_machine() {
    println!(
        "  cpu     {}, {} of {} in use",
        cpu_name(),
        smp::online().len(),
        Platform::cpu_count()
    );
    println!("  memory  {}", Memory(frames::usage()));
    println!("  clock   {}", Platform::clock_source());
    println!("  time    {}", Utc(Platform::wall_clock()));
}

/// How much memory is free, in words.
#[derive(Debug)]
pub struct Memory(pub frames::Usage);

impl fmt::Display for Memory {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [free, total, waiting] =
            [self.0.free, self.0.total, self.0.waiting].map(|frames| Bytes(frames * PAGE_SIZE));
        write!(out, "{free} free of {total}, {waiting} not yet taken in")
    }
}

/// A time since 1970 as a date.
#[derive(Debug)]
pub struct Utc(pub core::time::Duration);

impl fmt::Display for Utc {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(time) = OffsetDateTime::from_unix_timestamp(self.0.as_secs() as i64) else {
            return write!(out, "{} s after 1970", self.0.as_secs());
        };
        let (date, [hour, minute, second]) = (time.date(), [time.hour(), time.minute(), time.second()]);
        let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
        write!(
            out,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC"
        )
    }
}

/// The processor's name for itself (leaves 8000_0002h to 8000_0004h; AMD APM, vol. 3, E.4.3), or else its maker's (leaf 0).
fn cpu_name() -> String {
    let text = |words: &[u32]| {
        let bytes = words
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .take_while(|byte| *byte != 0);
        String::from_utf8_lossy(&bytes.collect::<alloc::vec::Vec<u8>>())
            .trim()
            .into()
    };
    if Platform::cpuid(0x8000_0000, 0).eax < 0x8000_0004 {
        let maker = Platform::cpuid(0, 0);
        return text(&[maker.ebx, maker.edx, maker.ecx]);
    }
    let words = [0x8000_0002, 0x8000_0003, 0x8000_0004].map(|leaf| Platform::cpuid(leaf, 0));
    text(&words.map(|leaf| [leaf.eax, leaf.ebx, leaf.ecx, leaf.edx]).concat())
}
