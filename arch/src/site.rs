//! Sites: places in the code that become something else at boot.
//!
//! A kernel that may find itself on several platforms can ask at each operation which one it is, by a test or through a pointer. Or it
//! can have the answer put into its code, once. Then what stands at the place is one platform's instruction, compiled in line like
//! everything around it, and it costs nothing there. What it becomes elsewhere is other instructions of the same length; or, where these
//! are too many, a jump to them: a *detour*. What is out of line there uses the very registers of that place and changes no others, so the
//! compiler sees one instruction and nothing of the rest.
//!
//! Here is what all such places have in common: the text for `asm!`, and what one becomes ([`Change`]). Who may change a place, when, and by
//! which table he finds it, is his own affair: a ROM's in `subarch-vmi`, Xen's in `subarch-paravirt`. A place may be in the tables of both.

mod change;

pub use change::{Change, JUMP_SIZE, LONGEST, table};

/// The instructions of a place, the first of them behind so many prefixes that the processor ignores, between labels 771 and 772.
///
/// A place that is to become a jump has five bytes at least. Behind it, and all text about it, is label 779, where detours lead back to.
#[macro_export]
macro_rules! site_text {
    ($prefixes:tt, $instructions:literal) => {
        concat!("771:\n.fill ", $prefixes, ", 1, 0x2e\n", $instructions, "\n772:\n")
    };
}

/// Instructions that a place leads to when it is a jump, from the given label on; they end with one to label 779.
#[macro_export]
macro_rules! detour_text {
    ($label:literal, $($instructions:expr),*) => {
        concat!(".pushsection .text.detours, \"ax\"\n", $label, ":\n", $($instructions, "\n",)* ".popsection\n")
    };
}

/// Defines a naked function of the given name around another, an `extern "sysv64"` one: it saves what the other may change, takes the
/// arguments from the stack, on which nothing is known where a place is, and aligns that. The texts push the arguments, the last one first.
/// Behind `changing rax rcx rdx` it does not save these three.
#[macro_export]
macro_rules! keeping_registers {
    ($visible:vis $name:ident, $function:path, [$($argument:literal),*]) => {
        $crate::keeping_registers!(
            @ $visible $name, $function, [$($argument),*],
            "push rax\npush rcx\npush rdx", "lea rsp, [rbp - 72]", "pop rdx\npop rcx\npop rax"
        );
    };
    (changing rax rcx rdx: $visible:vis $name:ident, $function:path, [$($argument:literal),*]) => {
        $crate::keeping_registers!(@ $visible $name, $function, [$($argument),*], "", "lea rsp, [rbp - 48]", "");
    };
    (
        @ $visible:vis $name:ident, $function:path, [$($argument:literal),*],
        $save:literal, $find:literal, $restore:literal
    ) => {
        #[unsafe(naked)]
        $visible extern "sysv64" fn $name() {
            ::core::arch::naked_asm!(
                "push rbp",
                "mov rbp, rsp",
                $save,
                "push rsi
                push rdi
                push r8
                push r9
                push r10
                push r11",
                $crate::load_arguments!([$($argument),*]),
                "and rsp, -16
                call {function}",
                $find,
                "pop r11
                pop r10
                pop r9
                pop r8
                pop rdi
                pop rsi",
                $restore,
                "pop rbp
                ret {arguments}",
                function = sym $function,
                arguments = const 8 * <[&str]>::len(&[$($argument),*]),
            )
        }
    };
}

/// Defines such a function around another that has one argument and an answer: the answer is left where the argument was, for the caller
/// to take from the stack.
#[macro_export]
macro_rules! answering_in_place {
    ($name:ident, $function:path) => {
        #[unsafe(naked)]
        extern "sysv64" fn $name() {
            ::core::arch::naked_asm!(
                "push rbp",
                "mov rbp, rsp",
                "push rax
                push rcx
                push rdx
                push rsi
                push rdi
                push r8
                push r9
                push r10
                push r11
                mov rdi, [rbp + 16]
                and rsp, -16
                call {function}
                mov [rbp + 16], rax
                lea rsp, [rbp - 72]
                pop r11
                pop r10
                pop r9
                pop r8
                pop rdi
                pop rsi
                pop rdx
                pop rcx
                pop rax
                pop rbp
                ret",
                function = sym $function,
            )
        }
    };
}

/// Takes as many arguments from where the caller has pushed them to the registers of the convention.
#[macro_export]
#[doc(hidden)]
macro_rules! load_arguments {
    ([]) => {
        ""
    };
    ([$a:literal]) => {
        "mov rdi, [rbp + 16]"
    };
    ([$a:literal, $b:literal]) => {
        "mov rdi, [rbp + 16]
        mov rsi, [rbp + 24]"
    };
    ([$a:literal, $b:literal, $c:literal]) => {
        "mov rdi, [rbp + 16]
        mov rsi, [rbp + 24]
        mov rdx, [rbp + 32]"
    };
}
