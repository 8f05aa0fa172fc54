//! Tells the linker to lay the executable out as `programs.ld` says.

fn main() {
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    println!("cargo:rerun-if-changed=programs.ld");
    for argument in [&format!("-T{folder}/programs.ld"), "-zseparate-code", "-znoexecstack"] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
