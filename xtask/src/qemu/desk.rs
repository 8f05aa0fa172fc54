//! Where output and input of one machine meet.
//!
//! Output comes from QEMU, input from a pipe (a terminal talks to QEMU itself). Both are passed on by threads that do
//! nothing else, into one queue, so that everything that needs thought happens in one place and in order.

use super::lines::Sorter;
use crate::console::{self, Annotating};
use anyhow::{Context, Result};
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, ChildStdin};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Instant;

/// What happens while a machine runs.
enum Event {
    /// The kernel (or firmware, or hypervisor) printed.
    Output(Vec<u8>),
    /// There is something on the line that the kernel does not listen to.
    Aside(Vec<u8>),
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
    sender: Sender<Event>,
    events: mpsc::Receiver<Event>,
    stream: Annotating,
    /// The other line: who speaks there, and what the kernel says.
    sorter: Sorter,
    aside: Annotating,
    shown: bool,
    /// All that was printed so far.
    pub transcript: String,
    /// What a hypervisor said for itself on the other line.
    pub hypervisor: String,
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
    /// A desk for a machine that runs `image`, whose output is shown or only kept.
    pub fn new(shown: bool, image: &Path, root: &Path) -> Self {
        let (sender, events) = mpsc::channel();
        let [stream, aside] = [(), ()].map(|()| console::annotating(image, root));
        Self {
            sender,
            events,
            stream,
            sorter: Sorter::default(),
            aside,
            shown,
            transcript: String::new(),
            hypervisor: String::new(),
            input: None,
            lines: VecDeque::new(),
            last_line: false,
            prompts: 0,
        }
    }

    /// What listens to the other line, if there is one.
    pub fn listener(&self) -> impl FnOnce(UnixStream) + Send + 'static {
        let sender = self.sender.clone();
        move |line| forward_output(line, &sender, Event::Aside)
    }

    /// Starts to listen to `child`, and to standard input if that is a pipe.
    pub fn attach(&mut self, child: &mut Child, piped: bool) -> Result<()> {
        let output = child.stdout.take().context("QEMU's output is not ours")?;
        let sender = self.sender.clone();
        thread::spawn(move || forward_output(output, &sender, Event::Output));
        if piped {
            let sender = self.sender.clone();
            thread::spawn(move || forward_input(&sender));
        }
        self.input = child.stdin.take();
        Ok(())
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
                Ok(Event::Aside(chunk)) => self.aside(&chunk)?,
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

    /// Takes what is left when the machine has ended and both lines are closed.
    pub fn clear(&mut self) -> Result<()> {
        let left: Vec<Event> = self.events.try_iter().collect();
        for event in left {
            match event {
                Event::Output(chunk) => self.output(&chunk)?,
                Event::Aside(chunk) => self.aside(&chunk)?,
                Event::Typed(_) | Event::EndOfInput => {}
            }
        }
        Ok(())
    }

    /// Takes what came on the other line. It is shown in whole lines, since it falls among what the kernel prints on its own; an empty
    /// chunk is the end of it.
    fn aside(&mut self, chunk: &[u8]) -> Result<()> {
        let sorted = if chunk.is_empty() {
            self.sorter.end()
        } else {
            self.sorter.push(chunk)
        };
        self.hypervisor.push_str(&String::from_utf8_lossy(&sorted.hypervisor));
        let annotated = self.aside.push(&sorted.guest);
        self.show(&annotated)
    }

    /// Takes what the machine printed.
    fn output(&mut self, chunk: &[u8]) -> Result<()> {
        let annotated = self.stream.push(chunk);
        self.prompts += self.stream.take_prompts();
        self.show(&annotated)
    }

    /// Shows and keeps it.
    fn show(&mut self, annotated: &[u8]) -> Result<()> {
        self.transcript.push_str(&String::from_utf8_lossy(annotated));
        if self.shown {
            let mut terminal = io::stdout().lock();
            terminal
                .write_all(annotated)
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

/// Passes the output of a line on as `event`, an empty chunk at its end.
fn forward_output(mut output: impl Read, sender: &Sender<Event>, event: fn(Vec<u8>) -> Event) {
    let mut buffer = [0; 4096];
    loop {
        let length = output.read(&mut buffer).unwrap_or(0);
        if sender.send(event(buffer[..length].to_vec())).is_err() || length == 0 {
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
