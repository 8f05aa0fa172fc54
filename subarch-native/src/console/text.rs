//! A page of text: where each character goes, what happens when the page is full, and what must be drawn anew.
//!
//! A screen's memory is slow to write and slower to read. So the page is kept here, in ordinary memory, and scrolling draws
//! only the characters that change. All state is atomic: a panic may print in the middle of a line that was being printed.
//!
//! It knows the few control characters that the kernel prints (the end of a line, the start of a line, a step back) and none
//! of a terminal's escape sequences, which nobody here sends.

use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};

/// The most columns that a page has; a larger screen shows it in its upper left corner.
pub const MOST_COLUMNS: usize = 240;

/// The most rows that a page has.
pub const MOST_ROWS: usize = 80;

/// What a page is shown on.
pub trait Canvas {
    /// How many columns there is room for.
    fn columns(&self) -> usize;

    /// How many rows there is room for.
    fn rows(&self) -> usize;

    /// Draws `character`, a printable one of ASCII, at a place.
    fn draw(&self, column: usize, row: usize, character: u8);
}

/// A page, and the place of the next character.
#[derive(Debug)]
pub struct Page {
    cells: [[AtomicU8; MOST_COLUMNS]; MOST_ROWS],
    column: AtomicUsize,
    row: AtomicUsize,
}

impl Page {
    /// An empty page.
    pub const fn new() -> Self {
        Self {
            cells: [const { [const { AtomicU8::new(0) }; MOST_COLUMNS] }; MOST_ROWS],
            column: AtomicUsize::new(0),
            row: AtomicUsize::new(0),
        }
    }

    /// Writes `bytes`, text in ASCII or UTF-8, at the place where the last text ended.
    pub fn write(&self, bytes: &[u8], canvas: &impl Canvas) {
        for byte in bytes {
            match byte {
                b'\n' => self.end_line(canvas),
                b'\r' => self.column.store(0, Relaxed),
                0x08 => self.column.store(self.column.load(Relaxed).saturating_sub(1), Relaxed),
                b'\t' => self.put(b' ', canvas),
                b' '..=b'~' => self.put(*byte, canvas),
                // The first byte of a character of UTF-8 stands for all of it.
                0xc0.. => self.put(b'?', canvas),
                _ => {}
            }
        }
    }

    /// Puts a character at the current place, on the next line if this one is full.
    fn put(&self, character: u8, canvas: &impl Canvas) {
        if self.column.load(Relaxed) >= canvas.columns().min(MOST_COLUMNS) {
            self.end_line(canvas);
        }
        let column = self.column.fetch_add(1, Relaxed);
        self.set(column, self.row.load(Relaxed), character, canvas);
    }

    /// Goes to the start of the next line, with the page moved up if there is none.
    fn end_line(&self, canvas: &impl Canvas) {
        let rows = canvas.rows().min(MOST_ROWS);
        let next = self.row.load(Relaxed) + 1;
        self.column.store(0, Relaxed);
        if next < rows {
            self.row.store(next, Relaxed);
        } else {
            self.scroll(rows, canvas);
        }
    }

    /// Moves everything up by one row.
    fn scroll(&self, rows: usize, canvas: &impl Canvas) {
        for row in 0..rows {
            for column in 0..canvas.columns().min(MOST_COLUMNS) {
                let below = self.cells[..rows].get(row + 1).map(|cells| cells[column].load(Relaxed));
                self.set(column, row, below.unwrap_or(0), canvas);
            }
        }
    }

    /// Changes a cell, and draws it if it does change. A cell never written is 0 and looks like a space.
    fn set(&self, column: usize, row: usize, character: u8, canvas: &impl Canvas) {
        let Some(cell) = self.cells.get(row).and_then(|cells| cells.get(column)) else {
            return;
        };
        let old = cell.swap(character, Relaxed);
        if old.max(b' ') != character.max(b' ') {
            canvas.draw(column, row, character.max(b' '));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// A screen of 5 × 3 characters that counts what is drawn.
    struct Screen {
        cells: RefCell<[[u8; 5]; 3]>,
        drawn: RefCell<usize>,
    }

    impl Canvas for Screen {
        fn columns(&self) -> usize {
            5
        }

        fn rows(&self) -> usize {
            3
        }

        fn draw(&self, column: usize, row: usize, character: u8) {
            self.cells.borrow_mut()[row][column] = character;
            *self.drawn.borrow_mut() += 1;
        }
    }

    fn shown(text: &str) -> (String, usize) {
        let page = Page::new();
        let screen = Screen {
            cells: RefCell::new([[b' '; 5]; 3]),
            drawn: RefCell::new(0),
        };
        page.write(text.as_bytes(), &screen);
        let cells = screen.cells.borrow();
        let rows = cells.each_ref().map(|row| String::from_utf8_lossy(row).into_owned());
        (rows.join("|"), *screen.drawn.borrow())
    }

    #[test]
    fn text_flows_and_scrolls() {
        assert_eq!(shown("ab\ncd").0, "ab   |cd   |     ");
        assert_eq!(shown("abcdefg").0, "abcde|fg   |     ");
        assert_eq!(shown("a\nb\nc\nd").0, "b    |c    |d    ");
        assert_eq!(shown("a\r\nb\x08c\x07\u{2026}").0, "a    |c?   |     ");
    }

    #[test]
    fn scrolling_draws_only_what_changes() {
        assert_eq!(shown("aa\naa\naa\n"), ("aa   |aa   |     ".into(), 8));
    }
}
