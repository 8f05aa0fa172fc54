//! With which Rust the image maker is built.

use crate::failure::Failure;
use crate::fetch::Provider;
use crate::fetch::need::{CARGO, LLD, LLVM, RUST_SOURCES, RUSTC, on_search_path};
use crate::toolchain::{finishes, running_cargo};
use anyhow::{Context, Result, ensure};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long rustup may take to download the components (about 70 MB).
const PATIENCE: Duration = Duration::from_secs(600);
/// The programs of LLVM that the `bootloader` crate runs.
const PROGRAMS: [&str; 2] = ["llvm-objdump", "llvm-objcopy"];

/// What to do if nothing else works.
const ADVICE: &str = "disk images need `rustup component add rust-src llvm-tools`, or as root \
     `apt-get install rustc-web cargo-web rust-web-src lld llvm`";

/// One of the two ways.
#[derive(Debug)]
pub enum Way {
    /// The Rust that built this program, with its sources and LLVM's programs beside it.
    Rustup,
    /// Debian's packages.
    Debian {
        /// `ld.lld`, which the build will find under the name `rust-lld`.
        linker: PathBuf,
        /// The folder with LLVM's programs.
        llvm: PathBuf,
    },
}

impl Way {
    /// The first way that works, fetched if need be.
    pub fn choose(provider: &Provider) -> Result<Self> {
        if components_are_here() || (rustup_adds_components() && components_are_here()) {
            return Ok(Self::Rustup);
        }
        for need in [&CARGO, &RUSTC, &RUST_SOURCES] {
            let found = provider.provide(need)?;
            ensure!(found.unpacked.is_none(), Failure::Missing.error(ADVICE));
        }
        let (linker, llvm) = (provider.provide(&LLD)?.path, provider.provide(&LLVM)?.path);
        Ok(Self::Debian {
            linker,
            llvm: folder_of(&llvm),
        })
    }

    /// The ways that work with what is on this machine now.
    pub fn here(provider: &Provider) -> Vec<Self> {
        let installed = [&CARGO, &RUSTC, &RUST_SOURCES]
            .iter()
            .all(|need| need.installed().is_some());
        let tools = provider.find(&LLD).zip(provider.find(&LLVM)).filter(|_| installed);
        let debian = tools.map(|(lld, llvm)| Self::Debian {
            linker: lld.path,
            llvm: folder_of(&llvm.path),
        });
        components_are_here()
            .then_some(Self::Rustup)
            .into_iter()
            .chain(debian)
            .collect()
    }

    /// The version of the compiler, as part of a file name.
    pub fn version(&self) -> Result<String> {
        let compiler = match self {
            Self::Rustup => "rustc",
            Self::Debian { .. } => "/usr/bin/rustc",
        };
        let answer = Command::new(compiler)
            .arg("--version")
            .output()
            .context("cannot run rustc")?;
        let text = String::from_utf8(answer.stdout).context("rustc's version is no text")?;
        let words: Vec<&str> = text.split_whitespace().skip(1).take(1).collect();
        ensure!(!words.is_empty(), "rustc names no version: {text}");
        Ok(words.concat())
    }

    /// Cargo with the environment it needs; `folder` is for helper files.
    pub fn cargo(&self, folder: &Path) -> Result<Command> {
        let mut cargo = match self {
            Self::Rustup => Command::new(running_cargo()),
            Self::Debian { linker, llvm } => debian_cargo(folder, linker, llvm)?,
        };
        cargo.env("RUSTC_BOOTSTRAP", "1");
        // Whatever the caller set for the host or the kernel is not meant for the boot loader's stages.
        for variable in [
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_TARGET_DIR",
        ] {
            cargo.env_remove(variable);
        }
        Ok(cargo)
    }
}

/// The folder a program lies in.
fn folder_of(program: &Path) -> PathBuf {
    program.parent().unwrap_or(Path::new("/")).to_owned()
}

/// Whether the compiler on the search path has the sources of its library, and LLVM's programs.
pub fn components_are_here() -> bool {
    let Ok(answer) = Command::new("rustc").args(["--print", "sysroot"]).output() else {
        return false;
    };
    let library = PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim()).join("lib/rustlib");
    let Ok(hosts) = fs::read_dir(&library) else {
        return false;
    };
    let has_programs = |host: PathBuf| PROGRAMS.iter().all(|program| host.join("bin").join(program).exists());
    library.join("src/rust/library/Cargo.lock").exists() && hosts.flatten().any(|host| has_programs(host.path()))
}

/// Lets rustup add both components, with a time limit.
fn rustup_adds_components() -> bool {
    if on_search_path("rustup").is_none() {
        return false;
    }
    eprintln!("asking rustup for the components rust-src and llvm-tools");
    let mut rustup = Command::new("rustup");
    finishes(
        rustup
            .args(["component", "add", "rust-src", "llvm-tools"])
            .stdin(Stdio::null()),
        PATIENCE,
    )
}

/// Debian's cargo, in a surrounding that looks like rustup's to the `bootloader` crate.
///
/// The crate asks `rustc --print sysroot` for the folder of LLVM's programs, and the linker of its targets is called
/// `rust-lld`. Debian has both elsewhere and under other names, so a folder is made where they are as expected, and a
/// `rustc` that answers that one question with this folder and is Debian's in everything else.
fn debian_cargo(folder: &Path, linker: &Path, llvm: &Path) -> Result<Command> {
    let (programs, sysroot) = (folder.join("programs"), folder.join("sysroot"));
    let tools = sysroot.join("lib/rustlib/tools/bin");
    fs::create_dir_all(&programs)?;
    fs::create_dir_all(&tools)?;
    symlink(linker, programs.join("rust-lld"))?;
    for program in PROGRAMS {
        symlink(llvm.join(program), tools.join(program))?;
    }
    let wrapper = programs.join("rustc");
    fs::write(&wrapper, wrapper_script(&sysroot))?;
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))?;
    let mut cargo = Command::new("/usr/bin/cargo");
    cargo
        .env("PATH", search_path(&programs)?)
        .env("RUSTC", "/usr/bin/rustc")
        .env_remove("RUSTUP_TOOLCHAIN");
    Ok(cargo)
}

/// The stand-in for `rustc --print sysroot`.
fn wrapper_script(sysroot: &Path) -> String {
    format!(
        "#!/bin/sh\n[ \"$*\" = \"--print sysroot\" ] && {{ echo '{}'; exit 0; }}\nexec /usr/bin/rustc \"$@\"\n",
        sysroot.display()
    )
}

/// `first`, then Debian's own programs, then the rest of the search path.
fn search_path(first: &Path) -> Result<OsString> {
    let rest = env::var_os("PATH").unwrap_or_default();
    let folders = [first.to_owned(), "/usr/bin".into()]
        .into_iter()
        .chain(env::split_paths(&rest));
    env::join_paths(folders).context("the cache folder's name cannot be part of PATH")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stand_in_answers_one_question_itself() {
        let script = wrapper_script(Path::new("/cache/sysroot"));
        let answer = Command::new("sh")
            .args(["-c", &script, "rustc", "--print", "sysroot"])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(answer.stdout).unwrap(), "/cache/sysroot\n");
    }

    #[test]
    fn the_compiler_has_a_version() {
        let version = Way::Rustup.version().unwrap();
        assert!(version.starts_with(|first: char| first.is_ascii_digit()), "{version}");
    }
}
