//! Centred mean-imputed X'X of SNPs.

use x_dense::SquareMatrix;
use x_simd::{Job, Level, Result};

use crate::snp_set::SnpSet;

/// Centred mean-imputed X'X over the packed rows (`rows × rows`, no division). A row without calls gives zeros. Takes
/// as much again as `packed` for the bit planes. Progress counts tiles.
pub fn snp_gram(packed: &[u8], samples: usize, rows: usize, threads: usize, job: &Job) -> Result<SquareMatrix> {
    snp_gram_at(Level::get(), packed, samples, rows, threads, job)
}

#[doc(hidden)]
pub fn snp_gram_at(
    level: Level,
    packed: &[u8],
    samples: usize,
    rows: usize,
    threads: usize,
    job: &Job,
) -> Result<SquareMatrix> {
    crate::packed::check_packed(packed, samples, rows)?;
    if samples == 0 {
        return SquareMatrix::zeros(rows);
    }
    let mut set = SnpSet::new_at(level, samples);
    let all: Vec<u32> = (0..rows as u32).collect();
    set.push(packed, &all, None, threads, job)?;
    set.gram(threads, job)
}
