//! What an `entry!` macro stamps out: the places where the machine enters the kernel, bound to one core.
//!
//! Neither the boot code nor the trap stubs may look up whom to call, since that would be a pointer on the way up. So
//! whatever they call is a type parameter, and the macro in the kernel's `main.rs` is the one place that fills it in.

use arch::Kernel;
use x86_64::VirtAddr;

/// The binding of this platform's entry points to one core; made by [`entry!`](crate::entry!) and
/// [`entry_with!`](crate::entry_with!), and by nobody else.
///
/// # Safety
/// [`trap_stubs`](Self::trap_stubs) is the address of stubs made by [`trap_stubs!`](crate::trap_stubs!).
pub unsafe trait Entry: 'static {
    /// Whom the boot code hands the machine to.
    type Kernel: Kernel;

    /// Where the 256 trap stubs begin, [`STUB_SIZE`](crate::trap::STUB_SIZE) bytes each.
    fn trap_stubs() -> VirtAddr;
}

/// Stamps out all entry points of a bare-metal kernel whose core is the given type (an [`arch::Kernel`]).
#[macro_export]
macro_rules! entry {
    ($kernel:ty) => {
        $crate::entry_with!(
            kernel = $kernel,
            dispatch = $crate::trap::dispatch::<$kernel>,
            interrupt_return = ["iretq"]
        );
    };
}

/// The same for a platform that boots as this one does and goes its own way afterwards.
///
/// `kernel` is what boot calls: such a platform passes a type of its own that wraps the core, does its work in
/// [`start`](arch::Kernel::start) and hands on. `dispatch` is an `unsafe extern "C" fn(&mut TrapFrame)` that the trap stubs
/// call with interrupts masked; [`trap::dispatch`](crate::trap::dispatch) is the ordinary one. `interrupt_return` is the
/// assembly text that takes the place of `iretq`, as one or more literals; `operands` may bind names it uses.
#[macro_export]
macro_rules! entry_with {
    (
        kernel = $kernel:ty,
        dispatch = $dispatch:path,
        interrupt_return = [$($return:tt)+]
        $(, operands = { $($operands:tt)* })? $(,)?
    ) => {
        $crate::trap_stubs!(dispatch = $dispatch, interrupt_return = [$($return)+], operands = { $($($operands)*)? });

        /// Binds the platform's entry points to the core.
        enum MachineEntry {}

        // SAFETY: the stubs are the macro's.
        unsafe impl $crate::Entry for MachineEntry {
            type Kernel = $kernel;

            fn trap_stubs() -> $crate::VirtAddr {
                $crate::VirtAddr::from_ptr(trap_stubs as *const ())
            }
        }

        $crate::pvh_note!($crate::boot::pvh::start::<MachineEntry>);
        $crate::bootloader_api::entry_point!(
            $crate::boot::loader::start::<MachineEntry>,
            config = &$crate::boot::loader::CONFIG
        );
    };
}
