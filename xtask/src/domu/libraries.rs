//! Which shared libraries a few programs need, and where they are among unpacked packages.
//!
//! The toolstack's packages bring some two hundred files of libraries, of which two dozen are ever loaded. The
//! programs say themselves which: each ELF file lists the names it needs. Following those keeps dom0's RAM disk at
//! 8 MB, and a library that is missing is named here, by the host, and not by a loader inside an emulated machine.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use object::elf::{DT_NEEDED, FileHeader64};
use object::read::elf::{Dyn, ElfFile64, FileHeader};
use object::{Endianness, StringTable};

use super::tree;

/// Every library that `programs` load, by its name, found below `root`. `extra` are names loaded without being listed.
///
/// # Errors
/// A file is not an ELF program, or a library is not below `root`; the message has its name and who needs it.
pub fn closure(root: &Path, programs: &[PathBuf], extra: &[&str]) -> Result<BTreeMap<String, PathBuf>> {
    let present = libraries_below(root)?;
    let mut found = BTreeMap::new();
    let mut open: Vec<(String, PathBuf)> = extra
        .iter()
        .map(|name| ((*name).to_owned(), PathBuf::from("the loader")))
        .collect();
    for program in programs {
        open.extend(needed_by(program)?);
    }
    while let Some((name, who)) = open.pop() {
        if found.contains_key(&name) {
            continue;
        }
        let missing = || format!("no package brings {name}, which {} needs", who.display());
        let library = present.get(&name).with_context(missing)?;
        open.extend(needed_by(library)?);
        found.insert(name, library.clone());
    }
    Ok(found)
}

/// The names that the file `program` needs, each with the file itself.
fn needed_by(program: &Path) -> Result<Vec<(String, PathBuf)>> {
    let bytes = fs::read(program).with_context(|| format!("cannot read {}", program.display()))?;
    let names = needed(&bytes).with_context(|| format!("{} is not a program", program.display()))?;
    Ok(names.into_iter().map(|name| (name, program.to_path_buf())).collect())
}

/// The `DT_NEEDED` names of an ELF file; none if it is linked statically.
fn needed(bytes: &[u8]) -> Result<Vec<String>> {
    let file = ElfFile64::<Endianness>::parse(bytes)?;
    let endian = file.endian();
    let sections = file.elf_header().sections(endian, bytes)?;
    let Some((entries, strings)) = sections.dynamic(endian, bytes)? else {
        return Ok(Vec::new());
    };
    let strings = sections.strings(endian, bytes, strings)?;
    let wanted = entries.iter().filter(|entry| entry.d_tag(endian) == DT_NEEDED);
    wanted.map(|entry| name_of(entry, endian, strings)).collect()
}

type Entry = <FileHeader64<Endianness> as FileHeader>::Dyn;

fn name_of(entry: &Entry, endian: Endianness, strings: StringTable<'_>) -> Result<String> {
    Ok(String::from_utf8(entry.string(endian, strings)?.to_vec())?)
}

/// Every `lib*.so*` and `ld-*.so*` below `root`, by file name. Where Debian keeps variants, the first path wins.
fn libraries_below(root: &Path) -> Result<HashMap<String, PathBuf>> {
    let mut found = HashMap::new();
    for path in tree::find_all(root, is_library)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        found.entry(name).or_insert(path);
    }
    Ok(found)
}

fn is_library(name: &str) -> bool {
    (name.starts_with("lib") || name.starts_with("ld-")) && name.contains(".so")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn library_names() {
        assert!(is_library("libc.so.6") && is_library("ld-linux-x86-64.so.2"));
        assert!(!is_library("libc.a") && !is_library("fsimage.so"));
    }

    #[test]
    fn needed_names_of_a_real_program() {
        let program = std::env::current_exe().expect("this test is a program");
        let names = needed(&fs::read(program).expect("it can be read")).expect("it is an ELF file");
        assert!(names.iter().any(|name| name == "libc.so.6"), "{names:?}");
    }

    #[test]
    fn refusals() {
        assert!(needed(b"#!/bin/sh").is_err());
        let empty = tempfile::tempdir().expect("a temporary folder can be made");
        let error = closure(empty.path(), &[], &["libgcc_s.so.1"]).expect_err("the folder is empty");
        assert_eq!(
            error.to_string(),
            "no package brings libgcc_s.so.1, which the loader needs"
        );
    }
}
