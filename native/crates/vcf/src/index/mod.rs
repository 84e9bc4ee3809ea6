//! TBI and CSI: where in a BGZF file the records of a place are.

mod bins;
mod build;
mod read;

pub use build::{IndexBuilder, IndexKind};
pub use read::Index;
