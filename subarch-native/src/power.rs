//! Ways to end: the firmware's off switch, three ways to start anew, and a word to the test bench.
//!
//! A machine that is to be switched off or reset is told so by a write to a register, and which register that is has changed
//! every few years. So there is an order of ways, from the one that the firmware's tables name to the one that no processor
//! can withstand; each is tried, given a moment, and followed by the next.
//!
//! Two families of machines differ. A PC has control registers in I/O ports, with a field for the depth of sleep, and a BIOS
//! that owns them until it is told otherwise. A machine without that inheritance (QEMU's `microvm`, and what ACPI calls
//! hardware-reduced) has one sleep control register in memory. Both need the number that means "off", and both find it at the
//! same place: [`SleepTypes`](pc_firmware::acpi::SleepTypes).

use crate::mmu::devices::{Device, RESET, SLEEP_CONTROL};
use crate::mmu::shootdown;
use crate::{Native, port};
use arch::{IrqOps, PowerOps, VirtAddr};
use core::fmt;
use pc_firmware::acpi::{Firmware, Register};
use spin::Once;
use x86_64::instructions::hlt;
use x86_64::instructions::interrupts::int3;
use x86_64::instructions::tables::lidt;
use x86_64::structures::DescriptorTablePointer;

/// What is known of the machine's switches.
static SWITCHES: Once<Switches> = Once::new();

impl PowerOps for Native {
    fn power_off() -> ! {
        Self::disable();
        if let Some(switches) = SWITCHES.get() {
            switches.power_off();
        }
        Self::crash()
    }

    fn reboot() -> ! {
        Self::disable();
        if let Some(switches) = SWITCHES.get() {
            switches.reset();
        }
        reset_by_keyboard_controller();
        reset_by_triple_fault()
    }

    fn exit(status: u8) -> ! {
        Self::disable();
        tell_bench(status);
        Self::power_off()
    }

    fn crash() -> ! {
        Self::disable();
        shootdown::leave();
        loop {
            Self::disable();
            hlt();
        }
    }
}

/// The port of QEMU's `isa-debug-exit`: a write ends QEMU, whose own status is then twice the value written, plus one.
pub const EXIT_PORT: u16 = 0xf4;

/// What to write there for `status`. Bit 6 is set in every status of this kernel and tells it from a stray write.
pub const fn exit_value(status: u8) -> u32 {
    let status = if status > 63 { 63 } else { status };
    0x40 | status as u32
}

/// Ends QEMU with `status`, if it has the device for that.
pub fn tell_bench(status: u8) {
    // SAFETY: a PC has nothing at this port but the device that ends it.
    unsafe { port::write(EXIT_PORT, exit_value(status)) };
}

/// The devices that must be mapped for what `firmware` says, which go to fixed addresses.
pub(crate) fn devices(firmware: &Firmware) -> [Option<Device>; 2] {
    let device = |register, at| match register {
        Register::Memory(physical) => Some(Device::registers(at, physical)),
        Register::Port(_) => None,
    };
    let fixed = firmware.fixed;
    let sleep = fixed.and_then(|fixed| fixed.sleep_control);
    let reset = fixed.and_then(|fixed| fixed.reset);
    [
        sleep.and_then(|register| device(register, SLEEP_CONTROL)),
        reset.and_then(|(register, _)| device(register, RESET)),
    ]
}

/// Remembers the switches that `firmware` tells of. Those in memory are mapped as [`devices`] asks.
pub(crate) fn set_up(firmware: &Firmware) {
    SWITCHES.call_once(|| Switches::of(firmware));
}

/// The machine's switches.
#[derive(Debug, Default)]
struct Switches {
    /// The port and the value that hand the control registers to the kernel.
    enable: Option<(u16, u8)>,
    /// The ports of the control registers, each with its sleep type.
    control: [Option<(u16, u8)>; 2],
    /// The sleep control register, with its sleep type.
    sleep_control: Option<(Switch, u8)>,
    /// The reset register and the value it wants.
    reset: Option<(Switch, u8)>,
}

/// A register of eight bits that only boot and end use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Switch {
    Port(u16),
    Mapped(VirtAddr),
}

impl Switch {
    /// The switch at `register`, which is mapped in the page at `at` unless it is a port.
    fn new(register: Register, at: VirtAddr) -> Self {
        match register {
            Register::Port(port) => Self::Port(port),
            Register::Memory(physical) => Self::Mapped(Device::registers(at, physical).address()),
        }
    }

    /// Throws the switch.
    fn write(self, value: u8) {
        // SAFETY: the firmware says that this register ends the machine; if it is in memory it is mapped.
        unsafe {
            match self {
                Self::Port(port) => port::write(port, value),
                Self::Mapped(address) => address.as_mut_ptr::<u8>().write_volatile(value),
            }
        }
    }
}

impl fmt::Debug for Switch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(port) => write!(out, "port {port:#x}"),
            Self::Mapped(address) => write!(out, "{:#x}", address.as_u64()),
        }
    }
}

/// The lowest bit of a control register: it is the kernel's (ACPI 6.5, table 4.16).
const CONTROL_IS_OURS: u16 = 1;

impl Switches {
    /// The switches that the firmware's tables name. A control register outside the ports is not one that was ever built.
    fn of(firmware: &Firmware) -> Self {
        let Some(fixed) = firmware.fixed else {
            return Self::default();
        };
        let types = firmware.soft_off.map(|types| types.0);
        let control = |half: usize| match fixed.control[half]? {
            Register::Port(port) => Some((port, types?[half])),
            Register::Memory(_) => None,
        };
        let sleep_control = fixed.sleep_control.map(|register| Switch::new(register, SLEEP_CONTROL));
        Self {
            enable: fixed.enable,
            control: [control(0), control(1)],
            sleep_control: sleep_control.zip(types.map(|types| types[0])),
            reset: fixed
                .reset
                .map(|(register, value)| (Switch::new(register, RESET), value)),
        }
    }

    /// Enters sleep state S5; returns if the machine does not.
    fn power_off(&self) {
        /// Bits 2 to 4 are the sleep type, bit 5 says go (ACPI 6.5, table 4.18).
        const GO: u8 = 1 << 5;
        if let Some((register, kind)) = self.sleep_control {
            register.write(kind << 2 | GO);
        }
        self.take_control();
        for (port, kind) in self.control.into_iter().flatten() {
            sleep(port, kind);
        }
        a_moment();
    }

    /// Makes the firmware leave the control registers to the kernel, if it still has them.
    fn take_control(&self) {
        /// How often the register is asked whether it is ours: some of a second on real hardware.
        const PATIENCE: usize = 100_000;
        let (Some((command, value)), Some((control, _))) = (self.enable, self.control[0]) else {
            return;
        };
        // SAFETY: the firmware names both ports for this purpose.
        unsafe {
            if port::read::<u16>(control) & CONTROL_IS_OURS == 0 {
                port::write(command, value);
                let _ours = (0..PATIENCE).any(|_| port::read::<u16>(control) & CONTROL_IS_OURS != 0);
            }
        }
    }

    /// Writes the reset register; returns if nothing comes of it.
    fn reset(&self) {
        if let Some((register, value)) = self.reset {
            register.write(value);
            a_moment();
        }
    }
}

/// Writes the sleep type `kind` into the control register at `port`: bits 10 to 12 are the type, bit 13 says go.
fn sleep(port: u16, kind: u8) {
    const TYPE: u16 = 0b111 << 10;
    const GO: u16 = 1 << 13;
    // SAFETY: the firmware says that this port switches the machine off.
    unsafe {
        let rest = port::read::<u16>(port) & !TYPE;
        port::write(port, rest | u16::from(kind) << 10 | GO);
    }
}

/// Asks the keyboard controller to pulse the processor's reset line, as the PC AT did it.
fn reset_by_keyboard_controller() {
    /// Its status port when read, its command port when written.
    const CONTROLLER: u16 = 0x64;
    /// Status: the last command was not taken yet.
    const BUSY: u8 = 0b10;
    /// Command: pulse output line 0, and no other, for six microseconds.
    const PULSE_RESET: u8 = 0xfe;
    /// How often the status is asked. A machine without the controller answers with all bits set, and is tried all the same.
    const PATIENCE: usize = 100_000;
    // SAFETY: the kernel has no keyboard driver, and will not miss it.
    unsafe {
        let _ready = (0..PATIENCE).any(|_| port::read::<u8>(CONTROLLER) & BUSY == 0);
        port::write(CONTROLLER, PULSE_RESET);
    }
    a_moment();
}

/// Takes all gates away and raises an exception: the processor gives up, and the machine resets it.
fn reset_by_triple_fault() -> ! {
    let none = DescriptorTablePointer {
        limit: 0,
        base: VirtAddr::zero(),
    };
    // SAFETY: that no exception can be handled from here on is the purpose.
    unsafe { lidt(&none) };
    int3();
    Native::crash()
}

/// Waits long enough for a write that ends the machine to have done so: some milliseconds.
fn a_moment() {
    for _ in 0..100_000 {
        core::hint::spin_loop();
    }
}
