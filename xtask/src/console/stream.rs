//! Passing console output on while annotating the lines that are backtrace frames.
//!
//! A line cannot be held back until it is complete: the kernel's prompt is a line without an end, and an echoed
//! keystroke is less than that. So every byte goes on at once, and what the annotation needs is added at the last
//! moment, between the end of a frame's text and its line break.

/// What the kernel's monitor prints when it waits for a line.
const PROMPT: &[u8] = b"anyring> ";
/// Longer lines are of no interest, and a kernel gone wild must not fill the host's memory.
const LONGEST_LINE: usize = 4096;

/// One address of a backtrace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// The address as printed.
    pub address: u64,
    /// Whether it is the address of the instruction itself; otherwise the one to return to, just behind the call.
    pub exact: bool,
}

/// The state between two chunks of output.
#[derive(Debug)]
pub struct Stream<R> {
    resolve: R,
    line: Vec<u8>,
    /// Whether the report that is being printed began with an exception, whose first frame is the instruction itself.
    exception: bool,
    prompts: usize,
}

impl<R: FnMut(Frame) -> Option<String>> Stream<R> {
    /// A stream that asks `resolve` for the name of each frame.
    pub fn new(resolve: R) -> Self {
        Self {
            resolve,
            line: Vec::new(),
            exception: false,
            prompts: 0,
        }
    }

    /// Takes a chunk as it came from the kernel and returns what to show.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<u8> {
        let mut shown = Vec::with_capacity(chunk.len());
        for &byte in chunk {
            if matches!(byte, b'\r' | b'\n') {
                shown.extend(self.end_of_line().into_bytes());
            } else if self.line.len() < LONGEST_LINE {
                self.line.push(byte);
                self.prompts += usize::from(self.line == PROMPT);
            }
            shown.push(byte);
        }
        shown
    }

    /// How often the prompt was seen since the last time somebody asked.
    pub fn take_prompts(&mut self) -> usize {
        std::mem::take(&mut self.prompts)
    }

    /// What to add to the line that ends here.
    fn end_of_line(&mut self) -> String {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        if line.contains("EXCEPTION:") || line.contains("PANIC:") {
            self.exception = line.contains("EXCEPTION:");
        }
        let backtrace = frame_in(&line).map(|(number, address)| Frame {
            address,
            exact: number == 0 && self.exception,
        });
        let dump = || guest_pointer_in(&line).map(|address| Frame { address, exact: true });
        let Some(frame) = backtrace.or_else(dump) else {
            return String::new();
        };
        (self.resolve)(frame).map_or(String::new(), |name| format!(" {name}"))
    }
}

/// The number and address in a line that ends in `#3 0xffffffff80101234`; the console may have put something before it.
fn frame_in(line: &str) -> Option<(usize, u64)> {
    let (_, frame) = line.trim_end().rsplit_once('#')?;
    let (number, digits) = frame.split_once(" 0x")?;
    let whole = digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    Some((
        number.parse().ok()?,
        u64::from_str_radix(digits, 16).ok().filter(|_| whole)?,
    ))
}

/// The guest's instruction pointer in Xen's dump of a crashed domain, `RIP:    e033:[<ffffffff80101234>]`.
fn guest_pointer_in(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once("RIP:")?;
    let (_, digits) = rest.split_once(":[<")?;
    u64::from_str_radix(digits.split(">]").next()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(chunks: &[&str]) -> String {
        let mut stream = Stream::new(|frame: Frame| {
            Some(format!(
                "{}{:x}",
                if frame.exact { "at " } else { "to " },
                frame.address
            ))
        });
        String::from_utf8(chunks.iter().flat_map(|chunk| stream.push(chunk.as_bytes())).collect()).unwrap()
    }

    #[test]
    fn frames_gain_a_name_before_the_line_break() {
        assert_eq!(
            shown(&["  #1 0xffffffff80101234\r\nnext"]),
            "  #1 0xffffffff80101234 to ffffffff80101234\r\nnext"
        );
    }

    #[test]
    fn only_an_exception_names_the_instruction_itself() {
        let report = "EXCEPTION: page fault\n  #0 0x00000000000000aa\n  #1 0x00000000000000bb\n";
        let named = "EXCEPTION: page fault\n  #0 0x00000000000000aa at aa\n  #1 0x00000000000000bb to bb\n";
        assert_eq!(shown(&[report]), named);
        assert_eq!(
            shown(&["PANIC: x\n  #0 0x00000000000000aa\n"]),
            "PANIC: x\n  #0 0x00000000000000aa to aa\n"
        );
    }

    #[test]
    fn the_hypervisors_dump_of_a_crash_gains_a_name() {
        let line = "(XEN) RIP:    e033:[<ffffffff8010ab40>]";
        assert_eq!(shown(&[line, "\n"]), format!("{line} at ffffffff8010ab40\n"));
        assert_eq!(
            shown(&["(XEN) RIP:    e033:[<nonsense>]\n"]),
            "(XEN) RIP:    e033:[<nonsense>]\n"
        );
    }

    #[test]
    fn chunks_may_break_anywhere() {
        let whole = "PANIC: x\n  #0 0xffffffff80101234\r\n  #1 0xffffffff80105678\r\nanyring> ";
        let pieces: Vec<&str> = whole.split_inclusive(|_: char| true).collect();
        assert_eq!(shown(&pieces), shown(&[whole]));
    }

    #[test]
    fn other_lines_pass_unchanged() {
        for line in [
            "#1 0x12\n",
            "# 0xffffffff80101234\n",
            "#x 0xffffffff80101234\n",
            "#1 0xffffffff8010123g\n",
            "#\n",
        ] {
            assert_eq!(shown(&[line]), line);
        }
    }

    #[test]
    fn prompts_are_counted_at_the_start_of_a_line_only() {
        let mut stream = Stream::new(|_| None);
        stream.push(b"say anyring> \nanyri");
        assert_eq!(stream.take_prompts(), 0);
        stream.push(b"ng> help\r\nanyring> ");
        assert_eq!(stream.take_prompts(), 2);
        assert_eq!(stream.take_prompts(), 0);
    }

    #[test]
    fn a_line_without_end_does_not_grow() {
        let mut stream = Stream::new(|_| None);
        (0..100).for_each(|_| drop(stream.push(&[b'x'; 1000])));
        assert!(stream.line.len() <= LONGEST_LINE);
    }
}
