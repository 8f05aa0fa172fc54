//! The guest as `xl` is told about it: a configuration file in xl's own language.
//!
//! Two are written. One goes into dom0's RAM disk when the guest runs inside QEMU; it is as terse as a file that nobody
//! reads may be. The other lies beside the image after every build, for a real Xen host, and explains itself.
//!
//! Source: the manual page xl.cfg(5).

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// The guest's name, in both files and in dom0's log files.
pub const NAME: &str = "anyring";

/// A guest to be created.
#[derive(Debug, Clone)]
pub struct Guest<'a> {
    /// The kernel: an ELF file with Xen notes.
    pub kernel: &'a Path,
    /// Its command line.
    pub arguments: &'a str,
    /// Its memory, in MiB.
    pub memory: u32,
    /// Its virtual CPUs.
    pub cpus: u32,
    /// A file that is loaded beside the kernel.
    pub module: Option<&'a Path>,
    /// What it is run in.
    pub kind: Kind<'a>,
}

/// The kind of guest, in Xen's terms.
#[derive(Debug, Clone, Copy)]
pub enum Kind<'a> {
    /// Ring 3.
    Pv,
    /// Ring 0 of a virtual processor, which the hardware of the host must be able to share out.
    Pvh {
        /// An option ROM, for which such a guest has no other place than in front of its module.
        rom: Option<&'a Path>,
    },
}

impl Guest<'_> {
    /// The configuration for the dom0 inside QEMU, whose RAM disk has the kernel at `kernel` and the module, if there
    /// is one, at `module`.
    ///
    /// However the guest ends, it is kept, so that nothing it printed is lost; the machine ends soon after. The
    /// identity is fixed, since a random one waits seconds for entropy that a machine just started does not have.
    ///
    /// # Errors
    /// The command line cannot be written in a configuration file.
    pub fn inside_qemu(&self, kernel: &str, module: &str) -> Result<String> {
        let module = if self.has_ramdisk() {
            format!("ramdisk = {}\n", quoted(module)?)
        } else {
            String::new()
        };
        // The time-stamp counter as it is: a guest in ring 0 measures by it, and one whose readings Xen emulates counts another.
        let kind = match self.kind {
            Kind::Pv => "type = \"pv\"",
            Kind::Pvh { .. } => "type = \"pvh\"\ntsc_mode = \"native\"",
        };
        Ok(format!(
            "name = \"{NAME}\"\n{kind}\nuuid = \"616e7972-696e-6700-8000-000000000001\"\nkernel = {}\n\
             extra = {}\nmemory = {}\nvcpus = {}\non_poweroff = \"preserve\"\non_reboot = \"preserve\"\n\
             on_crash = \"preserve\"\n{}",
            quoted(kernel)?,
            quoted(self.arguments)?,
            self.memory,
            self.cpus,
            module
        ))
    }

    /// Whether anything is loaded beside the kernel.
    fn has_ramdisk(&self) -> bool {
        self.module.is_some() || matches!(self.kind, Kind::Pvh { rom: Some(_) })
    }

    /// What is loaded beside the kernel: the ROM, if there is one, padded to whole pages, and behind it the module.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn ramdisk(&self) -> Result<Option<Vec<u8>>> {
        let mut ramdisk = Vec::new();
        if let Kind::Pvh { rom: Some(rom) } = self.kind {
            ramdisk = read(rom)?;
            ramdisk.resize(ramdisk.len().next_multiple_of(PAGE), 0);
        }
        if let Some(module) = self.module {
            ramdisk.extend(read(module)?);
        }
        Ok(self.has_ramdisk().then_some(ramdisk))
    }

    /// The configuration for a real Xen host, with comments that say how to use and change it.
    ///
    /// # Errors
    /// The kernel's path or the command line cannot be written in a configuration file.
    pub fn for_a_real_host(&self) -> Result<String> {
        let template = include_str!("xen.cfg.in");
        Ok(template
            .replace("@NAME@", NAME)
            .replace("@KERNEL@", &quoted(&self.kernel.to_string_lossy())?)
            .replace("@ARGUMENTS@", &quoted(self.arguments)?)
            .replace("@MEMORY@", &self.memory.to_string())
            .replace("@CPUS@", &self.cpus.to_string()))
    }
}

/// The size of a page.
const PAGE: usize = 4096;

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

/// `text` as a string of xl's language.
fn quoted(text: &str) -> Result<String> {
    let mut result = String::from("\"");
    for character in text.chars() {
        ensure!(
            !character.is_control(),
            "a control character cannot be given to a guest: {text:?}"
        );
        if matches!(character, '"' | '\\') {
            result.push('\\');
        }
        result.write_char(character)?;
    }
    result.push('"');
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest() -> Guest<'static> {
        Guest {
            kernel: Path::new("/images/xen.elf"),
            arguments: "log=debug",
            memory: 64,
            cpus: 2,
            module: None,
            kind: Kind::Pv,
        }
    }

    #[test]
    fn both_files_describe_the_same_guest() {
        let inside = guest()
            .inside_qemu("/guest/kernel", "/guest/module")
            .expect("plain strings");
        let outside = guest().for_a_real_host().expect("plain strings");
        for line in [
            "name = \"anyring\"",
            "type = \"pv\"",
            "extra = \"log=debug\"",
            "memory = 64",
            "vcpus = 2",
        ] {
            assert!(inside.lines().any(|found| found == line), "{line} in {inside}");
            assert!(outside.lines().any(|found| found == line), "{line} in {outside}");
        }
        assert!(inside.contains("kernel = \"/guest/kernel\"") && outside.contains("kernel = \"/images/xen.elf\""));
        assert!(
            !outside.contains('@'),
            "a place in the template was not filled: {outside}"
        );
    }

    #[test]
    fn a_module_is_loaded_only_if_there_is_one() {
        let with = Guest {
            module: Some(Path::new("/files/root.cpio")),
            ..guest()
        };
        let loaded = |guest: &Guest<'_>| {
            guest
                .inside_qemu("/k", "/m")
                .expect("plain strings")
                .contains("ramdisk = \"/m\"")
        };
        assert!(loaded(&with) && !loaded(&guest()));
    }

    #[test]
    fn a_rom_lies_in_whole_pages_before_the_module() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let [rom, module] = ["a.rom", "module"].map(|name| folder.path().join(name));
        fs::write(&rom, [0x55; 5000]).expect("it can be written");
        fs::write(&module, b"module").expect("it can be written");
        let with = |rom: Option<&Path>, module: Option<&Path>| {
            let kind = Kind::Pvh { rom };
            let guest = Guest {
                module,
                kind,
                ..guest()
            };
            let configuration = guest.inside_qemu("/k", "/m").expect("plain strings");
            assert!(configuration.contains("type = \"pvh\"\ntsc_mode = \"native\"\n"));
            let ramdisk = guest.ramdisk().expect("the files are there");
            assert_eq!(configuration.contains("ramdisk = \"/m\""), ramdisk.is_some());
            ramdisk.map(|bytes| (bytes.len(), bytes.ends_with(b"\0module")))
        };
        assert_eq!(with(Some(&rom), Some(&module)), Some((8198, true)));
        assert_eq!(with(Some(&rom), None), Some((8192, false)));
        assert_eq!(with(None, Some(&module)), Some((6, false)));
        assert_eq!(with(None, None), None);
    }

    #[test]
    fn strings_are_quoted() {
        assert_eq!(quoted("log=info").expect("plain"), "\"log=info\"");
        assert_eq!(quoted(r#"a"b\c"#).expect("escapable"), r#""a\"b\\c""#);
        assert!(
            quoted("two\nlines")
                .expect_err("two lines")
                .to_string()
                .contains("control character")
        );
    }
}
