//! Kernels over packed two-bit genotypes: decode, count, subset, transpose, Gram matrices over people and over SNPs,
//! and the rotation of SNPs by eigenvectors; and the same needs of genotypes that are real numbers (`dosage`).
//!
//! Every kernel has an `*_at` twin that takes the instruction set, so that tests and benches compare paths in one
//! process. All of them give the same bytes on every level, for every thread count and every block size.

mod count;
mod decode;
mod dosage;
mod gram;
mod missing;
mod packed;
mod people;
mod planes;
mod rotate;
mod snp_gram;
mod subset;
mod tiles;
mod transpose;

#[cfg(test)]
mod tests;

pub use count::{count, count_at};
pub use decode::{
    MISSING_I8, decode_f32, decode_f32_at, decode_f64, decode_f64_at, decode_i8, decode_i8_at, streaming_fill,
};
pub use dosage::{
    DosageCounts, DosageGram, DosageReader, DosageRows, Scale, dosage_counts, dosage_gram_bytes, fill_rows,
};
pub use missing::missing_by_sample;
pub use packed::row_bytes;
pub use people::{PeopleGram, people_gram_bytes};
pub use rotate::{rotate, rotate_at};
pub use snp_gram::{snp_gram, snp_gram_at};
pub use subset::{subset, subset_at};
pub use transpose::transpose;
