//! What this CPU runs in user mode.
//!
//! A PV guest's kernel is in ring 3 like its programs, so page tables are all that keeps them apart: a program runs on a tree
//! in which there is no kernel. Xen knows both roots of each CPU, and exchanges them whenever it crosses from one side to the
//! other. The kernel's never changes here. So another program's turn means to name another root, and the base of its FS if it
//! has one; the stack is no matter for Xen ([`entry_stack`](super::entry_stack)).
//!
//! Naming the root does not make Xen drop what is cached from the one before. On processors Xen marks programs' pages as global,
//! to keep them cached while the kernel is at work, so a load of CR3 does not drop them either. The flush is therefore asked
//! for in the same hypercall.

use super::entry_stack;
use crate::hypercall::Granted;
use crate::hypercall::mmu::{Extended, extended};
use crate::hypercall::user::{set_fs_base, switch_stack};
use crate::{mmu, p2m};
use arch::Pfn;
use arch::percpu::PerCpu;
use arch::user::UserContext;
use core::arch::asm;

/// Makes the boot CPU ready for user mode; the others start like that (`smp.rs`).
pub fn prepare() {
    // SAFETY: the stack is set aside for this, on each CPU.
    unsafe { switch_stack(entry_stack::end(PerCpu::current())) }.granted();
}

/// Makes `next` what this CPU runs in user mode, instead of `previous`.
///
/// # Safety
/// As [`CpuOps::load_user`](arch::CpuOps::load_user) asks.
#[inline]
pub unsafe fn load(previous: &UserContext, next: &UserContext) {
    // SAFETY: the caller vouches for stack and root.
    unsafe {
        entry_stack::go_on_at(next.kernel_stack);
        if previous.root != next.root {
            load_root(next.root);
        }
    }
    if (previous.fs_base | next.fs_base) != 0 {
        load_fs(next.fs_base);
    }
}

/// Names another root for user mode, or none.
///
/// # Safety
/// The root was given over, and lives until this CPU is given another.
unsafe fn load_root(root: Option<Pfn>) {
    mmu::flush_queue();
    // SAFETY: the caller vouches for the root; the kernel does not use it.
    unsafe {
        match root.map(p2m::machine) {
            Some(root) => extended([Extended::NewUserBase(Some(root)), Extended::FlushLocal]),
            None => extended([Extended::NewUserBase(None)]),
        }
    }
    .granted();
}

/// Sets the base of FS. The selector a program may have left there goes first: with one, Xen takes the base to be the
/// descriptor's, and would forget ours when it next takes this CPU from its processor.
fn load_fs(base: u64) {
    // SAFETY: the kernel addresses nothing by FS, and the null selector can always be loaded.
    unsafe { asm!("mov fs, {0:x}", in(reg) 0, options(nostack, nomem, preserves_flags)) };
    set_fs_base(base).granted();
}
