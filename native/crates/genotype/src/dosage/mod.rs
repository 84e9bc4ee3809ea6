//! Genotypes as real numbers: dosages of the counted allele in [0, 2], NaN where missing, one row a variant.

mod gram;
mod reader;
mod rows;

pub use gram::{DosageGram, Scale, dosage_gram_bytes};
pub use reader::{DosageReader, DosageRows};
pub use rows::{DosageCounts, dosage_counts, fill_rows};
