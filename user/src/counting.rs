//! How a program that measures tells a kernel that counts where its batches begin and end.
//!
//! It is the one system call that is not Linux's. Only an image built for counting knows it; any other kernel, Linux included, answers
//! that there is none such.

/// The number of the call, far behind all of Linux's.
pub const NUMBER: usize = 1 << 20;
/// First argument: a batch begins.
pub const BEGIN: usize = 0;
/// First argument: the batch ends.
pub const END: usize = 1;
/// First argument: all batches so far, of which the first was empty, were of the operation whose name is at the second argument, as long as
/// the third says; the fourth is how many operations a batch had.
pub const REPORT: usize = 2;
