//! Functions: stretches of code with a name and an owner.

use crate::places::demangled;
use anyhow::Result;
use object::{Object, ObjectSymbol, SymbolKind};
use std::fmt;
use std::ops::Range;

/// A function of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name as the source has it, without the compiler's hash.
    pub name: String,
    /// Its symbol, as the file has it.
    pub symbol: String,
    /// Its addresses.
    pub range: Range<u64>,
}

/// A crate by its name, as paths in the source spell it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Crate(pub String);

/// The libraries that the platforms' crates are made of.
const LIBRARIES: [&str; 3] = ["pc_firmware", "vmi64", "xen_abi"];

impl Crate {
    /// The crate that the function with this demangled name belongs to; `assembly` for symbols that no crate has named.
    ///
    /// An implementation of a trait, `<T as Trait>::method`, belongs to the crate of `T`; where that is no path (`&T`, a slice), to
    /// the trait's.
    pub fn of(name: &str) -> Self {
        let mut rest = name;
        while let Some(inside) = rest.strip_prefix('<') {
            rest = inside.trim_start_matches(|letter: char| "&*[(".contains(letter));
            rest = rest.strip_prefix("mut ").or(rest.strip_prefix("dyn ")).unwrap_or(rest);
            if !begins_with_path(rest)
                && let Some((_, of_trait)) = inside.split_once(" as ")
            {
                rest = of_trait;
            }
        }
        match rest.split_once("::") {
            Some((first, _)) if first.chars().all(is_of_name) => Self(first.to_owned()),
            _ => Self("assembly".to_owned()),
        }
    }

    /// The crate whose source has this line: debug information of optimised code names inlined functions without their paths.
    pub fn of_line(line: &str) -> Self {
        let folder = line.split("/src/").next().unwrap_or_default();
        let last = folder.rsplit('/').next().unwrap_or_default();
        let name = last.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
        Self(name.trim_end_matches('-').replace('-', "_"))
    }

    /// Whether it is one of the platforms' crates, the libraries they consist of included.
    pub fn is_of_platform(&self) -> bool {
        self.0.starts_with("subarch_") || LIBRARIES.contains(&self.0.as_str())
    }
}

impl fmt::Display for Crate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Function {
    /// Whose it is.
    pub fn owner(&self) -> Crate {
        Crate::of(&self.name)
    }
}

/// Whether `text` starts with the path of an item in a crate, not with a primitive type or a parameter.
fn begins_with_path(text: &str) -> bool {
    let first = text.split(|letter| !is_of_name(letter)).next().unwrap_or_default();
    text[first.len()..].starts_with("::") || text.starts_with('<')
}

fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// What detours lead to lies together, between symbols of the linker script: code that belongs to many functions.
pub const DETOURS: [&str; 2] = ["detours", "detours_end"];

/// The code between two symbols, if `file` has them and there is any.
fn stretch(file: &object::File<'_>, [start, end]: [&str; 2]) -> Option<Function> {
    let range = file.symbol_by_name(start)?.address()..file.symbol_by_name(end)?.address();
    let name = start.to_owned();
    (!range.is_empty()).then_some(Function {
        symbol: name.clone(),
        name,
        range,
    })
}

/// All functions of `file`, by ascending address. Of several names for the same code the first in the alphabet is taken, and a
/// symbol without a size reaches to the next.
pub fn all(file: &object::File<'_>) -> Result<Vec<Function>> {
    let mut functions = Vec::new();
    for symbol in file
        .symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0)
    {
        let name = symbol.name()?;
        functions.push(Function {
            name: demangled(name),
            symbol: name.to_owned(),
            range: symbol.address()..symbol.address() + symbol.size(),
        });
    }
    functions.extend(stretch(file, DETOURS));
    functions.sort_by(|one, other| (one.range.start, &one.symbol).cmp(&(other.range.start, &other.symbol)));
    functions.dedup_by(|second, first| second.range.start < first.range.end);
    Ok(functions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_whose_it_is() {
        let owner = |line| Crate::of_line(line).0;
        assert_eq!(owner("subarch-native/src/boot/pvh.rs:99"), "subarch_native");
        assert_eq!(owner("core/src/fmt/mod.rs:2093"), "core");
        assert_eq!(owner("log-0.4.35/src/__private_api.rs:49"), "log");
        assert_eq!(owner("kernel-core/logic/src/sched/heap.rs:1"), "logic");
    }

    #[test]
    fn a_name_tells_whose_a_function_is() {
        let cases = [
            ("kernel_core::task::wake::wake", "kernel_core"),
            ("<subarch_xen::Xen as arch::irq::IrqOps>::enable", "subarch_xen"),
            ("<&T as core::fmt::Debug>::fmt", "core"),
            ("<&mut W as core::fmt::Write>::write_str", "core"),
            ("<alloc::vec::Vec<T,A> as core::fmt::Debug>::fmt", "alloc"),
            ("<[T] as core::fmt::Debug>::fmt", "core"),
            ("core::ptr::drop_in_place<kernel_core::x::Y>", "core"),
            ("<<a_crate::T as b::U>::V as c::W>::f", "a_crate"),
            ("probe.IrqOps.disable", "assembly"),
            ("memcpy", "assembly"),
        ];
        for (name, owner) in cases {
            assert_eq!(Crate::of(name).0, owner, "{name}");
        }
    }
}
