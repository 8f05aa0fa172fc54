//! Clocks of known rate, to measure others by.
//!
//! The interval timer is the oldest and the most often emulated; newer machines may have it switched off to save power, and
//! those have the power management timer.

use crate::{Native, port};
use arch::TimeOps;
use core::fmt;

/// A clock that counts upwards at a known rate and wraps around.
pub trait Reference {
    /// Its name.
    const NAME: &'static str;

    /// The largest value before it starts again at 0.
    const LAST: u32;

    /// Ticks per second.
    fn frequency(&self) -> u64;

    /// Makes it count from a value that leaves time before it wraps.
    fn start(&mut self);

    /// Reads it.
    fn read(&mut self) -> u32;

    /// How many ticks lie between two readings that are less than a turn apart.
    fn between(earlier: u32, later: u32) -> u32 {
        later.wrapping_sub(earlier) & Self::LAST
    }
}

/// Channel 2 of the interval timer, an Intel 8254: the channel that drives the speaker and no interrupt.
pub struct IntervalTimer(());

impl IntervalTimer {
    /// The timer.
    ///
    /// # Safety
    /// Nobody else uses its channel 2, or the speaker.
    pub unsafe fn new() -> Self {
        Self(())
    }
}

/// The 8254's command port, and the data port of its channel 2.
const COMMAND: u16 = 0x43;
const CHANNEL_2: u16 = 0x42;

impl Reference for IntervalTimer {
    const NAME: &'static str = "the interval timer";
    const LAST: u32 = 0xffff;

    fn frequency(&self) -> u64 {
        1_193_182
    }

    fn start(&mut self) {
        /// The port that opens the channel's gate (bit 0) and connects it to the speaker (bit 1).
        const GATE: u16 = 0x61;
        /// Channel 2, both bytes, mode 0: count down once, in binary.
        const COUNT_DOWN: u8 = 0b1011_0000;
        // SAFETY: the channel is the caller's of `new`; in this mode it disturbs nobody.
        unsafe {
            let gate: u8 = port::read(GATE);
            port::write(GATE, gate & !0b10 | 0b01);
            port::write(COMMAND, COUNT_DOWN);
            port::write(CHANNEL_2, 0xffu8);
            port::write(CHANNEL_2, 0xffu8);
        }
    }

    fn read(&mut self) -> u32 {
        /// Channel 2, hold the count for reading.
        const LATCH: u8 = 0b1000_0000;
        // SAFETY: as for `start`.
        let count = unsafe {
            port::write(COMMAND, LATCH);
            let low: u8 = port::read(CHANNEL_2);
            let high: u8 = port::read(CHANNEL_2);
            u16::from_le_bytes([low, high])
        };
        u32::from(!count)
    }
}

impl fmt::Debug for IntervalTimer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(Self::NAME)
    }
}

/// The power management timer (ACPI 6.5, 4.8.3.3), of which only the 24 bits that all machines have are used.
#[derive(Debug)]
pub struct PowerTimer {
    port: u16,
}

impl PowerTimer {
    /// The timer at `port`.
    ///
    /// # Safety
    /// The firmware says that it is there.
    pub unsafe fn new(port: u16) -> Self {
        Self { port }
    }
}

impl Reference for PowerTimer {
    const NAME: &'static str = "the power management timer";
    const LAST: u32 = 0x00ff_ffff;

    fn frequency(&self) -> u64 {
        3_579_545
    }

    fn start(&mut self) {}

    fn read(&mut self) -> u32 {
        // SAFETY: the port is the timer's, says `new`'s caller, and reading changes nothing.
        unsafe { port::read::<u32>(self.port) & Self::LAST }
    }
}

/// The processor's own counter, where its rate is told. It leaves nothing to be found out but the alarm's timer.
#[derive(Debug)]
pub struct CycleCounter {
    rate: u64,
}

impl CycleCounter {
    /// The counter, which counts `rate` cycles per second.
    pub fn new(rate: u64) -> Self {
        Self { rate }
    }
}

/// So many binary digits of the counter are left out, so that it does not wrap around in the time that a host may take.
const LEFT_OUT: u32 = 8;

impl Reference for CycleCounter {
    const NAME: &'static str = "the cycle counter";
    const LAST: u32 = u32::MAX;

    fn frequency(&self) -> u64 {
        self.rate >> LEFT_OUT
    }

    fn start(&mut self) {}

    fn read(&mut self) -> u32 {
        (Native::cycles() >> LEFT_OUT) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_no_time_travel() {
        assert_eq!(IntervalTimer::between(0xfff0, 0x0010), 0x20);
        assert_eq!(PowerTimer::between(0x00ff_ffff, 1), 2);
    }
}
