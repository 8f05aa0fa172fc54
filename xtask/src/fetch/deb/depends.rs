//! Which package needs which, as `apt-cache depends --recurse` prints it.
//!
//! Package names carry versions (`linux-image-6.1.0-56-amd64`, `libxenmisc4.17`), and those change with every update of
//! the archive. Nothing may therefore be hard-coded but the stable names at the top (`linux-image-amd64`,
//! `xen-system-amd64`); everything else is found by walking down from them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

/// The graph of "depends on", restricted to real packages.
#[derive(Debug, Default)]
pub struct Dependencies(BTreeMap<String, Vec<String>>);

impl Dependencies {
    /// Reads the listing: a package at the left margin, then its dependencies, indented and labelled.
    ///
    /// Virtual packages (in angle brackets) are left out; the real package that provides one is listed beside it.
    pub(super) fn parse(listing: &str) -> Self {
        let mut graph: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut current = String::new();
        for line in listing.lines() {
            if let Some((_, target)) = line.split_once("Depends: ") {
                if let (Some(needs), Some(target)) = (graph.get_mut(&current), real_name(target)) {
                    needs.push(target);
                }
            } else if let Some(name) = real_name(line) {
                graph.entry(name.clone()).or_default();
                current = name;
            } else if line.starts_with('<') {
                current.clear();
            }
        }
        Dependencies(graph)
    }

    /// Whether `package` is in the listing.
    #[must_use]
    pub fn knows(&self, package: &str) -> bool {
        self.0.contains_key(package)
    }

    /// The direct dependency of `package` whose name satisfies `wanted`.
    ///
    /// # Errors
    /// There is none: `what` says in the message what was looked for.
    pub fn direct(&self, package: &str, what: &str, wanted: impl Fn(&str) -> bool) -> Result<String> {
        let mut needs = self.0.get(package).into_iter().flatten();
        needs
            .find(|name| wanted(name))
            .cloned()
            .with_context(|| format!("package {package} depends on no {what}"))
    }

    /// Everything reachable from `package` through packages that satisfy `wanted`, `package` not included.
    #[must_use]
    pub fn reachable(&self, package: &str, wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut open = vec![package.to_owned()];
        while let Some(name) = open.pop() {
            let needs = self.0.get(&name).into_iter().flatten();
            open.extend(
                needs
                    .filter(|need| wanted(need) && seen.insert((*need).clone()))
                    .cloned(),
            );
        }
        seen
    }
}

/// A package name as such: not indented, not virtual, without an architecture suffix.
fn real_name(text: &str) -> Option<String> {
    let starts_well = text.chars().next().is_some_and(|first| first.is_ascii_alphanumeric());
    starts_well.then(|| text.split(':').next().unwrap_or(text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "\
xen-utils-4.17
  Depends: libc6
 |Depends: libxenmisc4.17
  Depends: <python3:any>
    python3
  Depends: python3
libc6
  Depends: libgcc-s1
<python3:any>
libxenmisc4.17
  Depends: zlib1g
  Depends: libc6
libgcc-s1
  Depends: libc6
python3
  Depends: libpython3
";

    #[test]
    fn walks_only_through_what_is_wanted() {
        let found = Dependencies::parse(LISTING);
        let libraries = found.reachable("xen-utils-4.17", |name| name.starts_with("lib") || name == "zlib1g");
        assert_eq!(
            libraries.into_iter().collect::<Vec<_>>(),
            ["libc6", "libgcc-s1", "libxenmisc4.17", "zlib1g"]
        );
    }

    #[test]
    fn direct_dependency_by_shape() {
        let found = Dependencies::parse(LISTING);
        let name = found.direct("xen-utils-4.17", "libxenmisc", |name| name.starts_with("libxenmisc"));
        assert_eq!(name.expect("it is listed"), "libxenmisc4.17");
        let error = found
            .direct("libgcc-s1", "kernel", |name| name.starts_with("linux"))
            .expect_err("none is listed");
        assert_eq!(error.to_string(), "package libgcc-s1 depends on no kernel");
    }

    #[test]
    fn unknown_packages_are_unknown() {
        assert!(!Dependencies::parse("").knows("xen"));
        assert!(Dependencies::parse(LISTING).knows("python3"));
    }
}
