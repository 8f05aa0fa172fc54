//! The parent: several platforms in one image.
//!
//! The proposal of 2006 that nobody built was a configuration with children. Choose one child, and every operation is compiled in line;
//! choose several, and there is one image for all of them. This crate is that parent. It is a platform like its children, whose
//! operations it uses as they are; which of them an operation is, is settled at boot, at every single place (the module `several`).
//!
//! The children are Cargo features. Those of bare metal are one: `vmi` without a ROM is native, so where both are chosen it is `vmi`.
//! A parent of one child is that child.
#![cfg_attr(not(test), no_std)]
#![warn(missing_docs)]

cfg_if::cfg_if! {
    if #[cfg(all(feature = "xen", any(feature = "native", feature = "vmi")))] {
        pub mod several;
        pub use several::Paravirt;
        pub use subarch_xen;
    } else if #[cfg(feature = "xen")] {
        pub use subarch_xen::{Xen as Paravirt, entry};
    }
}

cfg_if::cfg_if! {
    if #[cfg(all(feature = "vmi", feature = "xen"))] {
        #[doc(hidden)]
        pub use subarch_vmi::entry as bare_entry;
    } else if #[cfg(feature = "vmi")] {
        pub use subarch_vmi::{Vmi as Paravirt, entry};
    } else if #[cfg(all(feature = "native", feature = "xen"))] {
        #[doc(hidden)]
        pub use subarch_native::entry as bare_entry;
    } else if #[cfg(feature = "native")] {
        pub use subarch_native::{Native as Paravirt, entry};
    }
}
