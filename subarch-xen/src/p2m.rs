//! Two numberings of memory.
//!
//! A PV guest sees the machine's real frame numbers in its page tables, and its memory is scattered among them. So it counts
//! its frames for itself, from zero (*pseudo-physical* frames, [`Pfn`]), and translates. The list from its own numbers to
//! the machine's (P2M) is made by whoever built the domain, and is the guest's to read. The table for the other direction
//! (M2P) is Xen's, mapped read-only into every PV guest, and covers the whole machine: what it says of a frame that is not
//! ours must not be believed, hence the check of one against the other.
//!
//! Source: Xen's public header `arch-x86/xen-x86_64.h` for the place of the table (`MACH2PHYS_VIRT_START`).

use crate::hypercall::mmu::Mfn;
use crate::hypercall::{Granted, memory};
use crate::start_info::StartInfo;
use crate::view;
use arch::Pfn;
use arch::layout::{IMAGE_BASE, PAGE_SIZE};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Xen's table from machine frames to the frames of their owners.
pub const MACHINE_TO_PHYSICAL: u64 = 0xffff_8000_0000_0000;

/// How many frames this domain has; none before the list is known.
pub static FRAMES: AtomicU64 = AtomicU64::new(0);

/// How many frames the machine has.
pub static MACHINE_FRAMES: AtomicU64 = AtomicU64::new(0);

/// The first frame of the list.
static LIST: AtomicU64 = AtomicU64::new(0);

/// The address at which the list is seen (`view.rs`).
pub static LIST_IN_VIEW: AtomicU64 = AtomicU64::new(0);

/// Takes note of the list that `start_info` names.
///
/// # Safety
/// `start_info` is Xen's, checked, and the first mapping is in use.
pub unsafe fn adopt(start_info: &StartInfo) {
    LIST.store(start_info.list().start.0, Relaxed);
    find_list();
    MACHINE_FRAMES.store(memory::maximum_ram_page().granted() + 1, Relaxed);
    FRAMES.store(start_info.frames, Relaxed);
}

/// Finds the list where frames are seen now.
pub fn find_list() {
    LIST_IN_VIEW.store(view::of(Pfn(LIST.load(Relaxed))).addr() as u64, Relaxed);
}

/// The machine's number of `frame`.
///
/// # Panics
/// If `frame` is none of this domain's, or has no memory behind it.
#[inline]
pub fn machine(frame: Pfn) -> Mfn {
    let frames = FRAMES.load(Relaxed);
    if frame.0 >= frames {
        beyond(frame, frames);
    }
    let machine = look_up(frame);
    if machine.0 >= MACHINE_FRAMES.load(Relaxed) {
        without_memory(frame, machine);
    }
    machine
}

/// This domain's number of machine frame `machine`, if it is one of ours.
///
/// The table is read only below the end of the machine's memory: behind it there may be nothing mapped.
#[inline]
pub fn frame(machine: Mfn) -> Option<Pfn> {
    if machine.0 >= MACHINE_FRAMES.load(Relaxed) {
        return None;
    }
    // SAFETY: Xen maps its table for all of the machine's memory.
    let frame = Pfn(unsafe {
        (MACHINE_TO_PHYSICAL as *const u64)
            .add(machine.0 as usize)
            .read_volatile()
    });
    (frame.0 < FRAMES.load(Relaxed) && look_up(frame) == machine).then_some(frame)
}

/// The frame behind `address` of the image: it is loaded in one piece, frame after frame.
pub fn image_frame(address: u64) -> Pfn {
    Pfn((address - IMAGE_BASE) / PAGE_SIZE)
}

/// What the list says of `frame`, which is one of ours.
#[inline(always)]
fn look_up(frame: Pfn) -> Mfn {
    let list = LIST_IN_VIEW.load(Relaxed) as *const Mfn;
    // SAFETY: the list has an entry for each frame of the domain and lies in frames that follow each other, all of them
    // in view; the callers have compared.
    unsafe { list.add(frame.0 as usize).read() }
}

#[cold]
#[inline(never)]
fn without_memory(frame: Pfn, machine: Mfn) -> ! {
    panic!(
        "frame {:#x} of this domain has no memory: the list of frames says {machine:?}",
        frame.0
    )
}

#[cold]
#[inline(never)]
fn beyond(frame: Pfn, frames: u64) -> ! {
    panic!("frame {:#x} is none of this domain's: it has {frames:#x}", frame.0)
}
