//! How many bytes of code each crate has in each image, and what a change to the sources costs.
//!
//! A kernel grows by amounts that nobody notices, and the total does not say whose they are. So each function is put to the account
//! of the crate that its name bears, the code of generic functions thereby to the crate that wrote them and not to the one that uses
//! them: that is where it can be made smaller. What lies between functions is *other*: padding up to the next multiple
//! of sixteen, nearly all of it.

mod change;
mod store;
mod table;

use super::Subject;
use crate::cli::Audit;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The name under which code without a symbol is counted.
const OTHER: &str = "other";

/// The code of one crate in one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// The image's platform, by its name.
    pub platform: String,
    /// The crate, or [`OTHER`].
    #[serde(rename = "crate")]
    pub owner: String,
    /// Bytes of code.
    pub text: u64,
}

/// Measures one image.
pub fn of(subject: &Subject<'_>) -> Vec<Size> {
    let image = &subject.image;
    let mut crates: BTreeMap<String, u64> = BTreeMap::new();
    for function in &image.functions {
        *crates.entry(function.owner().0).or_default() += function.range.end - function.range.start;
    }
    let named: u64 = crates.values().sum();
    let code: u64 = image
        .code()
        .map(|section| section.range.end - section.range.start)
        .sum();
    crates.insert(OTHER.to_owned(), code.saturating_sub(named));
    let platform = subject.platform.name();
    crates
        .into_iter()
        .map(|(owner, text)| Size {
            platform: platform.to_owned(),
            owner,
            text,
        })
        .collect()
}

/// Prints what was measured, or by how much it differs from the file that `asked` names; saves it if that is asked.
///
/// # Errors
/// A file cannot be read or written, or holds something else.
pub fn finish(root: &Path, asked: &Audit, sizes: &[Size]) -> Result<()> {
    let lines = match &asked.compare {
        Some(file) => change::since(&store::read(file)?, sizes),
        None => table::lines(sizes),
    };
    for line in lines {
        println!("{line}");
    }
    if asked.save {
        store::save(root, sizes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
