//! New processes and threads, and what belongs to one thread alone.

use super::Answer;
use crate::mm::frames;
use crate::user::program::start_thread;
use crate::user::thread::new_id;
use crate::user::{Process, UserThread, loaded};
use alloc::string::ToString;
use alloc::sync::Arc;
use arch::TrapFrame;
use arch::layout::USER_END;
use bitflags::bitflags;
use core::sync::atomic::Ordering::Relaxed;
use kernel_logic::user::errno::Errno;

bitflags! {
    /// Flags of `clone` (Linux's `include/uapi/linux/sched.h`), above the signal at a child's end in the lowest byte.
    #[derive(Clone, Copy, PartialEq, Eq)]
    struct CloneFlags: u32 {
        const MEMORY = 0x100;
        const FILE_SYSTEM = 0x200;
        const FILES = 0x400;
        const HANDLERS = 0x800;
        const THREAD = 0x1_0000;
        const SEMAPHORES = 0x4_0000;
        const SET_FS_BASE = 0x8_0000;
        const SET_PARENTS_ID = 0x10_0000;
        const CLEAR_CHILDS_ID = 0x20_0000;
        const DETACHED = 0x40_0000;
        const SET_CHILDS_ID = 0x100_0000;
    }
}

impl CloneFlags {
    /// What makes a thread; all or none.
    const OF_THREADS: Self = Self::MEMORY.union(Self::HANDLERS).union(Self::THREAD);
}

/// The only signal that a child's end can be told by, `SIGCHLD`; nobody receives it.
const SIGNAL_OF_CHILDREN: u64 = 17;

/// `fork`.
pub fn fork(thread: &UserThread, frame: &TrapFrame) -> Answer {
    clone(thread, frame, SIGNAL_OF_CHILDREN, 0, 0, 0, 0)
}

/// `clone`: a thread of this process, or a copy of it with this thread alone.
pub fn clone(
    thread: &UserThread,
    frame: &TrapFrame,
    flags: u64,
    stack: u64,
    parents_id: u64,
    childs_id: u64,
    fs_base: u64,
) -> Answer {
    let signal = flags & 0xff;
    let flags = u32::try_from(flags & !0xff).ok().and_then(CloneFlags::from_bits);
    let flags = flags.ok_or(Errno::EINVAL)?;
    let makes_thread = flags.contains(CloneFlags::OF_THREADS);
    let sensible = makes_thread || !flags.intersects(CloneFlags::OF_THREADS) && signal == SIGNAL_OF_CHILDREN;
    if !sensible {
        return Err(Errno::EINVAL);
    }
    if frames::are_scarce() {
        return Err(Errno::EAGAIN);
    }
    let fs_base = match flags.contains(CloneFlags::SET_FS_BASE) {
        true if fs_base >= USER_END => return Err(Errno::EPERM),
        true => fs_base,
        false => thread.context().fs_base,
    };
    let process = if makes_thread {
        thread.process().clone()
    } else {
        copy_process(thread.process())?
    };
    let id = if makes_thread {
        new_id().ok_or(Errno::EAGAIN)?
    } else {
        process.id().0
    };
    thread.extended.save();
    let extended = thread.extended.duplicate().ok_or(Errno::ENOMEM)?;
    let child = UserThread::new(id, process.clone(), extended, fs_base);
    let number = id.to_ne_bytes();
    if flags.contains(CloneFlags::SET_PARENTS_ID) {
        thread.process().space().write(parents_id, &number)?;
    }
    if flags.contains(CloneFlags::SET_CHILDS_ID) {
        process.space().write(childs_id, &number)?;
    }
    if flags.contains(CloneFlags::CLEAR_CHILDS_ID) {
        child.clear_at_end.store(childs_id, Relaxed);
    }
    let frame = TrapFrame {
        rax: 0,
        rsp: if stack == 0 { frame.rsp } else { stack },
        ..frame.clone()
    };
    let is_child = !makes_thread;
    if is_child {
        thread.process().family.add_child(process.clone());
    }
    start_thread(child, &frame).map_err(|_| {
        if is_child {
            thread.process().family.remove_child(&process);
        }
        Errno::EAGAIN
    })?;
    Ok(id.into())
}

fn copy_process(parent: &Arc<Process>) -> Result<Arc<Process>, Errno> {
    let space = parent.space().fork().map_err(|_| Errno::ENOMEM)?;
    Process::new(parent.name().to_string(), space, Some(parent)).ok_or(Errno::EAGAIN)
}

const SET_FS: u64 = 0x1002;
const GET_FS: u64 = 0x1003;

/// `arch_prctl`: the base of thread-local storage, in FS.
pub fn set_segment_base(thread: &UserThread, operation: u64, value: u64) -> Answer {
    match operation {
        SET_FS if value >= USER_END => Err(Errno::EPERM),
        SET_FS => {
            thread.set_fs_base(value);
            loaded::reload(thread);
            Ok(0)
        }
        GET_FS => {
            let base = thread.context().fs_base;
            thread.process().space().write(value, &base.to_ne_bytes())?;
            Ok(0)
        }
        _ => Err(Errno::EINVAL),
    }
}

/// `set_tid_address`.
pub fn set_id_address(thread: &UserThread, address: u64) -> Answer {
    thread.clear_at_end.store(address, Relaxed);
    Ok(thread.id().into())
}
