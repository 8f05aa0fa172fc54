//! A debugger that nobody types at: it stops a machine at an instruction, reads or changes its memory, and lets it go.
//!
//! QEMU has the stub for GDB's remote serial protocol (GDB manual, appendix E), and this is the part of the other side that tests need.
//! A command is a packet, `$TEXT#SUM`, which the stub acknowledges by a plus sign and answers by a packet, which is acknowledged in turn.
//! The connection is a socket, on which nothing gets lost or changed, so nothing is ever sent again: what is not as expected is an error.
//!
//! The stub finds memory by the kernel's page tables and writes it even where the kernel may not. Nothing here has a time limit: whoever
//! ends the machine ends the connection.

use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::ops::Range;

/// How the stub's answer begins when the machine has stopped at a breakpoint.
const TRAP: &str = "T05";
/// As much as is asked for at once: the stub's packets hold twice as many letters and a little more.
const CHUNK: usize = 1024;
/// How the stub acknowledges a packet, and we do.
const PLUS: u8 = b'+';

/// The debugger's end of a connection to a machine that has stopped.
#[derive(Debug)]
pub struct Debugger<S> {
    stream: S,
}

impl<S: Read + Write> Debugger<S> {
    /// Speaks to the stub through `stream`.
    pub fn new(stream: S) -> Self {
        Self { stream }
    }

    /// Lets the machine run until it is about to execute the instruction at `address`.
    ///
    /// The breakpoint is one of the processor's and gone afterwards, so that the code is as the kernel finds it without us.
    ///
    /// # Errors
    /// The machine ended before, or the stub does not understand.
    pub fn run_to(&mut self, address: u64) -> Result<()> {
        self.order(&format!("Z1,{address:x},1"))?;
        let stopped = self.ask("c")?;
        ensure!(
            stopped.starts_with(TRAP),
            "the machine never came to {address:#x}: the stub says `{stopped}`"
        );
        self.order(&format!("z1,{address:x},1"))
    }

    /// The byte at `address`.
    ///
    /// # Errors
    /// Nothing is mapped there, or the stub does not understand.
    pub fn read(&mut self, address: u64) -> Result<u8> {
        Ok(self.read_chunk(address, 1)?[0])
    }

    /// The bytes at `range`.
    ///
    /// # Errors
    /// Something of it is not mapped, or the stub does not understand.
    pub fn read_all(&mut self, range: Range<u64>) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for start in range.clone().step_by(CHUNK) {
            let length = (range.end - start).min(CHUNK as u64);
            bytes.extend(self.read_chunk(start, length as usize)?);
        }
        Ok(bytes)
    }

    /// `length` bytes at `address`, no more than [`CHUNK`].
    fn read_chunk(&mut self, address: u64, length: usize) -> Result<Vec<u8>> {
        let answer = self.ask(&format!("m{address:x},{length:x}"))?;
        let bytes = bytes(&answer).filter(|bytes| bytes.len() == length);
        bytes.with_context(|| format!("cannot read at {address:#x}: the stub says `{answer}`"))
    }

    /// Puts `byte` at `address`.
    ///
    /// # Errors
    /// Nothing is mapped there, or the stub does not understand.
    pub fn write(&mut self, address: u64, byte: u8) -> Result<()> {
        self.order(&format!("M{address:x},1:{byte:02x}"))
    }

    /// Lets the machine run as if there had never been a debugger.
    ///
    /// # Errors
    /// The stub does not understand.
    pub fn let_go(mut self) -> Result<()> {
        self.order("D")
    }

    /// Sends a command that has nothing to say but that it was carried out.
    fn order(&mut self, command: &str) -> Result<()> {
        let answer = self.ask(command)?;
        ensure!(answer == "OK", "to `{command}` the stub says `{answer}`");
        Ok(())
    }

    /// Sends a command and waits for its answer.
    fn ask(&mut self, command: &str) -> Result<String> {
        self.send(command)
            .and_then(|()| self.receive())
            .with_context(|| format!("asking the stub for `{command}`"))
    }

    fn send(&mut self, text: &str) -> Result<()> {
        let packet = format!("${text}#{:02x}", sum(text.as_bytes()));
        self.stream.write_all(packet.as_bytes())?;
        self.expect(PLUS)
    }

    /// Takes a packet. The answers to our commands are letters and digits, so nothing in them is escaped or shortened.
    fn receive(&mut self) -> Result<String> {
        self.expect(b'$')?;
        let mut text = Vec::new();
        loop {
            match self.byte()? {
                b'#' => break,
                byte => text.push(byte),
            }
        }
        let digits = [self.byte()?, self.byte()?];
        let right = format!("{:02x}", sum(&text));
        ensure!(digits == *right.as_bytes(), "the checksum should be {right}");
        // A machine that was let go may have ended by now. Of any other the next command tells.
        let _ = self.stream.write_all(&[PLUS]);
        Ok(String::from_utf8(text)?)
    }

    fn expect(&mut self, wanted: u8) -> Result<()> {
        let found = self.byte()?;
        ensure!(
            found == wanted,
            "`{}` expected, `{}` received",
            wanted.escape_ascii(),
            found.escape_ascii()
        );
        Ok(())
    }

    fn byte(&mut self) -> Result<u8> {
        let mut byte = [0];
        let read = self.stream.read_exact(&mut byte).ok();
        read.context("the machine has hung up")?;
        Ok(byte[0])
    }
}

/// The bytes that `digits` are, two for each.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(byte).collect()
}

/// The checksum of a packet.
fn sum(text: &[u8]) -> u8 {
    text.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

#[cfg(test)]
mod tests;
