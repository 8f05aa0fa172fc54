//! What Linux needs for the same, on the same emulated machines.
//!
//! Debian's Linux 6.1.192, on its own and as dom0 of Xen 4.17.7, measured by a static program in the manner of lmbench that ran as `init`: the
//! medians, in instructions. Only what both kernels do for a program can be compared; a switch between processes is half a round trip
//! through a pipe, less the pipe.

/// One operation.
#[derive(Debug, Clone, Copy)]
pub struct Linux {
    /// The name of the same operation here.
    pub operation: &'static str,
    /// On bare metal.
    pub native: f64,
    /// As a PV guest.
    pub xen: f64,
}

/// All that was measured of what is measured here.
pub const LINUX: [Linux; 6] = [
    linux("null-call", 331.0, 1101.0),
    linux("call-yield-alone", 802.0, 1613.0),
    linux("switch-processes", 3968.0, 7522.0),
    linux("fork-exit-wait", 111_496.0, 483_171.0),
    linux("fault-anonymous", 3099.0, 6172.0),
    linux("fault-copy", 4262.0, 10000.0),
];

const fn linux(operation: &'static str, native: f64, xen: f64) -> Linux {
    Linux { operation, native, xen }
}
