//! Notes: what an image tells its loaders is all there, and true of the image.
//!
//! The same is checked whenever an image is built ([`build::notes`](crate::build::notes)), since one that does not boot is no use to
//! anybody; here it stands among what is proved. The `bootloader` crate looks for its configuration in a section instead of a note.

use super::image::Image;
use super::violation::Violation;
use super::{Finding, Rule, Subject};
use crate::build::notes;
use crate::platform::Platform;

/// Where the `bootloader` crate looks.
const CONFIGURATION: &str = ".bootloader-config";

/// The rule.
pub const RULE: Rule = Rule {
    name: "notes",
    check: |subject| Ok(check(subject)),
};

fn check(subject: &Subject<'_>) -> Finding {
    let mut complaints = notes::complaints(subject.platform, &subject.file);
    complaints.extend(configuration(subject.platform, &subject.image));
    Finding {
        summary: "complete, and true of segments and entries".to_owned(),
        violations: complaints
            .into_iter()
            .map(|what| Violation::new(RULE.name, what))
            .collect(),
        ..Finding::default()
    }
}

/// A complaint unless the configuration is there exactly if a `bootloader` loads the image.
fn configuration(platform: Platform, image: &Image) -> Option<String> {
    let there = image
        .section(CONFIGURATION)
        .is_some_and(|section| !section.range.is_empty());
    match (platform, there) {
        (Platform::Xen, true) => Some(format!(
            "section {CONFIGURATION} is there, and no bootloader loads a Xen kernel"
        )),
        (Platform::Native | Platform::Vmi, false) => Some(format!(
            "section {CONFIGURATION} is missing: no disk image could be made"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::image::sample::file;
    use super::*;
    use object::SectionKind;

    fn image(configuration: &[u8]) -> Image {
        let code: super::super::image::sample::Part<'_> = ("code", &|a| a.ret().unwrap());
        let sections = [(CONFIGURATION, SectionKind::ReadOnlyData, configuration)];
        Image::parse(&file(&[code], &sections)).unwrap()
    }

    #[test]
    fn the_configuration_is_there_where_it_is_read() {
        assert_eq!(configuration(Platform::Native, &image(b"x")), None);
        assert_eq!(configuration(Platform::Xen, &image(b"")), None);
        assert!(
            configuration(Platform::Vmi, &image(b""))
                .unwrap()
                .contains("is missing")
        );
        assert!(configuration(Platform::Xen, &image(b"x")).unwrap().contains("is there"));
    }

    #[test]
    fn a_file_without_notes_is_caught() {
        let subject = Subject {
            platform: Platform::Native,
            image: image(b"x"),
            file: file(&[], &[]),
            root: std::path::Path::new("/"),
        };
        let violations = check(&subject).violations;
        assert!(violations[0].what.contains("no ELF note"), "{violations:?}");
    }
}
