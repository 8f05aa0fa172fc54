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

/// What is to be made, as far as it makes sense.
struct Request {
    flags: CloneFlags,
    /// Where its stack ends; zero for where the caller's is.
    stack: u64,
    parents_id: u64,
    childs_id: u64,
    /// What FS is to be for a thread that does not take the caller's.
    fs_base: Option<u64>,
}

/// `fork`.
pub fn fork(thread: &UserThread, frame: &TrapFrame) -> Answer {
    clone(thread, frame, [SIGNAL_OF_CHILDREN, 0, 0, 0, 0])
}

/// `clone`: a thread of this process, or a copy of it with this thread alone.
pub fn clone(thread: &UserThread, frame: &TrapFrame, arguments: [u64; 5]) -> Answer {
    let request = Request::parse(arguments)?;
    if frames::are_scarce() {
        return Err(Errno::EAGAIN);
    }
    if request.makes_thread() {
        let id = new_id().ok_or(Errno::EAGAIN)?;
        return request.start(id, thread, thread.process().clone(), frame);
    }
    let child = copy_process(thread.process())?;
    let family = &thread.process().family;
    family.add_child(child.clone());
    request
        .start(child.id().0, thread, child.clone(), frame)
        .inspect_err(|_| family.remove_child(&child))
}

impl Request {
    fn parse([flags, stack, parents_id, childs_id, fs_base]: [u64; 5]) -> Result<Self, Errno> {
        let signal = flags & 0xff;
        let flags = u32::try_from(flags & !0xff).ok().and_then(CloneFlags::from_bits);
        let flags = flags.ok_or(Errno::EINVAL)?;
        let is_copy = !flags.intersects(CloneFlags::OF_THREADS) && signal == SIGNAL_OF_CHILDREN;
        if !is_copy && !flags.contains(CloneFlags::OF_THREADS) {
            return Err(Errno::EINVAL);
        }
        let fs_base = flags.contains(CloneFlags::SET_FS_BASE).then_some(fs_base);
        if fs_base.is_some_and(|base| base >= USER_END) {
            return Err(Errno::EPERM);
        }
        Ok(Self {
            flags,
            stack,
            parents_id,
            childs_id,
            fs_base,
        })
    }

    fn makes_thread(&self) -> bool {
        self.flags.contains(CloneFlags::OF_THREADS)
    }

    /// Starts thread `id` of `process`, which continues like `caller`, but that its call answers zero.
    fn start(&self, id: u32, caller: &UserThread, process: Arc<Process>, frame: &TrapFrame) -> Answer {
        caller.extended.save();
        let extended = caller.extended.duplicate().ok_or(Errno::ENOMEM)?;
        let fs_base = self.fs_base.unwrap_or(caller.context().fs_base);
        let child = UserThread::new(id, process, extended, fs_base);
        self.tell_id(&id.to_ne_bytes(), caller, &child)?;
        let frame = TrapFrame {
            rax: 0,
            rsp: if self.stack == 0 { frame.rsp } else { self.stack },
            ..frame.clone()
        };
        start_thread(child, &frame).map_err(|_| Errno::EAGAIN)?;
        Ok(id.into())
    }

    /// Writes the new thread's number wherever it is wanted.
    fn tell_id(&self, id: &[u8], caller: &UserThread, child: &UserThread) -> Result<(), Errno> {
        if self.flags.contains(CloneFlags::SET_PARENTS_ID) {
            caller.process().space().write(self.parents_id, id)?;
        }
        if self.flags.contains(CloneFlags::SET_CHILDS_ID) {
            child.process().space().write(self.childs_id, id)?;
        }
        if self.flags.contains(CloneFlags::CLEAR_CHILDS_ID) {
            child.clear_at_end.store(self.childs_id, Relaxed);
        }
        Ok(())
    }
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
