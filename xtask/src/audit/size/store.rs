//! Sizes in a file: `docs/size.json`, which is committed.

use super::Size;
use crate::build;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// Where the committed sizes are, from the project's root.
const FILE: &str = "docs/size.json";

/// The sizes in `file`.
///
/// # Errors
/// The file cannot be read, or holds something else.
pub fn read(file: &Path) -> Result<Vec<Size>> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} holds no sizes", file.display()))
}

/// Writes `sizes` to the committed file, where platforms that were not measured keep what they had.
///
/// # Errors
/// The file cannot be written, or is there and holds something else.
pub fn save(root: &Path, sizes: &[Size]) -> Result<()> {
    let file = root.join(FILE);
    let mut all = if file.exists() { read(&file)? } else { Vec::new() };
    all.retain(|old| sizes.iter().all(|new| new.platform != old.platform));
    all.extend_from_slice(sizes);
    all.sort_by(|one, other| (&one.platform, &one.owner).cmp(&(&other.platform, &other.owner)));
    build::write(&file, text(&all)?.as_bytes())
}

/// The sizes as JSON, one to a line so that a change shows as one.
fn text(sizes: &[Size]) -> Result<String> {
    let lines = sizes.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("[\n{}\n]\n", lines.join(",\n")))
}

#[cfg(test)]
mod tests {
    use super::super::tests::size;
    use super::*;

    #[test]
    fn what_was_not_measured_stays() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("docs")).unwrap();
        save(
            folder.path(),
            &[
                size("native", "core", 1),
                size("native", "gone", 1),
                size("xen", "core", 2),
            ],
        )
        .unwrap();
        save(folder.path(), &[size("native", "core", 3)]).unwrap();
        assert_eq!(
            read(&folder.path().join(FILE)).unwrap(),
            [size("native", "core", 3), size("xen", "core", 2)]
        );
    }

    #[test]
    fn what_holds_no_sizes_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.json");
        fs::write(&file, "{}").unwrap();
        assert!(read(&file).unwrap_err().to_string().ends_with("x.json holds no sizes"));
        assert!(read(Path::new("/nonexistent")).is_err());
    }
}
