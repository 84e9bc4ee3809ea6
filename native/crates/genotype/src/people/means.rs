//! The terms of one person: Σ ν e + Σ ν² m, summed in SNP order through tables of eight SNPs at a time.

use rayon::prelude::*;

use crate::planes::Planes;

/// People a task; each task builds the tables anew.
const STRIP: usize = 512;

pub(super) struct Terms {
    pub people: Vec<f64>,
    /// Σ ν²
    pub squares: f64,
}

impl Terms {
    /// `means` holds ν. Runs in the current pool.
    pub fn new(planes: &Planes, means: &[f64]) -> Self {
        let chunks = planes.chunks;
        let mut people = vec![0.0; planes.data.len() / chunks];
        people.par_chunks_mut(STRIP).zip(planes.data.par_chunks(STRIP * chunks)).for_each(|(out, planes)| {
            let mut tables = [[0.0; 256]; 8];
            for w in 0..means.len().div_ceil(64) {
                let means = &means[w * 64..means.len().min(w * 64 + 64)];
                for (k, table) in tables.iter_mut().enumerate() {
                    subset_sums(means.get(k * 8..).unwrap_or(&[]), table);
                }
                for (to, row) in out.iter_mut().zip(planes.chunks_exact(chunks)) {
                    let chunk = &row[w / 8];
                    let plus = !(chunk.zero[w % 8] | chunk.minus[w % 8]);
                    let minus = !chunk.zero[w % 8] & chunk.minus[w % 8];
                    let mut missing = chunk.missing(w % 8);
                    for (k, table) in tables.iter().enumerate() {
                        let at = |bits: u64| table[(bits >> (8 * k) & 255) as usize];
                        *to += at(plus) - at(minus);
                    }
                    while missing != 0 {
                        let mean = means[missing.trailing_zeros() as usize];
                        *to += mean * mean;
                        missing &= missing - 1;
                    }
                }
            }
        });
        Self { people, squares: means.iter().map(|m| m * m).sum() }
    }
}

/// Sums over every subset of up to eight values; those past the end count as zero.
fn subset_sums(values: &[f64], table: &mut [f64; 256]) {
    table[0] = 0.0;
    for k in 0..8 {
        let (known, next) = table.split_at_mut(1 << k);
        let value = values.get(k).copied().unwrap_or(0.0);
        for (to, from) in next.iter_mut().zip(known.iter()) {
            *to = from + value;
        }
    }
}
