//! How much of the sources is for one platform only, and that the core is for none.
//!
//! An abstraction is worth what it saves: if each platform needed a kernel's worth of lines, there would be no kernel to share. So
//! each platform's crate has an upper limit, and the core is looked through for the name of any platform.
//! This is the only part of the audit that reads sources. What it says is about people who read them; no image could say it.

mod count;
mod package;

use super::{Finding, Violation};
use anyhow::Result;
use package::{Package, Role};
use std::path::Path;

/// The most lines a platform's crate may have.
const MOST: usize = 3500;

/// Counts the lines of all crates below `root`.
///
/// # Errors
/// A source cannot be read.
pub fn check(root: &Path) -> Result<Finding> {
    let packages = package::all(root)?;
    Ok(judge(&packages))
}

fn judge(packages: &[Package]) -> Finding {
    let mut violations = Vec::new();
    for package in packages {
        match package.role {
            Role::Platform if package.lines() > MOST => violations.push(too_long(package)),
            Role::Shared => violations.extend(namings(package)),
            Role::Platform | Role::Tool => {}
        }
    }
    Finding {
        summary: summary(packages),
        details: packages.iter().map(Package::line).collect(),
        violations,
    }
}

fn too_long(package: &Package) -> Violation {
    let what = format!(
        "{} has {} lines, and a platform's crate may have {MOST}",
        package.name,
        package.lines()
    );
    Violation::new("lines", what)
}

/// The lines of a shared crate that name a platform without being there for that.
fn namings(package: &Package) -> impl Iterator<Item = Violation> {
    let files = package.files.iter().filter(|file| !file.is_the_choice());
    files.flat_map(|file| {
        file.names_platform.iter().map(|line| {
            let what = format!(
                "{}:{line} names a platform, which only the core's platform.rs may",
                file.path
            );
            Violation::new("lines", what)
        })
    })
}

/// The share that a platform has in the kernel that all of them make.
fn summary(packages: &[Package]) -> String {
    let sum = |role: Role| -> usize { packages.iter().filter(|one| one.role == role).map(Package::lines).sum() };
    let choice: usize = packages.iter().map(Package::specific_lines).sum::<usize>() - sum(Role::Platform);
    format!(
        "{} lines for all platforms, of which {choice} choose one; {} for one platform each, at most {MOST} a crate",
        sum(Role::Shared),
        sum(Role::Platform)
    )
}

#[cfg(test)]
mod tests;
