//! Threads: made as a C library makes them, by clone with the flags of `pthread_create`, and joined by the word that the kernel
//! clears when a thread ends.

use super::memory::{self, PAGE};
use super::syscall::{self, number};
use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering};

/// The size of a thread's memory: its [`Head`], then its stack.
const SIZE: usize = 16 * PAGE;
/// CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, SETTLS, PARENT_SETTID, CHILD_CLEARTID (clone(2)).
pub const FLAGS: usize = 0x100 | 0x200 | 0x400 | 0x800 | 0x1_0000 | 0x4_0000 | 0x8_0000 | 0x10_0000 | 0x20_0000;

/// What lies below a thread's stack, and at which its FS base points.
#[repr(C)]
#[derive(Debug)]
pub struct Head {
    /// Its own address, as the ABI for thread-local storage wants it.
    pub itself: usize,
    /// The thread's number, and zero after its end.
    number: AtomicU32,
    /// What was passed to it.
    pub argument: usize,
}

/// A thread that can be waited for.
#[derive(Debug)]
pub struct Thread {
    memory: usize,
}

/// Starts a thread that runs `body` with `argument`.
pub fn start(body: extern "C" fn(usize), argument: usize) -> Thread {
    let memory = memory::zeroes(SIZE);
    let head = memory as *mut Head;
    // SAFETY: the memory is fresh and large enough.
    unsafe {
        head.write(Head {
            itself: memory,
            number: AtomicU32::new(0),
            argument,
        });
    }
    let number = head_at(memory).number.as_ptr() as usize;
    // SAFETY: the stack is the upper part of fresh memory, which lives until the thread is joined.
    unsafe { clone(memory + SIZE, number, memory, body, argument) };
    Thread { memory }
}

impl Thread {
    /// Waits for its end and gives its memory back.
    pub fn join(self) {
        let number = &head_at(self.memory).number;
        loop {
            let value = number.load(Ordering::Acquire);
            if value == 0 {
                break;
            }
            // The kernel wakes without the private flag; whatever this wait says, the loop looks again.
            let _ = syscall::futex_wait(number, value, 0, None);
        }
        memory::unmap(self.memory, SIZE).expect("a thread's memory was mapped");
    }
}

/// The head of the executing thread, which must not be the first one.
pub fn head() -> &'static Head {
    let address: usize;
    // SAFETY: FS of a started thread points at its head, whose first word is its own address.
    unsafe { asm!("mov {}, fs:[0]", out(reg) address, options(nostack, readonly, preserves_flags)) };
    head_at(address)
}

/// The head at the start of a thread's memory.
fn head_at(memory: usize) -> &'static Head {
    // SAFETY: only called for the memory of a thread that is not joined yet; nothing but the atomic field changes.
    unsafe { &*(memory as *const Head) }
}

/// Makes the thread: it finds `argument` and `body` on its stack, calls, and exits.
///
/// # Safety
/// `stack_end` is the end of a stack of its own, `number` and `head` are valid as long as it runs.
unsafe fn clone(stack_end: usize, number: usize, head: usize, body: extern "C" fn(usize), argument: usize) {
    let top = stack_end - 16;
    memory::write(top, argument as u64);
    memory::write(top + 8, body as usize as u64);
    let result: isize;
    // SAFETY: the parent comes back with registers as before but for those named; the child never leaves the block.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "pop rdi",
            "pop rax",
            "call rax",
            "xor edi, edi",
            "mov eax, {exit}",
            "syscall",
            "ud2",
            "2:",
            exit = const number::EXIT,
            inlateout("rax") number::CLONE as isize => result,
            in("rdi") FLAGS, in("rsi") top, in("rdx") number, in("r10") number, in("r8") head,
            lateout("rcx") _, lateout("r11") _,
        );
    }
    assert!(result > 0, "no thread: error {result}");
}
