//! Booting: each platform's own way up, with one stop on Xen's.
//!
//! The image has the entries of all its platforms, so by which of them it was entered tells which it is on. What is compiled in is the bare
//! machine's; under Xen every site is changed before anything else is done. Whoever fails later may then report it by way of the core.

use super::patch::{self, PatchError, Patched};
use arch::{Behind, ConsoleOps, PowerOps, Stops, Subarch};
use core::fmt::{self, Write};
use spin::Once;
use subarch_xen::{StartInfo, Xen};

/// What came of changing the sites.
static PATCHED: Once<Result<Patched, PatchError>> = Once::new();

/// Makes every site Xen's.
///
/// # Safety
/// Xen has entered the kernel and told `start_info`, and nothing else was done yet.
pub unsafe extern "C" fn patch_for_xen(start_info: *const StartInfo) {
    // SAFETY: the caller's promise; this is the only CPU.
    let patched = PATCHED.call_once(|| unsafe { patch::become_xen(start_info) });
    if let Err(error @ PatchError::StartInfo(_)) = patched {
        // There is no booting on either.
        refuse(error);
    }
}

/// The core `K` under Xen, which is not called unless its sites are Xen's.
pub type UnderXen<K> = Behind<Patching, K>;

/// Where it shows whether the sites were changed: the first place from which that can be said.
#[derive(Debug)]
pub enum Patching {}

impl Stops for Patching {
    fn console_ready() {
        if let Some(Err(error)) = PATCHED.get() {
            refuse(error);
        }
    }
}

/// Xen, and what was done for its sake, for the boot report.
pub fn describe() -> impl fmt::Display {
    Description(PATCHED.get().and_then(|patched| patched.ok()))
}

struct Description(Option<Patched>);

impl fmt::Display for Description {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Xen::describe().fmt(out)?;
        match self.0 {
            Some(Patched { sites, cycles }) => write!(out, ", {sites} sites patched in {cycles} cycles"),
            None => Ok(()),
        }
    }
}

/// Ends a kernel that is not what its platform needs, with Xen's own operations: nobody else's can be relied on.
fn refuse(why: &impl fmt::Display) -> ! {
    /// What a kernel ends with that has failed.
    const FAILED: u8 = 1;
    let _ = writeln!(
        XenConsole,
        "\r\nPANIC: this kernel cannot be patched for Xen: {why}\r\nanyring: exit status {FAILED}\r"
    );
    Xen::exit(FAILED)
}

/// Xen's console, as it is without the core.
struct XenConsole;

impl Write for XenConsole {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        Xen::write(text.as_bytes());
        Ok(())
    }
}

/// Stamps out all entry points of a kernel for several platforms whose core is the given type (an [`arch::Kernel`]).
#[macro_export]
macro_rules! entry {
    ($kernel:ty) => {
        $crate::bare_entry!($kernel);
        $crate::subarch_xen::entry_named!(
            "xen_start",
            $crate::several::boot::UnderXen<$kernel>,
            $crate::several::boot::patch_for_xen
        );
    };
}
