//! The kernel's console on its way to the user's terminal.
//!
//! Bytes are shown as they come, so that typing at the kernel's prompt feels like typing; yet the addresses of a
//! backtrace gain names on the way. [`stream`] does the first, [`symbolise`] knows the names.

pub mod stream;
pub mod symbolise;

use std::path::Path;
use stream::{Frame, Stream};
use symbolise::LazySymbols;

/// A stream that gives names to addresses of one image.
pub type Annotating = Stream<Box<dyn FnMut(Frame) -> Option<String>>>;

/// A stream for the console of `image`, a kernel with debug information built from the sources below `root`.
pub fn annotating(image: &Path, root: &Path) -> Annotating {
    let mut symbols = LazySymbols::Closed(image.to_owned(), root.to_owned());
    Stream::new(Box::new(move |frame| symbols.open()?.describe(frame)))
}
