//! The general registers: neither interrupts nor system calls may change them.

use crate::runtime::arguments::Arguments;
use crate::runtime::check::require_equal;
use crate::runtime::memory;
use crate::runtime::pattern::word;
use crate::runtime::syscall;
use core::arch::{asm, naked_asm};

/// RAX, RBX, RDX, RSI, RDI, RBP, R8 to R15 and the flags, in this order.
type Registers = [u64; 15];

/// The flags that a program may choose: carry, parity, auxiliary carry, zero, sign, direction, overflow.
const ARITHMETIC: u64 = 0x1 | 0x4 | 0x10 | 0x40 | 0x80 | 0x800;

/// How many turns of its loop the processor makes with the registers filled.
const SPIN: u64 = 200_000;

/// Fills the registers and checks:
///
/// 1. time does not change them, though it is full of interrupts;
/// 2. a system call changes only RAX, RCX and R11;
/// 3. neither changes the base of FS.
pub fn run(arguments: &Arguments) -> u8 {
    let page = memory::zeroes(memory::PAGE);
    memory::write(page, page as u64);
    // SAFETY: this program has nothing that relies on FS.
    unsafe { syscall::set_fs_base(page) }.expect("FS can lead to memory");
    for round in 0..arguments.number(1, 50) as u64 {
        let expected = pattern(round);
        let mut spun = expected;
        spin(&mut spun, SPIN);
        require_equal(1, spun, expected, "the registers after a while");
        let mut called = expected;
        call(&mut called);
        let answer = called[0];
        called[0] = expected[0];
        // The call takes R11 for the flags; the order puts R11 behind R10, at 9.
        called[9] = expected[9];
        require_equal(2, called, expected, "the registers after a system call");
        require_equal(2, answer, 0, "what sched_yield returns");
        require_equal(3, fs_word(), page as u64, "what FS leads to");
    }
    0
}

/// The values of round `round`.
fn pattern(round: u64) -> Registers {
    let mut registers = core::array::from_fn(|index| word(round, index));
    registers[14] = registers[14] & ARITHMETIC | 0x202;
    registers
}

/// The word at FS:0.
fn fs_word() -> u64 {
    let word;
    // SAFETY: FS leads to a page.
    unsafe { asm!("mov {}, fs:[0]", out(reg) word, options(nostack, readonly, preserves_flags)) };
    word
}

/// A function that saves its caller's registers, fills them all from the array at RDI, does `$body`, and stores them there.
macro_rules! with_registers {
    ($($body:literal),+) => {
        naked_asm!(
            "push rbx", "push rbp", "push r12", "push r13", "push r14", "push r15", "push rdi",
            // RCX, the count of the loop, is the second argument.
            "mov rcx, rsi",
            "push [rdi + 112]", "popfq",
            "mov rax, [rdi]", "mov rbx, [rdi + 8]", "mov rdx, [rdi + 16]", "mov rsi, [rdi + 24]", "mov rbp, [rdi + 40]",
            "mov r8, [rdi + 48]", "mov r9, [rdi + 56]", "mov r10, [rdi + 64]", "mov r11, [rdi + 72]", "mov r12, [rdi + 80]",
            "mov r13, [rdi + 88]", "mov r14, [rdi + 96]", "mov r15, [rdi + 104]", "mov rdi, [rdi + 32]",
            $($body,)+
            "pushfq", "push rdi", "mov rdi, [rsp + 16]",
            "mov [rdi], rax", "mov [rdi + 8], rbx", "mov [rdi + 16], rdx", "mov [rdi + 24], rsi", "pop [rdi + 32]",
            "mov [rdi + 40], rbp", "mov [rdi + 48], r8", "mov [rdi + 56], r9", "mov [rdi + 64], r10", "mov [rdi + 72], r11",
            "mov [rdi + 80], r12", "mov [rdi + 88], r13", "mov [rdi + 96], r14", "mov [rdi + 104], r15",
            "pop [rdi + 112]",
            "pop rdi", "pop r15", "pop r14", "pop r13", "pop r12", "pop rbp", "pop rbx",
            "ret",
        )
    };
}

/// Keeps the registers filled for `count` turns of an instruction that changes no flag.
#[unsafe(naked)]
extern "C" fn spin(registers: &mut Registers, count: u64) {
    with_registers!("3:", "loop 3b")
}

/// Makes a system call, sched_yield, with the registers filled.
#[unsafe(naked)]
extern "C" fn call(registers: &mut Registers) {
    with_registers!("mov eax, 24", "syscall")
}
