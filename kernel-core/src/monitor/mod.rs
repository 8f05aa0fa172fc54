//! The monitor: a small prompt to look at a running kernel, and to make it fail.

mod commands;

use crate::console::read_line;
use arch::Boot;
use kernel_logic::line::Line;

/// Reads and obeys commands for ever.
pub fn run(boot: &Boot) -> ! {
    println!("Type `help` for what can be asked.");
    let mut line = Line::new();
    loop {
        read_line("anyring> ", &mut line);
        obey(line.text(), boot);
    }
}

fn obey(line: &str, boot: &Boot) {
    let (name, argument) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    match commands::ALL.iter().find(|command| command.name == name) {
        Some(command) => (command.run)(argument.trim(), boot),
        None if name.is_empty() => {}
        None => println!("no command `{name}`; `help` lists them"),
    }
}
