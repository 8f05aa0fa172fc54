//! Which instructions an operation is made of.
//!
//! In an image for one platform they are those of its function. An image for several has the other platforms' there as well, out of reach,
//! since what leads to them is patched; and what has no room at its place lies beside all functions, where jumps lead that have
//! taken the place of instructions (`arch/src/site.rs`). So of an image as it was booted those count that can be executed, in either place.

use crate::audit::image::{DETOURS, Function, Image};
use crate::audit::reach;
use iced_x86::Instruction;

/// The instructions of an operation, each part by ascending address.
pub struct Parts {
    /// Those in its function.
    pub own: Vec<Instruction>,
    /// Those that it leads to beside all functions.
    pub beside: Vec<Instruction>,
}

/// The parts of the operation that `function` of `image` is.
pub fn of(image: &Image, function: &Function) -> Parts {
    let beside = image.functions.iter().find(|function| function.name == DETOURS[0]);
    let stretches = [Some(function), beside];
    let stretches = stretches.into_iter().flatten().map(|stretch| stretch.range.clone());
    let reached = reach::within(image, function.range.start, stretches.collect());
    let (own, beside) = reached
        .into_iter()
        .partition(|each| function.range.contains(&each.ip()));
    // What a file has is not yet what is executed: a place that is a jump later leads to what nothing leads to now.
    let own = if image.is_as_booted() {
        own
    } else {
        image.instructions(function)
    };
    Parts { own, beside }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::image::sample::image;

    /// `ret`, and the rest is no code.
    const RETURN: [u8; 11] = [0xc3, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc];

    /// The addresses of both parts of a function at 0, which begins with `first` and returns at 5, and of what is beside it at 16:
    /// `test eax, eax; jne 22; jmp 5; nop (22); jmp 5; nop`.
    fn parts(first: [u8; 5], is_as_booted: bool) -> [Vec<u64>; 2] {
        let mut image = image(&[
            ("probe.G.f", &|a| a.db(&[first.as_slice(), &RETURN].concat()).unwrap()),
            (DETOURS[0], &|a| {
                a.db(&[0x85, 0xc0, 0x75, 0x02, 0xeb, 0xef, 0x90, 0xeb, 0xec, 0x90])
                    .unwrap();
            }),
        ]);
        if is_as_booted {
            let code = image.section(".text").unwrap().bytes.clone();
            image
                .replace_code(|range| &code[range.start as usize..range.end as usize])
                .unwrap();
        }
        let Parts { own, beside } = of(&image, &image.functions[0]);
        [own, beside].map(|part| part.iter().map(Instruction::ip).collect())
    }

    /// `jmp 16`.
    const DETOUR: [u8; 5] = [0xe9, 11, 0, 0, 0];
    /// `jmp 5; nop; nop; nop`.
    const SKIPS: [u8; 5] = [0xeb, 3, 0x90, 0x90, 0x90];

    #[test]
    fn what_a_jump_leads_to_is_followed_until_it_comes_back() {
        assert_eq!(parts(DETOUR, true), [vec![0, 5], vec![16, 18, 20, 22, 23]]);
    }

    #[test]
    fn what_is_out_of_reach_is_left_out_of_what_was_booted_and_of_nothing_else() {
        assert_eq!(parts(SKIPS, true), [vec![0, 5], vec![]]);
        let in_the_file = [0, 2, 3, 4, 5].into_iter().chain(6..16).collect();
        assert_eq!(parts(SKIPS, false), [in_the_file, vec![]]);
    }
}
