//! Diversities of single samples.

use crate::counts::Counts;
use crate::walk::{Source, Walk};

/// Faith's phylogenetic diversity: the length of all branches with something below them, up to the root; 0 for a sample
/// without counts.
pub fn faith_pd(source: &Source) -> Vec<f64> {
    let chosen: Vec<u32> = (0..source.counts.samples() as u32).collect();
    let mut walk = Walk::new(source, &chosen);
    let mut sums = vec![0.0; chosen.len()];
    while let Some((length, samples, _)) = walk.next() {
        samples.iter().for_each(|&s| sums[s as usize] += length);
    }
    sums
}

/// Shannon's entropy in bits; NaN for a sample without counts.
pub fn shannon(counts: &Counts) -> Vec<f64> {
    let of = |s: usize| {
        let total = counts.totals[s];
        let terms = counts.row(s).1.iter().filter(|&&v| v > 0.0).map(|v| v / total).map(|p| -p * p.log2());
        if total > 0.0 { terms.sum() } else { f64::NAN }
    };
    (0..counts.samples()).map(of).collect()
}

/// How many features each sample has.
pub fn observed(counts: &Counts) -> Vec<f64> {
    (0..counts.samples()).map(|s| counts.row(s).1.iter().filter(|&&v| v > 0.0).count() as f64).collect()
}
