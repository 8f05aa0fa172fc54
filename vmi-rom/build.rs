//! Tells the linker to write a flat image by the layout of `rom.ld`, and to refuse one that would need relocating.
//!
//! A ROM in a crate of its own is linked in the same way: its build script gets the arguments from here.

/// What is between two arguments on their way to another build script; no path has it.
const SEPARATOR: &str = "\t";

fn main() {
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    println!("cargo:rerun-if-changed=rom.ld");
    let arguments = [
        &format!("-T{folder}/rom.ld"),
        "--oformat=binary",
        "-pie",
        "--no-dynamic-linker",
        "-ztext",
    ];
    for argument in arguments {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
    // With `links` in the manifest, this is DEP_VMI_ROM_ARGUMENTS for whoever depends on the crate.
    println!("cargo:arguments={}", arguments.join(SEPARATOR));
}
