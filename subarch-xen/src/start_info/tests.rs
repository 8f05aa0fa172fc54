use super::*;

fn text<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes[..text.len()].copy_from_slice(text);
    bytes
}

/// As a 64 MiB domU gets it: image, list, start_info, two shared pages, five tables, stack.
fn sample() -> StartInfo {
    StartInfo {
        magic: text(b"xen-3.0-x86_64"),
        frames: 16384,
        shared_info: 0x1234_5000,
        flags: 0,
        store_frame: 0x9001,
        store_port: 1,
        console_frame: 0x9002,
        console_port: 2,
        page_tables: IMAGE_BASE + 0x20_3000,
        page_table_frames: 5,
        frame_list: IMAGE_BASE + 0x18_0000,
        module_start: 0,
        module_length: 0,
        command_line: text(b"log=debug test=all"),
        first_list_frame: 0,
        list_frames: 0,
    }
}

#[test]
fn a_good_one_is_accepted() {
    let info = sample();
    assert_eq!(info.check(), Ok(()));
    assert_eq!(info.command_line(), Ok("log=debug test=all"));
    assert!(!info.is_initial_domain());
    assert_eq!(info.list(), FrameRange::new(Pfn(0x180), Pfn(0x1a0)));
    assert_eq!(info.tables(), FrameRange::new(Pfn(0x203), Pfn(0x208)));
    assert_eq!(info.mapped_below(), Pfn(0x208 + 1 + 128));
    assert_eq!(info.module(), None);
}

#[test]
fn another_interface_is_refused_by_name() {
    let mut info = sample();
    info.magic = text(b"xen-3.0-x86_32p");
    let refusal = info.check().unwrap_err().to_string();
    assert!(refusal.contains("\"xen-3.0-x86_32p"), "{refusal}");
    info.magic = [b'x'; 32];
    assert!(info.check().is_err());
}

#[test]
fn pointers_out_of_the_mapping_are_refused() {
    let mut info = sample();
    info.frame_list = 0x1000;
    assert_eq!(info.check(), Err(Malformed::Outside("list of frames")));
    let mut info = sample();
    info.page_table_frames = u64::MAX;
    assert_eq!(info.check(), Err(Malformed::Outside("root page table")));
    let mut info = sample();
    (info.module_start, info.module_length) = (IMAGE_BASE, 1 << 40);
    assert_eq!(info.check(), Err(Malformed::Outside("module")));
}

#[test]
fn an_endless_or_garbled_command_line_is_refused() {
    let mut info = sample();
    info.command_line = [b'a'; 1024];
    assert_eq!(info.check(), Err(Malformed::CommandLine));
    info.command_line = text(&[0xff, 0xfe]);
    assert_eq!(info.check(), Err(Malformed::CommandLine));
}

#[test]
fn a_module_is_found_by_address_only() {
    let mut info = sample();
    (info.module_start, info.module_length) = (IMAGE_BASE + 0x14_a000, 4097);
    assert_eq!(info.module(), Some(FrameRange::new(Pfn(0x14a), Pfn(0x14c))));
    assert_eq!(info.check(), Ok(()));
    info.flags = MODULE_IS_FRAME | INITIAL_DOMAIN;
    assert_eq!(info.check(), Err(Malformed::ModuleByFrame));
    assert!(info.is_initial_domain());
}
