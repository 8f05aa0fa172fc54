//! Frames and the heap.

use super::{Case, Outcome, check, check_eq, failed};
use crate::mm::{frames, heap};
use alloc::boxed::Box;
use alloc::vec::Vec;
use arch::Pfn;
use arch::layout::PAGE_SIZE;
use core::slice;
use kernel_logic::frames::MAX_ORDER;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "frames-are-distinct-and-come-back",
        run: frames_are_distinct,
    },
    Case {
        name: "frames-of-every-order",
        run: frames_of_every_order,
    },
    Case {
        name: "frames-freed-twice-are-refused",
        run: freed_twice_is_refused,
    },
    Case {
        name: "frames-grow-beyond-the-first-section",
        run: grow_beyond_the_first_section,
    },
    Case {
        name: "heap-holds-many-sizes",
        run: heap_holds_many_sizes,
    },
    Case {
        name: "heap-grows-and-shrinks",
        run: heap_grows_and_shrinks,
    },
    Case {
        name: "heap-refuses-the-impossible",
        run: heap_refuses_the_impossible,
    },
];

fn words(block: Pfn, order: u8) -> &'static mut [u64] {
    let first = block.direct().as_mut_ptr();
    // SAFETY: the tests call this for blocks they have allocated, and once for each.
    unsafe { slice::from_raw_parts_mut(first, (PAGE_SIZE as usize / 8) << order) }
}

fn free(block: Pfn, order: u8) -> Outcome {
    // SAFETY: the tests free what they allocated, and look at it no more.
    unsafe { frames::free(block, order) }.map_err(failed("freeing"))
}

/// Has the allocator take in memory for the tests that count: where memory is mapped as it is taken in, that costs tables.
fn take_in_enough() -> Outcome {
    match frames::allocate(MAX_ORDER - 1) {
        Some(block) => free(block, MAX_ORDER - 1),
        None => Ok(()),
    }
}

fn frames_are_distinct() -> Outcome {
    const COUNT: u64 = 1000;
    take_in_enough()?;
    let before = frames::usage().free;
    let blocks: Vec<Pfn> = (0..COUNT).map_while(|_| frames::allocate(0)).collect();
    check_eq!(blocks.len() as u64, COUNT);
    blocks.iter().for_each(|block| words(*block, 0).fill(block.0));
    for block in &blocks {
        check!(
            words(*block, 0).iter().all(|word| *word == block.0),
            "frame {:#x} was given out twice",
            block.0
        );
    }
    for block in blocks {
        free(block, 0)?;
    }
    check_eq!(frames::usage().free, before);
    Ok(())
}

fn frames_of_every_order() -> Outcome {
    take_in_enough()?;
    let before = frames::usage().free;
    for order in 0..MAX_ORDER {
        let Some(block) = frames::allocate(order) else {
            check!(
                frames::usage().free < 4 << order,
                "no block of order {order} though memory is plenty"
            );
            continue;
        };
        check_eq!(block.0 % (1 << order), 0);
        let words = words(block, order);
        (words[0], words[words.len() - 1]) = (1, 2);
        free(block, order)?;
    }
    check!(
        frames::allocate(MAX_ORDER + 1).is_none(),
        "a block larger than any was given out"
    );
    check_eq!(frames::usage().free, before);
    Ok(())
}

fn freed_twice_is_refused() -> Outcome {
    let Some(block) = frames::allocate(1) else {
        return Err(super::Trouble::Skipped("no memory"));
    };
    free(block, 1)?;
    check!(free(block, 1).is_err(), "a block was freed twice");
    check!(
        free(Pfn(u64::MAX >> 12), 0).is_err(),
        "a frame was freed that does not exist"
    );
    Ok(())
}

fn grow_beyond_the_first_section() -> Outcome {
    // A quarter of what there is, but no more than 96 MiB: three sections.
    let before = frames::usage();
    let count = (before.free / 4).min(3 << 13) >> 4;
    let blocks: Vec<Pfn> = (0..count).map_while(|_| frames::allocate(4)).collect();
    check_eq!(blocks.len() as u64, count);
    blocks.iter().for_each(|block| words(*block, 4)[511] = !block.0);
    check!(
        blocks.iter().all(|block| words(*block, 4)[511] == !block.0),
        "two blocks share memory"
    );
    for block in blocks {
        free(block, 4)?;
    }
    // Taking in a section costs its states and page tables.
    check!(
        before.free - frames::usage().free <= before.waiting / 64,
        "memory was lost: {:?}",
        frames::usage()
    );
    Ok(())
}

fn heap_holds_many_sizes() -> Outcome {
    let mut boxes: Vec<Box<[u8]>> = (0..200usize)
        .map(|i| alloc::vec![i as u8; i * 37 % 5000].into())
        .collect();
    boxes.retain(|bytes| bytes.len() % 3 != 0);
    boxes.extend((0..100usize).map(|i| alloc::vec![i as u8; i * 91].into_boxed_slice()));
    let intact = boxes
        .iter()
        .all(|bytes| bytes.windows(2).all(|pair| pair[0] == pair[1]));
    check!(intact, "allocations overlap");
    #[repr(align(4096))]
    struct Page([u8; 10]);
    let page = Box::new(Page([3; 10]));
    check_eq!(&raw const *page as u64 % PAGE_SIZE, 0);
    check_eq!(page.0[9], 3);
    Ok(())
}

fn heap_grows_and_shrinks() -> Outcome {
    let before = heap::usage();
    let mut numbers = Vec::new();
    numbers.extend(0..400_000u64);
    let grown = heap::usage();
    check!(grown.claimed > before.claimed, "3 MB fit into {} bytes", before.claimed);
    check!(
        numbers
            .iter()
            .enumerate()
            .all(|(index, number)| index as u64 == *number),
        "numbers changed while growing"
    );
    drop(numbers);
    check_eq!(heap::usage().allocated, before.allocated);
    check!(
        heap::usage().claimed < grown.claimed,
        "no memory came back from the heap"
    );
    Ok(())
}

fn heap_refuses_the_impossible() -> Outcome {
    let mut bytes: Vec<u8> = Vec::new();
    check!(bytes.try_reserve(1 << 40).is_err(), "the heap gave out a tebibyte");
    check!(bytes.try_reserve(100).is_ok(), "the heap is broken after a refusal");
    Ok(())
}
