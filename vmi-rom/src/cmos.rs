//! The battery-backed clock of the PC: MC146818 registers behind ports 70h and 71h.

use x86_64::instructions::port::Port;

const INDEX_PORT: u16 = 0x70;
const DATA_PORT: u16 = 0x71;
const STATUS_A: u8 = 0x0a;
const STATUS_B: u8 = 0x0b;
const UPDATE_IN_PROGRESS: u8 = 0x80;
const BINARY: u8 = 0x04;
const TWENTY_FOUR_HOURS: u8 = 0x02;
const AFTERNOON: u8 = 0x80;
/// Seconds, minutes, hours, day, month, year.
const REGISTERS: [u8; 6] = [0x00, 0x02, 0x04, 0x07, 0x08, 0x09];
/// How often a reading is repeated that the clock may have changed in the middle of.
const ATTEMPTS: usize = 1000;

/// Seconds since 1970-01-01 00:00, taking the clock to show UTC in the years 2000 to 2099.
pub fn seconds_since_1970() -> u64 {
    let format = register(STATUS_B);
    let [second, minute, hour, day, month, year] = steady_reading();
    let number = |value: u8| {
        if format & BINARY != 0 {
            value
        } else {
            (value >> 4) * 10 + (value & 15)
        }
    };
    let hour = match format & TWENTY_FOUR_HOURS {
        0 => number(hour & !AFTERNOON) % 12 + if hour & AFTERNOON != 0 { 12 } else { 0 },
        _ => number(hour),
    };
    let days = days_since_1970(
        2000 + u64::from(number(year)),
        u64::from(number(month)),
        u64::from(number(day)),
    );
    ((days * 24 + u64::from(hour)) * 60 + u64::from(number(minute))) * 60 + u64::from(number(second))
}

/// A reading that was the same twice, outside an update.
fn steady_reading() -> [u8; 6] {
    let mut last = reading();
    for _ in 0..ATTEMPTS {
        let next = reading();
        if next == last && register(STATUS_A) & UPDATE_IN_PROGRESS == 0 {
            break;
        }
        last = next;
    }
    last
}

fn reading() -> [u8; 6] {
    REGISTERS.map(register)
}

fn register(index: u8) -> u8 {
    // SAFETY: selecting and reading a register of the clock changes nothing but the selection, which nobody else relies on.
    unsafe {
        Port::new(INDEX_PORT).write(index);
        Port::new(DATA_PORT).read()
    }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar, counted in years that begin in March so that the leap day comes
/// last.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    (year * 365 + leap_days + (153 * month + 2) / 5 + day).saturating_sub(719_469)
}
