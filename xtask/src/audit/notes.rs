//! Notes: what an image tells its loaders is all there, and true of the image.
//!
//! The same is checked whenever an image is built ([`build::notes`](crate::build::notes)), since one that does not boot is no use to
//! anybody; here it stands among what is proved. The file is the one that machines load; the names of what its entries lead to are
//! those of the image it was made from.

use super::violation::Violation;
use super::{Finding, Rule, Subject};
use crate::build::notes;

/// The rule.
pub const RULE: Rule = Rule {
    name: "notes",
    check: |subject| Ok(check(subject)),
};

fn check(subject: &Subject<'_>) -> Finding {
    let complaints = notes::complaints(subject.platforms, &subject.file, &subject.image.symbols);
    Finding {
        summary: "complete, and true of segments, entries and configuration".to_owned(),
        violations: complaints
            .into_iter()
            .map(|what| Violation::new(RULE.name, what))
            .collect(),
        ..Finding::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::image::sample::image;
    use super::*;
    use crate::build::notes::sample::{START, Sample, VIRTUAL};
    use crate::platform::Platform;
    use std::path::Path;

    /// What is wrong with a sound file for Xen, if the image that it was made from has `_start` at this address.
    fn violations(start: u64) -> Vec<String> {
        let mut image = image(&[("_start", &|a| a.ret().unwrap())]);
        image.symbols.insert("_start".to_owned(), start);
        let subject = Subject {
            platform: Platform::Xen,
            platforms: &[Platform::Xen],
            image,
            file: Sample::of(&[Platform::Xen]).file(),
            root: Path::new("/"),
        };
        check(&subject).violations.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_file_is_judged_by_the_names_of_the_image() {
        assert_eq!(violations(VIRTUAL + START), Vec::<String>::new());
        let elsewhere = violations(VIRTUAL);
        assert!(
            elsewhere.len() == 2
                && elsewhere
                    .iter()
                    .all(|one| one.starts_with("notes: ") && one.contains("_start")),
            "{elsewhere:?}"
        );
    }
}
