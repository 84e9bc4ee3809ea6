//! Long work and errors, as every door handles them.

pub use x_door::{Work, to_napi};
