//! What may be combined, how it is called, and what is said of the rest.

use super::*;
use crate::failure::explain;

fn image(features: &str) -> Image {
    Image {
        features: vec![features.into()],
        release: false,
    }
}

fn label(platform: &str, machine: MachineArgs) -> String {
    Setup::new(&image(platform), &machine).unwrap().to_string()
}

#[test]
fn labels_say_what_is_special() {
    assert_eq!(label("native", MachineArgs::default()), "native pvh");
    assert_eq!(
        label(
            "native",
            MachineArgs {
                machine: Some(Machine::Q35),
                ..Default::default()
            }
        ),
        "native q35"
    );
    assert_eq!(label("vmi", MachineArgs::default()), "vmi native");
    assert_eq!(
        label(
            "vmi",
            MachineArgs {
                rom: Some(RomChoice::None),
                ..Default::default()
            }
        ),
        "vmi no ROM"
    );
    assert_eq!(
        label(
            "xen",
            MachineArgs {
                domain: Some(Domain::Domu),
                ..Default::default()
            }
        ),
        "xen domU"
    );
}

fn on(place: On) -> MachineArgs {
    MachineArgs {
        on: Some(place),
        ..Default::default()
    }
}

#[test]
fn an_image_of_several_boots_where_it_is_asked_to() {
    assert_eq!(label("paravirt", MachineArgs::default()), "paravirt native pvh");
    assert_eq!(
        label("paravirt,vmi,xen", MachineArgs::default()),
        "paravirt-xen-vmi vmi native"
    );
    assert_eq!(label("paravirt,xen", MachineArgs::default()), "paravirt-xen xen dom0");
    let asked = MachineArgs {
        smp: Some(4),
        ..on(On::Xen)
    };
    assert_eq!(label("paravirt", asked), "paravirt xen dom0 ×4");
    assert_eq!(label("xen", on(On::Xen)), "xen dom0");
}

#[test]
fn an_image_boots_nowhere_else_and_says_what_to_type() {
    let said = |features: &str, machine: MachineArgs| {
        let error = Setup::new(&image(features), &machine).unwrap_err();
        assert_eq!(Failure::of(&error), Failure::Usage, "{error}");
        explain(&error)
    };
    let alone = said("native", on(On::Vmi));
    assert!(
        alone.contains("`--features vmi`") && alone.contains("`--features paravirt,native,vmi --on vmi`"),
        "{alone}"
    );
    let not_among = said("paravirt,native,xen", on(On::Vmi));
    assert!(
        not_among.contains("`--features paravirt,native,xen,vmi --on vmi`"),
        "{not_among}"
    );
    assert!(said("xen", on(On::Native)).contains("`--features native`"));
    let rom = MachineArgs {
        rom: Some(RomChoice::None),
        ..Default::default()
    };
    assert!(said("paravirt", rom).contains("`--on vmi`"));
}

#[test]
fn what_does_not_go_together_is_refused() {
    let refused = [
        (
            "native",
            MachineArgs {
                rom: Some(RomChoice::None),
                ..Default::default()
            },
        ),
        (
            "native",
            MachineArgs {
                domain: Some(Domain::Dom0),
                ..Default::default()
            },
        ),
        (
            "xen",
            MachineArgs {
                boot: Some(Boot::Pvh),
                ..Default::default()
            },
        ),
        (
            "xen",
            MachineArgs {
                machine: Some(Machine::Pc),
                ..Default::default()
            },
        ),
        (
            "xen",
            MachineArgs {
                rom: Some(RomChoice::None),
                ..Default::default()
            },
        ),
        (
            "vmi",
            MachineArgs {
                boot: Some(Boot::Bios),
                machine: Some(Machine::Microvm),
                ..Default::default()
            },
        ),
    ];
    for (platform, machine) in refused {
        let error = Setup::new(&image(platform), &machine).unwrap_err();
        assert_eq!(Failure::of(&error), Failure::Usage, "{error}");
    }
}

/// Beneath Xen, with another option.
fn beneath(place: On, change: impl Fn(&mut MachineArgs)) -> MachineArgs {
    let mut machine = on(place);
    change(&mut machine);
    machine
}

#[test]
fn what_is_not_for_xen_is_a_pvh_guest_there() {
    assert_eq!(label("native", on(On::Xen)), "native PVH dom0");
    assert_eq!(label("vmi", on(On::Xen)), "vmi xen PVH dom0");
    let no_rom = |machine: &mut MachineArgs| (machine.rom, machine.smp) = (Some(RomChoice::None), Some(2));
    assert_eq!(label("vmi", beneath(On::XenDomu, no_rom)), "vmi no ROM PVH domU ×2");
    assert_eq!(
        label("paravirt,native,vmi", on(On::Xen)),
        "paravirt-native-vmi vmi xen PVH dom0"
    );
}

#[test]
fn what_is_for_xen_stays_a_pv_guest() {
    assert_eq!(label("paravirt", on(On::XenDomu)), "paravirt xen domU");
    let as_domu = beneath(On::Xen, |machine| machine.domain = Some(Domain::Domu));
    let setup = |features: &str, machine: &MachineArgs| Setup::new(&image(features), machine).unwrap();
    for features in ["xen", "paravirt", "native", "vmi"] {
        assert_eq!(setup(features, &as_domu), setup(features, &on(On::XenDomu)));
    }
}

#[test]
fn beneath_xen_contradictions_are_refused_with_what_to_type() {
    let said = |features: &str, machine: MachineArgs| {
        let error = Setup::new(&image(features), &machine).unwrap_err();
        assert_eq!(Failure::of(&error), Failure::Usage, "{error}");
        explain(&error)
    };
    for features in ["native", "vmi", "xen", "paravirt"] {
        let disk = said(features, beneath(On::Xen, |machine| machine.boot = Some(Boot::Bios)));
        assert!(disk.contains("`--boot`") && disk.ends_with("leave it out"), "{disk}");
        let chips = said(
            features,
            beneath(On::XenDomu, |machine| machine.machine = Some(Machine::Q35)),
        );
        assert!(
            chips.contains("`--machine`") && chips.ends_with("leave it out"),
            "{chips}"
        );
        let both = said(
            features,
            beneath(On::XenDomu, |machine| machine.domain = Some(Domain::Dom0)),
        );
        assert!(both.contains("type `--on xen` for dom0"), "{both}");
    }
    let native = said(
        "native",
        beneath(On::Xen, |machine| machine.rom = Some(RomChoice::None)),
    );
    assert!(native.contains("`--rom` is for the platform vmi"), "{native}");
    let alone = said("vmi", beneath(On::Vmi, |machine| machine.domain = Some(Domain::Domu)));
    assert!(alone.contains("`--on xen-domu` for a domU"), "{alone}");
}

#[test]
fn one_sentence_says_what_is_booted_on_what() {
    let sentence = |features: &str, machine: MachineArgs| {
        let setup = Setup::new(&image(features), &machine).unwrap();
        setup.sentence("Xen 4.17.5")
    };
    assert_eq!(
        sentence("native", MachineArgs::default()),
        "native on the bare machine pc, by its PVH entry"
    );
    let disk = MachineArgs {
        boot: Some(Boot::Uefi),
        ..on(On::Vmi)
    };
    assert_eq!(
        sentence("paravirt", disk),
        "paravirt (vmi, ROM native) on the bare machine pc, from a disk, by UEFI"
    );
    assert_eq!(sentence("xen", MachineArgs::default()), "xen as PV dom0 on Xen 4.17.5");
    assert_eq!(sentence("vmi", on(On::Xen)), "vmi (ROM xen) as PVH dom0 on Xen 4.17.5");
    let no_rom = beneath(On::XenDomu, |machine| machine.rom = Some(RomChoice::None));
    assert_eq!(sentence("vmi", no_rom), "vmi (no ROM) as PVH domU on Xen 4.17.5");
}
