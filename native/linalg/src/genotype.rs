//! Exports of the `genotype` crate.
