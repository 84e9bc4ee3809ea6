//! Phasing by a Li–Stephens hidden Markov model over a graph of possible haplotypes, after SHAPEIT4 (Delaneau et al.
//! 2019, Nature Communications 10:5436) and SHAPEIT5 (Hofmeister et al. 2023, Nature Genetics 55:1243), with one locus
//! per position: a haplotype carries one code there, so it cannot carry two ALTs. `docs/design/phasing.md`.

mod backward;
mod classes;
mod confidence;
mod donors;
mod graph;
mod kernel;
mod lanes;
mod merge;
mod model;
mod options;
mod panel;
mod pass;
mod path;
mod pedigree;
mod phase;
mod schedule;
mod study;
#[cfg(test)]
mod textbook;
mod windows;

pub use confidence::{CodeConfidence, PhaseConfidence};
pub use options::{Anchor, Imputation, Options};
pub use pedigree::{Inheritance, MendelError, Trio, inherit};
pub use phase::{Counters, Iteration, Phased, Times, phase};
pub use schedule::{Schedule, Stage};
pub use study::{Likelihood, Locus, MISSING, Partial, Study};
