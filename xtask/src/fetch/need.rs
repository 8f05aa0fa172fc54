//! The programs and files a run may need, and the Debian packages that have them.

use std::env;
use std::path::{Path, PathBuf};

/// A program or file that comes with a Debian package.
#[derive(Debug, PartialEq, Eq)]
pub struct Need {
    /// What it is called.
    pub name: &'static str,
    /// What it is needed for, as the end of the sentence "needed for".
    pub purpose: &'static str,
    /// The package.
    pub package: &'static str,
    /// The file in the package, without the leading slash.
    pub file: &'static str,
}

/// The machine emulator.
pub const QEMU: Need = Need {
    name: "QEMU",
    purpose: "running anything",
    package: "qemu-system-x86",
    file: "usr/bin/qemu-system-x86_64",
};

/// UEFI firmware for QEMU.
pub const OVMF: Need = Need {
    name: "OVMF",
    purpose: "--boot uefi",
    package: "ovmf",
    file: "usr/share/ovmf/OVMF.fd",
};

/// A linker for Debian's Rust, which has none of its own.
pub const LLD: Need = Need {
    name: "lld",
    purpose: "Debian's Rust, if rustup has no target",
    package: "lld",
    file: "usr/bin/ld.lld",
};

/// Debian's own compiler, the last resort.
pub const RUSTC: Need = Need {
    name: "rustc-web",
    purpose: "the same",
    package: "rustc-web",
    file: "usr/bin/rustc",
};

/// Debian's own cargo.
pub const CARGO: Need = Need {
    name: "cargo-web",
    purpose: "the same",
    package: "cargo-web",
    file: "usr/bin/cargo",
};

/// The sources of Debian's standard library, from which it is compiled for the bare machine.
pub const RUST_SOURCES: Need = Need {
    name: "rust-web-src",
    purpose: "the same",
    package: "rust-web-src",
    file: "usr/lib/rustlib/src/rust/library/Cargo.lock",
};

/// Programs of LLVM that read and copy object files.
pub const LLVM: Need = Need {
    name: "llvm",
    purpose: "disk images, if rustup has no llvm-tools",
    package: "llvm",
    file: "usr/bin/llvm-objcopy",
};

impl Need {
    /// The file, if it is installed on this machine: at Debian's place, or, for a program, anywhere on the search path.
    pub fn installed(&self) -> Option<PathBuf> {
        let at_its_place = Path::new("/").join(self.file);
        if at_its_place.exists() {
            return Some(at_its_place);
        }
        let program = self.file.strip_prefix("usr/bin/").filter(|_| !self.is_debians_own())?;
        on_search_path(program)
    }

    /// Whether only Debian's file will do, and not one of the same name that rustup put on the search path.
    fn is_debians_own(&self) -> bool {
        [RUSTC, CARGO].contains(self)
    }
}

/// The first `program` on the search path.
pub fn on_search_path(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_on_the_search_path() {
        assert!(on_search_path("sh").is_some());
        assert_eq!(on_search_path("no-such-program-anywhere"), None);
    }

    #[test]
    fn files_are_relative_so_that_they_can_be_looked_for_below_any_root() {
        for need in [QEMU, OVMF, LLD, RUSTC, CARGO, RUST_SOURCES, LLVM] {
            assert!(Path::new(need.file).is_relative(), "{}", need.name);
        }
    }
}
