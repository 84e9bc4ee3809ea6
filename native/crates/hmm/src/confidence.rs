//! How sure the result is: of each het's phase relative to the het before it, and of each imputed code.

use crate::backward::Posterior;
use crate::graph::{Ambiguous, Graph};
use crate::path::{half, miscopied};
use crate::study::MISSING;

/// Posterior probability that a heterozygous genotype is phased right relative to the sample's previous one; 1 at the
/// first one. Both alleles observed. Joint haplotypes that merging gave up (at most 1 − `mcmc_prune` a merge) count as
/// impossible.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PhaseConfidence {
    pub locus: u32,
    pub sample: u32,
    pub probability: f32,
}

/// Posterior probability of the imputed code on each haplotype; 1 where the allele was observed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CodeConfidence {
    pub locus: u32,
    pub sample: u32,
    pub probability: [f32; 2],
}

/// Of each het of one sample that runs on `lanes`, by the (summed) joint probabilities.
pub fn phases(graph: &Graph, posterior: &Posterior, lanes: &[u8], sample: u32) -> Vec<PhaseConfidence> {
    let mut out = Vec::new();
    // Probability of each lane of segment s together with the bit that haplotype 0 has at the last het.
    let mut state: Option<(Ambiguous, usize, [[f64; 2]; 8])> = None;
    for (s, segment) in graph.segments.iter().enumerate() {
        for site in &graph.ambiguous[segment.from as usize..segment.to as usize] {
            if site.codes[1] == MISSING {
                continue;
            }
            let bit = |site: &Ambiguous, lane: usize| usize::from(site.bits >> lane & 1);
            let mut probability = 1.0;
            if let Some((before, at, mut mass)) = state {
                for t in at..s {
                    mass = across(&posterior.borders[t], &mass);
                }
                let together = bit(&before, usize::from(lanes[at])) ^ bit(site, usize::from(lanes[s]));
                let total: f64 = mass.iter().flatten().sum();
                let right: f64 = (0..8).map(|lane| mass[lane][bit(site, lane) ^ together]).sum();
                probability = if total > 0.0 { right / total } else { 0.5 };
            }
            out.push(PhaseConfidence { locus: site.locus, sample, probability: probability as f32 });
            let marginal = marginal(graph, posterior, s);
            let mut mass = [[0.0; 2]; 8];
            (0..8).for_each(|lane| mass[lane][bit(site, lane)] = marginal[lane]);
            state = Some((*site, s, mass));
        }
    }
    out
}

fn across(border: &[f32; 64], mass: &[[f64; 2]; 8]) -> [[f64; 2]; 8] {
    let mut next = [[0.0; 2]; 8];
    for (a, from) in mass.iter().enumerate() {
        let row = &border[8 * a..][..8];
        let total: f64 = row.iter().map(|&p| f64::from(p)).sum();
        if total > 0.0 {
            for (to, &p) in next.iter_mut().zip(row) {
                let p = f64::from(p) / total;
                *to = [to[0] + from[0] * p, to[1] + from[1] * p];
            }
        }
    }
    next
}

/// Of each lane of haplotype 0 in segment s, up to a factor.
fn marginal(graph: &Graph, posterior: &Posterior, s: usize) -> [f64; 8] {
    if graph.segments.len() == 1 {
        return posterior.alone.map(f64::from);
    }
    std::array::from_fn(|lane| {
        if s + 1 < graph.segments.len() {
            posterior.borders[s][8 * lane..][..8].iter().map(|&p| f64::from(p)).sum()
        } else {
            (0..8).map(|a| f64::from(posterior.borders[s - 1][8 * a + lane])).sum()
        }
    })
}

/// Of each imputed code of one sample; `code(h, locus)` is the result on haplotype h.
pub fn codes(
    graph: &Graph,
    posterior: &Posterior,
    lanes: &[u8],
    sample: u32,
    counts: &[u8],
    code: impl Fn(usize, usize) -> u8,
) -> Vec<CodeConfidence> {
    let mut s = 0;
    let mut out = Vec::with_capacity(graph.queries.len());
    for (q, query) in graph.queries.iter().enumerate() {
        while graph.segments[s].end <= query.locus {
            s += 1;
        }
        let (segment, locus) = (&graph.segments[s], query.locus as usize);
        let count = usize::from(counts[locus]);
        let pair = [usize::from(lanes[s]), segment.partner(usize::from(lanes[s]))];
        let p = pair.map(|lane| {
            let p = &posterior.codes[posterior.offset[q] + lane * count..][..count];
            if query.weights.is_empty() { p.iter().map(|&p| f64::from(p)).collect() } else { miscopied(p) }
        });
        let bits = if query.half { half(graph, segment.from as usize..segment.to as usize, query.locus) } else { !0 };
        let probability = [0, 1].map(|h| {
            if bits >> pair[h] & 1 == 0 {
                return 1.0;
            }
            // With genotype likelihoods both haplotypes bear on each other.
            let given = |c: usize| -> f64 {
                let others = (0..count).map(|d| p[1 - h][d] * query.weight(c as u8, d as u8)).sum::<f64>();
                p[h][c] * if query.weights.is_empty() { 1.0 } else { others }
            };
            let total: f64 = (0..count).map(given).sum();
            (given(usize::from(code(h, locus))) / total) as f32
        });
        out.push(CodeConfidence { locus: query.locus, sample, probability });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Locus, Study};

    #[test]
    fn within_across_and_beyond_a_segment() {
        let study = Study {
            samples: 1,
            loci: (0..4).map(|i| Locus { position: i + 1, cm: 0.0, codes: 2 }).collect(),
            calls: [0, 1].repeat(4),
            ..Study::default()
        };
        let graph = Graph::new(&study, 0);
        let mut border = [0.0; 64];
        // Lane 0 with lane 0: 0.6; lane 1 with lane 0: 0.1; and their partners.
        (border[0], border[8 * 7 + 1]) = (0.3, 0.3);
        (border[8], border[8 * 6 + 1]) = (0.2, 0.2);
        let posterior = Posterior { borders: vec![border], ..Posterior::default() };
        let found = phases(&graph, &posterior, &[0, 0], 0);
        let values: Vec<f32> = found.iter().map(|f| f.probability).collect();
        // Locus 1 against 0: lanes 0 and 7 keep them together (0.6); 2 against 1: all lanes do; 3 against 2: both pairs.
        for (value, want) in values.iter().zip([1.0, 0.6, 1.0, 1.0]) {
            assert!((value - want).abs() < 1e-6, "{values:?}");
        }
    }
}
