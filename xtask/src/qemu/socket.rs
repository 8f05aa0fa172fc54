//! A socket that QEMU connects to when it starts, and a thread that talks to it there.
//!
//! Whatever happens to QEMU, the thread comes to its end: a QEMU that ends or is killed closes the connection, and one that never
//! connected is stood in for.

use anyhow::{Context, Result};
use std::ffi::OsString;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use tempfile::TempDir;

/// Our end of a connection to one QEMU, over which a talk takes place that comes to a `T`.
#[derive(Debug)]
pub struct Socket<T> {
    /// Holds the socket; removed when the run is over.
    _folder: TempDir,
    path: PathBuf,
    talking: JoinHandle<Option<T>>,
}

impl<T: Send + 'static> Socket<T> {
    /// Starts to listen, and lets `talk` have the connection; must be called before QEMU starts.
    pub fn listen(talk: impl FnOnce(UnixStream) -> T + Send + 'static) -> Result<Self> {
        let folder = tempfile::tempdir().context("no folder for a socket")?;
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).context("cannot listen for QEMU")?;
        let talking = thread::spawn(move || listener.accept().ok().map(|(stream, _)| talk(stream)));
        Ok(Self {
            _folder: folder,
            path,
            talking,
        })
    }

    /// Where it is, in the words of QEMU's command line.
    pub fn address(&self) -> OsString {
        let mut address = OsString::from("unix:");
        address.push(&self.path);
        address
    }

    /// What came of the talk. To be called when QEMU has ended.
    pub fn outcome(self) -> Option<T> {
        // A QEMU that died early never connected, and the listener still waits for somebody: this connection, then.
        drop(UnixStream::connect(&self.path));
        self.talking.join().ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    /// All that comes through a connection.
    fn heard(mut stream: UnixStream) -> String {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn nobody_ever_connected() {
        assert_eq!(Socket::listen(heard).unwrap().outcome().as_deref(), Some(""));
    }

    #[test]
    fn what_is_said_arrives() {
        let socket = Socket::listen(heard).unwrap();
        assert!(socket.address().to_string_lossy().starts_with("unix:/"));
        let mut qemu = UnixStream::connect(&socket.path).unwrap();
        qemu.write_all(b"hello").unwrap();
        drop(qemu);
        assert_eq!(socket.outcome().as_deref(), Some("hello"));
    }
}
