//! Exports of the `dense` crate.
