//! From the processor of 1978 to 64-bit code, in one page.
//!
//! A CPU that is told to start begins in real mode, where it can reach nothing but the first MiB. So this code is copied into a
//! page down there, together with a parcel of what the CPU will need ([`Parcel`]) and page tables that show both where they
//! are. These tables are used for a few instructions and by CPUs that start only: the kernel's own never show anything in
//! their lower half. The order of steps is the manual's (Intel SDM, vol. 3, 9.4.4.2 and 11.8.5).

use super::parcel::{self, DATA_32, Parcel, TAKEN, place};
use crate::mmu::tables::{Table, copy_upper_half};
use arch::{PageTableFlags, Pfn, Pte};
use core::arch::naked_asm;

/// How many frames the trampoline takes: its page, and three page tables.
pub const PAGES: u64 = 4;

/// How much of the page each stage has at the most.
const STAGE_SIZE: usize = 0x80;

/// The stages, in the order in which a CPU goes through them: each is in the page behind the one before.
const STAGES: [unsafe extern "C" fn(); 3] = [real_mode, protected_mode, long_mode];

/// Where the 32-bit code starts in the page.
const PROTECTED: usize = STAGE_SIZE;
/// Where the 64-bit code starts.
const LONG: usize = 2 * STAGE_SIZE;

const _: () = assert!(STAGES.len() * STAGE_SIZE <= parcel::OFFSET);

/// The trampoline, in memory.
#[derive(Debug)]
pub struct Trampoline {
    page: Pfn,
}

impl Trampoline {
    /// Builds it in the [`PAGES`] frames from `page` on.
    ///
    /// # Safety
    /// The frames are nobody else's for good, lie below 1 MiB, and are writable in the direct map.
    pub unsafe fn build(page: Pfn) -> Self {
        let this = Self { page };
        let at = page.direct().as_mut_ptr::<u8>();
        // SAFETY: each stage is so long, which its last line sees to, and the parcel's place is behind the last. The frames are the
        // caller's to give.
        unsafe {
            for (stage, place) in STAGES.into_iter().zip((0..).step_by(STAGE_SIZE)) {
                at.add(place).copy_from_nonoverlapping(stage as *const u8, STAGE_SIZE);
            }
            at.add(parcel::OFFSET)
                .cast::<Parcel>()
                .write(Parcel::new(page.address() as u32, PROTECTED, LONG));
            let table = |frame: Pfn| frame.direct().as_mut_ptr::<Table>();
            for frame in 1..PAGES {
                table(page + frame).write([Pte::EMPTY; 512]);
            }
            let link = |frame: Pfn| Pte::from_bits(frame.address() | PageTableFlags::PRESENT.bits());
            let [root, third, second] = [page + 1, page + 2, page + 3];
            (*table(root))[0] = link(third);
            (*table(third))[0] = link(second);
            let low_memory = PageTableFlags::PRESENT | PageTableFlags::HUGE_PAGE;
            (*table(second))[0] = Pte::from_bits(low_memory.bits());
        }
        this
    }

    /// The number of the page, for the message that starts a CPU.
    pub fn start_page(&self) -> u8 {
        self.page.0 as u8
    }

    /// The physical address of its page tables.
    pub fn root(&self) -> u32 {
        (self.page + 1).address() as u32
    }

    /// The parcel.
    pub fn parcel(&self) -> &Parcel {
        // SAFETY: `build` has put one there. Whatever a CPU on its way changes is atomic.
        unsafe { &*(self.page.direct() + parcel::OFFSET as u64).as_ptr() }
    }

    /// The parcel, to be filled while it is nobody's.
    pub fn parcel_mut(&mut self) -> &mut Parcel {
        // SAFETY: as above; a CPU reads the parcel only after it has taken it.
        unsafe { &mut *(self.page.direct() + parcel::OFFSET as u64).as_mut_ptr() }
    }

    /// Has its page tables map the kernel as those under `kernel` do.
    ///
    /// # Safety
    /// No CPU is on its way through the trampoline, and `kernel` is the root of page tables in the direct map.
    pub unsafe fn show_kernel(&self, kernel: Pfn) {
        // SAFETY: both are roots, says the caller; nobody but a starting CPU reads the second.
        unsafe { copy_upper_half(kernel, self.page + 1) };
    }
}

/// The first stage, in real mode with the code segment at its page: finds out where it is, and leaves.
///
/// # Safety
/// Entered in its copy only, by a CPU that was told to start.
#[unsafe(naked)]
#[unsafe(link_section = ".text.entry.trampoline")]
unsafe extern "C" fn real_mode() {
    naked_asm!(
        ".code16",
        "2:",
        "cli",
        "cld",
        "xor edi, edi",
        "mov ax, cs",
        "mov ds, ax",
        "mov di, ax",
        "shl edi, 4",
        "lgdt [{descriptors}]",
        "mov eax, cr0",
        "or eax, 1",
        "mov cr0, eax",
        // An indirect far jump to a 32-bit offset (66 FF /5 disp16), for which assemblers have too many names.
        ".byte 0x66, 0xff, 0x2e",
        ".short {protected}",
        ".org 2b + {STAGE_SIZE}, 0xcc",
        ".code64",
        STAGE_SIZE = const STAGE_SIZE,
        descriptors = const place!(descriptors),
        protected = const place!(protected),
    )
}

/// The second stage, in 32-bit code without paging, EDI at the page: takes the parcel if it is for this CPU, and becomes as the CPU that
/// packed it.
///
/// # Safety
/// Entered by the first.
#[unsafe(naked)]
#[unsafe(link_section = ".text.entry.trampoline")]
unsafe extern "C" fn protected_mode() {
    naked_asm!(
        ".code32",
        "2:",
        "mov eax, {data}",
        "mov ds, eax",
        "mov es, eax",
        "mov ss, eax",
        // Is the parcel for this CPU? Its number is in the top byte of EBX.
        "mov eax, 1",
        "cpuid",
        "shr ebx, 24",
        "mov eax, ebx",
        "mov ecx, {taken}",
        "lock cmpxchg dword ptr [edi + {owner}], ecx",
        "jne 3f",
        "mov eax, [edi + {cr4}]",
        "mov cr4, eax",
        "mov eax, [edi + {start_root}]",
        "mov cr3, eax",
        "mov ecx, {EXTENDED_FEATURES}",
        "rdmsr",
        "or eax, [edi + {efer}]",
        "wrmsr",
        "mov eax, [edi + {cr0}]",
        "mov cr0, eax",
        // The same jump (FF /5 disp32 from EDI).
        ".byte 0xff, 0xaf",
        ".long {long}",
        // Too late: the parcel is somebody else's.
        "3:",
        "hlt",
        "jmp 3b",
        ".org 2b + {STAGE_SIZE}, 0xcc",
        ".code64",
        STAGE_SIZE = const STAGE_SIZE,
        EXTENDED_FEATURES = const EXTENDED_FEATURES,
        data = const DATA_32,
        taken = const TAKEN,
        owner = const place!(owner),
        cr0 = const place!(cr0),
        cr4 = const place!(cr4),
        efer = const place!(efer),
        start_root = const place!(start_root),
        long = const place!(long),
    )
}

/// The third stage, in 64-bit code: goes on in the kernel, on the stack that was in the parcel.
///
/// # Safety
/// Entered by the second.
#[unsafe(naked)]
#[unsafe(link_section = ".text.entry.trampoline")]
unsafe extern "C" fn long_mode() {
    naked_asm!(
        "2:",
        "mov ebx, edi",
        "mov rsp, [rbx + {stack}]",
        "mov rdi, [rbx + {area}]",
        "mov rsi, [rbx + {root}]",
        // The end of the chain of frames, for backtraces, in place of an address to return to.
        "xor ebp, ebp",
        "push 0",
        "jmp [rbx + {entry}]",
        ".org 2b + {STAGE_SIZE}, 0xcc",
        STAGE_SIZE = const STAGE_SIZE,
        stack = const place!(stack),
        area = const place!(area),
        root = const place!(root),
        entry = const place!(entry),
    )
}

/// The extended-feature register, EFER.
const EXTENDED_FEATURES: u32 = 0xc000_0080;
