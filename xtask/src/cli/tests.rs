//! What may be typed, and what is made of it.

use super::*;
use clap::CommandFactory;

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn memory_is_mebibytes_unless_said() {
    assert_eq!("32".parse(), Ok(Memory(32)));
    assert_eq!("128M".parse(), Ok(Memory(128)));
    assert_eq!("64g".parse(), Ok(Memory(65536)));
    for wrong in ["", "M", "0", "-1", "1T", "99999999G", "é"] {
        assert!(wrong.parse::<Memory>().is_err(), "{wrong}");
    }
}

#[test]
fn words_after_two_dashes_are_the_kernels() {
    let cli = Cli::try_parse_from(["xtask", "run", "--smp", "2", "--", "test=all", "panic=halt"]).unwrap();
    let Verb::Run(run) = cli.verb else {
        panic!("{:?}", cli.verb)
    };
    assert_eq!(
        (run.machine.smp, run.arguments),
        (Some(2), vec!["test=all".to_owned(), "panic=halt".to_owned()])
    );
}

#[test]
fn an_unknown_rom_is_refused_with_the_right_ones() {
    assert!("/nonexistent.rom".parse::<RomChoice>().unwrap_err().contains("soft-if"));
    assert_eq!("none".parse(), Ok(RomChoice::None));
    assert_eq!("soft-if".parse(), Ok(RomChoice::Built("soft-if".into())));
}
