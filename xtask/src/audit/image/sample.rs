//! Small images for the tests of rules: functions made of instructions, linked into an ELF file.

use super::Image;
use iced_x86::code_asm::CodeAssembler;
use object::write::{Object, Symbol, SymbolSection};
use object::{Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope};

/// Where the first function of a sample lies.
pub const BASE: u64 = 0;

/// A function to be: its symbol, and what writes its instructions.
pub type Part<'a> = (&'a str, &'a dyn Fn(&mut CodeAssembler));

/// An image of these functions, each at a multiple of 16, the gaps filled with `int3`.
pub fn image(parts: &[Part<'_>]) -> Image {
    Image::parse(&file(parts, &[])).expect("a sample is an image")
}

/// The same as a file, with further sections: name, what they are, bytes.
pub fn file(parts: &[Part<'_>], sections: &[(&str, SectionKind, &[u8])]) -> Vec<u8> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let text = object.add_section(Vec::new(), b".text".to_vec(), SectionKind::Text);
    let mut code = Vec::new();
    for (name, write) in parts {
        code.resize(code.len().next_multiple_of(16), 0xcc);
        let start = code.len() as u64;
        let mut assembler = CodeAssembler::new(64).expect("64 bits are fine");
        write(&mut assembler);
        code.extend(assembler.assemble(BASE + start).expect("instructions can be encoded"));
        object.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value: start,
            size: code.len() as u64 - start,
            kind: SymbolKind::Text,
            scope: SymbolScope::Compilation,
            weak: false,
            section: SymbolSection::Section(text),
            flags: SymbolFlags::None,
        });
    }
    object.append_section_data(text, &code, 16);
    for (name, kind, bytes) in sections {
        let section = object.add_section(Vec::new(), name.as_bytes().to_vec(), *kind);
        object.append_section_data(section, bytes, 1);
    }
    object.write().expect("an object can be written")
}
