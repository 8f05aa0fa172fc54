//! Whether the entries lead to the code that is meant to be entered there.
//!
//! Each image has one in the ELF header, which the `bootloader` crate takes, and one in a note, for Xen or for PVH, or in both. Each loader
//! leaves the processor in another state, so an exchange of two is no better than an address in the middle of nothing.

use super::headers::Headers;
use super::segments::Segment;
use super::{ENTRY, IMAGE_BASE, PHYS32_ENTRY, named};
use crate::places::demangled;
use crate::platform::Platform;
use std::collections::BTreeMap;

/// What the 64-bit entry is called, by the `bootloader` crate's macro and under Xen.
pub const START: &str = "_start";

/// What Xen's is called in an image in which that name is the `bootloader` crate's.
pub const START_UNDER_XEN: &str = "xen_start";

/// The 32-bit entry, without its parameters.
const STUB: &str = "subarch_native::boot::pvh::stub::start";

/// A way into the image.
struct Entry {
    /// Where it is written.
    what: String,
    /// The address there.
    told: u64,
    /// How much more the virtual address is.
    below: u64,
    /// The function that is meant.
    function: &'static str,
}

/// Which entries lead elsewhere.
pub fn complaints(platforms: &[Platform], headers: &Headers, symbols: &BTreeMap<String, u64>) -> Vec<String> {
    let is_bare = platforms.iter().any(|platform| platform.is_bare());
    let mut entries = vec![Entry {
        what: "the entry in the ELF header".to_owned(),
        told: headers.entry,
        below: 0,
        function: START,
    }];
    if platforms.contains(&Platform::Xen) {
        let function = if is_bare { START_UNDER_XEN } else { START };
        entries.extend(Entry::of_note(ENTRY, headers, 0, function));
    }
    if is_bare {
        entries.extend(Entry::of_note(PHYS32_ENTRY, headers, IMAGE_BASE, STUB));
    }
    let complaints = entries.iter().filter_map(|entry| entry.complaint(headers, symbols));
    complaints.collect()
}

impl Entry {
    /// The one in the note of type `kind`, if there is that note.
    fn of_note(kind: u32, headers: &Headers, below: u64, function: &'static str) -> Option<Self> {
        let what = named(kind);
        headers.number(kind).map(|told| Self {
            what,
            told,
            below,
            function,
        })
    }

    /// A complaint unless there is code at the address, and it is the function.
    fn complaint(&self, headers: &Headers, symbols: &BTreeMap<String, u64>) -> Option<String> {
        let address = self.told.wrapping_add(self.below);
        let holds = |segment: &&Segment| segment.virtually().contains(&address);
        let why = match headers.segments.iter().find(holds) {
            None => "points outside the image".to_owned(),
            Some(segment) if !segment.executable => "points to what cannot be executed".to_owned(),
            Some(_) if !self.is_function(address, symbols) => format!("does not point to {}", self.function),
            Some(_) => return None,
        };
        Some(format!("{} {why}: {:#x}", self.what, self.told))
    }

    /// Whether the function is at `address`, by its symbol.
    fn is_function(&self, address: u64, symbols: &BTreeMap<String, u64>) -> bool {
        symbols
            .iter()
            .any(|(symbol, at)| *at == address && demangled(symbol) == self.function)
    }
}
