//! Which Rust compiles for the bare machine.
//!
//! The kernel is plain stable Rust, but its target, `x86_64-unknown-none`, is not part of a fresh installation. Three
//! ways are tried in turn: the target is installed; `rustup` can add it; or Debian has a Rust of its own, with the
//! sources of the standard library, from which cargo compiles the parts the kernel uses. The last needs unstable
//! options of cargo (never of the language), and a linker, since Debian's Rust comes without `rust-lld`.

use crate::failure::Failure;
use crate::fetch::Provider;
use crate::fetch::need::{CARGO, LLD, RUST_SOURCES, RUSTC, on_search_path};
use crate::paths::Paths;
use anyhow::{Result, ensure};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The target of everything that runs without an operating system below it.
pub const BARE: &str = "x86_64-unknown-none";
/// How long `rustup` may take to download the target (about 10 MB).
const PATIENCE: Duration = Duration::from_secs(300);

/// A Rust that can compile for the bare machine.
#[derive(Debug, Clone)]
pub struct Toolchain {
    kind: Kind,
    target: PathBuf,
    root: PathBuf,
}

/// Where it comes from.
#[derive(Debug, Clone)]
enum Kind {
    /// The cargo that runs this program; the target is installed.
    Installed,
    /// Debian's packages: cargo, compiler, linker.
    Debian {
        cargo: PathBuf,
        rustc: PathBuf,
        linker: PathBuf,
    },
}

impl Toolchain {
    /// The first toolchain that works; says on standard error which.
    ///
    /// # Errors
    /// [`Failure::Missing`]: none of the three ways works.
    pub fn choose(paths: &Paths, provider: &Provider) -> Result<Self> {
        let kind = if target_installed() {
            Kind::Installed
        } else if added_by_rustup() {
            eprintln!("toolchain: rustup added the target {BARE}");
            Kind::Installed
        } else {
            debian(provider)?
        };
        Ok(Self {
            kind,
            target: paths.target.clone(),
            root: paths.root.clone(),
        })
    }

    /// `cargo VERB` in the workspace, for the host.
    pub fn cargo(&self, verb: &str) -> Command {
        self.cargo_into(verb, &self.target)
    }

    /// The same, with what it builds in a folder of its own.
    pub fn cargo_into(&self, verb: &str, folder: &Path) -> Command {
        let mut cargo = Command::new(running_cargo());
        cargo.arg(verb).current_dir(&self.root).arg("--target-dir").arg(folder);
        cargo
    }

    /// `cargo VERB --target x86_64-unknown-none` in the workspace.
    ///
    /// Flags from the environment are dropped: they would replace those of the workspace, without which the kernel is
    /// linked where no machine can start it.
    pub fn bare_cargo(&self, verb: &str) -> Command {
        let mut cargo = match &self.kind {
            Kind::Installed => self.cargo(verb),
            Kind::Debian { cargo, rustc, linker } => self.debian_cargo(verb, cargo, rustc, linker),
        };
        cargo
            .args(["--target", BARE])
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        cargo
    }

    /// Where cargo puts what it builds for the bare machine, below which are `debug` and `release`.
    pub fn bare_output(&self) -> PathBuf {
        self.bare_target().join(BARE)
    }

    /// The toolchain in a few words.
    pub fn describe(&self) -> String {
        match &self.kind {
            Kind::Installed => format!("{}, target {BARE} installed", version(Path::new("rustc"))),
            Kind::Debian { rustc, linker, .. } => {
                format!(
                    "{} of Debian, standard library built from source, linker {}",
                    version(rustc),
                    linker.display()
                )
            }
        }
    }

    /// Cargo's target folder; Debian's compiler has its own, since cargo would rebuild everything at each change.
    fn bare_target(&self) -> PathBuf {
        match self.kind {
            Kind::Installed => self.target.clone(),
            Kind::Debian { .. } => self.target.join("debian"),
        }
    }

    /// Debian's cargo, which compiles the standard library first.
    fn debian_cargo(&self, verb: &str, cargo: &Path, rustc: &Path, linker: &Path) -> Command {
        let mut command = Command::new(cargo);
        command
            .arg(verb)
            .current_dir(&self.root)
            .arg("--target-dir")
            .arg(self.bare_target());
        command.args(["-Zbuild-std=core,alloc", "-Zbuild-std-features=compiler-builtins-mem"]);
        command
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTC", rustc)
            .env_remove("RUSTUP_TOOLCHAIN");
        command.env("CARGO_TARGET_X86_64_UNKNOWN_NONE_LINKER", linker);
        command
    }
}

/// The cargo that started this program, else the one on the search path.
pub fn running_cargo() -> OsString {
    env::var_os("CARGO").unwrap_or("cargo".into())
}

/// Whether the standard library for the bare machine is there: the compiler names the folder even if it is not.
pub fn target_installed() -> bool {
    let answer = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", BARE])
        .output();
    let Ok(answer) = answer else { return false };
    let folder = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    let Ok(files) = fs::read_dir(folder) else { return false };
    files
        .flatten()
        .any(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
}

/// Lets rustup add the target, with a time limit: without a network it may wait long.
fn added_by_rustup() -> bool {
    if on_search_path("rustup").is_none() {
        return false;
    }
    eprintln!("toolchain: the target {BARE} is not installed; asking rustup");
    finishes(
        Command::new("rustup")
            .args(["target", "add", BARE])
            .stdin(Stdio::null()),
        PATIENCE,
    ) && target_installed()
}

/// Whether `command` succeeds within `limit`; it is killed after that.
pub fn finishes(command: &mut Command, limit: Duration) -> bool {
    let Ok(mut child) = command.spawn() else { return false };
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => thread::sleep(Duration::from_millis(100)),
            Err(_) => return false,
        }
    }
    // Both fail only if it has ended by itself meanwhile, which is just as good.
    drop(child.kill());
    drop(child.wait());
    false
}

/// Debian's Rust with a linker.
fn debian(provider: &Provider) -> Result<Kind> {
    eprintln!("toolchain: rustup cannot add it; trying Debian's Rust");
    let cargo = provider.provide(&CARGO)?;
    let rustc = provider.provide(&RUSTC)?;
    let sources = provider.provide(&RUST_SOURCES)?;
    let linker = match on_search_path("rust-lld").or_else(|| on_search_path("ld.lld")) {
        Some(linker) => linker,
        None => provider.provide(&LLD)?.path,
    };
    // Compiler and sources find each other, and their libraries, only where Debian puts them.
    let installed = [&cargo, &rustc, &sources].iter().all(|found| found.unpacked.is_none());
    ensure!(
        installed,
        Failure::Missing.error(format!(
            "no Rust for {BARE}: `rustup target add {BARE}`, or as root \
             `apt-get install rustc-web cargo-web rust-web-src lld`"
        ))
    );
    let kind = Kind::Debian {
        cargo: cargo.path,
        rustc: rustc.path,
        linker,
    };
    Ok(kind)
}

/// What a compiler calls itself.
fn version(rustc: &Path) -> String {
    let answer = Command::new(rustc).arg("--version").output();
    answer.map_or("no rustc".into(), |answer| {
        String::from_utf8_lossy(&answer.stdout).trim().to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_hangs_is_ended() {
        let started = Instant::now();
        assert!(!finishes(Command::new("sleep").arg("60"), Duration::from_millis(200)));
        assert!(started.elapsed() < Duration::from_secs(30));
        assert!(finishes(&mut Command::new("true"), Duration::from_secs(30)));
        assert!(!finishes(&mut Command::new("false"), Duration::from_secs(30)));
        assert!(!finishes(
            &mut Command::new("/no/such/program"),
            Duration::from_secs(30)
        ));
    }
}
