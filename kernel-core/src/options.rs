//! The kernel's options, once they have been read from the command line.

use crate::logging;
use kernel_logic::command_line::{self, Options};
use spin::Once;

static OPTIONS: Once<Options<'static>> = Once::new();

/// Reads the command line, installs the logger it asks for, and warns of each word that means nothing.
pub fn read(command_line: &'static str) {
    let options = OPTIONS.call_once(|| command_line::parse(command_line, |_| ()));
    logging::install(options.log);
    command_line::parse(command_line, |problem| log::warn!("command line: {problem}"));
}

/// The options; all as by default, if the kernel fails before it has a command line.
pub fn get() -> Options<'static> {
    OPTIONS.get().copied().unwrap_or_default()
}
