//! One machine from power-on to its end: its console shown, kept and typed at, its time limited.

use super::events::Events;
use super::exit::Ending;
use crate::console::stream::Stream;
use crate::console::symbolise::Symbols;
use anyhow::{Context, Result};
use std::collections::VecDeque;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// A limit for runs that a person watches and ends.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Who is at the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Console {
    /// The user's terminal, or whatever standard input and output are: shown and typed at, no time limit.
    Attached,
    /// Nobody: output is kept for the verdict, and the machine is killed after this time.
    Unattended(Duration),
}

impl Console {
    /// QEMU's arguments for the first serial port. Only a terminal gets the monitor and its Ctrl-A commands.
    pub fn arguments(self) -> &'static [&'static str] {
        if self == Self::Attached && io::stdin().is_terminal() {
            &["-serial", "mon:stdio"]
        } else {
            &["-serial", "stdio", "-monitor", "none"]
        }
    }
}

/// What a machine left behind.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// All its console output, backtraces with names.
    pub transcript: String,
    /// From the start of QEMU to its end.
    pub elapsed: Duration,
    /// What a host around the kernel has to say about this ending.
    pub remark: Option<String>,
}

/// What happens while a machine runs.
enum Event {
    /// The kernel (or firmware, or hypervisor) printed.
    Output(Vec<u8>),
    /// A line was typed, or read from a pipe, for the kernel.
    Typed(Vec<u8>),
    /// Nothing more will be typed.
    EndOfInput,
}

/// Runs `qemu` to its end. `image` is the kernel with debug information, built from the sources below `root`.
pub fn run(mut qemu: Command, console: Console, image: PathBuf, root: PathBuf) -> Result<Outcome> {
    let started = Instant::now();
    let events = Events::listen()?;
    let attended = console == Console::Attached;
    let piped = attended && !io::stdin().is_terminal();
    qemu.args(console.arguments())
        .args(events.arguments())
        .stdout(Stdio::piped());
    qemu.stdin(match (attended, piped) {
        (_, true) => Stdio::piped(),
        (true, false) => Stdio::inherit(),
        (false, _) => Stdio::null(),
    });
    let mut child = qemu
        .spawn()
        .with_context(|| format!("cannot start {}", qemu.get_program().display()))?;
    let mut desk = Desk::new(&mut child, attended, piped, image, root)?;
    let limit = if let Console::Unattended(limit) = console {
        limit
    } else {
        A_DAY
    };
    let served = desk.serve(started + limit)?;
    if served != Served::Ended {
        child.kill().context("cannot kill QEMU")?;
    }
    let status = child.wait().context("QEMU cannot be waited for")?;
    let reason = events.reason();
    let ending = match served {
        Served::Ended => Ending::of(status, reason.as_deref()),
        Served::OutOfLines => Ending::Left,
        Served::OutOfTime => Ending::TimedOut(limit),
    };
    Ok(Outcome {
        ending,
        transcript: desk.transcript,
        elapsed: started.elapsed(),
        remark: None,
    })
}

/// How far a machine was served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Served {
    /// It ended by itself.
    Ended,
    /// The kernel asks for a line, and the pipe that lines came from is at its end.
    OutOfLines,
    /// It was still running at the deadline.
    OutOfTime,
}

/// Where output and input of one machine meet.
struct Desk {
    events: mpsc::Receiver<Event>,
    stream: Stream<Box<dyn FnMut(crate::console::stream::Frame) -> Option<String>>>,
    shown: bool,
    transcript: String,
    /// QEMU's end of a pipe, if input comes from a pipe.
    input: Option<std::process::ChildStdin>,
    /// Lines that wait for the kernel to ask for one.
    lines: VecDeque<Vec<u8>>,
    /// Whether no more lines will come.
    last_line: bool,
    /// Prompts that no line has answered yet.
    prompts: usize,
}

impl Desk {
    /// Starts to listen to `child`, and to standard input if that is a pipe.
    fn new(child: &mut Child, shown: bool, piped: bool, image: PathBuf, root: PathBuf) -> Result<Self> {
        let (sender, events) = mpsc::channel();
        let output = child.stdout.take().context("QEMU's output is not ours")?;
        let typed = piped.then(|| sender.clone());
        thread::spawn(move || forward_output(output, &sender));
        if let Some(sender) = typed {
            thread::spawn(move || forward_input(&sender));
        }
        let mut symbols = LazySymbols::Closed(image, root);
        let stream = Stream::new(Box::new(move |frame| symbols.open()?.describe(frame)) as Box<_>);
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
    fn serve(&mut self, deadline: Instant) -> Result<Served> {
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

/// Debug information that is read when the first backtrace appears, which in most runs is never.
enum LazySymbols {
    Closed(PathBuf, PathBuf),
    Open(Option<Box<Symbols>>),
}

impl LazySymbols {
    /// The symbols; `None` if the image has none, which is said once.
    fn open(&mut self) -> Option<&Symbols> {
        if let Self::Closed(image, root) = self {
            let symbols = Symbols::open(image, root).inspect_err(|why| eprintln!("backtraces stay numbers: {why:#}"));
            *self = Self::Open(symbols.ok().map(Box::new));
        }
        match self {
            Self::Open(symbols) => symbols.as_deref(),
            Self::Closed(..) => None,
        }
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
