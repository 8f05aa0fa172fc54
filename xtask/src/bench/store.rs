//! Figures in a file: `docs/bench.json`, which is committed.

use super::figures::Figure;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// Where the committed figures are, from the project's root.
const FILE: &str = "docs/bench.json";

/// The figures as JSON, one to a line so that a change shows as one.
///
/// # Errors
/// None that figures can cause; the library says so by its type.
pub fn text(figures: &[Figure]) -> Result<String> {
    let lines = figures
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(format!("[\n{}\n]\n", lines.join(",\n")))
}

/// The figures in `file`.
///
/// # Errors
/// The file cannot be read, or holds something else.
pub fn read(file: &Path) -> Result<Vec<Figure>> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} holds no figures", file.display()))
}

/// Writes the committed figures.
///
/// # Errors
/// The file cannot be written.
pub fn write(root: &Path, figures: &[Figure]) -> Result<()> {
    let file = root.join(FILE);
    fs::write(&file, text(figures)?).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::steady;
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("docs")).unwrap();
        let figures = [steady("native", "clock", 9.0), steady("xen", "yield", 2059.6)];
        write(folder.path(), &figures).unwrap();
        assert_eq!(read(&folder.path().join(FILE)).unwrap(), figures);
    }

    #[test]
    fn what_holds_no_figures_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.json");
        fs::write(&file, "{}").unwrap();
        assert!(
            read(&file)
                .unwrap_err()
                .to_string()
                .ends_with("x.json holds no figures")
        );
        assert!(read(Path::new("/nonexistent")).is_err());
    }
}
