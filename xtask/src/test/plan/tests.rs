//! Plans: complete, and without a machine that cannot be.

use super::*;
use crate::platform::Platform;

/// The plans of everything that can be asked for.
fn all() -> Vec<Plan> {
    Configuration::all().into_iter().flat_map(Plan::all).collect()
}

/// The one plan for `features`.
fn plan(features: &str) -> Plan {
    let configuration = Configuration::only(&[features.to_owned()]).unwrap();
    Plan::all(configuration).remove(0)
}

/// What stands above the columns, and what is asked of the kernel there, run by run.
fn lines(plan: &Plan) -> Vec<String> {
    let runs = plan.runs(false, Path::new("Cargo.toml"));
    runs.iter()
        .map(|run| format!("{}: {}", run.label, run.arguments))
        .collect()
}

#[test]
fn every_planned_machine_makes_sense() {
    for plan in all() {
        let image = plan.image(false);
        let Machines { tested, long, broken } = plan.machines;
        for machine in [tested, long.into_iter().collect(), broken].concat() {
            Setup::new(&image, &machine).unwrap();
        }
    }
}

#[test]
fn every_platform_is_tested_with_1_2_4_and_8_cpus() {
    for platform in Platform::ALL {
        let machines = Machines::of(&Configuration::Single(platform)).tested;
        for cpus in [1, 2, 4, 8] {
            let tested = machines.iter().any(|machine| machine.smp.unwrap_or(1) == cpus);
            assert!(tested, "{platform} with {cpus} CPUs");
        }
    }
}

#[test]
fn columns_have_different_headings() {
    for plan in all() {
        let runs = plan.runs(false, Path::new("Cargo.toml"));
        let of_tests = runs.iter().filter(|run| matches!(run.expected, Expected::Tests { .. }));
        let mut labels: Vec<&str> = of_tests.map(|run| run.label.as_str()).collect();
        let count = labels.len();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), count, "{labels:?}");
    }
}

#[test]
fn one_image_of_several_is_booted_in_every_way_of_each() {
    let lines = lines(&plan("paravirt"));
    let all_tests = lines.iter().filter_map(|line| line.split_once(": test=all"));
    let all_tests = all_tests.map(|(label, _)| label);
    let expected = [
        "native pvh",
        "native bios",
        "native uefi",
        "native pvh ×4",
        "xen dom0",
        "xen dom0 ×4",
        "xen domU ×2",
        "vmi no ROM",
        "vmi native",
        "vmi call",
        "vmi soft-if",
    ];
    assert_eq!(all_tests.collect::<Vec<_>>(), expected);
    for broken in [
        "native pvh: break=panic",
        "xen dom0: break=hypercall",
        "vmi call: break=panic",
        "native pvh: platform=xen test=list",
        "xen dom0: platform=native test=list",
        "vmi call: platform=native test=list",
    ] {
        assert!(lines.iter().any(|line| line == broken), "{broken}: {lines:?}");
    }
}

#[test]
fn each_two_children_show_that_they_do_without_the_third() {
    let plans = Plan::all(Configuration::only(&["paravirt".to_owned()]).unwrap());
    let shown: Vec<_> = plans[1..]
        .iter()
        .map(|plan| (plan.configuration.name(), lines(plan)))
        .collect();
    let expected = [
        ("paravirt-native-xen", ["native pvh: test=all", "xen dom0: test=all"]),
        ("paravirt-native-vmi", ["native pvh: test=all", "vmi native: test=all"]),
        ("paravirt-xen-vmi", ["xen dom0: test=all", "vmi native: test=all"]),
    ];
    let expected = expected.map(|(name, lines)| (name.to_owned(), lines.map(str::to_owned).to_vec()));
    assert_eq!(shown, expected);
}

#[test]
fn children_that_are_named_are_tested_like_all_of_them() {
    let lines = lines(&plan("paravirt,native,xen"));
    assert!(lines.iter().any(|line| line == "native uefi: test=all"), "{lines:?}");
    assert!(lines.iter().all(|line| !line.starts_with("vmi")), "{lines:?}");
}

#[test]
fn an_image_of_one_is_not_told_to_be_another() {
    for features in ["native", "xen", "vmi"] {
        let lines = lines(&plan(features));
        assert!(lines.iter().all(|line| !line.contains("platform=")), "{lines:?}");
    }
}

#[test]
fn images_for_bare_machines_are_tested_beneath_xen() {
    let native = ["PVH dom0: test=all", "PVH dom0 ×4: test=all"];
    let vmi = [
        "xen: test=all log=debug",
        "no ROM PVH dom0: test=all log=debug",
        "native PVH dom0 ×2: test=all log=debug",
        "xen PVH dom0: test=all log=debug",
        "xen PVH dom0 ×4: test=all log=debug",
        "xen PVH domU ×2: test=all log=debug",
    ];
    for (features, expected) in [("native", &native[..]), ("vmi", &vmi)] {
        let lines = lines(&plan(features));
        for line in expected {
            assert!(lines.iter().any(|planned| planned == line), "{line}: {lines:?}");
        }
    }
}

#[test]
fn on_vmi_the_rom_must_be_named() {
    let said = |features: &str, label: &str| {
        let runs = plan(features).runs(false, Path::new("Cargo.toml"));
        let run = runs.into_iter().find(|run| run.label == label).unwrap();
        match run.expected {
            Expected::Tests { said_of_rom } => said_of_rom,
            other => panic!("{label}: {other:?}"),
        }
    };
    assert_eq!(said("vmi", "call").as_deref(), Some("vmi: ROM 'call'"));
    assert_eq!(said("vmi", "template ×4").as_deref(), Some("vmi: ROM 'template'"));
    assert_eq!(said("vmi", "refuse").as_deref(), Some("refuse"));
    assert_eq!(said("vmi", "xen PVH domU ×2").as_deref(), Some("vmi: ROM 'xen'"));
    let declined = "it refuses Init: no hypervisor beneath";
    assert_eq!(said("vmi", "xen").as_deref(), Some(declined));
    assert_eq!(said("paravirt", "vmi no ROM").as_deref(), Some("vmi: no ROM found"));
    assert_eq!(said("native", "pvh"), None);
}
