//! Things to break on purpose, so that a test can see each of them reported.

use crate::irq;
use crate::platform::Platform;
use crate::power;
use crate::sync::IrqLock;
use crate::task;
use arch::{MmuOps, PageTableFlags, VirtAddr, image};
use core::hint::black_box;
use core::time::Duration;
use kernel_logic::command_line::Breakage;

/// The status of a kernel that broke something and was not stopped.
const UNHARMED: u8 = 2;

/// Breaks `what`. If that goes unnoticed, the kernel ends with status 2.
pub fn commit(what: Breakage) -> ! {
    println!("breaking on purpose: {what:?}");
    match what {
        Breakage::Panic => panic!("broken on purpose"),
        Breakage::WildWrite => write_to_code(),
        Breakage::StackOverflow => {
            black_box(recurse(0));
        }
        Breakage::Hypercall => map_a_table_writable(),
        Breakage::LockOrder => lock_in_either_order(),
        Breakage::SleepMasked => {
            let _masked = irq::mask();
            task::sleep(Duration::from_millis(1));
        }
    }
    println!("nobody noticed");
    power::exit(UNHARMED)
}

fn write_to_code() {
    let code: *mut u8 = image::pages().start.as_mut_ptr();
    // SAFETY: none: the write must not succeed. If it does, the kernel says so and ends.
    unsafe { code.write_volatile(0xcc) };
}

#[inline(never)]
fn recurse(depth: u64) -> u64 {
    let room = black_box([depth; 64]);
    // The compiler shall not know that this never ends.
    if black_box(depth) == u64::MAX {
        0
    } else {
        recurse(depth + 1) + room[depth as usize % 64]
    }
}

/// Asks for a page table to be mapped writable, which a hypervisor that checks page tables must refuse. The page is the first
/// of the image's constants, where loaders found their notes: elsewhere nobody misses it before the kernel ends here.
fn map_a_table_writable() {
    let constants: VirtAddr = image::segments()[1].pages.start;
    let slot = crate::mm::mappings::walk(constants).slot;
    let writable = PageTableFlags::PRESENT | PageTableFlags::WRITABLE | PageTableFlags::NO_EXECUTE;
    let pte = Platform::pte(Platform::root(), writable);
    // SAFETY: none: a hypervisor must refuse it.
    unsafe { Platform::set_entry(slot, pte) };
}

/// Takes two locks one after the other, and then the other way round: harmless this time, as nobody else is there.
fn lock_in_either_order() {
    let (first, second) = (IrqLock::new(()), IrqLock::new(()));
    for (outer, inner) in [(&first, &second), (&second, &first)] {
        let _outer = outer.lock();
        let _inner = inner.lock();
    }
}
