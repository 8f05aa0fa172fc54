//! From a booted machine to a prompt, or to whatever else the command line asks for.

use crate::platform::Platform;
use crate::{bench, breakage, fault, mm, monitor, options, report, smp, task, test};
use arch::layout::PAGE_SIZE;
use arch::{Boot, IrqOps, Subarch};
use core::slice;
use spin::Once;

static BOOT: Once<Boot> = Once::new();

/// What the platform knew when it handed the machine over.
///
/// # Panics
/// If the kernel has not been started yet.
pub fn boot() -> &'static Boot {
    BOOT.get().expect("the kernel was started")
}

/// The boot module, if there is one.
pub fn module() -> Option<&'static [u8]> {
    let frames = boot().module?;
    let length = (frames.len() * PAGE_SIZE) as usize;
    // SAFETY: the module is in the direct map, nobody's but the kernel's, and never changed.
    Some(unsafe { slice::from_raw_parts(frames.start.direct().as_ptr(), length) })
}

/// Ends a kernel that is asked to be on another platform than it is.
fn insist_on_platform(boot: &Boot) {
    if let Some(name) = options::get().platform.filter(|name| !Platform::is(name)) {
        panic!(
            "`platform={name}`: this is {}, entered by {}, and cannot be that",
            Platform::describe(),
            boot.entry
        );
    }
}

/// Runs the kernel.
pub fn run(boot: Boot) -> ! {
    let boot = BOOT.call_once(|| boot);
    fault::remember_stack(boot.stack.clone());
    insist_on_platform(boot);
    mm::init(boot);
    task::start();
    Platform::enable();
    smp::start_others();
    report::print(boot);
    let options = options::get();
    if let Some(what) = options.breakage {
        breakage::commit(what);
    }
    if let Some(which) = options.bench {
        bench::run(which);
    }
    match options.test {
        Some(which) => test::run(which),
        None => monitor::run(boot),
    }
}
