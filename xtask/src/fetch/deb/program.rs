//! Other people's programs, run so that a failure of theirs reads like an error of ours.
//!
//! What apt has to say about a failure is on its standard error, somewhere between warnings. The lines that matter are
//! picked out, since the user asked for a kernel and not for a page of apt.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};

/// What a program printed; a failure carries its last words.
///
/// # Errors
/// It cannot be started, or failed, or printed something that is not text.
pub fn output(command: &mut Command) -> Result<String> {
    let printed = run(command)?.stdout;
    let name = command.get_program().display();
    String::from_utf8(printed).with_context(|| format!("{name} printed something that is not UTF-8"))
}

/// What a program that succeeded nevertheless complained about; empty if nothing.
///
/// # Errors
/// It cannot be started, or failed.
pub fn complaints(command: &mut Command) -> Result<String> {
    Ok(last_words(&String::from_utf8_lossy(&run(command)?.stderr)))
}

fn run(command: &mut Command) -> Result<Output> {
    let result = command.output();
    let name = command.get_program().display();
    let result = result.with_context(|| format!("cannot run {name} (is this a Debian system?)"))?;
    let words = || last_words(&String::from_utf8_lossy(&result.stderr));
    ensure!(result.status.success(), "{name} failed: {}", words());
    Ok(result)
}

/// Runs `command`, which fills `folder` with `total` bytes, behind a progress bar (on a terminal).
///
/// # Errors
/// It cannot be started, or failed.
pub fn run_watched(command: &mut Command, folder: &Path, total: u64) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let errors = folder.join(".errors");
    command.stdout(Stdio::null()).stderr(fs::File::create(&errors)?);
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run {name} (is this a Debian system?)"))?;
    let bar = ProgressBar::new(total).with_style(bar_style());
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        bar.set_position(folder_size(folder));
        thread::sleep(Duration::from_millis(100));
    };
    bar.finish_and_clear();
    let words = fs::read_to_string(&errors).unwrap_or_default();
    fs::remove_file(&errors)?;
    ensure!(status.success(), "{name} failed: {}", last_words(&words));
    Ok(())
}

fn bar_style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// The bytes in `folder` and in apt's `partial` folder below it, as far as they can be read at this moment.
fn folder_size(folder: &Path) -> u64 {
    [folder.to_path_buf(), folder.join("partial")]
        .iter()
        .filter_map(|path| fs::read_dir(path).ok())
        .flatten()
        .filter_map(|file| Some(file.ok()?.metadata().ok()?.len()))
        .sum()
}

/// The lines of a program's complaint that say why, shortened to the first few.
fn last_words(complaint: &str) -> String {
    let reasons: Vec<&str> = complaint
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let errors: Vec<&str> = reasons.iter().filter(|line| line.starts_with("E:")).copied().collect();
    let chosen = if errors.is_empty() { reasons } else { errors };
    chosen.into_iter().take(3).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_on_their_way_are_counted() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        fs::create_dir(folder.path().join("partial")).expect("it can be written");
        fs::write(folder.path().join("partial/a.deb"), [0; 5000]).expect("it can be written");
        assert!(folder_size(folder.path()) >= 5000);
    }

    #[test]
    fn errors_are_preferred_to_warnings() {
        let complaint = "W: Download is unsandboxed\nE: Unable to locate package xen-nonsense\n";
        assert_eq!(last_words(complaint), "E: Unable to locate package xen-nonsense");
        assert_eq!(last_words("one\n\n two \n"), "one; two");
    }
}
