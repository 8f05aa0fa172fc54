//! Tells the linker to write a flat image by the layout of `rom.ld`, and to refuse one that would need relocating.

fn main() {
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    println!("cargo:rerun-if-changed=rom.ld");
    for argument in [
        &format!("-T{folder}/rom.ld"),
        "--oformat=binary",
        "-pie",
        "--no-dynamic-linker",
        "-ztext",
    ] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
