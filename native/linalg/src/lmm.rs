//! Exports of the `lmm` crate.
