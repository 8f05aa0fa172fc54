//! From a file to a process.

use super::Process;
use super::address_space::{Builder, Unresolved};
use super::extended_state::ExtendedState;
use super::thread::UserThread;
use crate::mm::frames;
use crate::mm::mappings::MapError;
use crate::platform::Platform;
use crate::task;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use arch::layout::{PAGE_SIZE, USER_END};
use arch::user::USER_FLAGS;
use arch::{CpuOps, TimeOps, TrapFrame};
use core::fmt;
use kernel_logic::user::auxiliary::{AT_ENTRY, AT_PAGESZ, AT_PHDR, AT_PHENT, AT_PHNUM, AT_RANDOM};
use kernel_logic::user::elf::{self, ElfError, Program, Segment};
use kernel_logic::user::regions::{RegionError, Regions, UserAccess};
use kernel_logic::user::stack::{self, StackError};

/// Where a program's first stack ends: a page below the end of everything.
const STACK_END: u64 = USER_END - PAGE_SIZE;

/// How large it may grow, as on Linux.
const STACK_SIZE: u64 = 8 << 20;

/// Why a program did not start.
#[derive(Debug)]
pub enum StartError {
    /// The file is no program for this kernel.
    Elf(ElfError),
    /// Its segments do not fit beside the stack.
    Region(RegionError),
    /// Its arguments cannot be passed.
    Stack(StackError),
    /// There is no memory for it.
    OutOfMemory,
}

impl fmt::Display for StartError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elf(error) => error.fmt(out),
            Self::Region(error) => error.fmt(out),
            Self::Stack(error) => error.fmt(out),
            Self::OutOfMemory => out.write_str("there is no memory for another process"),
        }
    }
}

impl From<Unresolved> for StartError {
    fn from(_: Unresolved) -> Self {
        Self::OutOfMemory
    }
}

impl From<MapError> for StartError {
    fn from(_: MapError) -> Self {
        Self::OutOfMemory
    }
}

/// Starts the program in `file`, an ELF executable, with `arguments`, the first of which names it, and `environment`.
///
/// # Errors
/// [`StartError`] says by name what is wrong with the file, or what is missing.
pub fn start(file: &[u8], arguments: &[&[u8]], environment: &[&[u8]]) -> Result<Arc<Process>, StartError> {
    let program = elf::parse(file).map_err(StartError::Elf)?;
    if frames::are_scarce() {
        return Err(StartError::OutOfMemory);
    }
    let (builder, stack_pointer) = load(&program, arguments, environment)?;
    let regions = regions(&program).map_err(StartError::Region)?;
    let heap = heap_start(&program);
    let name = arguments
        .first()
        .map_or_else(String::new, |name| String::from_utf8_lossy(name).into_owned());
    let process = Process::new(name, builder.build(regions, heap..heap), None).ok_or(StartError::OutOfMemory)?;
    let frame = TrapFrame {
        rip: program.entry,
        cs: Platform::USER_CODE.into(),
        rflags: USER_FLAGS,
        rsp: stack_pointer,
        ss: Platform::USER_STACK.into(),
        ..TrapFrame::default()
    };
    let extended = ExtendedState::new().ok_or(StartError::OutOfMemory)?;
    let thread = UserThread::new(process.id().0, process.clone(), extended, 0);
    start_thread(thread, &frame)?;
    Ok(process)
}

/// Starts `thread` with the registers in `frame`.
pub(super) fn start_thread(thread: UserThread, frame: &TrapFrame) -> Result<(), MapError> {
    let process = thread.process().clone();
    let prepared = task::prepare_user(thread, frame)?;
    if process.add_thread(prepared.thread().clone()) {
        task::introduce(&prepared);
    }
    Ok(())
}

/// Copies the segments and fills the stack. Returns the stack pointer too.
fn load(program: &Program<'_>, arguments: &[&[u8]], environment: &[&[u8]]) -> Result<(Builder, u64), StartError> {
    let mut builder = Builder::new()?;
    for Segment {
        address, bytes, access, ..
    } in &program.segments
    {
        builder.fill(*address, bytes, *access)?;
    }
    let headers = program.headers.address.map(|address| (AT_PHDR, address));
    let auxiliary: Vec<_> = headers
        .into_iter()
        .chain([
            (AT_PHENT, program.headers.entry_size),
            (AT_PHNUM, program.headers.count),
            (AT_PAGESZ, PAGE_SIZE),
            (AT_ENTRY, program.entry),
        ])
        .collect();
    let noise = noise();
    let attached = [(AT_RANDOM, noise.as_flattened())];
    let image = stack::image_with(STACK_END, arguments, environment, &auxiliary, &attached);
    let image = image.map_err(StartError::Stack)?;
    builder.fill(image.pointer, &image.bytes, UserAccess::READ | UserAccess::WRITE)?;
    Ok((builder, image.pointer))
}

/// Bytes for programs that want to confuse whoever attacks them by accident: the cycle counter, well stirred (SplitMix64, Steele and
/// others 2014). Nobody should make keys of them.
fn noise() -> [[u8; 8]; 2] {
    core::array::from_fn(|_| {
        let mut word = Platform::cycles().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ word >> 31).to_ne_bytes()
    })
}

fn regions(program: &Program<'_>) -> Result<Regions, RegionError> {
    let mut regions = Regions::new();
    for segment in &program.segments {
        regions.insert(segment.pages(), segment.access)?;
    }
    let stack = STACK_END - STACK_SIZE..STACK_END;
    regions.insert(stack, UserAccess::READ | UserAccess::WRITE)?;
    Ok(regions)
}

/// Where `brk` begins: behind the last segment.
fn heap_start(program: &Program<'_>) -> u64 {
    let ends = program.segments.iter().map(|segment| segment.pages().end);
    ends.max().unwrap_or(PAGE_SIZE)
}
