//! The crates of the workspace, what each is to the kernel, and the lines of their sources.

use super::count;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// What a crate is to the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Part of it on one platform only.
    Platform,
    /// Part of it on all platforms.
    Shared,
    /// No part of it.
    Tool,
}

/// A crate's sources.
#[derive(Debug)]
pub struct Package {
    /// Its folder, from the project's root.
    pub name: String,
    /// What it is to the kernel.
    pub role: Role,
    /// Its sources, without tests.
    pub files: Vec<File>,
}

/// One source.
#[derive(Debug)]
pub struct File {
    /// Where it is, from the project's root.
    pub path: String,
    /// How many lines of code it has.
    pub lines: usize,
    /// The numbers of those that name a platform.
    pub names_platform: Vec<usize>,
}

impl Package {
    /// The crate in the folder `name`, without sources as yet.
    fn new(name: String) -> Self {
        Self {
            role: role(&name),
            name,
            files: Vec::new(),
        }
    }

    /// All its lines of code.
    pub fn lines(&self) -> usize {
        self.files.iter().map(|file| file.lines).sum()
    }

    /// Its lines that are for one platform only: all of a platform's crate, and elsewhere the files that name one.
    pub fn specific_lines(&self) -> usize {
        match self.role {
            Role::Platform => self.lines(),
            Role::Tool => 0,
            Role::Shared => {
                let naming = self.files.iter().filter(|file| !file.names_platform.is_empty());
                naming.map(|file| file.lines).sum()
            }
        }
    }

    /// The crate in a line of a table.
    pub fn line(&self) -> String {
        let (lines, specific) = (self.lines(), self.specific_lines());
        let share = 100.0 * specific as f64 / lines.max(1) as f64;
        let role = match self.role {
            Role::Platform => "of a platform",
            Role::Shared => "of all platforms",
            Role::Tool => "not in the kernel",
        };
        format!(
            "{:24} {lines:>6} lines, {share:>5.1} % for one platform ({role})",
            self.name
        )
    }
}

impl File {
    /// Whether it is where the one platform is chosen.
    pub fn is_the_choice(&self) -> bool {
        self.path == "kernel-core/src/platform.rs"
    }

    fn read(root: &Path, path: &Path) -> Result<Self> {
        let source = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let code = count::code(&source);
        Ok(Self {
            path: relative(root, path),
            lines: code.len(),
            names_platform: code
                .iter()
                .filter(|(_, text)| names_platform(text))
                .map(|(number, _)| *number)
                .collect(),
        })
    }
}

/// Whether a line of code names a platform: the feature that chooses it, or its crate.
fn names_platform(line: &str) -> bool {
    let dense: String = line.split_whitespace().collect();
    let features = ["feature=\"native\"", "feature=\"xen\"", "feature=\"vmi\""];
    dense.contains("subarch_") || features.iter().any(|feature| dense.contains(feature))
}

/// All crates below `root`, by their folders.
pub fn all(root: &Path) -> Result<Vec<Package>> {
    let mut packages = Vec::new();
    collect(root, root, None, &mut packages)?;
    packages.retain(|package| !package.files.is_empty());
    packages.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(packages)
}

/// Adds the sources in `folder`, which belongs to the crate of number `mine` unless a crate begins here, and those further down.
fn collect(root: &Path, folder: &Path, mine: Option<usize>, packages: &mut Vec<Package>) -> Result<()> {
    let mine = if folder.join("Cargo.toml").exists() {
        packages.push(Package::new(relative(root, folder)));
        Some(packages.len() - 1)
    } else {
        mine
    };
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || matches!(&*name, "target" | "tests" | "tests.rs") {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, mine, packages)?;
        } else if let Some(mine) = mine.filter(|_| name.ends_with(".rs")) {
            packages[mine].files.push(File::read(root, &path)?);
        }
    }
    Ok(())
}

/// What the crate in `folder` is to the kernel.
fn role(folder: &str) -> Role {
    let first = folder.split('/').next().unwrap_or_default();
    match first {
        "arch" | "kernel-core" => Role::Shared,
        platform if platform.starts_with("subarch-") => Role::Platform,
        _ => Role::Tool,
    }
}

/// `path` from the project's root, with slashes.
fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}
