//! Rare variants onto a phased scaffold: sparse genotypes, one haploid copying model a haplotype, and the probability of
//! each phase. After SHAPEIT5's `phase_rare` (Hofmeister et al. 2023, Nature Genetics 55:1243), written from its
//! description. `docs/design/rare.md`.

mod bits;
mod copying;
mod data;
mod options;
mod phase;
mod position;
mod read;
mod rows;
mod select;
mod settle;
mod viterbi;

pub use data::{Entry, Rare, Reason, Scaffold, Study};
pub use options::{Options, Trio};
pub use phase::{Counts, Positions, phase};
pub use read::{Read, read};
pub use rows::StudyRows;
