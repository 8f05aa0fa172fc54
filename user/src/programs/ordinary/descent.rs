//! A tree of processes, each with memory of its own that began as its parent's.

use crate::runtime::arguments::Arguments;
use crate::runtime::check::{require, require_equal};
use crate::runtime::child;
use crate::runtime::memory::{self, PAGE};
use crate::runtime::pattern::word;
use crate::runtime::syscall;
use user_programs::End;

/// Pages that every process of the tree writes.
const PAGES: usize = 8;
/// Children of each process.
const CHILDREN: usize = 2;

/// Makes the tree and checks in every process:
///
/// 1. it sees what its parent had written;
/// 2. after its own writing and that of its children, it sees its own;
/// 3. its children ended well;
/// 4. its parent is who made it;
/// 5. and is another process than itself.
pub fn run(arguments: &Arguments) -> u8 {
    let memory = memory::zeroes(PAGES * PAGE);
    grow(memory, arguments.number(1, 3), 1);
    0
}

/// One process of the tree, whose name is `name`: it writes, has children, waits for them.
fn grow(memory: usize, depth: usize, name: u64) {
    fill(memory, name);
    if depth == 0 {
        return require(2, holds(memory, name), "a leaf has lost its memory");
    }
    let own = syscall::getpid();
    let mut children = [0; CHILDREN];
    for (index, child) in children.iter_mut().enumerate() {
        *child = child::start(|| {
            require_equal(4, syscall::getppid(), own, "the parent's number");
            require(5, syscall::getpid() != own, "a child has its parent's number");
            require(1, holds(memory, name), "a child does not see its parent's memory");
            grow(memory, depth - 1, name * CHILDREN as u64 + index as u64);
            0
        });
    }
    fill(memory, name + 1000);
    children.iter().for_each(|child| child::expect(3, *child, End::Exit(0)));
    require(2, holds(memory, name + 1000), "a parent has lost its memory");
}

/// Writes the pattern of `name`.
fn fill(memory: usize, name: u64) {
    (0..PAGES).for_each(|page| memory::write(memory + page * PAGE, word(name, page)));
}

/// Whether the pattern of `name` is there.
fn holds(memory: usize, name: u64) -> bool {
    (0..PAGES).all(|page| memory::read(memory + page * PAGE) == word(name, page))
}
