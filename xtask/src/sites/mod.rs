//! `sites`: every place of a vmi kernel that a ROM may change.

pub mod table;
