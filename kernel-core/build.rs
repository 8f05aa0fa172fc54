//! Hands the linker what only the kernel's own link needs; the compiler's flags are in `.cargo/config.toml`.

use std::env;

fn main() {
    let script = format!("{}/linker.ld", env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-changed={script}");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("none") {
        return;
    }
    for argument in [
        &format!("-T{script}"),
        "--no-pie",
        "-zmax-page-size=4096",
        "-znoexecstack",
        "--build-id=none",
    ] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
}
