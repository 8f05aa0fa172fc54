//! What is known at one place of a function.

use iced_x86::Register;

/// How many general registers there are.
const REGISTERS: usize = 16;

/// What is known before an instruction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// How far RSP is below its value at the function's first instruction.
    pub depth: i64,
    /// The same for RBP, while it holds a place in the stack.
    pub base: Option<i64>,
    /// The constants in registers.
    constants: [Option<u64>; REGISTERS],
}

impl State {
    /// What is known where this and `other` meet.
    pub fn joined(&self, other: &Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            base: self.base.filter(|_| self.base == other.base),
            constants: std::array::from_fn(|number| {
                self.constants[number].filter(|_| self.constants[number] == other.constants[number])
            }),
        }
    }

    /// The constant in `register`.
    pub fn known(&self, register: Register) -> Option<u64> {
        self.constants[number(register)?]
    }

    /// `register` gets a new value, a constant or nothing known; its parts count as the whole.
    pub fn set(&mut self, register: Register, constant: Option<u64>) {
        if let Some(number) = number(register) {
            self.constants[number] = constant;
        }
        if register.full_register() == Register::RBP {
            self.base = None;
        }
    }
}

/// The number of a general register, or of the one that it is a part of.
fn number(register: Register) -> Option<usize> {
    register.is_gpr().then(|| register.full_register().number())
}
