//! Why QEMU ended, from the events of its machine protocol (QMP).
//!
//! QEMU connects to a socket of ours, greets, and from then on reports what happens to the machine, one JSON object a
//! line. One field of one event is of interest, so the lines are searched instead of parsed: `reason` appears in no
//! other event a run can produce, and QEMU writes the pair the same way in all its versions.

use super::socket::Socket;
use anyhow::Result;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

/// The receiving end of one QEMU's events.
#[derive(Debug)]
pub struct Events(Socket<Option<String>>);

impl Events {
    /// Starts to listen; must be called before QEMU starts.
    pub fn listen() -> Result<Self> {
        Socket::listen(shutdown_reason).map(Self)
    }

    /// The arguments that make QEMU report here.
    pub fn arguments(&self) -> [OsString; 2] {
        ["-qmp".into(), self.0.address()]
    }

    /// The reason of the shutdown, if QEMU reported one. To be called when QEMU has ended.
    pub fn reason(self) -> Option<String> {
        self.0.outcome().flatten()
    }
}

/// Reads events until QEMU closes the stream; the reason of the last shutdown among them.
fn shutdown_reason(mut stream: UnixStream) -> Option<String> {
    let lines = BufReader::new(stream.try_clone().ok()?).lines();
    // A QEMU that has ended already takes no greeting, but what it said before can still be read.
    drop(stream.write_all(b"{\"execute\": \"qmp_capabilities\"}\n"));
    lines
        .map_while(Result::ok)
        .filter_map(|line| reason_in(&line).map(str::to_owned))
        .last()
}

/// The value of `"reason"` in a `SHUTDOWN` event.
fn reason_in(line: &str) -> Option<&str> {
    let (_, event) = line.split_once("\"SHUTDOWN\"")?;
    let (_, value) = event.split_once("\"reason\": \"")?;
    value.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_of_a_shutdown() {
        let line = r#"{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}}"#;
        assert_eq!(reason_in(line), Some("guest-reset"));
        assert_eq!(reason_in(r#"{"event": "RESUME"}"#), None);
        assert_eq!(reason_in(r#"{"event": "SHUTDOWN"}"#), None);
    }

    #[test]
    fn nobody_ever_connected() {
        assert_eq!(Events::listen().unwrap().reason(), None);
    }

    #[test]
    fn the_event_is_found_among_what_arrives() {
        let (mut qemu, ours) = UnixStream::pair().unwrap();
        qemu.write_all(b"{\"QMP\": {}}\n{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"guest-shutdown\"}}\n")
            .unwrap();
        drop(qemu);
        assert_eq!(shutdown_reason(ours).as_deref(), Some("guest-shutdown"));
    }
}
