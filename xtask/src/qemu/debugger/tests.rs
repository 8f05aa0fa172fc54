use super::*;
use std::io::{self, Cursor};

/// A stub that has said everything already.
struct Stub {
    says: Cursor<Vec<u8>>,
    heard: Vec<u8>,
}

impl Read for Stub {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.says.read(buffer)
    }
}

impl Write for Stub {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.heard.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stub that hangs up when it has said everything.
struct Leaving(Cursor<Vec<u8>>);

impl Read for Leaving {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Leaving {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let has_more = self.0.position() < self.0.get_ref().len() as u64;
        has_more.then_some(bytes.len()).ok_or(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_machine_may_end_as_soon_as_it_is_let_go_and_no_sooner() {
    let debugger = |says: &str| Debugger::new(Leaving(Cursor::new(says.into())));
    debugger("+$OK#9a").let_go().unwrap();
    debugger("").let_go().unwrap_err();
    debugger("+$90#69").read_all(0x10..0x12).unwrap_err();
}

/// A debugger at a stub that says `says`.
fn debugger(says: &str) -> Debugger<Stub> {
    Debugger::new(Stub {
        says: Cursor::new(says.into()),
        heard: Vec::new(),
    })
}

/// What the stub has heard.
fn heard(debugger: &Debugger<Stub>) -> &str {
    str::from_utf8(&debugger.stream.heard).unwrap()
}

/// Why a byte cannot be read from a stub that says `says`.
fn complaint(says: &str) -> String {
    crate::failure::explain(&debugger(says).read(0x10).unwrap_err())
}

#[test]
fn checksums_are_those_of_the_manual() {
    assert_eq!(sum(b"OK"), 0x9a);
    assert_eq!(sum(&[0xff, 2]), 1);
}

#[test]
fn a_byte_is_read_and_written() {
    let mut debugger = debugger("+$2e#97+$OK#9a");
    assert_eq!(debugger.read(0xffff_ffff_8000_0010).unwrap(), 0x2e);
    debugger.write(0x10, 0x0f).unwrap();
    assert_eq!(heard(&debugger), "$mffffffff80000010,1#83+$M10,1:0f#db+");
}

#[test]
fn what_is_long_is_read_in_chunks() {
    let chunk = "5a".repeat(CHUNK);
    let says = format!("+${chunk}#{:02x}+$90cc#2f", sum(chunk.as_bytes()));
    let mut debugger = debugger(&says);
    let read = debugger.read_all(0x10..0x12 + CHUNK as u64).unwrap();
    assert_eq!((read[0], &read[CHUNK..]), (0x5a, [0x90, 0xcc].as_slice()));
    assert_eq!(heard(&debugger), "$m10,400#8e+$m410,2#60+");
}

#[test]
fn fewer_bytes_than_asked_for_are_an_error() {
    let error = debugger("+$90#69").read_all(0x10..0x12).unwrap_err();
    assert_eq!(error.to_string(), "cannot read at 0x10: the stub says `90`");
}

#[test]
fn a_breakpoint_does_not_outlive_its_stop() {
    let mut debugger = debugger("+$OK#9a+$T05thread:01;#07+$OK#9a");
    debugger.run_to(0x10).unwrap();
    assert_eq!(heard(&debugger), "$Z1,10,1#75+$c#63+$z1,10,1#95+");
}

#[test]
fn a_machine_that_ends_before_its_stop_is_an_error() {
    let error = debugger("+$OK#9a+$W00#b7").run_to(0x10).unwrap_err();
    assert_eq!(error.to_string(), "the machine never came to 0x10: the stub says `W00`");
}

#[test]
fn what_is_not_as_expected_is_named() {
    assert_eq!(complaint("+$E14#aa"), "cannot read at 0x10: the stub says `E14`");
    assert!(complaint("-").ends_with("`+` expected, `-` received"));
    assert!(complaint("+$2e#98").ends_with("the checksum should be 97"));
    assert!(complaint("+$2").contains("`m10,1`: the machine has hung up"));
    assert!(debugger("+$E22#a9").let_go().is_err());
    assert!(
        debugger("+$#00").write(0x10, 0).is_err(),
        "a stub answers nothing to what it does not know"
    );
}
