//! The backward pass: transitions between segments and posteriors of missing alleles.

use crate::graph::{Graph, Query};
use crate::kernel::{After, Before, border, collapse, settle, unfold};
use crate::lanes::{V, ZERO};
use crate::model::{Block, Model, NONE, Scratch, Window, begin};
use crate::options::{Anchor, Imputation};
use crate::pass::{Pass, Totals, pass, power};

/// Weight of an ALT that is not the anchor.
const OFF_ANCHOR: f64 = 1e-6;

/// What the model says about one sample.
#[derive(Debug, Default, Clone)]
pub struct Posterior {
    /// Between segment s and s + 1: the joint probability of haplotype 0 running on lane a of s and lane c of s + 1,
    /// at `8 a + c`.
    pub borders: Vec<[f32; 64]>,
    /// If there is one segment only: the probability of haplotype 0 running on each lane.
    pub alone: [f32; 8],
    /// P(code | lane) of query q: lane-major from `offset[q]`.
    pub codes: Vec<f32>,
    pub offset: Vec<usize>,
}

impl Posterior {
    /// Everything equally likely.
    pub fn reset(&mut self, graph: &Graph, codes: &[u8]) {
        let borders = graph.segments.len().saturating_sub(1);
        self.borders.clear();
        self.borders.resize(borders, [0.0; 64]);
        for (border, pair) in self.borders.iter_mut().zip(graph.segments.windows(2)) {
            let weight = 1.0 / (pair[0].legal() * pair[1].legal()) as f32;
            for a in 0..pair[0].legal() {
                border[8 * a..][..pair[1].legal()].fill(weight);
            }
        }
        self.alone = [0.0; 8];
        if let Some(first) = graph.segments.first() {
            self.alone[..first.legal()].fill(1.0 / first.legal() as f32);
        }
        self.codes.clear();
        self.offset.clear();
        for query in &graph.queries {
            self.offset.push(self.codes.len());
            let codes = codes[query.locus as usize];
            let allowed = (0..codes).filter(|&c| query.allows(c)).count() as f32;
            for _ in 0..8 {
                self.codes.extend((0..codes).map(|c| if query.allows(c) { 1.0 / allowed } else { 0.0 }));
            }
        }
    }
}

impl Model {
    /// Fills the part of `posterior` that `window` covers. The donors are loaded.
    pub fn run(&mut self, window: &Window, posterior: &mut Posterior) {
        if self.donors.len() == 0 {
            return;
        }
        self.lay_out(window);
        self.forward(window);
        self.backward(window, posterior);
    }

    fn backward(&mut self, window: &Window, posterior: &mut Posterior) {
        let n = self.donors.len();
        let mut flat = vec![1.0 / n as f32; n];
        let mut lanes: Vec<V> = Vec::new();
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut totals = Totals::start();
        let mut segment = window.segments.end - 1;
        let (mut factors, mut mixed, mut spare, mut beyond) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for b in (0..self.blocks.len()).rev() {
            let block = &self.blocks[b];
            let class = &self.class[b * n..][..n];
            let (keys, counts) = (&self.keys[block.classes.clone()], &self.counts[block.classes.clone()]);
            let before = if block.closes_segment { Before::Flat(&flat) } else { Before::Lanes(&lanes) };
            begin(window.level, class, &before, keys.len(), &mut scratch);
            let sites = &self.sites[block.sites.clone()];
            let mut left = sites.iter().filter(|s| s.query != NONE).count();
            let meetings = if left > 0 { meet(&self.after(b), &before, keys.len()) } else { Vec::new() };
            let mut end = sites.len();
            while end > 0 {
                // From the next site to impute, which is the last one passed.
                let start = sites[..end].iter().rposition(|s| s.query != NONE).unwrap_or(0);
                let run = Pass {
                    sites: &sites[start..end],
                    stays: &self.stays[block.sites.start + 1..][start..end],
                    back: true,
                    fits: &self.fits,
                    keys,
                    counts,
                    donors: n as f32,
                };
                pass(window.level, &run, &mut scratch.mass, &mut scratch.table, &mut totals);
                let site = &sites[start];
                if site.query != NONE {
                    left -= 1;
                    let q = site.query as usize;
                    let codes = usize::from(site.codes);
                    let out = &mut posterior.codes[posterior.offset[q]..][..8 * codes];
                    let shift = u32::from(site.shift);
                    self.impute(window, block, left, shift, &meetings, &scratch, &window.graph.queries[q], out);
                }
                end = start;
            }
            factors.resize(keys.len(), (ZERO, ZERO));
            settle(window.level, &scratch.mass, &scratch.before, counts, &mut factors);
            let after = After { class, before, factors: &factors };
            if !block.opens_segment {
                spare.resize(n, ZERO);
                unfold(window.level, &after, &mut spare);
                std::mem::swap(&mut lanes, &mut spare);
                continue;
            }
            let here = &window.graph.segments[segment];
            if segment > window.segments.start {
                // Blocks follow each other, so the one before closes the segment before.
                let end = self.ends[segment - 1 - window.segments.start];
                let stay = self.stays[block.sites.start];
                let left = self.after(b - 1);
                mixed.clear();
                mixed.extend(left.factors.iter().map(|(s, j)| {
                    let jump = (1.0 - stay) / n as f32;
                    (V::new(|h| s[h] * stay), V::new(|h| j[h] * stay + jump * end.sum[h]))
                }));
                let left = After { factors: &mixed, ..left };
                scratch.border.resize(mixed.len(), (ZERO, ZERO));
                let mut sums = [ZERO; 8];
                border(window.level, &left, &after, &mut scratch.border, &mut sums);
                posterior.borders[segment - 1] = join(window.graph, segment - 1, &sums, &end, &totals);
            } else if window.graph.segments.len() == 1 {
                posterior.alone = alone(here.lanes, here.legal(), &totals);
            }
            beyond.resize(n, 0.0);
            collapse(window.level, &after, &totals, here.lanes, &mut scratch.sums, &mut beyond);
            std::mem::swap(&mut flat, &mut beyond);
            totals = Totals::start();
            segment = segment.wrapping_sub(1);
        }
        self.scratch = scratch;
    }

    /// P(code | lane) at the `nth` locus to impute of a block, where the backward pass stands.
    #[allow(clippy::too_many_arguments)]
    fn impute(
        &self,
        window: &Window,
        block: &Block,
        nth: usize,
        shift: u32,
        meetings: &[[f64; 16]],
        scratch: &Scratch,
        query: &Query,
        out: &mut [f32],
    ) {
        let locus = query.locus as usize;
        let codes = usize::from(window.map.codes[locus]);
        let mask = (1_u64 << window.map.layout.width[locus]) - 1;
        let classes = block.classes.clone();
        let at = block.query + nth * classes.len();
        let mut sums = vec![[0.0_f64; 8]; codes];
        let mut weight = vec![0.0_f64; codes];
        let mut carriers = vec![0.0_f64; codes];
        for (i, g) in classes.enumerate() {
            let code = (self.keys[g] >> shift & mask) as usize;
            let count = f64::from(self.counts[g]);
            let (q, t) = &self.query_mass[at + i];
            carriers[code] += count;
            for h in 0..8 {
                // Forward and backward masses of the class: what stayed (each donor its own), and what jumped (all alike).
                let (q, t) = (f64::from(q[h]), f64::from(t[h]));
                let (p, u) = (f64::from(scratch.mass[i].0[h]), f64::from(scratch.mass[i].1[h]));
                sums[code][h] += q * p * meetings[i][h] * meetings[i][h + 8] + (q * u + t * p + t * u) / count;
                weight[code] += q + t;
            }
        }
        let factor = anchored(window, codes, &carriers, &weight);
        for h in 0..8 {
            let of = |c: usize| if query.allows(c as u8) { sums[c][h] * factor(c) } else { 0.0 };
            let total: f64 = (0..codes).map(of).sum();
            let equal = 1.0 / (0..codes).filter(|&c| query.allows(c as u8)).count() as f64;
            for c in 0..codes {
                let p = if total > 0.0 {
                    of(c) / total
                } else if query.allows(c as u8) {
                    equal
                } else {
                    0.0
                };
                out[h * codes + c] = p as f32;
            }
        }
    }
}

/// The weight of each code: REF and one anchor ALT, if there is to be one.
fn anchored<'a>(window: &Window, codes: usize, carriers: &'a [f64], weight: &'a [f64]) -> impl Fn(usize) -> f64 + 'a {
    let score = match window.imputation {
        Imputation::Anchor(_) if codes == 2 => None,
        Imputation::Argmax => None,
        Imputation::Anchor(Anchor::Pbwt) => Some(carriers),
        Imputation::Anchor(Anchor::Hmm) => Some(weight),
    };
    let anchor = score.map(|s| (2..codes).fold(1, |best, c| if s[c] > s[best] { c } else { best }));
    move |c| if anchor.is_none_or(|a| c == 0 || c == a) { 1.0 } else { OFF_ANCHOR }
}

/// Of each class: sum over its donors of forward × backward mass over the product of both sums, in two factors a lane
/// (the second is 1) so that tiny sums do not overflow.
fn meet(forward: &After, backward: &Before, classes: usize) -> Vec<[f64; 16]> {
    let mut sums = vec![([0.0_f64; 8], [0.0_f64; 8], [0.0_f64; 8]); classes];
    for (k, &g) in forward.class.iter().enumerate() {
        let (both, f, b) = &mut sums[g as usize];
        for h in 0..8 {
            let x = match forward.before {
                Before::Flat(v) => v[k],
                Before::Lanes(v) => v[k][h],
            };
            let y = match backward {
                Before::Flat(v) => v[k],
                Before::Lanes(v) => v[k][h],
            };
            let (x, y) = (f64::from(x), f64::from(y));
            both[h] += x * y;
            f[h] += x;
            b[h] += y;
        }
    }
    let ratio = |x: f64, y: f64| if y > 0.0 { x / y } else { 0.0 };
    sums.iter()
        .map(|(both, f, b)| std::array::from_fn(|i| if i < 8 { ratio(both[i], f[i]) } else { ratio(1.0, b[i - 8]) }))
        .collect()
}

/// Joint probabilities of lane pairs from the sums of both haplotypes. Binary exponents stay apart from mantissas, so no
/// product of many mismatches is lost.
fn join(graph: &Graph, s: usize, sums: &[V; 8], left: &Totals, right: &Totals) -> [f32; 64] {
    let (from, to) = (&graph.segments[s], &graph.segments[s + 1]);
    let mut pairs = [(0, 0.0, 0); 64];
    let mut n = 0;
    for a in 0..from.legal() {
        for c in 0..to.legal() {
            let (b, d) = (from.partner(a), to.partner(c));
            let mantissa = f64::from(sums[a][c]) * f64::from(sums[b][d]);
            let exponent = left.exponent[a] + left.exponent[b] + right.exponent[c] + right.exponent[d];
            pairs[n] = (8 * a + c, mantissa, exponent);
            n += 1;
        }
    }
    normalise(&pairs[..n])
}

fn alone(lanes: u8, legal: usize, totals: &Totals) -> [f32; 8] {
    let pair = |h: usize| {
        let partner = usize::from(lanes) - 1 - h;
        let mantissa = f64::from(totals.sum[h]) * f64::from(totals.sum[partner]);
        (h, mantissa, totals.exponent[h] + totals.exponent[partner])
    };
    normalise(&(0..legal).map(pair).collect::<Vec<_>>())
}

/// Probabilities at the given places, from mantissas and binary exponents.
fn normalise<const N: usize>(parts: &[(usize, f64, i32)]) -> [f32; N] {
    let top = parts.iter().filter(|p| p.1 > 0.0).map(|p| p.2).max().unwrap_or(0);
    // Without mass the exponent may be anything.
    let value = |p: &(usize, f64, i32)| p.1 * power((p.2 - top).min(0));
    let total: f64 = parts.iter().map(value).sum();
    let mut out = [0.0; N];
    for p in parts {
        out[p.0] = (value(p) / total) as f32;
    }
    out
}

impl Posterior {
    /// Adds another one of the same graph, number by number.
    pub fn add(&mut self, other: &Self) {
        for (a, b) in self.borders.iter_mut().zip(&other.borders) {
            (0..64).for_each(|i| a[i] += b[i]);
        }
        self.alone.iter_mut().zip(other.alone).for_each(|(a, b)| *a += b);
        self.codes.iter_mut().zip(&other.codes).for_each(|(a, b)| *a += b);
    }
}
