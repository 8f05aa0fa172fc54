//! The screen, where the loader left it in a mode that shows a buffer of pixels.
//!
//! A PC on a desk rarely has a serial line, and if it does nobody listens. Text is drawn in white on black, which saves
//! knowing how this screen arranges its colours: all bytes of a pixel are alike.

use super::text::{Canvas, Page};
use crate::mmu::devices::{Caching, Device, FRAMEBUFFER};
use arch::VirtAddr;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};
use spin::Once;

/// How the loader left the screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mode {
    /// The physical address of the upper left pixel.
    pub physical: u64,
    /// The buffer's size in bytes.
    pub size: usize,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Distance of a pixel from its left neighbour.
    pub bytes_per_pixel: usize,
    /// Distance of a pixel from the one above it.
    pub bytes_per_line: usize,
}

impl Mode {
    /// The device to be mapped.
    pub fn device(&self) -> Device {
        Device {
            at: FRAMEBUFFER,
            physical: self.physical,
            size: self.size as u64,
            caching: Caching::WriteCombining,
        }
    }

    /// The physical address behind the buffer.
    pub fn end(&self) -> u64 {
        self.physical.saturating_add(self.size as u64)
    }

    /// The offset of a pixel in the buffer, if all of the pixel is in it.
    fn offset(&self, x: usize, y: usize) -> Option<usize> {
        let offset = y * self.bytes_per_line + x * self.bytes_per_pixel;
        (x < self.width && y < self.height && offset + self.bytes_per_pixel <= self.size).then_some(offset)
    }
}

/// The font: as thin, and as small, as can be read on any screen.
const WEIGHT: FontWeight = FontWeight::Regular;
const HEIGHT: RasterHeight = RasterHeight::Size16;
/// The width of every character in pixels.
const WIDTH: usize = get_raster_width(WEIGHT, HEIGHT);

/// What the screen shows.
static PAGE: Page = Page::new();
/// The screen, once there is one.
static SCREEN: Once<Screen> = Once::new();

/// Shows `bytes` on the screen, if there is one.
pub fn write(bytes: &[u8]) {
    if let Some(screen) = SCREEN.get() {
        PAGE.write(bytes, screen);
    }
}

/// Clears the screen, and shows on it what is written from now on. Called again when the buffer is mapped elsewhere, it
/// clears nothing.
///
/// # Safety
/// The buffer of `mode` is mapped at `pixels`, until the next call, and nobody else draws.
pub(crate) unsafe fn show(mode: Mode, pixels: VirtAddr) {
    let start = || {
        let screen = Screen {
            pixels: AtomicU64::new(pixels.as_u64()),
            mode,
        };
        screen.clear();
        screen
    };
    SCREEN.call_once(start).pixels.store(pixels.as_u64(), Relaxed);
}

/// A mapped screen.
#[derive(Debug)]
struct Screen {
    pixels: AtomicU64,
    mode: Mode,
}

impl Screen {
    /// Makes all of it black.
    fn clear(&self) {
        let pixels = self.pixels.load(Relaxed) as *mut u8;
        // SAFETY: the buffer is mapped and ours, says `show`'s caller. Nothing reads it back, so the order does not matter.
        unsafe { pixels.write_bytes(0, self.mode.size) };
    }

    /// Makes a pixel as bright as `intensity` says.
    fn set(&self, x: usize, y: usize, intensity: u8) {
        let Some(offset) = self.mode.offset(x, y) else { return };
        let pixel = (self.pixels.load(Relaxed) as *mut u8).wrapping_add(offset);
        // SAFETY: `offset` lies with the whole pixel in the buffer, which is mapped and ours, says `show`'s caller.
        unsafe {
            if self.mode.bytes_per_pixel == 4 && pixel.cast::<u32>().is_aligned() {
                pixel.cast::<u32>().write_volatile(u32::from_ne_bytes([intensity; 4]));
            } else {
                (0..self.mode.bytes_per_pixel).for_each(|byte| pixel.add(byte).write_volatile(intensity));
            }
        }
    }
}

impl Canvas for Screen {
    fn columns(&self) -> usize {
        self.mode.width / WIDTH
    }

    fn rows(&self) -> usize {
        self.mode.height / HEIGHT.val()
    }

    fn draw(&self, column: usize, row: usize, character: u8) {
        let Some(raster) = get_raster(char::from(character), WEIGHT, HEIGHT) else {
            return;
        };
        for (y, line) in raster.raster().iter().enumerate() {
            for (x, intensity) in line.iter().enumerate() {
                self.set(column * WIDTH + x, row * HEIGHT.val() + y, *intensity);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_outside_the_buffer_are_not_touched() {
        let mode = Mode {
            physical: 0xfd00_0000,
            size: 4 * (10 * 4 + 8),
            width: 8,
            height: 5,
            bytes_per_pixel: 4,
            bytes_per_line: 40,
        };
        assert_eq!(mode.offset(7, 3), Some(148));
        assert_eq!(mode.offset(8, 3), None);
        assert_eq!(mode.offset(7, 4), Some(188));
        assert_eq!(Mode { size: 190, ..mode }.offset(7, 4), None);
    }

    #[test]
    fn every_printable_character_has_a_picture() {
        assert!((b' '..=b'~').all(|byte| get_raster(char::from(byte), WEIGHT, HEIGHT).is_some()));
    }
}
