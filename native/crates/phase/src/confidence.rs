//! How sure the result is, as columns beside the calls.

use x_hmm::Phased;
use x_simd::Result;

/// Locus-major; NaN where there is nothing to be sure of.
#[derive(Debug, Clone, Default)]
pub struct Confidence {
    /// One a sample: probability that a heterozygous genotype is phased right relative to the sample's one before.
    pub phase: Vec<f32>,
    /// Two a sample: probability of an imputed code on each haplotype.
    pub codes: Vec<f32>,
}

impl Confidence {
    /// `keep`: loci that are written, of those that were phased.
    pub fn new(phased: &Phased, keep: &[bool], samples: usize) -> Result<Self> {
        let mut number = vec![usize::MAX; keep.len()];
        let mut loci = 0;
        for (n, _) in number.iter_mut().zip(keep).filter(|(_, k)| **k) {
            *n = loci;
            loci += 1;
        }
        let mut out =
            Self { phase: x_simd::try_zeroed(loci * samples)?, codes: x_simd::try_zeroed(2 * loci * samples)? };
        out.phase.fill(f32::NAN);
        out.codes.fill(f32::NAN);
        for c in phased.phase_confidence.iter().filter(|c| keep[c.locus as usize]) {
            out.phase[number[c.locus as usize] * samples + c.sample as usize] = c.probability;
        }
        for c in phased.code_confidence.iter().filter(|c| keep[c.locus as usize]) {
            let at = 2 * (number[c.locus as usize] * samples + c.sample as usize);
            out.codes[at..at + 2].copy_from_slice(&c.probability);
        }
        Ok(out)
    }
}
