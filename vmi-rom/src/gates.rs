//! The IDT the processor sees, in place of the kernel's.
//!
//! Each gate that the kernel installs is kept for its address, and answered by a gate of the same rights and the same stack: one that leads
//! into this ROM where it has a [stub](Stubs) for the vector, the kernel's own otherwise. All CPUs share one IDT here, as they do in the
//! kernel.

use crate::cell::Cell;
use x86_64::VirtAddr;
use x86_64::instructions::tables::lidt;
use x86_64::structures::DescriptorTablePointer;

const VECTORS: usize = 256;
/// The bits of a gate's low half that are not its handler: selector, stack, type, privilege and presence.
const ATTRIBUTES: u64 = 0x0000_ffff_ffff_0000;

/// Where the gates lead of which this ROM wants to know.
pub trait Stubs {
    /// The address that the gate of `vector` leads to; 0 if that is the kernel's own.
    fn stub(vector: usize) -> u64;
}

/// A gate of the IDT as two words (Intel SDM, vol. 3, figure 6-8).
type Gate = [u64; 2];

/// The IDT that the processor uses.
#[repr(C, align(4096))]
#[derive(Clone, Copy)]
struct Table([Gate; VECTORS]);

static TABLE: Cell<Table> = Cell::new(Table([[0; 2]; VECTORS]));
/// The kernel's handlers, by vector.
pub static HANDLERS: Cell<[u64; VECTORS]> = Cell::new([0; VECTORS]);
/// Address of the kernel's own IDT.
static KERNELS: Cell<u64> = Cell::new(0);

/// Call 5.
///
/// # Safety
/// `pointer` tells of an IDT that every CPU uses, and is valid to read.
pub unsafe extern "sysv64" fn set_idt<S: Stubs>(pointer: &DescriptorTablePointer) {
    let kernels = pointer.base.as_ptr::<Gate>();
    let gates = (usize::from(pointer.limit) + 1) / size_of::<Gate>();
    if KERNELS.get() != kernels as u64 {
        // SAFETY: the kernel has one IDT for all CPUs, so this is the first of them, alone and with interrupts masked.
        unsafe { KERNELS.set(kernels as u64) };
    }
    for vector in 0..gates.min(VECTORS) {
        // SAFETY: the caller vouches for the table.
        install::<S>(vector, unsafe { kernels.add(vector).read_volatile() });
    }
    let table = DescriptorTablePointer {
        limit: size_of::<Table>() as u16 - 1,
        base: VirtAddr::new_truncate(TABLE.pointer() as u64),
    };
    // SAFETY: every gate that the kernel has set leads to its handler, or to a stub of this ROM, which finds it.
    unsafe { lidt(&table) };
}

/// Call 13: into the kernel's table, and into the processor's if that is the one in use.
///
/// # Safety
/// `table` is an IDT of the kernel, `vector` one of its gates.
pub unsafe extern "sysv64" fn write_idt_entry<S: Stubs>(table: *mut Gate, vector: usize, low: u64, high: u64) {
    // SAFETY: the caller vouches for table and vector.
    unsafe { table.add(vector).write_volatile([low, high]) };
    if table as u64 == KERNELS.get() && vector < VECTORS {
        install::<S>(vector, [low, high]);
    }
}

/// Makes the processor's gate for `vector` out of the kernel's.
///
/// One that is so already is left alone: a CPU that was started sets the IDT that all others are using at the moment.
fn install<S: Stubs>(vector: usize, [low, high]: Gate) {
    let handler = low & 0xffff | low >> 48 << 16 | high << 32;
    let stub = match S::stub(vector) {
        0 => handler,
        stub => stub,
    };
    let gate = [
        low & ATTRIBUTES | stub & 0xffff | (stub >> 16 & 0xffff) << 48,
        stub >> 32,
    ];
    // SAFETY: `vector` is below 256, and the gates of one vector are changed by one CPU at a time: the kernel has one IDT, and
    // does not change it while a CPU sets it.
    unsafe {
        let handlers = HANDLERS.pointer().cast::<u64>().add(vector);
        let gates = TABLE.pointer().cast::<Gate>().add(vector);
        if (handlers.read_volatile(), gates.read_volatile()) != (handler, gate) {
            handlers.write_volatile(handler);
            gates.write_volatile(gate);
        }
    }
}
