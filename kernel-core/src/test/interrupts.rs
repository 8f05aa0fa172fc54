//! Masking: what is masked waits, what waits is delivered, and nesting restores what was.

use super::{Case, Outcome, check, check_eq};
use crate::irq;
use crate::platform::Platform;
use crate::sync::IrqLock;
use crate::{task, timer};
use arch::{Instant, IrqOps, TimeOps};
use core::time::Duration;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "irq-mask-nests",
        run: mask_nests,
    },
    Case {
        name: "irq-flags-follow-the-mask",
        run: flags_follow_the_mask,
    },
    Case {
        name: "irq-masked-alarm-waits-for-enable",
        run: masked_alarm_waits,
    },
    Case {
        name: "irq-restore-delivers-what-is-pending",
        run: restore_delivers,
    },
    Case {
        name: "irq-halt-misses-nothing",
        run: halt_misses_nothing,
    },
    Case {
        name: "irq-lock-masks",
        run: lock_masks,
    },
    Case {
        name: "irq-none-unexpected",
        run: none_unexpected,
    },
];

/// Longer than an alarm needs from being due to being pending, on a busy host.
const DUE: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(5);

fn mask_nests() -> Outcome {
    check!(!irq::is_masked(), "tests start unmasked");
    let outer = irq::mask();
    check!(irq::is_masked(), "one guard does not mask");
    drop(irq::mask());
    check!(irq::is_masked(), "the end of the inner guard unmasked");
    drop(outer);
    check!(!irq::is_masked(), "the end of the outer guard did not unmask");
    Ok(())
}

fn flags_follow_the_mask() -> Outcome {
    Platform::disable();
    let masked = Platform::flags();
    Platform::enable();
    let unmasked = Platform::flags();
    check_eq!((Platform::masked(masked), Platform::masked(unmasked)), (true, false));
    let saved = Platform::save();
    check_eq!((Platform::masked(saved), irq::is_masked()), (false, true));
    Platform::restore(masked);
    check!(irq::is_masked(), "restoring a masked state unmasked");
    Platform::restore(saved);
    check!(!irq::is_masked(), "restoring an unmasked state did not unmask");
    Ok(())
}

fn masked_alarm_waits() -> Outcome {
    check_delivery(Platform::disable, Platform::enable)
}

fn restore_delivers() -> Outcome {
    let unmasked = Platform::flags();
    check_delivery(Platform::disable, || Platform::restore(unmasked))
}

/// Lets an alarm become due between `mask` and `unmask`, and checks that its handler runs after the second and not before.
fn check_delivery(mask: impl FnOnce(), unmask: impl FnOnce()) -> Outcome {
    let _stay = task::without_preemption();
    mask();
    let before = timer::alarms_here();
    Platform::set_alarm(Platform::now());
    spin_until(Platform::now() + DUE);
    let while_masked = timer::alarms_here();
    unmask();
    wait_for_alarm_after(before);
    check_eq!(while_masked, before);
    check_eq!(timer::alarms_here(), before + 1);
    Ok(())
}

fn halt_misses_nothing() -> Outcome {
    // The alarm is due before the CPU stops: a halt that is not atomic with unmasking would sleep for ever.
    let _stay = task::without_preemption();
    for round in 0..1000 {
        let masked = irq::mask();
        let before = timer::alarms_here();
        Platform::set_alarm(Platform::now());
        masked.halt();
        wait_for_alarm_after(before);
        check!(
            timer::alarms_here() > before,
            "round {round}: halted, and no alarm came"
        );
        check!(!irq::is_masked(), "round {round}: masked after the halt");
    }
    Ok(())
}

fn lock_masks() -> Outcome {
    let lock = IrqLock::new(7);
    let guard = lock.lock();
    check!(irq::is_masked(), "holding the lock does not mask");
    check_eq!(*guard, 7);
    drop(guard);
    check!(!irq::is_masked(), "releasing the lock does not unmask");
    Ok(())
}

fn none_unexpected() -> Outcome {
    check_eq!(irq::counts().unexpected, 0);
    Ok(())
}

fn spin_until(moment: Instant) {
    while Platform::now() < moment {
        core::hint::spin_loop();
    }
}

/// Waits for one more alarm than `before`, but not for ever.
fn wait_for_alarm_after(before: u64) {
    let end = Platform::now() + PATIENCE;
    while timer::alarms_here() == before && Platform::now() < end {
        core::hint::spin_loop();
    }
}
