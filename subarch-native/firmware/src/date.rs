//! The date, out of what the battery-backed clock of the PC AT holds (Motorola MC146818).
//!
//! The chip keeps its numbers in decimal or binary and its hours by twelve or twenty-four, as somebody once set it, and has room for
//! two digits of the year. The century is somewhere else in its memory, or nowhere. What it holds may be no date at all: a flat
//! battery, or no chip.

/// What the chip's registers hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Registers {
    /// The second of the minute.
    pub seconds: u8,
    /// The minute of the hour.
    pub minutes: u8,
    /// The hour of the day, or of half a day.
    pub hours: u8,
    /// The day of the month.
    pub day: u8,
    /// The month, January as 1.
    pub month: u8,
    /// The last two digits of the year.
    pub year: u8,
    /// The first two digits of the year, if the chip keeps them.
    pub century: Option<u8>,
    /// How all others are written: register B.
    pub format: u8,
}

impl Registers {
    /// The date they hold in seconds since 1970, if it is one.
    pub fn seconds_since_1970(&self) -> Option<u64> {
        /// Bit of the format register.
        const HOURS_BY_24: u8 = 0x02;
        /// Bit of the hours, if they go by twelve.
        const AFTERNOON: u8 = 0x80;
        let by_12 = self.format & HOURS_BY_24 == 0;
        let afternoon = by_12 && self.hours & AFTERNOON != 0;
        let hours = match (by_12, self.number(self.hours & !(u8::from(by_12) * AFTERNOON))?) {
            (false, hours @ 0..24) => hours,
            (true, hours @ 1..=12) => hours % 12 + 12 * u64::from(afternoon),
            _ => return None,
        };
        let (minutes, seconds) = (self.number(self.minutes)?, self.number(self.seconds)?);
        let days = days_since_1970(self.full_year()?, self.number(self.month)?, self.number(self.day)?)?;
        (minutes < 60 && seconds < 60).then_some(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
    }

    /// The year with its century. Without one, the chip is younger than 1970.
    fn full_year(&self) -> Option<u64> {
        let year = self.number(self.year).filter(|year| *year < 100)?;
        let century = self.century.and_then(|century| self.number(century));
        Some(match century {
            Some(century @ 19..=29) => century * 100 + year,
            _ if year < 70 => 2000 + year,
            _ => 1900 + year,
        })
    }

    /// The number in a register: binary, or two decimal digits.
    fn number(&self, register: u8) -> Option<u64> {
        /// Bit of the format register.
        const BINARY: u8 = 0x04;
        let (tens, ones) = (register >> 4, register & 0xf);
        match self.format & BINARY {
            0 if tens < 10 && ones < 10 => Some(u64::from(tens * 10 + ones)),
            0 => None,
            _ => Some(register.into()),
        }
    }
}

/// The number of days from 1970-01-01 to a date of the Gregorian calendar, if it is one (and not before).
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let february = if leap { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let (before, this) = months.split_at_checked(usize::try_from(month.checked_sub(1)?).ok()?)?;
    if !(1..=*this.first()?).contains(&day) {
        return None;
    }
    let past = year.checked_sub(1)?;
    let years = past * 365 + past / 4 - past / 100 + past / 400;
    (years + before.iter().sum::<u64>() + day - 1).checked_sub(DAYS_BEFORE_1970)
}

/// Days from 0001-01-01 to 1970-01-01.
const DAYS_BEFORE_1970: u64 = 719_162;

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: Registers = Registers {
        seconds: 0x56,
        minutes: 0x34,
        hours: 0x12,
        day: 0x22,
        month: 0x11,
        year: 0x26,
        century: Some(0x20),
        format: 0x02,
    };

    #[test]
    fn dates_are_read_in_all_formats() {
        let seconds = Some(1_795_350_896);
        assert_eq!(DATE.seconds_since_1970(), seconds);
        let by_12 = Registers {
            hours: 0x92,
            format: 0,
            ..DATE
        };
        assert_eq!(by_12.seconds_since_1970(), seconds);
        let binary = Registers {
            seconds: 56,
            minutes: 34,
            hours: 12,
            day: 22,
            month: 11,
            year: 26,
            century: None,
            format: 0x06,
        };
        assert_eq!(binary.seconds_since_1970(), seconds);
        let midnight = Registers {
            hours: 12,
            format: 0x04,
            ..binary
        };
        assert_eq!(
            midnight.seconds_since_1970(),
            seconds.map(|seconds| seconds - 12 * 3600)
        );
    }

    #[test]
    fn what_is_no_date_is_none() {
        assert_eq!(Registers { month: 0x13, ..DATE }.seconds_since_1970(), None);
        assert_eq!(Registers { day: 0x31, ..DATE }.seconds_since_1970(), None);
        assert_eq!(Registers { hours: 0x24, ..DATE }.seconds_since_1970(), None);
        assert_eq!(Registers { seconds: 0x0a, ..DATE }.seconds_since_1970(), None);
        let absent = Registers {
            seconds: 0xff,
            minutes: 0xff,
            hours: 0xff,
            day: 0xff,
            month: 0xff,
            year: 0xff,
            century: Some(0xff),
            format: 0xff,
        };
        assert_eq!(absent.seconds_since_1970(), None);
    }

    #[test]
    fn days_are_counted() {
        assert_eq!(days_since_1970(1970, 1, 1), Some(0));
        assert_eq!(days_since_1970(2000, 2, 29), Some(11_016));
        assert_eq!(days_since_1970(1900, 2, 29), None);
        assert_eq!(days_since_1970(1969, 12, 31), None);
        assert_eq!(days_since_1970(2026, 11, 22), Some(20_779));
    }
}
