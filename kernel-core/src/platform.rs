//! The one choice: which platform this kernel is compiled for.
//!
//! No other line of the core asks what it runs on. [`Platform`] is a type, so every operation on it is resolved here and
//! now, by the compiler.

cfg_if::cfg_if! {
    if #[cfg(not(any(feature = "native", feature = "xen", feature = "vmi")))] {
        compile_error!(
            "no platform is chosen: the features are `native`, `xen` and `vmi`; type `cargo xtask build --features native` \
             (or `xen`, or `vmi`, or `paravirt` for one image that is all of them)"
        );
    } else if #[cfg(feature = "paravirt")] {
        pub use subarch_paravirt::{Paravirt as Platform, entry};
    } else if #[cfg(any(
        all(feature = "native", feature = "xen"),
        all(feature = "native", feature = "vmi"),
        all(feature = "xen", feature = "vmi"),
    ))] {
        compile_error!(
            "two platforms are chosen at once: of the features `native`, `xen` and `vmi` name exactly one; type \
             `cargo xtask build --features native` (or `xen`, or `vmi`); for several in one image their parent is chosen as well: \
             `cargo xtask build --features paravirt,native,xen`"
        );
    } else if #[cfg(feature = "native")] {
        pub use subarch_native::{Native as Platform, entry};
    } else if #[cfg(feature = "xen")] {
        pub use subarch_xen::{Xen as Platform, entry};
    } else {
        pub use subarch_vmi::{Vmi as Platform, entry};
    }
}
