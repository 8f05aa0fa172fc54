//! The monitor's commands.

use crate::fault::{probe, provoke};
use crate::mm::{frames, heap};
use crate::platform::Platform;
use crate::user::{self, End};
use crate::{irq, power, report, start, task};
use alloc::vec::Vec;
use arch::{Boot, Subarch, TimeOps, VirtAddr};
use core::time::Duration;
use kernel_logic::bytes::Bytes;

/// A command: its name, what `help` says of it, and what it does with the rest of its line.
pub(super) struct Command {
    pub name: &'static str,
    help: &'static str,
    pub run: fn(&str, &Boot),
}

/// All commands, in the order in which `help` lists them.
pub(super) const ALL: &[Command] = &[
    Command {
        name: "help",
        help: "lists the commands",
        run: help,
    },
    Command {
        name: "info",
        help: "the platform, its processor, memory and clock",
        run: info,
    },
    Command {
        name: "mem",
        help: "free memory by block size, and the heap; `mem ADDRESS` reads 8 bytes",
        run: mem,
    },
    Command {
        name: "time",
        help: "the date, the time since the clock started, and time stolen; `time MS` sleeps",
        run: time,
    },
    Command {
        name: "irq",
        help: "counts of interrupts",
        run: irq,
    },
    Command {
        name: "fault",
        help: "causes an exception: `fault null`, `divide`, `opcode` or `breakpoint`",
        run: fault,
    },
    Command {
        name: "run",
        help: "runs the boot module as a program: `run ARGUMENT...`, the first being its name",
        run: program,
    },
    Command {
        name: "panic",
        help: "panics",
        run: panic,
    },
    Command {
        name: "reboot",
        help: "starts the machine anew",
        run: |_, _| power::reboot(),
    },
    Command {
        name: "poweroff",
        help: "switches the machine off",
        run: |_, _| power::off(),
    },
];

fn help(_: &str, _: &Boot) {
    for command in ALL {
        println!("  {:9} {}", command.name, command.help);
    }
}

fn info(_: &str, boot: &Boot) {
    println!(
        "  kernel  Anyring {} on {}: {}, entered by {}",
        env!("CARGO_PKG_VERSION"),
        Platform::NAME,
        Platform::describe(),
        boot.entry
    );
    report::print_machine();
    println!("  options {}", boot.command_line);
}

fn mem(argument: &str, boot: &Boot) {
    if !argument.is_empty() {
        return peek(argument);
    }
    println!("  frames  {}", report::Memory(frames::usage()));
    for range in boot.memory.ranges() {
        println!("  given   {range}");
    }
    for (order, count) in frames::free_blocks()
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
    {
        println!("  blocks  {count} of {}", Bytes(4096 << order));
    }
    let heap = heap::usage();
    println!(
        "  heap    {} used of {}",
        Bytes(heap.allocated as u64),
        Bytes(heap.claimed as u64)
    );
}

fn peek(argument: &str) {
    let Some(address) = parse_address(argument) else {
        return println!("`{argument}` is not an address; type hexadecimal digits, `0x` before them or not");
    };
    // SAFETY: whoever sits at the debug monitor asks for this read; a probe survives a fault.
    match unsafe { probe::read(address.as_ptr()) } {
        Ok(value) => println!("  {address:#018x}: {value:#018x}"),
        Err(fault) => println!("  {address:#018x}: {}", fault.exception),
    }
}

fn parse_address(text: &str) -> Option<VirtAddr> {
    let digits = text.trim_start_matches("0x").replace('_', "");
    VirtAddr::try_new(u64::from_str_radix(&digits, 16).ok()?).ok()
}

fn time(argument: &str, _: &Boot) {
    if let Ok(milliseconds) = argument.parse() {
        task::sleep(Duration::from_millis(milliseconds));
    } else if !argument.is_empty() {
        return println!("`{argument}` is not a number of milliseconds");
    }
    println!("  date    {}", report::Utc(Platform::wall_clock()));
    println!("  clock   {} s", Platform::now());
    println!("  stolen  {:?}", Platform::stolen());
}

fn irq(_: &str, _: &Boot) {
    let counts = irq::counts();
    println!("  alarm      {}", counts.alarms);
    println!("  console    {}", counts.console);
    println!("  IPI        {}", counts.ipis);
    println!("  unexpected {}", counts.unexpected);
}

fn fault(argument: &str, _: &Boot) {
    match argument {
        "null" => provoke::null_read(),
        "divide" => provoke::division_by_zero(),
        "opcode" => provoke::undefined_instruction(),
        "breakpoint" => provoke::breakpoint(),
        _ => println!("choose `fault null`, `fault divide`, `fault opcode` or `fault breakpoint`"),
    }
}

fn program(arguments: &str, _: &Boot) {
    let Some(file) = start::module() else {
        return println!("no boot module was given; start the kernel with `cargo xtask run --module PROGRAM`");
    };
    let arguments: Vec<&[u8]> = arguments.split_ascii_whitespace().map(str::as_bytes).collect();
    if arguments.is_empty() {
        return println!("type `run NAME ARGUMENT...`; the program learns its name from the first word");
    }
    match user::start(file, &arguments, &[]) {
        Ok(process) => match process.wait() {
            End::Exited(status) => println!("  exited with status {status}"),
            End::Killed(signal) => println!("  killed by {signal}"),
        },
        Err(error) => println!("the program does not start: {error}"),
    }
}

fn panic(_: &str, _: &Boot) {
    panic!("the monitor was asked to");
}
