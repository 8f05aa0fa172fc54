//! Where output and input of one machine meet.
//!
//! Output comes from QEMU, input from a pipe (a terminal talks to QEMU itself). Both are passed on by threads that do
//! nothing else, into one queue, so that everything that needs thought happens in one place and in order.

use crate::console::{self, Annotating};
use anyhow::{Context, Result};
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Instant;

/// What happens while a machine runs.
enum Event {
    /// The kernel (or firmware, or hypervisor) printed.
    Output(Vec<u8>),
    /// A line was typed, or read from a pipe, for the kernel.
    Typed(Vec<u8>),
    /// Nothing more will be typed.
    EndOfInput,
}

/// How far a machine was served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// It ended by itself.
    Ended,
    /// The kernel asks for a line, and the pipe that lines came from is at its end.
    OutOfLines,
    /// It was still running at the deadline.
    OutOfTime,
}

/// The meeting point.
pub struct Desk {
    events: mpsc::Receiver<Event>,
    stream: Annotating,
    shown: bool,
    /// All that was printed so far.
    pub transcript: String,
    /// QEMU's end of a pipe, if input comes from a pipe.
    input: Option<ChildStdin>,
    /// Lines that wait for the kernel to ask for one.
    lines: VecDeque<Vec<u8>>,
    /// Whether no more lines will come.
    last_line: bool,
    /// Prompts that no line has answered yet.
    prompts: usize,
}

impl Desk {
    /// Starts to listen to `child`, and to standard input if that is a pipe.
    pub fn new(child: &mut Child, shown: bool, piped: bool, image: &Path, root: &Path) -> Result<Self> {
        let (sender, events) = mpsc::channel();
        let output = child.stdout.take().context("QEMU's output is not ours")?;
        let typed = piped.then(|| sender.clone());
        thread::spawn(move || forward_output(output, &sender));
        if let Some(sender) = typed {
            thread::spawn(move || forward_input(&sender));
        }
        let stream = console::annotating(image, root);
        let (transcript, lines) = (String::new(), VecDeque::new());
        Ok(Self {
            events,
            stream,
            shown,
            transcript,
            input: child.stdin.take(),
            lines,
            last_line: false,
            prompts: 0,
        })
    }

    /// Serves until the output ends, nobody is left to answer a prompt, or `deadline` passes.
    pub fn serve(&mut self, deadline: Instant) -> Result<Served> {
        loop {
            match self
                .events
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(Event::Output(chunk)) if chunk.is_empty() => return Ok(Served::Ended),
                Ok(Event::Output(chunk)) => self.output(&chunk)?,
                Ok(Event::Typed(line)) => self.lines.push_back(line),
                Ok(Event::EndOfInput) => self.last_line = true,
                Err(RecvTimeoutError::Disconnected) => return Ok(Served::Ended),
                Err(RecvTimeoutError::Timeout) => return Ok(Served::OutOfTime),
            }
            self.answer_prompts();
            if self.last_line && self.prompts > 0 {
                return Ok(Served::OutOfLines);
            }
        }
    }

    /// Shows and keeps what the machine printed.
    fn output(&mut self, chunk: &[u8]) -> Result<()> {
        let annotated = self.stream.push(chunk);
        self.prompts += self.stream.take_prompts();
        self.transcript.push_str(&String::from_utf8_lossy(&annotated));
        if self.shown {
            let mut terminal = io::stdout().lock();
            terminal
                .write_all(&annotated)
                .and_then(|()| terminal.flush())
                .context("cannot write the console output")?;
        }
        Ok(())
    }

    /// Sends one waiting line for each prompt.
    ///
    /// Not earlier: what arrives before the kernel has set up its serial port is lost, and a hypervisor in between keeps
    /// few bytes. A line that QEMU no longer takes is dropped: its machine has ended, and `serve` is about to see that.
    fn answer_prompts(&mut self) {
        while self.prompts > 0
            && let Some(line) = self.lines.pop_front()
        {
            self.prompts -= 1;
            if let Some(input) = &mut self.input
                && input.write_all(&line).and_then(|()| input.flush()).is_err()
            {
                self.input = None;
            }
        }
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk")
            .field("lines", &self.lines)
            .field("prompts", &self.prompts)
            .finish_non_exhaustive()
    }
}

/// Passes the machine's output on, an empty chunk at its end.
fn forward_output(mut output: impl Read, sender: &Sender<Event>) {
    let mut buffer = [0; 4096];
    loop {
        let length = output.read(&mut buffer).unwrap_or(0);
        if sender.send(Event::Output(buffer[..length].to_vec())).is_err() || length == 0 {
            return;
        }
    }
}

/// Passes standard input on line by line.
fn forward_input(sender: &Sender<Event>) {
    for line in io::stdin().lock().split(b'\n').map_while(Result::ok) {
        let line = [line, b"\n".to_vec()].concat();
        if sender.send(Event::Typed(line)).is_err() {
            return;
        }
    }
    // Whoever receives this is about to be told of the end of output as well, so a lost message loses nothing.
    drop(sender.send(Event::EndOfInput));
}
