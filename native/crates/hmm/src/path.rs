//! One haplotype pair of a sample: lanes drawn along its segments, or the most probable ones at the end.

use x_pbwt::{Layout, write};
use x_random::Random;

use crate::backward::Posterior;
use crate::graph::{Graph, Query};
use crate::pass::MISMATCH;
use crate::study::MISSING;

/// Draws the lane of haplotype 0 in every segment from the joint probabilities between neighbours, starting from
/// either end by a coin flip.
pub fn draw(graph: &Graph, posterior: &Posterior, random: &mut Random) -> Vec<u8> {
    let n = graph.segments.len();
    let mut lanes = vec![0_u8; n];
    if n < 2 {
        lanes.fill(pick(&posterior.alone, random));
        return lanes;
    }
    if random.u32() & 1 == 0 {
        let first: [f32; 8] = std::array::from_fn(|a| posterior.borders[0][8 * a..][..8].iter().sum());
        lanes[0] = pick(&first, random);
        for s in 1..n {
            let a = usize::from(lanes[s - 1]);
            lanes[s] = pick(&posterior.borders[s - 1][8 * a..][..8], random);
        }
    } else {
        let last = &posterior.borders[n - 2];
        let end: [f32; 8] = std::array::from_fn(|c| (0..8).map(|a| last[8 * a + c]).sum());
        lanes[n - 1] = pick(&end, random);
        for s in (0..n - 1).rev() {
            let c = usize::from(lanes[s + 1]);
            let column: [f32; 8] = std::array::from_fn(|a| posterior.borders[s][8 * a + c]);
            lanes[s] = pick(&column, random);
        }
    }
    lanes
}

/// An index drawn by weight. All weights zero: the first.
fn pick(weights: &[f32], random: &mut Random) -> u8 {
    let total: f64 = weights.iter().map(|&w| f64::from(w)).sum();
    let mut left = random.uniform() * total;
    let mut last = 0;
    for (i, &w) in weights.iter().enumerate().filter(|&(_, &w)| w > 0.0) {
        last = i;
        left -= f64::from(w);
        if left < 0.0 {
            break;
        }
    }
    last as u8
}

/// The most probable path of the Markov chain that the joint probabilities describe (Viterbi).
pub fn best(graph: &Graph, posterior: &Posterior) -> Vec<u8> {
    let n = graph.segments.len();
    if n < 2 {
        return vec![top(&posterior.alone.map(f64::from)); n];
    }
    let ln = |p: f64| p.max(1e-300).ln();
    let mut score: [f64; 8] =
        std::array::from_fn(|a| ln(posterior.borders[0][8 * a..][..8].iter().map(|&p| f64::from(p)).sum()));
    let mut back = Vec::with_capacity(n - 1);
    for border in &posterior.borders {
        let mut next = [f64::NEG_INFINITY; 8];
        let mut from = [0_u8; 8];
        for a in 0..8 {
            let row = &border[8 * a..][..8];
            let given: f64 = row.iter().map(|&p| f64::from(p)).sum();
            for c in 0..8 {
                let s = score[a] + if row[c] > 0.0 { ln(f64::from(row[c]) / given) } else { -1e4 };
                if s > next[c] {
                    (next[c], from[c]) = (s, a as u8);
                }
            }
        }
        score = next;
        back.push(from);
    }
    let last = &graph.segments[n - 1];
    let mut lane = top(&std::array::from_fn(|c| if c < last.legal() { score[c] } else { f64::NEG_INFINITY }));
    let mut lanes = vec![lane; n];
    for s in (0..n - 1).rev() {
        lane = back[s][usize::from(lane)];
        lanes[s] = lane;
    }
    lanes
}

fn top(scores: &[f64; 8]) -> u8 {
    (1..8).fold(0, |best, i| if scores[i] > scores[best] { i } else { best }) as u8
}

/// How missing codes are settled.
pub enum Choice<'a> {
    Draw(&'a mut Random),
    /// The most probable code.
    Best,
}

/// Writes the codes of both haplotypes on the given lanes into the sample's two rows.
pub fn realise(
    graph: &Graph,
    posterior: &Posterior,
    lanes: &[u8],
    layout: &Layout,
    codes: &[u8],
    rows: &mut [u64],
    mut choice: Choice,
) {
    let (first, second) = rows.split_at_mut(layout.words);
    for (segment, &lane) in graph.segments.iter().zip(lanes) {
        for site in &graph.ambiguous[segment.from as usize..segment.to as usize] {
            let [x, y] = graph.codes(segment, site, usize::from(lane));
            if let Some(code) = x {
                write(layout, first, site.locus as usize, code);
            }
            if let Some(code) = y {
                write(layout, second, site.locus as usize, code);
            }
        }
    }
    let mut s = 0;
    for (q, query) in graph.queries.iter().enumerate() {
        while graph.segments[s].end <= query.locus {
            s += 1;
        }
        let lane = usize::from(lanes[s]);
        let (segment, locus) = (&graph.segments[s], query.locus as usize);
        let count = usize::from(codes[locus]);
        let of = |h: usize| &posterior.codes[posterior.offset[q] + h * count..][..count];
        let pair = [of(lane), of(segment.partner(lane))];
        if query.half {
            let known = half(graph, segment.from as usize..segment.to as usize, query.locus);
            let set = |h: usize| known >> h & 1 == 1;
            for (h, row, p) in
                [(lane, &mut *first, pair[0]), (segment.partner(lane), &mut *second, pair[1])].into_iter()
            {
                if set(h) {
                    write(layout, row, locus, one(p, &mut choice));
                }
            }
        } else {
            let [x, y] = if graph.haploid {
                [one(pair[0], &mut choice); 2]
            } else if query.weights.is_empty() {
                [one(pair[0], &mut choice), one(pair[1], &mut choice)]
            } else {
                weighted(pair, query, &mut choice)
            };
            write(layout, first, locus, x);
            write(layout, second, locus, y);
        }
    }
}

/// The lane bits of the ambiguous locus `locus`.
pub fn half(graph: &Graph, sites: std::ops::Range<usize>, locus: u32) -> u8 {
    let sites = &graph.ambiguous[sites];
    let site = &sites[sites.partition_point(|s| s.locus < locus)];
    debug_assert!(site.locus == locus && site.codes[1] == MISSING);
    site.bits
}

fn one(p: &[f32], choice: &mut Choice) -> u8 {
    match choice {
        Choice::Draw(random) => pick(p, random),
        Choice::Best => (1..p.len()).fold(0, |best, c| if p[c] > p[best] { c } else { best }) as u8,
    }
}

/// Probabilities of codes, up to a factor, with the chance that a donor was copied wrongly: genotype likelihoods may then
/// ask for a code that no donor carries.
pub fn miscopied(p: &[f32]) -> Vec<f64> {
    let total: f64 = p.iter().map(|&p| f64::from(p)).sum();
    let wrong = total * f64::from(MISMATCH) / p.len() as f64;
    p.iter().map(|&p| f64::from(p) + wrong).collect()
}

/// A pair of codes by the product of both haplotypes' probabilities and the genotype's weight.
fn weighted(p: [&[f32]; 2], query: &Query, choice: &mut Choice) -> [u8; 2] {
    let n = p[0].len();
    let p = p.map(miscopied);
    let joint: Vec<f32> = (0..n * n)
        .map(|i| {
            let w = query.weight((i / n) as u8, (i % n) as u8);
            (p[0][i / n] * p[1][i % n] * w) as f32
        })
        .collect();
    let i = match choice {
        // More than 256 pairs are possible, so not `pick`, which returns a code.
        Choice::Draw(random) => {
            let mut left = random.uniform() * joint.iter().map(|&w| f64::from(w)).sum::<f64>();
            joint
                .iter()
                .position(|&w| {
                    left -= f64::from(w);
                    left < 0.0
                })
                .unwrap_or(0)
        }
        Choice::Best => (1..n * n).fold(0, |best, i| if joint[i] > joint[best] { i } else { best }),
    };
    [(i / n) as u8, (i % n) as u8]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Segment;

    #[test]
    fn the_best_path_and_drawn_paths_follow_the_joint_probabilities() {
        let segment = |first| Segment { first, end: first + 1, lanes: 2, oriented: false, from: 0, to: 0 };
        let graph = Graph { segments: vec![segment(0), segment(1), segment(2)], ..Graph::default() };
        let mut border = [0.0; 64];
        (border[0], border[1], border[8], border[9]) = (0.1, 0.4, 0.4, 0.1);
        let posterior = Posterior { borders: vec![border; 2], ..Posterior::default() };
        let path = best(&graph, &posterior);
        assert!(path == [0, 1, 0] || path == [1, 0, 1]);
        let mut random = Random::new(1, 1);
        let switches = (0..4000)
            .map(|_| draw(&graph, &posterior, &mut random))
            .map(|p| f64::from(u8::from(p[0] != p[1])) + f64::from(u8::from(p[1] != p[2])))
            .sum::<f64>();
        assert!((switches / 8000.0 - 0.8).abs() < 0.02, "{switches}");
    }
}
