use super::super::super::image::DETOURS;
use super::super::super::image::sample::{Part, image};
use super::*;
use iced_x86::code_asm::*;

/// The frame of a function of these instructions, which is the second of its image.
fn frame(write: &dyn Fn(&mut CodeAssembler)) -> Frame {
    let image = image(&[("callee", &|a| a.ret().unwrap()), ("function", write)]);
    of(&Common::of(&image), &image.functions[1])
}

fn depths(frame: &Frame) -> Vec<(u64, Target)> {
    frame.calls.iter().map(|call| (call.depth, call.to)).collect()
}

#[test]
fn pushes_room_and_return_addresses_add_up() {
    let frame = frame(&|a| {
        a.push(rbp).unwrap();
        a.mov(rbp, rsp).unwrap();
        a.push(rbx).unwrap();
        a.sub(rsp, 0x40).unwrap();
        a.call(0u64).unwrap();
        a.add(rsp, 0x40).unwrap();
        a.pop(rbx).unwrap();
        a.pop(rbp).unwrap();
        a.ret().unwrap();
    });
    assert_eq!(frame.own, 8 + 8 + 0x40 + 8);
    assert_eq!(depths(&frame), [(frame.own, Target::Known(0))]);
    assert!(frame.unclear.is_none());
}

#[test]
fn a_jump_to_another_function_leaves_nothing_behind() {
    let frame = frame(&|a| {
        a.push(rbx).unwrap();
        a.pop(rbx).unwrap();
        a.jmp(0u64).unwrap();
    });
    assert_eq!((frame.own, depths(&frame)), (8, vec![(0, Target::Known(0))]));
}

#[test]
fn the_deeper_of_two_paths_counts() {
    let frame = frame(&|a| {
        let mut shallow = a.create_label();
        a.test(edi, edi).unwrap();
        a.je(shallow).unwrap();
        a.sub(rsp, 0x100).unwrap();
        a.add(rsp, 0x100).unwrap();
        a.set_label(&mut shallow).unwrap();
        a.ret().unwrap();
    });
    assert_eq!(frame.own, 0x100);
}

#[test]
fn alignment_costs_all_it_may_and_ends_with_the_frame() {
    let frame = frame(&|a| {
        a.push(rbp).unwrap();
        a.mov(rbp, rsp).unwrap();
        a.and(rsp, -64).unwrap();
        a.call(0u64).unwrap();
        a.lea(rsp, rbp - 0).unwrap();
        a.call(0u64).unwrap();
        a.leave().unwrap();
        a.jmp(0u64).unwrap();
    });
    let depths: Vec<u64> = frame.calls.iter().map(|call| call.depth).collect();
    assert_eq!(depths, [8 + 56 + 8, 8 + 8, 0]);
}

#[test]
fn a_constant_in_a_register_is_followed_until_it_is_lost() {
    let frame = frame(&|a| {
        a.mov(rbx, 0x10u64).unwrap();
        a.mov(rax, 0x10u64).unwrap();
        a.call(rbx).unwrap();
        a.call(rax).unwrap();
        a.mov(rbx, rdi).unwrap();
        a.jmp(rbx).unwrap();
    });
    let targets: Vec<Target> = frame.calls.iter().map(|call| call.to).collect();
    assert_eq!(targets, [Target::Known(0x10), Target::Computed, Target::Computed]);
}

#[test]
fn a_stack_that_comes_from_elsewhere_is_not_clear() {
    assert!(frame(&|a| a.mov(rsp, rdi).unwrap()).unclear.is_some());
    assert!(frame(&|a| a.sub(rsp, rax).unwrap()).unclear.is_some());
    let growing = frame(&|a| {
        let mut again = a.create_label();
        a.set_label(&mut again).unwrap();
        a.sub(rsp, 0x10_0000).unwrap();
        a.jmp(again).unwrap();
    });
    assert!(growing.unclear.is_some());
    let own_area = frame(&|a| {
        a.sub(rsp, 0x20).unwrap();
        a.mov(rsp, qword_ptr(8).gs()).unwrap();
        a.push(rax).unwrap();
    });
    assert_eq!((own_area.own, own_area.unclear), (0x20, None));
}

/// The frame of a function that has a room of 32 bytes, and at 20, 22 and 23 a jump to `detour`, which is at 32, an instruction and the end
/// of the room. At 0 is a function that takes two arguments off the stack.
fn frame_with_detour(detour: &dyn Fn(&mut CodeAssembler)) -> Frame {
    let parts: [Part<'_>; 3] = [
        ("callee", &|a| a.ret_1(16).unwrap()),
        ("function", &|a| {
            a.sub(rsp, 0x20).unwrap();
            a.jmp(0x20).unwrap();
            a.nop().unwrap();
            a.add(rsp, 0x20).unwrap();
            a.ret().unwrap();
        }),
        (DETOURS[0], detour),
    ];
    let image = image(&parts);
    of(&Common::of(&image), &image.functions[1])
}

#[test]
fn a_detour_is_a_part_of_the_function_it_is_in() {
    let frame = frame_with_detour(&|a| {
        a.push(rax).unwrap();
        a.push(rbx).unwrap();
        a.call(0u64).unwrap();
        a.jne(20).unwrap();
        a.jmp(23).unwrap();
    });
    assert_eq!(frame.own, 0x20 + 2 * 8 + 8);
    assert_eq!(depths(&frame), [(frame.own, Target::Known(0))]);
    assert!(frame.unclear.is_none(), "the arguments are taken off each time");
}

#[test]
fn a_detour_that_keeps_what_it_pushes_or_leads_between_instructions_is_not_clear() {
    let keeps = frame_with_detour(&|a| {
        a.sub(rsp, 0x10_0000).unwrap();
        a.jmp(20).unwrap();
    });
    assert!(keeps.unclear.is_some());
    let between = frame_with_detour(&|a| {
        a.jne(0x24).unwrap();
        a.mov(eax, 0).unwrap();
    });
    assert!(between.unclear.is_some());
    let leaves = frame_with_detour(&|a| {
        a.push(rax).unwrap();
        a.jmp(0u64).unwrap();
    });
    assert_eq!(depths(&leaves), [(0x28, Target::Known(0))]);
}

#[test]
fn what_is_behind_a_call_that_never_returns_counts_only_where_it_can_be_another_platforms() {
    let mut image = image(&[
        ("never", &|a| a.jmp(0u64).unwrap()),
        ("function", &|a| {
            a.call(0u64).unwrap();
            a.sub(rsp, 0x100).unwrap();
            a.ret().unwrap();
        }),
    ]);
    let own = |image: &Image| of(&Common::of(image), &image.functions[1]).own;
    assert_eq!(own(&image), 0x100);
    let code = image.section(".text").unwrap().bytes.clone();
    image
        .replace_code(|range| &code[range.start as usize..range.end as usize])
        .unwrap();
    assert_eq!(own(&image), 8);
}
