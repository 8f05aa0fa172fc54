//! A line of input, as it is being typed on a serial console.

/// How many bytes a line holds; what is typed beyond is refused with a bell.
pub const CAPACITY: usize = 128;

/// What the terminal shall show for a byte that was typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Echo {
    /// Nothing.
    Silent,
    /// The byte itself.
    Byte(u8),
    /// The last `n` characters go away.
    Erase(usize),
    /// A bell: there is no room, or nothing to erase.
    Bell,
    /// The line was given up; the prompt starts anew.
    Abandoned,
    /// The line is complete: [`Line::text`] has it, [`Line::clear`] starts the next.
    Complete,
}

/// The line so far. Only printable ASCII gets in.
#[derive(Debug)]
pub struct Line {
    bytes: [u8; CAPACITY],
    length: usize,
    after_return: bool,
}

impl Line {
    /// An empty line.
    pub const fn new() -> Self {
        Self {
            bytes: [0; CAPACITY],
            length: 0,
            after_return: false,
        }
    }

    /// The text typed so far.
    pub fn text(&self) -> &str {
        core::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }

    /// Starts over.
    pub fn clear(&mut self) {
        self.length = 0;
    }

    /// Takes one byte from the terminal: printable text, backspace, Ctrl-U (erase all), Ctrl-C (give up) or the end of the
    /// line, which may be CR, LF, or both.
    pub fn type_byte(&mut self, byte: u8) -> Echo {
        let newline_of_pair = byte == b'\n' && self.after_return;
        self.after_return = byte == b'\r';
        match byte {
            _ if newline_of_pair => Echo::Silent,
            b'\r' | b'\n' => Echo::Complete,
            8 | 127 => self.erase(1),
            0x15 => self.erase(self.length),
            0x03 => self.abandon(),
            b' '..=b'~' => self.append(byte),
            _ => Echo::Silent,
        }
    }

    fn append(&mut self, byte: u8) -> Echo {
        if self.length == CAPACITY {
            return Echo::Bell;
        }
        self.bytes[self.length] = byte;
        self.length += 1;
        Echo::Byte(byte)
    }

    fn erase(&mut self, count: usize) -> Echo {
        let erased = count.min(self.length);
        self.length -= erased;
        if erased == 0 { Echo::Bell } else { Echo::Erase(erased) }
    }

    fn abandon(&mut self) -> Echo {
        self.clear();
        Echo::Abandoned
    }
}

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn typed(line: &mut Line, bytes: &[u8]) -> Vec<Echo> {
        bytes.iter().map(|byte| line.type_byte(*byte)).collect()
    }

    #[test]
    fn editing_keys_edit() {
        let mut line = Line::new();
        typed(&mut line, b"hexx\x7f\x08lp");
        assert_eq!(line.text(), "help");
        assert_eq!(line.type_byte(0x15), Echo::Erase(4));
        assert_eq!(line.type_byte(0x7f), Echo::Bell);
        assert_eq!(line.text(), "");
    }

    #[test]
    fn cr_lf_and_both_end_one_line() {
        let mut line = Line::new();
        assert_eq!(
            typed(&mut line, b"a\r\n"),
            [Echo::Byte(b'a'), Echo::Complete, Echo::Silent]
        );
        line.clear();
        assert_eq!(typed(&mut line, b"\n\n"), [Echo::Complete, Echo::Complete]);
    }

    #[test]
    fn ctrl_c_gives_up() {
        let mut line = Line::new();
        typed(&mut line, b"panic");
        assert_eq!(line.type_byte(3), Echo::Abandoned);
        assert_eq!(line.text(), "");
    }

    proptest! {
        #[test]
        fn any_bytes_leave_printable_text(bytes: Vec<u8>) {
            let mut line = Line::new();
            typed(&mut line, &bytes);
            prop_assert!(line.text().bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            prop_assert!(line.text().len() <= CAPACITY);
        }
    }
}
