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

fn on(platform: Platform) -> MachineArgs {
    MachineArgs {
        on: Some(platform),
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
        ..on(Platform::Xen)
    };
    assert_eq!(label("paravirt", asked), "paravirt xen dom0 ×4");
    assert_eq!(label("xen", on(Platform::Xen)), "xen dom0");
}

#[test]
fn an_image_boots_nowhere_else_and_says_what_to_type() {
    let said = |features: &str, machine: MachineArgs| {
        let error = Setup::new(&image(features), &machine).unwrap_err();
        assert_eq!(Failure::of(&error), Failure::Usage, "{error}");
        explain(&error)
    };
    let alone = said("native", on(Platform::Xen));
    assert!(
        alone.contains("`--features xen`") && alone.contains("`--features paravirt,native,xen --on xen`"),
        "{alone}"
    );
    let not_among = said("paravirt,native,vmi", on(Platform::Xen));
    assert!(
        not_among.contains("`--features paravirt,native,xen,vmi --on xen`"),
        "{not_among}"
    );
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
