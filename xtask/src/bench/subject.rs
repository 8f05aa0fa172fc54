//! What is measured: an image, on the platform that it finds.
//!
//! An image of one platform finds that one, so the platform says it all. That of the parent finds whatever it is booted on, and its figures are
//! to be told from those of the images beside which they stand. So they have a name of their own, where others have their platform's. So has
//! that for vmi where it is a guest of Xen's with hardware assistance: there a ROM is to be worth something, and one is measured beside none.

use crate::cli::{On, RomChoice};
use crate::configuration::{Configuration, PARENT};
use crate::failure::Failure;
use crate::platform::Platform;
use crate::qemu::machine::{NESTED_PROCESSOR, OWN_PROCESSOR, SHARED_PROCESSOR};
use crate::rom;
use anyhow::{Result, ensure};

/// Where the image of the parent is measured: beside those whose operations it takes over. On vmi these are the ROM's.
const PLACES: [Platform; 2] = [Platform::Native, Platform::Xen];

/// An image where it is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The image for this platform alone.
    Single(Platform),
    /// That of the parent with all children, on this platform.
    Parent(Platform),
    /// The image for vmi as PVH dom0 of Xen's, with this ROM.
    Guest(Rom),
}

/// What a guest finds in the place of a ROM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rom {
    /// Nothing: it is a kernel for bare machines, for which Xen emulates one.
    None,
    /// The ROM for Xen's guests.
    Xen,
}

impl Rom {
    /// Its name, as on the command line.
    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Xen => rom::XEN,
        }
    }

    /// The same as what is to be in a machine.
    fn choice(self) -> RomChoice {
        match self {
            Self::None => RomChoice::None,
            Self::Xen => RomChoice::Built(rom::XEN.to_owned()),
        }
    }
}

impl Subject {
    /// The image in this configuration, wherever it is measured.
    pub fn all_of(configuration: &Configuration) -> Vec<Self> {
        match configuration {
            Configuration::Single(Platform::Vmi) => {
                vec![
                    Self::Single(Platform::Vmi),
                    Self::Guest(Rom::None),
                    Self::Guest(Rom::Xen),
                ]
            }
            Configuration::Single(platform) => vec![Self::Single(*platform)],
            Configuration::Paravirt(_) => PLACES.map(Self::Parent).to_vec(),
        }
    }

    /// What the image is compiled for.
    pub fn configuration(self) -> Configuration {
        match self {
            Self::Single(platform) => Configuration::Single(platform),
            Self::Parent(_) => Configuration::Paravirt(Platform::ALL.to_vec()),
            Self::Guest(_) => Configuration::Single(Platform::Vmi),
        }
    }

    /// Where the image is booted.
    pub fn place(self) -> On {
        match self {
            Self::Single(platform) | Self::Parent(platform) => platform.into(),
            Self::Guest(_) => On::Xen,
        }
    }

    /// The ROM there, if it is not the usual one.
    pub fn rom(self) -> Option<RomChoice> {
        match self {
            Self::Single(_) | Self::Parent(_) => None,
            Self::Guest(rom) => Some(rom.choice()),
        }
    }

    /// QEMU's name of the processor there.
    pub fn processor(self) -> &'static str {
        match self {
            Self::Single(Platform::Xen) | Self::Parent(Platform::Xen) => SHARED_PROCESSOR,
            Self::Single(_) | Self::Parent(_) => OWN_PROCESSOR,
            Self::Guest(_) => NESTED_PROCESSOR,
        }
    }

    /// The name that its figures have for their platform's: `xen`, `paravirt-xen`, `vmi-pvh-none`.
    pub fn name(self) -> String {
        match self {
            Self::Single(platform) => platform.name().to_owned(),
            Self::Parent(platform) => format!("{PARENT}-{platform}"),
            Self::Guest(rom) => format!("{}-pvh-{}", Platform::Vmi, rom.name()),
        }
    }
}

/// The images that `given` asks for, all if it names none, in the order in which they are measured. Those beside which the parent stands
/// are measured with it: without them its figures say nothing.
///
/// # Errors
/// [`Failure::Usage`]: a name is unknown, or the parent is to have some children only.
pub fn configurations(given: &[String]) -> Result<Vec<Configuration>> {
    let chosen = Configuration::chosen(given)?;
    let whole = Configuration::Paravirt(Platform::ALL.to_vec());
    for one in &chosen {
        ensure!(
            *one == whole || matches!(one, Configuration::Single(_)),
            Failure::Usage.error(format!(
                "{one}: the parent is measured with all its children: `--features {PARENT}`"
            ))
        );
    }
    let beside = |one: &Configuration| PLACES.map(Configuration::Single).contains(one) && chosen.contains(&whole);
    let all = Configuration::all().into_iter();
    Ok(all.filter(|one| chosen.contains(one) || beside(one)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(given: &[&str]) -> Vec<String> {
        let given: Vec<_> = given.iter().map(ToString::to_string).collect();
        let configurations = configurations(&given).unwrap();
        let subjects = configurations.iter().flat_map(Subject::all_of);
        subjects.map(Subject::name).collect()
    }

    #[test]
    fn each_is_measured_and_the_parent_twice_and_vmi_beneath_xen() {
        assert_eq!(
            names(&[]),
            [
                "native",
                "xen",
                "vmi",
                "vmi-pvh-none",
                "vmi-pvh-xen",
                "paravirt-native",
                "paravirt-xen"
            ]
        );
        assert_eq!(names(&["vmi,native"]), ["native", "vmi", "vmi-pvh-none", "vmi-pvh-xen"]);
    }

    #[test]
    fn a_guest_has_a_rom_and_a_processor_that_can_be_shared_out() {
        let guest = Subject::Guest(Rom::Xen);
        assert_eq!((guest.place(), guest.processor()), (On::Xen, "qemu64,+npt"));
        assert_eq!(guest.rom(), Some("xen".parse().unwrap()));
        assert_eq!(Subject::Guest(Rom::None).rom(), Some(RomChoice::None));
        let bare = Subject::Single(Platform::Vmi);
        assert_eq!((bare.place(), bare.rom(), bare.processor()), (On::Vmi, None, "max"));
    }

    #[test]
    fn the_parent_brings_what_it_stands_beside() {
        let with_parent = ["native", "xen", "paravirt-native", "paravirt-xen"];
        assert_eq!(names(&["paravirt"]), with_parent);
        assert_eq!(names(&["paravirt,native,xen,vmi", "xen"]), with_parent);
    }

    #[test]
    fn the_parent_with_some_children_is_refused() {
        let error = configurations(&["paravirt,xen".to_owned()]).unwrap_err();
        assert_eq!(Failure::of(&error), Failure::Usage);
        assert_eq!(
            error.to_string(),
            "paravirt-xen: the parent is measured with all its children: `--features paravirt`"
        );
    }
}
