//! Loci as the engine takes them.

use x_hmm::{Likelihood, Locus, Partial, Study};
use x_vcf::Loci;

/// Takes the calls out of `target`; its rows, flags and names stay.
pub fn study(target: &mut Loci, cm: &[f64], haploid: Vec<bool>, panel: Vec<u8>, weights: Vec<Likelihood>) -> Study {
    let mut loci: Vec<Locus> = Vec::with_capacity(target.len());
    for ((&position, &codes), &cm) in target.positions.iter().zip(&target.codes).zip(cm) {
        // Split rows share a position; the engine only wants them in order.
        let position = loci.last().map_or(position, |last| position.max(last.position + 1));
        loci.push(Locus { position, cm, codes });
    }
    let partial = target.partial.iter();
    Study {
        samples: target.samples.len(),
        loci,
        calls: std::mem::take(&mut target.calls),
        fixed: Vec::new(),
        haploid,
        reference: panel,
        partial: partial.map(|p| Partial { locus: p.locus, sample: p.sample, allowed: p.allowed.clone() }).collect(),
        likelihoods: weights,
    }
}
