//! The way up: what a platform calls in the core.
//!
//! The stubs that the processor or the hypervisor enters are stamped out by each platform's `entry!` macro for one concrete
//! type that implements this trait, so the way up is as direct as the way down.

use crate::boot::Boot;
use crate::trap::TrapFrame;
use crate::user::Mode;
use core::marker::PhantomData;

/// Why the core was interrupted. The platform has already acknowledged it to the hardware or hypervisor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interrupt {
    /// The alarm of this CPU went off, see [`TimeOps::set_alarm`](crate::TimeOps::set_alarm).
    Alarm,
    /// The console has input, see [`ConsoleOps::read`](crate::ConsoleOps::read).
    Console,
    /// Another CPU wants something, see [`SmpOps::send_ipi`](crate::SmpOps::send_ipi).
    Ipi,
    /// Nobody asked for this one. The number is the platform's: a vector or an event channel.
    Unexpected(u32),
}

/// The core, as its platform sees it.
pub trait Kernel: Sized + 'static {
    /// The console accepts output: the core installs its logger, set up as `command_line` says, and the platform's boot code
    /// may log from now on. Called once, long before [`start`](Self::start).
    fn console_ready(command_line: &'static str);

    /// Runs the kernel. Called once, on the boot CPU, when everything that [`Boot`] promises is true.
    fn start(boot: Boot) -> !;

    /// Runs a further CPU, on the stack and with the area that [`SmpOps::start_cpu`](crate::SmpOps::start_cpu) was given. Called once
    /// on each CPU that was started, with interrupts masked.
    fn cpu_online() -> !;

    /// Handles an exception (vectors 0 to 31). Called on the interrupted stack, or on a stack of its own for a double fault on
    /// native, with interrupts masked. What it writes into `frame` is what the interrupted code continues with. It returns with
    /// interrupts masked, or, for an exception of user mode, perhaps never: the core may have ended the thread.
    fn exception(frame: &mut TrapFrame);

    /// Handles a system call of user mode, whose registers are in `frame`, RIP behind the call. Called with interrupts masked, on the
    /// stack that [`CpuOps::load_user`](crate::CpuOps::load_user) named; returns with interrupts masked, if at all.
    ///
    /// RCX and R11 are not the program's any more: the call has put RIP and RFLAGS there (AMD64 manual, vol. 3, "SYSCALL"), on
    /// every platform.
    fn system_call(frame: &mut TrapFrame);

    /// Handles an interrupt, on the interrupted stack, with interrupts masked.
    fn interrupt(source: Interrupt);

    /// Called after the last of one or several [`interrupt`](Self::interrupt) calls, still with interrupts masked, on the way back to
    /// the interrupted code, which ran in mode `interrupted`. The core may go on with another thread here, and return much later, on
    /// another CPU; or never, if the program that was interrupted has been ended.
    fn interrupts_done(interrupted: Mode);
}

/// What a platform has to do itself between its foundations and the core, at the stops on the way up.
pub trait Stops: 'static {
    /// Before [`Kernel::console_ready`].
    fn console_ready() {}

    /// Before [`Kernel::start`].
    fn start(_boot: &mut Boot) {}

    /// Before [`Kernel::cpu_online`].
    fn cpu_online() {}
}

/// The core `K` behind the stops `S`: what is handed to foundations that know nothing of them.
#[derive(Debug)]
pub struct Behind<S, K>(PhantomData<(S, K)>);

impl<S: Stops, K: Kernel> Kernel for Behind<S, K> {
    fn console_ready(command_line: &'static str) {
        S::console_ready();
        K::console_ready(command_line);
    }

    fn start(mut boot: Boot) -> ! {
        S::start(&mut boot);
        K::start(boot)
    }

    fn cpu_online() -> ! {
        S::cpu_online();
        K::cpu_online()
    }

    fn exception(frame: &mut TrapFrame) {
        K::exception(frame);
    }

    fn system_call(frame: &mut TrapFrame) {
        K::system_call(frame);
    }

    fn interrupt(source: Interrupt) {
        K::interrupt(source);
    }

    fn interrupts_done(interrupted: Mode) {
        K::interrupts_done(interrupted);
    }
}
