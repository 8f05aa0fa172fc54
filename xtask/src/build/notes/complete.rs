//! Whether each note that a loader needs is there, once, with the right value, and no other.
//!
//! A note twice is as bad as none, since nobody says which one counts. A note that an image for these platforms should not have is one whose
//! value nobody has looked at, and a loader might.

use super::headers::Headers;
use super::{
    ENTRY, FEATURES, GUEST_OS, GUEST_VERSION, IMAGE_BASE, LOADER, PADDR_OFFSET, PHYS32_ENTRY, SUPPORTED_FEATURES,
    VIRT_BASE, XEN_VERSION, named,
};
use crate::platform::Platform;

/// The bit of [`SUPPORTED_FEATURES`] that means "can be dom0".
const DOM0: u64 = 1 << 11;

/// The notes of an image for Xen.
const OF_XEN: &[u32] = &[
    ENTRY,
    VIRT_BASE,
    PADDR_OFFSET,
    XEN_VERSION,
    GUEST_OS,
    GUEST_VERSION,
    LOADER,
    FEATURES,
    SUPPORTED_FEATURES,
];

/// The notes of an image for bare metal.
const OF_PVH: &[u32] = &[PHYS32_ENTRY];

/// Which notes are missing, wrong in themselves, there twice or not to be there.
pub fn complaints(platforms: &[Platform], headers: &Headers) -> Vec<String> {
    let (mut complaints, mut own) = (Vec::new(), Vec::new());
    if platforms.contains(&Platform::Xen) {
        complaints.extend(of_xen(headers));
        own.extend(OF_XEN);
    }
    if platforms.iter().any(|platform| platform.is_bare()) {
        complaints.extend(of_pvh(headers));
        own.extend(OF_PVH);
    }
    complaints.extend(superfluous(platforms, headers, &own));
    complaints
}

/// Which notes are there twice, or are none of `own`, those that an image for `platforms` has.
fn superfluous(platforms: &[Platform], headers: &Headers, own: &[u32]) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut kinds: Vec<u32> = headers.notes.iter().map(|(kind, _)| *kind).collect();
    kinds.sort_unstable();
    for same in kinds.chunk_by(|one, other| one == other) {
        let note = named(same[0]);
        if !own.contains(&same[0]) {
            let names: Vec<_> = platforms.iter().map(|platform| platform.name()).collect();
            complaints.push(format!("{note} is none that an image for {} has", names.join(" and ")));
        } else if same.len() > 1 {
            complaints.push(format!("{note} is there {} times", same.len()));
        }
    }
    complaints
}

/// What Xen would miss when it builds a paravirtual domain.
fn of_xen(headers: &Headers) -> Vec<String> {
    let mut complaints = Vec::new();
    complaints.extend(text(headers, XEN_VERSION, "xen-3.0"));
    complaints.extend(text(headers, LOADER, "generic"));
    let first_frame = "where the kernel takes its first frame to be mapped";
    complaints.extend(number(headers, VIRT_BASE, IMAGE_BASE, first_frame));
    let subtracted = "what physical addresses in program headers are relative to";
    complaints.extend(number(headers, PADDR_OFFSET, 0, subtracted));
    complaints.extend(missing(headers, ENTRY, "the 64-bit entry"));
    if headers
        .bits(SUPPORTED_FEATURES)
        .is_some_and(|features| features & DOM0 == 0)
    {
        complaints.push(format!(
            "{} leaves out bit 11: cannot be dom0",
            named(SUPPORTED_FEATURES)
        ));
    }
    complaints
}

/// What QEMU would miss when it boots the image directly.
fn of_pvh(headers: &Headers) -> Vec<String> {
    let mut complaints = Vec::new();
    complaints.extend(missing(headers, PHYS32_ENTRY, "the 32-bit entry"));
    if !headers.aligned {
        complaints.push("the notes' program header is not aligned to 4: QEMU would skip it".to_owned());
    }
    complaints
}

/// A complaint unless there is a number in note `kind`, which is `what`.
fn missing(headers: &Headers, kind: u32, what: &str) -> Option<String> {
    let is_missing = headers.number(kind).is_none();
    is_missing.then(|| format!("{} is missing: {what}, as eight bytes", named(kind)))
}

/// A complaint unless note `kind` is the number `wanted`, which is `what`.
fn number(headers: &Headers, kind: u32, wanted: u64, what: &str) -> Option<String> {
    let found = headers.number(kind).filter(|found| *found != wanted);
    let wrong = found.map(|found| format!("{} is {found:#x} and must be {wanted:#x}, {what}", named(kind)));
    wrong.or_else(|| missing(headers, kind, what))
}

/// A complaint unless note `kind` is the text `wanted`.
fn text(headers: &Headers, kind: u32, wanted: &str) -> Option<String> {
    let value = headers.value(kind);
    let found = value.map(|value| String::from_utf8_lossy(value).trim_end_matches('\0').to_owned());
    match found {
        None => Some(format!("{} is missing: it must be \"{wanted}\"", named(kind))),
        Some(found) if found != wanted => Some(format!("{} is \"{found}\" and must be \"{wanted}\"", named(kind))),
        Some(_) => None,
    }
}
