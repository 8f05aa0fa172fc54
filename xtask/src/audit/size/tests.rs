use super::super::image::sample::image;
use super::*;
use crate::platform::Platform;

/// So many bytes of a crate on a platform.
pub fn size(platform: &str, owner: &str, text: u64) -> Size {
    Size {
        platform: platform.to_owned(),
        owner: owner.to_owned(),
        text,
    }
}

#[test]
fn each_function_counts_for_the_crate_of_its_name_and_gaps_for_none() {
    let subject = Subject {
        platform: Platform::Xen,
        platforms: &[Platform::Xen],
        image: image(&[
            ("_ZN11kernel_core4wake17h0123456789abcdefE", &|a| a.ret().unwrap()),
            ("_ZN11kernel_core5sleep17h0123456789abcdefE", &|a| {
                a.nop().unwrap();
                a.ret().unwrap();
            }),
            ("memcpy", &|a| a.ret().unwrap()),
        ]),
        file: Vec::new(),
        root: Path::new("/"),
    };
    let sizes = [
        size("xen", "assembly", 1),
        size("xen", "kernel_core", 3),
        size("xen", OTHER, 15 + 14),
    ];
    assert_eq!(of(&subject), sizes);
}
