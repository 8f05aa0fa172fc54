//! Rights of memory: writable or executable, and never both.
//!
//! A page that is both turns any stray write into code. Nothing in the kernel needs one, but a linker script, or a section that a
//! dependency brings along, makes one easily, and the kernel would run as before.

use super::image::Image;
use super::violation::Violation;
use super::{Finding, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    name: "rights",
    check: |subject| Ok(rights(&subject.image)),
};

fn rights(image: &Image) -> Finding {
    let stretches = || image.sections.iter().chain(&image.segments);
    let both = stretches().filter(|stretch| stretch.rights.write && stretch.rights.execute);
    let violations = both.map(|stretch| {
        let what = format!(
            "{} at {:#x} is writable and executable",
            stretch.name, stretch.range.start
        );
        Violation::new(RULE.name, what)
    });
    Finding {
        violations: violations.collect(),
        summary: format!(
            "{} sections and {} segments, none of them writable and executable",
            image.sections.len(),
            image.segments.len()
        ),
        ..Finding::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::image::sample::file;
    use super::super::image::{Rights, Stretch};
    use super::*;

    #[test]
    fn memory_that_is_writable_and_executable_is_found() {
        let good = Image::parse(&file(&[("f", &|a| a.ret().unwrap())], &[])).unwrap();
        assert!(rights(&good).violations.is_empty());
        let mut bad = good;
        bad.segments.push(Stretch {
            name: "segment 3".to_owned(),
            range: 0x1000..0x2000,
            rights: Rights {
                write: true,
                execute: true,
            },
            bytes: Vec::new(),
        });
        let said: Vec<_> = rights(&bad).violations.iter().map(ToString::to_string).collect();
        assert_eq!(said, ["rights: segment 3 at 0x1000 is writable and executable"]);
    }
}
