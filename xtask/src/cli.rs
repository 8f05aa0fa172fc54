//! The command line: one verb each for what a person does with the project.
//!
//! The doc comments below are the text of `cargo xtask --help` and are written for the reader of that page.

use crate::platform::Platform;
use crate::rom;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::str::FromStr;

/// What stands below the list of verbs.
const EXAMPLES: &str = "\
Examples:
  cargo xtask run                                    the kernel on the bare (emulated) machine
  cargo xtask run --features xen                     as dom0 under the Xen hypervisor
  cargo xtask run --features xen --as domu           as an ordinary guest, created by xl under a Linux dom0
  cargo xtask run --features vmi --rom soft-if       on the platform that an option ROM provides
  cargo xtask run --features paravirt --on xen       one image for all platforms, here under Xen
  cargo xtask run --features vmi --on xen            as PVH dom0: an image for bare machines, on those that Xen makes
  cargo xtask run --features vmi --on xen-domu       and as PVH guest, created by xl under a Linux dom0
  cargo xtask run --boot uefi                        from a disk image, as on a real PC
  cargo xtask run --module ./program                 with your own static program, for `run` at the prompt
  cargo xtask run --log debug -- panic=halt          words after -- are the kernel's own arguments
  cargo xtask test                                   everything; a table for each platform and one closing line
  cargo xtask audit --features xen                   what is proved on the image, rule by rule
  cargo xtask sites --rom soft-if                    what a ROM makes of each operation in the vmi kernel
  cargo xtask new-rom kvm --into ..                  a ROM of your own in ../kvm, complete and bootable, to begin with
  cargo xtask run --features vmi --rom ../kvm        builds and boots it
  cargo xtask sites -F paravirt --platform xen       what an image of several platforms makes of itself under Xen
  cargo xtask bench --compare docs/bench.json        what each operation costs; status 1 if a bar is missed or more was lost

Exit status of run, test and soak:
  0..63  the kernel's own (62: the domU crashed)
  64     the command line is wrong
  65     a build failed
  66     the machine ended without a verdict of the kernel (a triple fault, or an error of QEMU)
  67     the time limit passed
  69     something is missing and could not be fetched; the message says what to install
  70     the host failed otherwise";

/// Build, run, test and debug Anyring: one kernel core, compiled for the platform you name, or for several.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = EXAMPLES, version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// Install no program on this machine, even as root: unpack what is missing into the cache folder.
    #[arg(long, global = true)]
    pub no_install: bool,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Build the kernel and its programs, check the images, print where they are and how big.
    Build(Image),
    /// Boot the kernel and attach the terminal to its console (Ctrl-A X leaves).
    Run(Run),
    /// Run the host's tests and, on every platform and in every way to boot it, the kernel's own.
    Test(Test),
    /// Measure what the kernel's operations cost on each platform, in instructions, and say which bars are met.
    Bench(Bench),
    /// Take the optimised images apart and prove on them what the project claims; status 1 if a rule is broken.
    Audit(Audit),
    /// List every place of a kernel that a ROM, or being under Xen, may change, and what became of it; status 1 if anything else was changed.
    Sites(Sites),
    /// Make a ROM of your own, for a vmi kernel on your hypervisor, from the template; prints what to type next.
    NewRom(NewRom),
    /// Build a ROM, and print where it is and what a kernel reads in its header.
    Rom(Rom),
    /// Make disk images that boot by BIOS and by UEFI, in QEMU or from a USB stick.
    Image(Image),
    /// Boot many times in a row; no boot may fail.
    Soak(Soak),
    /// List everything a run may need: found where, or fetched from where and how big.
    Doctor,
    /// Formatting, lints on the host and for every platform, documentation: all without a warning.
    Check(Check),
}

/// Which image.
#[derive(Debug, Clone, Args)]
pub struct Image {
    /// The platform: native, xen or vmi; or paravirt for one image that is all of them, paravirt,native,xen for some.
    #[arg(long, short = 'F', value_name = "PLATFORM", default_value = "native")]
    pub features: Vec<String>,
    /// Optimised, as it is measured and shipped.
    #[arg(long, short)]
    pub release: bool,
}

/// How to start a machine and what to tell the kernel.
#[derive(Debug, Clone, Args)]
pub struct Run {
    /// Which image.
    #[command(flatten)]
    pub image: Image,
    /// The machine it boots on.
    #[command(flatten)]
    pub machine: MachineArgs,
    /// Wait for a debugger before the first instruction; prints the two lines to type.
    #[arg(long)]
    pub gdb: bool,
    /// One instruction is one nanosecond: figures repeat to the digit.
    #[arg(long)]
    pub icount: bool,
    /// The least severe messages the kernel shows.
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub log: Option<LogLevel>,
    /// Arguments for the kernel, such as `test=all` or `panic=halt`.
    #[arg(last = true, value_name = "KERNEL ARGUMENTS")]
    pub arguments: Vec<String>,
}

/// The machine a kernel boots on.
#[derive(Debug, Clone, Default, Args)]
pub struct MachineArgs {
    /// Where to boot: as which of its platforms (paravirt; the first of native, vmi and xen that it has if not given); or beneath Xen what
    /// is not for Xen (native and vmi, as PVH guest).
    #[arg(long, value_enum, value_name = "PLACE")]
    pub on: Option<On>,
    /// Who loads the kernel (native and vmi on a machine without Xen; pvh if not given).
    #[arg(long, value_enum)]
    pub boot: Option<Boot>,
    /// Which machine QEMU emulates (native and vmi, without Xen; pc if not given).
    #[arg(long, value_enum)]
    pub machine: Option<Machine>,
    /// As which domain of Xen's it runs (xen, or `--on xen`; dom0 if not given).
    #[arg(long = "as", value_enum, value_name = "DOMAIN")]
    pub domain: Option<Domain>,
    /// The option ROM in the machine: native, call, soft-if or another ROM of vmi-rom, none, the folder of a ROM's crate, or a file
    /// (vmi; native if not given, beneath Xen xen).
    #[arg(long, value_name = "ROM")]
    pub rom: Option<RomChoice>,
    /// The boot module, a static Linux program for `run` at the prompt (run: the project's own programs if not given).
    #[arg(long, value_name = "FILE")]
    pub module: Option<PathBuf>,
    /// Number of CPUs of the kernel's machine.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub smp: Option<u32>,
    /// Memory of the kernel's machine: 32M, 1G; a plain number is MiB.
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<Memory>,
}

/// Where an image is booted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum On {
    /// A machine without a hypervisor, no ROM looked for.
    Native,
    /// The Xen hypervisor: as PV guest if the image is for xen, else as PVH guest.
    Xen,
    /// The same, as a guest that `xl create` builds: short for `--on xen --as domu`.
    XenDomu,
    /// A machine whose option ROM is looked for.
    Vmi,
}

impl From<Platform> for On {
    fn from(platform: Platform) -> Self {
        match platform {
            Platform::Native => Self::Native,
            Platform::Xen => Self::Xen,
            Platform::Vmi => Self::Vmi,
        }
    }
}

/// Who loads the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Boot {
    /// QEMU itself, by the PVH entry: no firmware screen, a tenth of a second.
    #[default]
    Pvh,
    /// The bootloader crate, started by a BIOS from a disk image.
    Bios,
    /// The bootloader crate, started by UEFI firmware from a disk image.
    Uefi,
}

/// Which machine QEMU emulates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Machine {
    /// The i440FX PC of 1996.
    #[default]
    Pc,
    /// The Q35 PC of 2007, with PCI Express.
    Q35,
    /// QEMU's minimal machine without PCI.
    Microvm,
}

/// As which domain a Xen kernel runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Domain {
    /// The first domain, which the hypervisor itself builds.
    Dom0,
    /// A guest that `xl create` builds under a Linux dom0.
    Domu,
}

/// The least severe messages shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// What keeps the kernel from going on.
    Error,
    /// What was not expected, and gone on from.
    Warn,
    /// What a user wants to know.
    Info,
    /// What a developer wants to know.
    Debug,
    /// Everything.
    Trace,
}

/// The option ROM a vmi kernel finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RomChoice {
    /// None at all: the kernel keeps its compiled-in operations.
    None,
    /// One of the ROMs of `vmi-rom`, by name.
    Built(String),
    /// The crate in this folder.
    Crate(PathBuf),
    /// Any file.
    File(PathBuf),
}

impl FromStr for RomChoice {
    type Err = String;

    /// `none`, the name of a ROM, or the path of a crate or of a file that exists.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            name if rom::is_name(name) => Ok(Self::Built(name.to_owned())),
            path if PathBuf::from(path).is_file() => Ok(Self::File(path.into())),
            path if PathBuf::from(path).join(rom::MANIFEST).is_file() => Ok(Self::Crate(path.into())),
            other => Err(format!(
                "`{other}` is neither a file, nor the folder of a crate, nor one of none, {}, or another name in {}",
                rom::NAMES.join(", "),
                rom::SOURCES
            )),
        }
    }
}

/// An amount of memory in MiB, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory(pub u32);

impl FromStr for Memory {
    type Err = String;

    /// A number of MiB, or a number with the suffix M or G.
    fn from_str(text: &str) -> Result<Self, String> {
        let (digits, factor) = match text.as_bytes().last() {
            Some(b'G' | b'g') => (&text[..text.len() - 1], 1024),
            Some(b'M' | b'm') => (&text[..text.len() - 1], 1),
            _ => (text, 1),
        };
        let number: u32 = digits
            .parse()
            .map_err(|_| format!("`{text}` is no amount of memory such as 128M or 1G"))?;
        match number.checked_mul(factor) {
            Some(mebibytes @ 1..) => Ok(Self(mebibytes)),
            _ => Err(format!("`{text}` is out of range")),
        }
    }
}

/// What to test.
#[derive(Debug, Clone, Args)]
pub struct Test {
    /// Only these platforms, or paravirt with some or all of them; may be given several times (each of them, and paravirt, if not given).
    #[arg(long, short = 'F', value_name = "PLATFORM,…")]
    pub features: Vec<String>,
    /// The optimised images.
    #[arg(long, short)]
    pub release: bool,
}

/// What to measure, and what to do with the figures.
#[derive(Debug, Clone, Args)]
pub struct Bench {
    /// Only these platforms, or paravirt, the one image of all, which is measured on a bare machine and under Xen, with native and xen
    /// beside it; may be given several times (each of them, and paravirt, if not given).
    #[arg(long, short = 'F', value_name = "PLATFORM,…")]
    pub features: Vec<String>,
    /// Print the figures as JSON instead of as a table.
    #[arg(long)]
    pub json: bool,
    /// Write the figures to docs/bench.json, the tables into docs/bench.md and the chart to docs/bench.svg.
    #[arg(long)]
    pub save: bool,
    /// Fail if an operation costs over 2 % more, or goes below the kernel more often, than in this file, such as docs/bench.json.
    #[arg(long, value_name = "FILE")]
    pub compare: Option<PathBuf>,
}

/// What to audit.
#[derive(Debug, Clone, Args)]
pub struct Audit {
    /// Only these platforms, or paravirt with some or all of them, whose code is looked at as it is on machines that booted it;
    /// may be given several times (each of them, and paravirt, if not given).
    #[arg(long, short = 'F', value_name = "PLATFORM,…")]
    pub features: Vec<String>,
    /// Show everything that was looked at, not only what is wrong.
    #[arg(long, short)]
    pub verbose: bool,
    /// Write the references, sizes and tables that are committed.
    #[arg(long)]
    pub save: bool,
    /// Show by how much the code of each crate differs from the sizes in this file, such as docs/size.json.
    #[arg(long, value_name = "FILE")]
    pub compare: Option<PathBuf>,
}

/// Which sites to list.
#[derive(Debug, Clone, Args)]
pub struct Sites {
    /// The image: vmi; or paravirt for the one that is all platforms, paravirt,native,xen for some. A release image always.
    #[arg(long, short = 'F', value_name = "PLATFORM,…", default_value = "vmi")]
    pub features: Vec<String>,
    /// The platform to boot an image of several on (paravirt; the first of native, vmi and xen that it has if not given).
    #[arg(long, visible_alias = "on", value_enum, value_name = "PLATFORM")]
    pub platform: Option<Platform>,
    /// Only with this ROM: native, call, soft-if, none, a folder or a file, as for run (vmi; may be given several times; native, call and soft-if if not given).
    #[arg(long = "rom", value_name = "ROM")]
    pub roms: Vec<RomChoice>,
    /// Only what became of all sites together, a line for each machine that the image was booted on.
    #[arg(long)]
    pub summary: bool,
}

/// Which ROM to make.
#[derive(Debug, Clone, Args)]
pub struct NewRom {
    /// How it is called, in its header and everywhere else: lower-case letters, digits and hyphens, 16 at the most.
    pub name: String,
    /// Make it a crate of its own, the folder NAME in this one, instead of a binary of vmi-rom.
    #[arg(long, value_name = "FOLDER")]
    pub into: Option<PathBuf>,
}

/// Which ROM to build.
#[derive(Debug, Clone, Args)]
pub struct Rom {
    /// Its name, the folder of its crate, or a finished file.
    #[arg(value_name = "ROM")]
    pub rom: RomChoice,
}

/// What to boot again and again.
#[derive(Debug, Clone, Args)]
pub struct Soak {
    /// Which image.
    #[command(flatten)]
    pub image: Image,
    /// The machine it boots on.
    #[command(flatten)]
    pub machine: MachineArgs,
    /// How many boots.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub count: u32,
}

/// What to check.
#[derive(Debug, Clone, Args)]
pub struct Check {
    /// Only these platforms, or paravirt with some or all of them; may be given several times (each of them, and paravirt, if not given).
    #[arg(long, short = 'F', value_name = "PLATFORM,…")]
    pub features: Vec<String>,
}

#[cfg(test)]
mod tests;
