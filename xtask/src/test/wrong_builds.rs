//! What happens to somebody who builds the kernel without a platform, or with two and not their parent.
//!
//! Cargo has no notion of features that exclude each other, so the kernel itself must refuse, and the refusal is the
//! first thing of Anyring some people will read. It has to name the features and the command to type.

use super::case::{Case, Column, Verdict};
use crate::configuration::PARENT;
use crate::platform::Platform;
use crate::workshop::Workshop;
use anyhow::{Context, Result};

/// The mistakes, and the features that make them.
const MISTAKES: [(&str, &str); 3] = [
    ("no platform", ""),
    ("two platforms", "native,xen"),
    ("a parent without children", PARENT),
];
/// The command that the message must contain.
const COMMAND: &str = "cargo xtask build --features";

/// Makes each mistake.
pub fn run(workshop: &Workshop) -> Result<Column> {
    eprintln!("wrong builds: without a platform, with two, with the parent alone");
    let (mut cases, mut output) = (Vec::new(), String::new());
    for (name, features) in MISTAKES {
        let mut cargo = workshop.toolchain()?.bare_cargo("check");
        cargo.args(["--package", "kernel-core", "--features", features]);
        let result = cargo.output().context("cannot run cargo")?;
        let said = String::from_utf8_lossy(&result.stderr);
        cases.push(Case::new(name, judge(result.status.success(), &said)));
        output.push_str(&said);
    }
    Ok(Column::of("refused", cases, &output))
}

/// Whether the build was refused in words that help.
fn judge(succeeded: bool, said: &str) -> Verdict {
    let missing = Platform::ALL
        .map(Platform::name)
        .into_iter()
        .chain([PARENT, COMMAND])
        .find(|word| !said.contains(word));
    match missing {
        _ if succeeded => Verdict::Failed("it was built".into()),
        Some(word) => Verdict::Failed(format!("the message does not say `{word}`")),
        None => Verdict::Passed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_must_help() {
        let good =
            "error: choose exactly one platform: `cargo xtask build --features native`, `xen`, `vmi` or `paravirt`";
        assert_eq!(judge(false, good), Verdict::Passed);
        assert!(matches!(judge(true, good), Verdict::Failed(_)));
        assert_eq!(
            judge(false, "error: native, vmi"),
            Verdict::Failed("the message does not say `xen`".into())
        );
        assert_eq!(
            judge(false, &good.replace("paravirt", "")),
            Verdict::Failed("the message does not say `paravirt`".into())
        );
        assert!(matches!(
            judge(false, "error[E0412]: cannot find type `Platform`"),
            Verdict::Failed(_)
        ));
    }
}
