//! The virtual CPUs of the domain.
//!
//! No table lists them: they are numbered from zero, and Xen is asked for one after the other until it knows none.

use crate::Xen;
use crate::hypercall::{Granted, vcpu};
use arch::SmpOps;

/// The answer of the hypercall is whether a CPU is running, but already its error tells whether there is one.
impl SmpOps for Xen {
    fn cpu_count() -> u32 {
        let mut count = 1;
        while vcpu::exists(count).granted() {
            count += 1;
        }
        count
    }
}
