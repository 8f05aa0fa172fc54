//! From sources to images that a machine can start.
//!
//! Cargo compiles and links; what follows makes the result trustworthy. Debug information is split off, because a
//! machine loads the whole file. The ELF notes are checked, because a hypervisor that misses one says so in its own
//! terms, seconds later, on a console nobody may be watching. And the sizes are printed at every build, so that growth
//! is noticed by whoever causes it.

pub mod notes;
pub mod paravirt_sites;
pub mod size;
pub mod strip;

use crate::configuration::Configuration;
use crate::domu;
use crate::failure::Failure;
use crate::places;
use crate::platform::Platform;
use crate::programs;
use crate::workshop::Workshop;
use anyhow::{Context, Result, ensure};
use object::ObjectSymbol;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The two files of one image.
#[derive(Debug, Clone)]
pub struct Built {
    /// With debug information: for debuggers and for the names in backtraces.
    pub full: PathBuf,
    /// Without: what machines start.
    pub stripped: PathBuf,
}

/// Builds the kernel in this configuration, and the programs that it can be given.
///
/// # Errors
/// [`Failure::Build`]: see [`kernel`] and [`programs::build`].
pub fn all(workshop: &Workshop, configuration: &Configuration, release: bool) -> Result<()> {
    kernel(workshop, configuration, release)?;
    let programs = programs::build(workshop)?;
    let sizes = size::of(&fs::read(&programs)?).context("cannot measure the programs")?;
    eprintln!("{}: {sizes}", workshop.paths.shown(&programs));
    Ok(())
}

/// Builds the kernel in this configuration, checks the image, and prints where it is and how big.
///
/// # Errors
/// [`Failure::Build`]: it does not compile, or the image lacks what a platform requires, named one by one.
pub fn kernel(workshop: &Workshop, configuration: &Configuration, release: bool) -> Result<Built> {
    let profile = if release { "release" } else { "debug" };
    let built = variant(
        workshop,
        configuration,
        profile,
        &configuration.features(),
        &format!("{configuration}-{profile}"),
    )?;
    if configuration.platforms().contains(&Platform::Xen) {
        write_xl_config(configuration, &built)?;
    }
    Ok(built)
}

/// Builds the optimised kernel that also counts how often it goes below itself: for measuring, never for shipping.
///
/// # Errors
/// As [`kernel`].
pub fn counting_kernel(workshop: &Workshop, platform: Platform) -> Result<Built> {
    let configuration = Configuration::Single(platform);
    let features = format!("{},count-calls", configuration.features());
    let name = format!("{platform}-counting");
    variant(workshop, &configuration, "release", &features, &name)
}

/// Builds the kernel with `features` of its package, as the image called `name`.
fn variant(
    workshop: &Workshop,
    configuration: &Configuration,
    profile: &str,
    features: &str,
    name: &str,
) -> Result<Built> {
    let toolchain = workshop.toolchain()?;
    let mut cargo = toolchain.bare_cargo("build");
    cargo.args(["--package", "kernel-core", "--bin", "anyring"]);
    cargo.args(["--features", features]);
    cargo.args((profile == "release").then_some("--release"));
    compile(&mut cargo, &format!("the kernel for {configuration}"))?;
    let output = toolchain.bare_output().join(profile).join("anyring");
    let built = keep(workshop, &output, name)?;
    check(configuration, &built)?;
    report(workshop, &built)?;
    Ok(built)
}

/// Runs a `cargo build`, whose own messages go to standard error.
pub fn compile(cargo: &mut Command, what: &str) -> Result<()> {
    let status = cargo.status().context("cannot run cargo")?;
    ensure!(
        status.success(),
        Failure::Build.error(format!("{what} could not be built"))
    );
    Ok(())
}

/// Copies the linked file to the folder of images and makes the stripped one beside it.
fn keep(workshop: &Workshop, output: &Path, name: &str) -> Result<Built> {
    let folder = workshop.paths.images()?;
    let built = Built {
        full: folder.join(format!("{name}.elf")),
        stripped: folder.join(format!("{name}.stripped.elf")),
    };
    let mut image = fs::read(output).with_context(|| format!("cannot read {}", output.display()))?;
    paravirt_sites::sort(&mut image).with_context(|| format!("cannot use {}", output.display()))?;
    let stripped = strip::stripped(&image).with_context(|| format!("cannot strip {}", output.display()))?;
    write(&built.full, &image)?;
    write(&built.stripped, &stripped)?;
    Ok(built)
}

/// Refuses an image that one of its platforms would not start.
fn check(configuration: &Configuration, built: &Built) -> Result<()> {
    let read = |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let full = read(&built.full)?;
    let symbols = places::symbols(&object::File::parse(&*full)?, ObjectSymbol::address);
    let wrong = notes::complaints(configuration.platforms(), &read(&built.stripped)?, &symbols);
    ensure!(
        wrong.is_empty(),
        Failure::Build.error(format!("the image would not boot:\n  {}", wrong.join("\n  ")))
    );
    Ok(())
}

/// Writes the configuration for `xl` on a real Xen host beside the image.
fn write_xl_config(configuration: &Configuration, built: &Built) -> Result<()> {
    let guest = domu::Guest {
        kernel: &built.stripped,
        arguments: "",
        memory: 64,
        cpus: 1,
        module: None,
        kind: domu::Kind::Pv,
    };
    domu::write_config(&built.stripped.with_file_name(format!("{configuration}.cfg")), &guest)
}

/// Prints the image's place and sizes.
fn report(workshop: &Workshop, built: &Built) -> Result<()> {
    let bytes = fs::read(&built.stripped)?;
    let sizes = size::of(&bytes).context("cannot measure the image")?;
    eprintln!("{}: {sizes}", workshop.paths.shown(&built.stripped));
    Ok(())
}

/// Writes a file that another run of xtask may be reading at this moment: complete, or as it was.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().context("a file needs a folder")?;
    let mut file =
        tempfile::NamedTempFile::new_in(folder).with_context(|| format!("cannot write {}", folder.display()))?;
    std::io::Write::write_all(&mut file, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    file.persist(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}
