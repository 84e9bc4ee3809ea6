//! Phasing what was read: loci of a VCF, a reference panel, a scaffold and a pedigree become a study of `x-hmm`, and the
//! haplotypes it finds go back into the loci. `docs/design/phasing.md`.

mod confidence;
mod haploid;
mod likelihood;
mod reference;
mod run;
mod scaffold;
mod study;

pub use confidence::Confidence;
pub use run::{Found, Inputs, Mendel, Outcome, phase};

/// Observed ALT codes, missing alleles and flags are those of `x-vcf`; `x-hmm` writes a missing allele the same way.
const _: () = assert!(x_vcf::MISSING == x_hmm::MISSING);
