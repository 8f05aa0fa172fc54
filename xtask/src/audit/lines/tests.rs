//! Source trees made by hand.

use super::*;
use std::fs;
use tempfile::TempDir;

/// A workspace of these files, with a manifest beside each `src`.
fn tree(files: &[(&str, String)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        let folder = path.parent().unwrap();
        fs::create_dir_all(folder).unwrap();
        fs::write(&path, text).unwrap();
        if folder.ends_with("src") {
            fs::write(folder.with_file_name("Cargo.toml"), "[package]").unwrap();
        }
    }
    root
}

fn lines(count: usize) -> String {
    "fn line() {}\n".repeat(count)
}

#[test]
fn a_platforms_crate_may_be_so_long_and_no_longer() {
    let good = tree(&[
        ("subarch-vmi/src/lib.rs", lines(2000)),
        ("subarch-vmi/abi/src/lib.rs", lines(2000)),
        ("subarch-vmi/src/tests.rs", lines(2000)),
        ("kernel-core/src/lib.rs", lines(9000)),
    ]);
    assert_eq!(check(good.path()).unwrap().violations, []);
    let long = tree(&[
        ("subarch-xen/src/lib.rs", lines(MOST)),
        ("subarch-xen/src/more.rs", lines(1)),
    ]);
    let violations = check(long.path()).unwrap().violations;
    assert_eq!(
        violations[0].to_string(),
        "lines: subarch-xen has 3501 lines, and a platform's crate may have 3500"
    );
}

#[test]
fn the_core_may_name_a_platform_in_one_file_only() {
    let choice = "#[cfg(feature = \"xen\")]\npub use subarch_xen::Xen;\n".to_owned();
    let good = tree(&[
        ("kernel-core/src/platform.rs", choice.clone()),
        (
            "kernel-core/src/lib.rs",
            "// subarch_native has another way.\n".to_owned(),
        ),
        ("vmi-rom/src/lib.rs", choice.clone()),
    ]);
    let finding = check(good.path()).unwrap();
    assert_eq!(finding.violations, []);
    assert!(finding.details[0].contains("100.0 %"), "{:?}", finding.details);
    let bad = tree(&[("kernel-core/logic/src/clock.rs", format!("\n{choice}"))]);
    let violations = check(bad.path()).unwrap().violations;
    assert_eq!(violations.len(), 2);
    assert!(
        violations[0]
            .what
            .starts_with("kernel-core/logic/src/clock.rs:2 names a platform")
    );
}
