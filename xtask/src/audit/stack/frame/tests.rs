use super::super::super::image::sample::image;
use super::*;
use iced_x86::code_asm::*;

/// The frame of a function of these instructions, which is the second of its image.
fn frame(write: &dyn Fn(&mut CodeAssembler)) -> Frame {
    let image = image(&[("callee", &|a| a.ret().unwrap()), ("function", write)]);
    of(&image, &image.functions[1])
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
