//! Exports of the `stats` crate.
