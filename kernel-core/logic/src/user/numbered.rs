//! Numbers that everybody knows by name.

/// Gives a newtype around a number its named values, and shows it by name.
macro_rules! numbered {
    ($type:ident, $unknown:literal { $($(#[$attribute:meta])* $name:ident = $number:literal,)+ }) => {
        impl $type {
            $($(#[$attribute])* pub const $name: Self = Self($number);)+

            /// Its name in capitals; `None` if it is not in use here.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)+
                    _ => None,
                }
            }
        }

        impl ::core::fmt::Display for $type {
            fn fmt(&self, out: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match self.name() {
                    Some(name) => out.pad(name),
                    None => write!(out, "{} {}", $unknown, self.0),
                }
            }
        }

        impl ::core::fmt::Debug for $type {
            fn fmt(&self, out: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(self, out)
            }
        }
    };
}
pub(super) use numbered;
