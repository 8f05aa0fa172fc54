//! Handing the kernel over to a ROM: everything or nothing.
//!
//! Half a takeover would be worse than none: a kernel that masks interrupts in one way and unmasks them in another. So the ROM
//! is asked about every call that has a site, each answer is checked, and the new bytes of each site are computed, before the
//! first byte is changed. Up to that point whatever is wrong leads back to bare metal, with a line in the log that
//! says what it was.

mod answers;
mod takeover;

use crate::Vmi;
use crate::rom::{self, Found, PlaceError, Rom};
use crate::{detour, native, site, time};
use arch::layout::DIRECT_MAP;
use arch::percpu::{PLATFORM_OFFSET, PLATFORM_SIZE};
use arch::{Boot, MemoryMap, SmpOps, Subarch, TimeOps};
use core::fmt;
use log::{info, warn};
use spin::{Mutex, Once};
use subarch_native::{Native, mmu::devices::LOCAL_APIC, mmu::tables::MapError};
use vmi64::header::{Header, HeaderError};
use vmi64::{AnswerError, Call, InitRecord, PatchError, Refusal};

use answers::Answers;

/// The ROM in charge, from [`activate`] on if there is one.
static ROM: Once<Header> = Once::new();

/// The answers of the ROM that was asked last.
static ANSWERS: Mutex<Answers> = Mutex::new(Answers::none());

/// Why a ROM does not take over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RomError {
    /// It is not what its signature says.
    Header(HeaderError),
    /// There is no place for it.
    Place(PlaceError),
    /// It declined at *Init*.
    Init(Refusal),
    /// It gave an unacceptable answer about a call.
    Answer(Call, AnswerError),
    /// It answers for the unit of the cycle counter or for its readings, but not for both.
    HalfClock,
    /// An answer cannot be put at a site.
    Patch(Call, PatchError),
    /// There is no memory for the page table that changing a site needs.
    Window(MapError),
}

impl fmt::Display for RomError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(error) => error.fmt(out),
            Self::Place(error) => error.fmt(out),
            Self::Init(refusal) => write!(out, "it refuses Init: {refusal}"),
            Self::Answer(call, error) => write!(out, "its answer to {} is {error}", call.name()),
            Self::HalfClock => write!(
                out,
                "of GetCycleFrequency and GetRealCycles it takes one and leaves the other"
            ),
            Self::Patch(call, error) => write!(out, "its answer to {} cannot be used: {error}", call.name()),
            Self::Window(error) => write!(out, "the kernel's code cannot be changed: {error}"),
        }
    }
}

/// Whether a ROM has taken over.
pub fn is_under_rom() -> bool {
    ROM.get().is_some()
}

/// Looks for a ROM and lets the first acceptable one take over, unless the command line asks for the bare machine.
///
/// # Panics
/// If a call site or a detour is not what its record says, or not what it should have become: a bug of this kernel.
pub fn activate(boot: &mut Boot) {
    time::start(boot.entry_cycles);
    check_sites();
    if boot.platform_asked() == Some(Native::NAME) {
        return info!(
            "vmi: no ROM is looked for, as the command line asks for `{}`",
            Native::NAME
        );
    }
    let in_module = rom::in_module(&mut boot.module, boot.direct_below);
    let mut candidates = rom::in_area().chain(in_module).peekable();
    let found = candidates.peek().is_some();
    let taken = candidates.any(|candidate| try_candidate(&candidate, boot));
    match (found, taken) {
        (_, true) => {}
        (true, false) => info!("vmi: no acceptable ROM, keeping native operations"),
        (false, false) => info!("vmi: no ROM found, keeping native operations"),
    }
}

/// Brings a started CPU, which came up as on bare metal, under the ROM in charge, if there is one.
pub fn join() {
    takeover::announce_entries();
}

/// Lets a candidate take over; tells whether it did, and the log why not.
fn try_candidate(found: &Found, boot: &mut Boot) -> bool {
    let address = found.address;
    let so_far = Vmi::now();
    let mut answers = ANSWERS.lock();
    match try_rom(found, &mut answers, &mut boot.memory) {
        Ok(header) => {
            time::resume(so_far);
            takeover::announce(boot);
            ROM.call_once(|| header);
            info!("vmi: {} at {address:#x}: {}", Name(&header), answers.counted());
            answers.tell();
            true
        }
        Err(error) => {
            warn!("vmi: the ROM at {address:#x} is not used: {error}");
            false
        }
    }
}

/// Lets the ROM that was `found` take over, or leaves everything as it was.
fn try_rom(found: &Found, answers: &mut Answers, free: &mut MemoryMap) -> Result<Header, RomError> {
    let header = found.header.map_err(RomError::Header)?;
    // SAFETY: earlier candidates were removed again; the boot CPU is alone, on the tables it built.
    let rom = unsafe { Rom::place(found, header, free) }.map_err(RomError::Place)?;
    let outcome = hand_over(&rom, answers, free);
    if outcome.is_err() {
        // SAFETY: no site was changed.
        unsafe { rom.remove(free) };
    }
    outcome.map(|()| header)
}

/// Asks the ROM, checks its answers, and changes the sites.
fn hand_over(rom: &Rom, answers: &mut Answers, free: &mut MemoryMap) -> Result<(), RomError> {
    // SAFETY: running a ROM's code is what this platform is for. The record is true.
    unsafe { rom.init(record()) }.map_err(RomError::Init)?;
    answers.ask(rom)?;
    takeover::rehearse(answers)?;
    takeover::patch(answers, free)?;
    takeover::verify(answers);
    Ok(())
}

/// Compares each site and each detour with its record before anything relies on either.
fn check_sites() {
    if let Some(error) = site::all().find_map(Result::err) {
        panic!("a call site of this kernel is wrong: {error}");
    }
    if let Some(error) = detour::all().find_map(Result::err) {
        panic!("a call site of this kernel is wrong: {error}");
    }
}

/// What the ROM is told about this machine.
fn record() -> InitRecord {
    InitRecord {
        per_cpu_offset: PLATFORM_OFFSET as u32,
        per_cpu_size: PLATFORM_SIZE as u32,
        direct_map: DIRECT_MAP,
        local_apic: LOCAL_APIC.as_u64(),
        cycle_frequency: native::cycle_frequency(),
        alarm_frequency: subarch_native::time::frequencies().map_or(0, |known| known.timer),
        cpus: Native::cpu_count(),
        ..InitRecord::default()
    }
}

/// Prints in one phrase what the kernel found beneath itself.
#[derive(Clone, Copy, Debug)]
pub struct Description;

impl fmt::Display for Description {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match ROM.get() {
            Some(header) => write!(out, "{}, ", Name(header))?,
            None => write!(out, "no ROM, ")?,
        }
        subarch_native::cpu::Machine.fmt(out)
    }
}

/// Prints which ROM it is.
struct Name<'a>(&'a Header);

impl fmt::Display for Name<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ROM '{}' {}.{}", self.0.name(), vmi64::MAJOR, self.0.minor)
    }
}
