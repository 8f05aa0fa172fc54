//! `doctor`: what a run may need, where it was found, and what would be fetched.
//!
//! Fetching by itself is convenient until somebody is on a train or pays by the megabyte. This verb fetches nothing and
//! tells in advance.

use crate::domu;
use crate::fetch::need::{CARGO, LLD, Need, OVMF, QEMU, RUST_SOURCES, RUSTC};
use crate::image::maker;
use crate::toolchain::{BARE, target_installed};
use crate::workshop::Workshop;

/// Download size of the Rust target, in megabytes, for which nobody can be asked.
const TARGET_SIZE: u64 = 10;
/// Download size of rustup's components for the image maker, in megabytes.
const COMPONENTS_SIZE: u64 = 70;
/// Download size of the hypervisor, and of hypervisor, Linux and toolstack, in megabytes.
const XEN_SIZES: [u64; 2] = [3, 80];
/// Bytes in a megabyte.
const MEGABYTE: u64 = 1_000_000;

/// One line of the report.
struct Finding {
    name: String,
    purpose: &'static str,
    state: String,
}

/// Prints the report.
pub fn run(workshop: &Workshop) {
    let findings = findings(workshop);
    let side = findings.iter().map(|finding| finding.name.len()).max().unwrap_or(0);
    let middle = findings.iter().map(|finding| finding.purpose.len()).max().unwrap_or(0);
    for Finding { name, purpose, state } in findings {
        println!("{name:side$}  {purpose:middle$}  {state}");
    }
    println!("\nThe cache folder is {}.", workshop.paths.cache.display());
}

/// Everything a run may need.
fn findings(workshop: &Workshop) -> Vec<Finding> {
    let mut findings = rust(workshop);
    findings.extend([program(workshop, &QEMU), program(workshop, &OVMF)]);
    findings.extend(image_maker(workshop));
    findings.extend(xen(workshop));
    findings
}

/// The compiler for the bare machine; Debian's packages only if rustup's is not there.
fn rust(workshop: &Workshop) -> Vec<Finding> {
    let here = target_installed();
    let target = Finding {
        name: format!("Rust for {BARE}"),
        purpose: "building a kernel and its programs",
        state: state(
            here,
            "installed",
            &format!("added by rustup, about {TARGET_SIZE} MB, or Debian's"),
        ),
    };
    let substitutes = [&RUSTC, &CARGO, &RUST_SOURCES, &LLD].into_iter().filter(|_| !here);
    [target]
        .into_iter()
        .chain(substitutes.map(|need| program(workshop, need)))
        .collect()
}

/// The image maker; what it is built with only if it has still to be built.
fn image_maker(workshop: &Workshop) -> Vec<Finding> {
    let built = maker::cached(workshop).is_some();
    let maker = Finding {
        name: "image maker".into(),
        purpose: "--boot bios, --boot uefi, image",
        state: state(built, "in the cache", "built from crates, which takes minutes"),
    };
    let components = (!built).then(|| Finding {
        name: "rust-src and llvm-tools".into(),
        purpose: "building the image maker",
        state: state(
            maker::components_are_here(),
            "installed",
            &format!("added by rustup, about {COMPONENTS_SIZE} MB, or Debian's"),
        ),
    });
    [maker].into_iter().chain(components).collect()
}

/// Hypervisor, dom0 and toolstack, which are never installed.
fn xen(workshop: &Workshop) -> [Finding; 2] {
    let (hypervisor, host) = domu::cached(&workshop.paths.cache);
    let [hypervisor_size, host_size] = XEN_SIZES;
    let unpacked = |here: bool, size: u64| {
        state(
            here,
            "in the cache",
            &format!("unpacked into the cache, about {size} MB"),
        )
    };
    [
        Finding {
            name: "Xen".into(),
            purpose: "--features xen",
            state: unpacked(hypervisor, hypervisor_size),
        },
        Finding {
            name: "Xen host (Linux dom0, xl)".into(),
            purpose: "--features xen --as domu",
            state: unpacked(host, host_size),
        },
    ]
}

/// A program or file of a Debian package.
fn program(workshop: &Workshop, need: &Need) -> Finding {
    let state = match workshop.provider.find(need) {
        Some(found) => format!("found: {}", found.path.display()),
        None => {
            let size = workshop.provider.download_size(need);
            let size = size.map_or("of unknown size".into(), |bytes| {
                format!("{} MB", bytes.div_ceil(MEGABYTE))
            });
            let how = if workshop.provider.may_install() {
                "installed by apt-get"
            } else {
                "unpacked into the cache"
            };
            format!("missing: package {} would be {how}, {size}", need.package)
        }
    };
    Finding {
        name: need.name.into(),
        purpose: need.purpose,
        state,
    }
}

/// Whether something is here, and how it would come.
fn state(here: bool, place: &str, otherwise: &str) -> String {
    if here {
        format!("found: {place}")
    } else {
        format!("missing: would be {otherwise}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_says_how_it_would_come() {
        assert_eq!(state(true, "in the cache", "fetched"), "found: in the cache");
        assert_eq!(
            state(false, "in the cache", "fetched, 3 MB"),
            "missing: would be fetched, 3 MB"
        );
    }
}
