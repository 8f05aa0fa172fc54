//! Copies: complete, whole or not at all, and short enough to be read.

use super::*;
use crate::failure::{Failure, explain};
use crate::paths::Paths;
use crate::rom;
use std::fs;
use tempfile::TempDir;

/// The template must have fewer lines than this, everything that a crate of its own needs beside it counted.
const LINES: usize = 300;
/// What is not written for anybody to read.
const LOCK: &str = "Cargo.lock";

fn root() -> PathBuf {
    Paths::find().unwrap().root
}

/// As much of a workspace as a new binary of `vmi-rom` touches.
fn workspace() -> TempDir {
    let copy = TempDir::new().unwrap();
    fs::create_dir_all(copy.path().join(rom::SOURCES)).unwrap();
    for file in [
        "vmi-rom/Cargo.toml",
        "vmi-rom/src/bin/template.rs",
        "vmi-rom/src/bin/native.rs",
    ] {
        fs::copy(root().join(file), copy.path().join(file)).unwrap();
    }
    copy
}

/// All files below `folder` with what is in them.
fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found.sort();
    found
}

#[test]
fn the_template_is_under_300_lines_with_all_that_it_needs() {
    let folder = TempDir::new().unwrap();
    make(&root(), "mine", Some(folder.path())).unwrap();
    let written = files(folder.path());
    let lines = |file: &&(PathBuf, String)| !file.0.ends_with(LOCK);
    let lines: usize = written.iter().filter(lines).map(|(_, text)| text.lines().count()).sum();
    assert!(lines < LINES, "{lines}");
}

#[test]
fn a_copy_has_its_own_name_and_nothing_of_the_templates() {
    let folder = TempDir::new().unwrap();
    let made = make(&root(), "mine", Some(folder.path())).unwrap();
    assert_eq!(made.choice, folder.path().join("mine"));
    let source = fs::read_to_string(&made.source).unwrap();
    assert!(source.contains("vmi_rom::rom!(name: \"mine\"") && source.contains("YOURS"));
    assert!(!source.contains("template") && !source.contains("NAME"), "{source}");
    assert_eq!(rom::crate_name(&made.choice).unwrap(), "mine");
    let manifest: toml::Table = fs::read_to_string(made.choice.join("Cargo.toml"))
        .unwrap()
        .parse()
        .unwrap();
    let path = manifest["dependencies"]["vmi64"]["path"].as_str().unwrap();
    assert!(Path::new(path).join("Cargo.toml").is_file(), "{path}");
}

#[test]
fn a_crate_takes_no_place_of_anything() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), "mine").unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    make(&root(), "once", Some(folder.path())).unwrap();
    let before = files(folder.path());
    for taken in ["file", "empty", "once"] {
        let error = make(&root(), taken, Some(folder.path())).unwrap_err();
        assert_eq!(Failure::of(&error), Failure::Usage);
        assert!(explain(&error).contains("left alone"), "{}", explain(&error));
    }
    assert_eq!(files(folder.path()), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[test]
fn a_folder_that_is_missing_is_asked_for() {
    let folder = TempDir::new().unwrap();
    let error = make(&root(), "mine", Some(&folder.path().join("no/such"))).unwrap_err();
    assert_eq!(Failure::of(&error), Failure::Usage);
    assert!(explain(&error).contains("mkdir -p"), "{}", explain(&error));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn in_the_workspace_a_rom_is_one_more_binary() {
    let workspace = workspace();
    let made = make(workspace.path(), "mine", None).unwrap();
    assert_eq!(made.choice, Path::new("mine"));
    assert!(rom::names(workspace.path()).iter().any(|name| name == "mine"));
    let manifest = fs::read_to_string(workspace.path().join("vmi-rom/Cargo.toml")).unwrap();
    let read: toml::Table = manifest.parse().unwrap();
    let binaries = read["bin"].as_array().unwrap();
    let names: Vec<_> = binaries.iter().filter_map(|binary| binary["name"].as_str()).collect();
    assert!(names.contains(&"native") && names.last() == Some(&"mine"), "{names:?}");
    assert!(binaries.iter().all(|binary| binary["test"].as_bool() == Some(false)));
    let original = fs::read_to_string(root().join("vmi-rom/Cargo.toml")).unwrap();
    assert_eq!(
        manifest.replace("[[bin]]\nname = \"mine\"\ntest = false\n\n", ""),
        original
    );
}

#[test]
fn in_the_workspace_nothing_is_replaced_or_left_half_made() {
    let workspace = workspace();
    make(workspace.path(), "mine", None).unwrap();
    let before = files(workspace.path());
    for taken in ["mine", "native", "template"] {
        assert_eq!(
            Failure::of(&make(workspace.path(), taken, None).unwrap_err()),
            Failure::Usage
        );
    }
    assert_eq!(files(workspace.path()), before);
    let manifest = workspace.path().join("vmi-rom/Cargo.toml");
    fs::write(&manifest, "[package]\n").unwrap();
    make(workspace.path(), "other", None).unwrap_err();
    assert!(!workspace.path().join("vmi-rom/src/bin/other.rs").exists());
    assert_eq!(fs::read_to_string(manifest).unwrap(), "[package]\n");
}
