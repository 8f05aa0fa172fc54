//! What the platform says of the machine.

use super::{Case, Outcome, Trouble, check, check_eq};
use crate::platform::Platform;
use crate::start;
use alloc::format;
use arch::layout::PAGE_SIZE;
use arch::percpu::{CpuId, PerCpu};
use arch::{ConsoleOps, CpuOps, SmpOps, Subarch};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "machine-is-described",
        run: is_described,
    },
    Case {
        name: "machine-boot-cpu-is-cpu-0",
        run: boot_cpu_is_cpu_0,
    },
    Case {
        name: "machine-memory-map-is-sane",
        run: memory_map_is_sane,
    },
    Case {
        name: "machine-module-is-readable",
        run: module_is_readable,
    },
    Case {
        name: "console-takes-long-output",
        run: console_takes_long_output,
    },
];

fn is_described() -> Outcome {
    check!(!format!("{}", Platform::describe()).is_empty(), "no description");
    check!(Platform::cpu_count() >= 1, "{} CPUs", Platform::cpu_count());
    let maker = Platform::cpuid(0, 0);
    let letters = [maker.ebx, maker.edx, maker.ecx].into_iter().flat_map(u32::to_le_bytes);
    check!(
        letters.clone().all(|byte| byte.is_ascii_graphic() || byte == b' '),
        "CPUID leaf 0 is no text"
    );
    check_eq!(Platform::cpuid(0, 0).eax, maker.eax);
    Ok(())
}

fn boot_cpu_is_cpu_0() -> Outcome {
    let here = PerCpu::current();
    check_eq!(here.cpu(), CpuId(0));
    check!(core::ptr::eq(here, PerCpu::current()), "the per-CPU area moves");
    Ok(())
}

fn memory_map_is_sane() -> Outcome {
    let boot = start::boot();
    check!(
        boot.memory.frames() <= boot.total_frames,
        "more memory is free than there is"
    );
    check!(boot.memory.frames() * PAGE_SIZE > 8 << 20, "less than 8 MiB is free");
    let sorted = boot.memory.ranges().windows(2).all(|pair| pair[0].end < pair[1].start);
    check!(sorted, "ranges overlap: {:?}", boot.memory);
    if let Some(module) = boot.module {
        let overlaps = boot
            .memory
            .ranges()
            .iter()
            .any(|range| !range.intersection(&module).is_empty());
        check!(!overlaps, "the module at {module} is also free memory");
    }
    Ok(())
}

fn module_is_readable() -> Outcome {
    let Some(module) = start::boot().module else {
        return Err(Trouble::Skipped("no boot module was given"));
    };
    check!(!module.is_empty(), "the module is empty");
    let first: *const u64 = module.start.direct().as_ptr();
    // SAFETY: a probe survives whatever is there.
    let read = unsafe { crate::fault::probe::read(first) };
    check!(read.is_ok(), "reading the module at {module}: {read:?}");
    Ok(())
}

fn console_takes_long_output() -> Outcome {
    // 4 KiB, more than any console buffers: the rest has to wait for room.
    let line = [b'.'; 79];
    println!();
    for _ in 0..52 {
        Platform::write(&line);
        Platform::write(b"\n");
    }
    Ok(())
}
