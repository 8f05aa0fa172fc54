//! Results in a file: `docs/bench.json`, which is committed.

use super::results::Results;
use anyhow::{Context, Result};
use serde::Serialize;
use std::fs;
use std::path::Path;

/// Where the committed results are, from the project's root.
const FILE: &str = "docs/bench.json";

/// The results as JSON, a figure to a line so that a change shows as one.
///
/// # Errors
/// None that results can cause; the library says so by its type.
pub fn text(results: &Results) -> Result<String> {
    Ok(format!(
        "{{\n\"conditions\": [\n{}\n],\n\"figures\": [\n{}\n],\n\"by_hand\": [\n{}\n]\n}}\n",
        lines(&results.conditions)?,
        lines(&results.figures)?,
        lines(&results.by_hand)?
    ))
}

fn lines(items: &[impl Serialize]) -> Result<String> {
    let lines = items.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
    Ok(lines.join(",\n"))
}

/// The results in `file`.
///
/// # Errors
/// The file cannot be read, or holds something else.
pub fn read(file: &Path) -> Result<Results> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| {
        format!(
            "{} holds no figures as `cargo xtask bench --save` writes them",
            file.display()
        )
    })
}

/// Writes the committed results.
///
/// # Errors
/// The file cannot be written.
pub fn write(root: &Path, results: &Results) -> Result<()> {
    let file = root.join(FILE);
    fs::write(&file, text(results)?).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::super::results::tests::some;
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("docs")).unwrap();
        write(folder.path(), &some()).unwrap();
        assert_eq!(read(&folder.path().join(FILE)).unwrap(), some());
    }

    #[test]
    fn a_figure_is_a_line() {
        let text = text(&some()).unwrap();
        let line = r#"{"platform":"xen","operation":"null-call","min":856.0,"median":856.0,"max":856.0,"calls":{"iret":1.0}},"#;
        assert!(text.lines().any(|found| found == line), "{text}");
    }

    #[test]
    fn what_holds_no_figures_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.json");
        fs::write(&file, "[]").unwrap();
        let error = read(&file).unwrap_err().to_string();
        assert!(error.contains("x.json holds no figures"), "{error}");
        assert!(read(Path::new("/nonexistent")).is_err());
    }
}
