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
/// [`trap_stubs`](Self::trap_stubs) is the address of stubs made by [`trap_stubs!`](crate::trap_stubs!),
/// [`system_call_stub`](Self::system_call_stub) of one made by [`system_call_stub!`](crate::system_call_stub!).
pub unsafe trait Entry: 'static {
    /// Whom the boot code hands the machine to.
    type Kernel: Kernel;

    /// Where the 256 trap stubs begin, [`STUB_SIZE`](crate::trap::STUB_SIZE) bytes each.
    fn trap_stubs() -> VirtAddr;

    /// Where `syscall` leads.
    fn system_call_stub() -> VirtAddr;
}

/// Stamps out all entry points of a bare-metal kernel whose core is the given type (an [`arch::Kernel`]).
#[macro_export]
macro_rules! entry {
    ($kernel:ty) => {
        $crate::entry_with!(
            kernel = $kernel,
            dispatch = $crate::trap::dispatch::<$kernel, $crate::Native>,
            system_call = $crate::trap::system_call::<$kernel>,
            system_call_begun = ["push {vector}"],
            swap_gs = ["swapgs"],
            interrupt_return = ["test byte ptr [rsp + 8], 3", "jz 2f", "swapgs", "2:", "iretq"],
            system_return = ["mov rsp, [rsp + 24]", "swapgs", "sysretq"],
        );
    };
}

/// The same for a platform that boots as this one does and goes its own way afterwards.
///
/// `kernel` is what boot calls: such a platform passes a type of its own that wraps the core, does its work in
/// [`start`](arch::Kernel::start) and hands on. `dispatch` and `system_call` are each an `unsafe extern "C" fn(&mut TrapFrame)`
/// that the stubs call with interrupts masked; [`trap::dispatch`](crate::trap::dispatch) and
/// [`trap::system_call`](crate::trap::system_call) are the ordinary ones.
///
/// The rest is assembly text, as one or more literals, for the four places at which privilege changes or has just changed. A text may
/// be followed by operands in braces, each with a comma behind it; their names must differ from those of the other texts.
///
/// | text | the processor when it is reached | what it does |
/// |---|---|---|
/// | `swap_gs` | in the kernel, GS the program's (or the other way round: see [`stubs`](crate::trap::stubs)); after a system call RSP is still the program's, so nothing may be pushed | changes GS, and nothing else but flags |
/// | `system_call_begun` | in the kernel after a system call, on its stack and with its GS; only RSP, RCX and R11 may be changed | pushes the operand `{vector}`; the place for what must be done before the core is called |
/// | `interrupt_return` | RSP → RIP, CS, RFLAGS, RSP, SS; all other registers as they are to be; GS the kernel's | goes there, with the program's GS if CS is one's |
/// | `system_return` | the same, on the way to a program, with RCX = RIP and R11 = RFLAGS | the same; CS and SS may be taken for granted |
#[macro_export]
macro_rules! entry_with {
    (
        kernel = $kernel:ty,
        dispatch = $dispatch:path,
        system_call = $system_call:path,
        system_call_begun = $begun:tt $({ $($begun_operands:tt)* })?,
        swap_gs = $swap_gs:tt $({ $($swap_gs_operands:tt)* })?,
        interrupt_return = $interrupt_return:tt $({ $($interrupt_return_operands:tt)* })?,
        system_return = $system_return:tt $({ $($system_return_operands:tt)* })? $(,)?
    ) => {
        $crate::trap_stubs!(
            dispatch = $dispatch,
            swap_gs = $swap_gs { $($($swap_gs_operands)*)? },
            interrupt_return = $interrupt_return { $($($interrupt_return_operands)*)? },
        );
        $crate::system_call_stub!(
            system_call = $system_call,
            system_call_begun = $begun { $($($begun_operands)*)? },
            swap_gs = $swap_gs { $($($swap_gs_operands)*)? },
            interrupt_return = $interrupt_return { $($($interrupt_return_operands)*)? },
            system_return = $system_return { $($($system_return_operands)*)? },
        );

        /// Binds the platform's entry points to the core.
        enum MachineEntry {}

        // SAFETY: the stubs are the macros'.
        unsafe impl $crate::Entry for MachineEntry {
            type Kernel = $kernel;

            fn trap_stubs() -> $crate::VirtAddr {
                $crate::VirtAddr::from_ptr(trap_stubs as *const ())
            }

            fn system_call_stub() -> $crate::VirtAddr {
                $crate::VirtAddr::from_ptr(system_call_stub as *const ())
            }
        }

        $crate::pvh_note!($crate::boot::pvh::start::<MachineEntry>);
        $crate::bootloader_api::entry_point!(
            $crate::boot::loader::start::<MachineEntry>,
            config = &$crate::boot::loader::CONFIG
        );
    };
}
