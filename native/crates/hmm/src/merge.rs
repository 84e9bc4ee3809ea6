//! Merging of neighbouring segments whose joint haplotypes are all but certain.

use crate::backward::Posterior;
use crate::graph::{Ambiguous, Graph, MAX_AMBIGUOUS, MAX_LOCI, Segment};

/// Lanes of the left and the right segment that make one lane together.
type Pair = (usize, usize);

/// Merges as many pairs of neighbours as may be, the most certain first; no segment takes part twice.
pub fn merge(graph: &mut Graph, posterior: &Posterior, prune: f64) {
    let mut found: Vec<(f64, usize, Vec<Pair>)> = (0..posterior.borders.len())
        .filter_map(|s| candidate(graph, &posterior.borders[s], s, prune).map(|(e, pairs)| (e, s, pairs)))
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut taken = vec![false; graph.segments.len()];
    let mut pairs: Vec<Option<Vec<Pair>>> = vec![None; graph.segments.len()];
    for (_, s, lanes) in found {
        if !taken[s] && !taken[s + 1] {
            (taken[s], taken[s + 1]) = (true, true);
            pairs[s] = Some(lanes);
        }
    }
    let old = std::mem::take(&mut graph.segments);
    let mut s = 0;
    while s < old.len() {
        if let Some(lanes) = &pairs[s] {
            graph.segments.push(join(&mut graph.ambiguous, &old[s], &old[s + 1], lanes));
            s += 2;
        } else {
            graph.segments.push(old[s].clone());
            s += 1;
        }
    }
}

/// The pairs of lanes that haplotype 0 may take together, and the entropy between the two segments; `None` if they must
/// stay apart.
fn candidate(graph: &Graph, border: &[f32; 64], s: usize, prune: f64) -> Option<(f64, Vec<Pair>)> {
    let (a, b) = (&graph.segments[s], &graph.segments[s + 1]);
    if b.end - a.first > MAX_LOCI as u32 || (b.to - a.from) as usize > MAX_AMBIGUOUS {
        return None;
    }
    let oriented = a.oriented || b.oriented;
    // Where nothing is oriented a pair and its partner are one diplotype; keep the half that begins lower.
    let mirror = |p: Pair| (a.partner(p.0), b.partner(p.1));
    let mut options: Vec<(f64, Pair)> = (0..64)
        .map(|i| (i / 8, i % 8))
        .filter(|&(x, y)| x < a.legal() && y < b.legal())
        .filter(|&p| oriented || p <= mirror(p))
        .map(|p| {
            let mass = f64::from(border[8 * p.0 + p.1]);
            let other = if oriented || mirror(p) == p { 0.0 } else { f64::from(border[8 * mirror(p).0 + mirror(p).1]) };
            (mass + other, p)
        })
        .collect();
    options.sort_by(|x, y| y.0.total_cmp(&x.0).then(x.1.cmp(&y.1)));
    let entropy = options.iter().filter(|o| o.0 > 0.0).map(|o| -o.0 * o.0.ln()).sum();
    options.truncate(4);
    (options.iter().map(|o| o.0).sum::<f64>() > prune).then(|| (entropy, options.into_iter().map(|o| o.1).collect()))
}

/// Lane i is the i-th pair, its partner the last but i.
fn join(ambiguous: &mut [Ambiguous], a: &Segment, b: &Segment, pairs: &[Pair]) -> Segment {
    let alone = pairs.len() == 1 && a.lanes == 1 && b.lanes == 1;
    let lanes = if alone { 1 } else { 2 * pairs.len() };
    let lane = |h: usize| {
        if h < pairs.len() {
            pairs[h]
        } else {
            let p = pairs[(lanes - 1).saturating_sub(h).min(pairs.len() - 1)];
            (a.partner(p.0), b.partner(p.1))
        }
    };
    for (side, sites) in [(false, a.from..a.to), (true, b.from..b.to)] {
        for site in &mut ambiguous[sites.start as usize..sites.end as usize] {
            let old = site.bits;
            site.bits = (0..lanes).fold(0, |bits, h| {
                let from = if side { lane(h).1 } else { lane(h).0 };
                bits | (old >> from & 1) << h
            });
        }
    }
    Segment {
        first: a.first,
        end: b.end,
        lanes: lanes as u8,
        oriented: a.oriented || b.oriented,
        from: a.from,
        to: b.to,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Locus, Study};

    #[test]
    fn certain_neighbours_become_one_and_keep_their_genotypes() {
        for fixed in [vec![], vec![true, false, true, false, false, false]] {
            let study = Study {
                samples: 1,
                loci: (0..6).map(|i| Locus { position: i + 1, cm: 0.0, codes: 2 }).collect(),
                calls: [0, 1].repeat(6),
                fixed,
                ..Study::default()
            };
            let mut graph = Graph::new(&study, 0);
            assert_eq!(graph.segments.len(), 2);
            let mut border = [0.0; 64];
            // Lane 1 goes with 2, for haplotype 0; the partner's pair too where nothing is oriented.
            border[8 + 2] = 0.5;
            border[8 * 6 + 5] = 0.5;
            let before = graph.clone();
            let oriented = before.segments[0].oriented;
            if oriented {
                border = [0.0; 64];
                border[8 + 2] = 1.0;
            }
            let posterior = Posterior { borders: vec![border], ..Posterior::default() };
            merge(&mut graph, &posterior, 0.999);
            assert_eq!((graph.segments.len(), graph.segments[0].lanes), (1, 8));
            assert_eq!(graph.segments[0].oriented, oriented);
            for site in &graph.ambiguous {
                for lane in 0..8 {
                    let [x, y] = graph.codes(&graph.segments[0], site, lane);
                    assert_eq!(x.unwrap() + y.unwrap(), 1);
                }
            }
            // The certain pair is lane 0.
            let (a, b) = (&before.segments[0], &before.segments[1]);
            for (i, site) in graph.ambiguous.iter().enumerate() {
                let (segment, lane) = if i < a.to as usize { (a, 1) } else { (b, 2) };
                let old = before.codes(segment, &before.ambiguous[i], lane);
                assert_eq!(graph.codes(&graph.segments[0], site, 0), old);
            }
        }
    }
}
