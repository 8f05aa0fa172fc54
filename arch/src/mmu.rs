//! Page tables, as three platforms can agree on them.
//!
//! They agree on the format: four levels of 512 entries, since each of them runs on the same processors. They differ in
//! who may write. Natively a store does it. Xen keeps every table read-only to its guest and validates each update, because
//! an entry names a frame of the *machine* and a guest that could write one freely would own its neighbours. A VMI ROM wants
//! to be told. So the core reads tables freely through the direct map, but writes them through this group alone, and gives
//! each page over ([`table_give`](MmuOps::table_give)) before it makes it part of a tree.

mod lazy;

pub use lazy::LazyMmu;

use crate::layout::{DIRECT_MAP, PAGE_SIZE};
use crate::memory::{FrameRange, Pfn};
use crate::percpu::CpuSet;
use core::fmt;
use core::ops::Range;
use x86_64::VirtAddr;
use x86_64::structures::paging::{PageTableFlags, page_table::PageTableLevel};

/// A page-table entry, bit for bit as the processor reads it.
///
/// It names a frame in the platform's counting, so only [`MmuOps::pte`] makes one from a [`Pfn`] and only [`MmuOps::frame`]
/// finds the way back.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
#[repr(transparent)]
pub struct Pte(u64);

impl Pte {
    /// The entry that maps nothing.
    pub const EMPTY: Self = Self(0);

    /// Bits 12 to 51: where an entry keeps the frame (Intel SDM, vol. 3, table 4-20).
    pub const FRAME_MASK: u64 = 0x000f_ffff_ffff_f000;

    /// An entry from its bits. For platforms; the core uses [`MmuOps::pte`].
    #[inline(always)]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The entry's bits.
    #[inline(always)]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Everything but the frame.
    #[inline(always)]
    pub const fn flags(self) -> PageTableFlags {
        PageTableFlags::from_bits_truncate(self.0 & !Self::FRAME_MASK)
    }

    /// Whether the processor follows the entry.
    #[inline(always)]
    pub const fn is_present(self) -> bool {
        self.flags().contains(PageTableFlags::PRESENT)
    }
}

impl fmt::Debug for Pte {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Pte({:#018x})", self.0)
    }
}

/// The place of one entry: which table, which of its 512 entries, and what that entry translates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    /// The frame that holds the table.
    pub table: Pfn,
    /// The table's level: one for the tables whose entries map 4 KiB pages, four for roots.
    pub level: PageTableLevel,
    /// An address that is translated through the entry.
    pub address: VirtAddr,
}

impl Slot {
    /// The number of the entry in its table, 0 to 511.
    #[inline(always)]
    pub fn index(&self) -> usize {
        self.address.page_table_index(self.level).into()
    }

    /// The address of the entry in memory.
    #[inline(always)]
    pub fn physical(&self) -> u64 {
        self.table.address() + self.index() as u64 * 8
    }

    /// Where the direct map shows the entry.
    #[inline(always)]
    pub fn pointer(&self) -> *mut Pte {
        // As a table and an index into it, which one address can express.
        ((DIRECT_MAP + self.table.address()) as *mut Pte).wrapping_add(self.index())
    }

    /// Reads the entry.
    ///
    /// # Safety
    /// `table` is a page table in the direct map.
    #[inline(always)]
    pub unsafe fn read(&self) -> Pte {
        // SAFETY: the caller vouches for the table; the index is below 512. The processor may set the accessed and dirty bits
        // meanwhile, hence volatile.
        unsafe { self.pointer().read_volatile() }
    }
}

/// [`MmuOps::map_direct`] could not get a frame for a page table; what it mapped so far stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfTables;

/// Page tables and the translations cached from them.
pub trait MmuOps {
    /// Whether lazy mode collects anything here, so that whoever enters it must stay on his CPU; see [`LazyMmu`].
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | no | yes | yes, if the ROM does |
    fn collects() -> bool;

    /// The entry that maps `frame` with `flags`, as this platform and processor want it.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | shift and or | machine frame looked up in the physical-to-machine list | as native |
    ///
    /// Flags that the processor lacks (no-execute on old ones) are left out.
    fn pte(frame: Pfn, flags: PageTableFlags) -> Pte;

    /// The frame that a present `pte` maps; `None` if it is none of the kernel's own (a device's registers, another
    /// domain's page).
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | mask and shift | looked up in the machine-to-physical table, and checked | as native |
    fn frame(pte: Pte) -> Option<Pfn>;

    /// The root of the page tables in use on this CPU.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | `mov rax, cr3` | remembered: a CPU never leaves it | call 21, *GetCR3* |
    fn root() -> Pfn;

    /// Writes an entry of a page table.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | `mov [entry], value` | `mmu_update`, or queued in lazy mode | call 38, *SetPxE* |
    ///
    /// Afterwards (in lazy mode: after its end) the table holds `pte`; translations already cached from the old entry are still
    /// used until they are flushed. A hypervisor's refusal is a bug of the kernel and panics by name.
    ///
    /// # Safety
    /// `slot.table` is a page table that was given over at `slot.level`, or is a part of the platform's own boot tables; the new
    /// translation breaks no reference that anyone holds; nobody writes the same table at the same time.
    unsafe fn set_entry(slot: Slot, pte: Pte);

    /// Gives a frame over to be a page table of `level`. Its contents are the table's, complete and valid.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | nothing | read-only in the direct map; a root is pinned | call 44, *AllocatePage* |
    ///
    /// Building a table privately and giving it over once is the cheap way: Xen takes about 166 instructions for each present
    /// entry, instead of 700 to 1,900 for each update of a table in use.
    ///
    /// # Safety
    /// The frame is the caller's, in the direct map, and not written again but by [`set_entry`](Self::set_entry).
    unsafe fn table_give(table: Pfn, level: PageTableLevel);

    /// Takes a page table back as an ordinary frame.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | nothing | a root is unpinned; writable again | call 45, *ReleasePage* |
    ///
    /// # Safety
    /// It was given over at `level`, and no entry and no CPU refers to it any more.
    unsafe fn table_take(table: Pfn, level: PageTableLevel);

    /// Makes the frame `root`, which is full of zeros, the root of an address space of user mode without any page: fills in what
    /// the platform must have there. The core then adds tables below [`USER_END`](crate::layout::USER_END) and gives it over.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | the upper half of the kernel's root, copied | nothing: the kernel has a tree of its own | as native |
    ///
    /// The tree is loaded by [`CpuOps::load_user`](crate::CpuOps::load_user). The kernel reads and writes memory of programs by the direct
    /// map alone, so it never matters which of them is loaded.
    ///
    /// # Safety
    /// The frame is the caller's and in the direct map.
    unsafe fn prepare_root(root: Pfn);

    /// Drops what this CPU has cached of the translation of the page at `address`.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | `invlpg` | `MMUEXT_INVLPG_LOCAL` | call 46, *InvalPage* |
    fn flush_page(address: VirtAddr);

    /// Drops everything this CPU has cached of translations, global ones included.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | `cr4.PGE` off and on | `MMUEXT_TLB_FLUSH_LOCAL` | call 47, *FlushTLB* |
    fn flush_all();

    /// Drops what the CPUs in `cpus` have cached of the translations of `pages`, and returns when they have.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | an interrupt of its own to each, answered by the platform | `MMUEXT_INVLPG_MULTI` or `MMUEXT_TLB_FLUSH_MULTI` | as native, each flushing by its ROM |
    ///
    /// The executing CPU need not be among them, and is flushed too if it is. May be called with interrupts masked, on several
    /// CPUs at once: whoever waits answers meanwhile. Updates collected in lazy mode are written first.
    fn flush_on(cpus: CpuSet, pages: Range<VirtAddr>);

    /// Begins to collect entries instead of writing them; see [`LazyMmu`], which is the way to call it.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | nothing | `set_entry` queues | call 73, *SetLazyMode* 1 |
    fn lazy_begin();

    /// Writes what was collected and stops to collect.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | nothing | one `mmu_update` for the queue | call 73, *SetLazyMode* 0 |
    fn lazy_end();

    /// Brings `frames` into the direct map, taking page tables from `table`, which gives frames that are already in it.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | nothing: large pages map all memory at boot | 4 KiB entries, given over table by table | as native |
    ///
    /// The core calls it for each section of memory before it uses the first frame of it, so that a guest with much memory does
    /// not pay for all of it at boot.
    ///
    /// # Errors
    /// [`OutOfTables`] if `table` returns `None`; the call may be repeated when there are frames.
    ///
    /// # Safety
    /// The frames are free memory from [`Boot::memory`](crate::Boot::memory); `table`'s are the caller's and are given away.
    unsafe fn map_direct(frames: FrameRange, table: impl FnMut() -> Option<Pfn>) -> Result<(), OutOfTables>;
}

const _: () = assert!(size_of::<Pte>() * 512 == PAGE_SIZE as usize);
