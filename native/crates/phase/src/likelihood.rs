//! PL and GL as weights of genotypes.

use x_hmm::Likelihood;
use x_vcf::{Loci, MISSING};

/// A called genotype with at least this share of the likelihood is certain.
const CERTAIN: f64 = 0.99;

/// Weights of missing calls, and of calls that their own likelihoods do not bear out. Samples with one haplotype and
/// positions with several rows have none.
pub fn weights(loci: &Loci, haploid: &[bool]) -> Vec<Likelihood> {
    let n = loci.samples.len();
    let mut out = Vec::new();
    for (l, all) in loci.likelihoods.iter().enumerate().filter(|(_, all)| !all.is_empty()) {
        let codes = usize::from(loci.codes[l]);
        let calls = loci.calls_of(l);
        for (s, given) in all.chunks_exact(codes * (codes + 1) / 2).enumerate().take(n) {
            if haploid[s] || given.iter().any(|g| g.is_nan()) {
                continue;
            }
            if let Some(weights) = of(given, [calls[2 * s], calls[2 * s + 1]]) {
                out.push(Likelihood { locus: l as u32, sample: s as u32, weights });
            }
        }
    }
    out
}

/// `None` where the call is certain, or the likelihoods say nothing.
fn of(given: &[f32], call: [u8; 2]) -> Option<Vec<f32>> {
    let top = given.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut weights: Vec<f32> = given.iter().map(|&g| 10.0_f32.powf(g - top)).collect();
    let index = |a: u8, b: u8| usize::from(a.max(b)) * (usize::from(a.max(b)) + 1) / 2 + usize::from(a.min(b));
    match call {
        [MISSING, MISSING] => {}
        [MISSING, seen] | [seen, MISSING] => {
            let fits: Vec<usize> = (0..).take_while(|&c| index(c, c) < weights.len()).map(|c| index(c, seen)).collect();
            weights.iter_mut().enumerate().filter(|(g, _)| !fits.contains(g)).for_each(|(_, w)| *w = 0.0);
        }
        [a, b] => {
            let total: f64 = weights.iter().map(|&w| f64::from(w)).sum();
            if f64::from(weights[index(a, b)]) >= CERTAIN * total {
                return None;
            }
        }
    }
    let open = weights.iter().any(|&w| w > 0.0) && weights.iter().any(|&w| w != weights[0]);
    (open && weights.iter().all(|w| w.is_finite())).then_some(weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certain_missing_and_doubtful_calls() {
        const M: u8 = MISSING;
        assert_eq!(of(&[0.0, -3.0, -9.0], [0, 0]), None);
        assert_eq!(of(&[0.0, -1.0, -9.0], [0, 0]).unwrap()[..2], [1.0, 0.1]);
        assert!(of(&[0.0, -3.0, -9.0], [0, 1]).is_some());
        assert_eq!(of(&[0.0, 0.0, 0.0], [M, M]), None);
        assert!(of(&[-2.0, 0.0, -2.0], [M, M]).is_some());
        // An observed 1 rules out 0/0.
        assert_eq!(of(&[0.0, -1.0, -1.0], [1, M]).unwrap(), [0.0, 0.1, 0.1]);
        assert_eq!(of(&[f32::NEG_INFINITY; 3], [M, M]), None);
    }
}
