//! The Li–Stephens model over one window of one sample: which loci count, how they fall into blocks, and the forward
//! pass. The backward pass is in `backward.rs`.
//!
//! Within a block all donors of a class see the same emissions, so a donor's mass after the block is
//! `before · stay[class] + jump[class]`: exact, and only classes are moved from locus to locus. At the first locus of a
//! segment all lanes of a donor are equal, so there a donor's state is one number.

use x_pbwt::Layout;
use x_simd::Level;

use crate::classes::{Donors, Numbering};
use crate::graph::{Graph, Seen, homozygous};
use crate::kernel::{After, Before, Classes, Step, gather, step, unfold};
use crate::lanes::{V, ZERO};
use crate::options::Imputation;
use crate::study::MISSING;

/// Emission of a code that is not the lane's.
pub const MISMATCH: f32 = 1e-4 / 0.9999;
/// Lane sums below this are multiplied by its inverse, and the lane's exponent remembers.
const FAINT: f32 = 1.0 / (1_u64 << 40) as f32;
const FAINT_BITS: i32 = 40;

/// What the model needs to know of the loci; the same for all samples.
pub struct Map {
    pub layout: Layout,
    pub codes: Vec<u8>,
    pub cm: Vec<f64>,
    /// The code nearly everybody carries; a sample homozygous for it is not evaluated there. `MISSING`: no such code.
    pub major: Vec<u8>,
    /// Jumps per cM.
    pub rate: f64,
}

/// A locus that counts in a window.
pub struct Site {
    pub locus: u32,
    pub seen: Seen,
}

/// Consecutive loci of a segment whose codes fit one key.
pub struct Block {
    pub sites: std::ops::Range<usize>,
    /// First bit of the key, and the bits that count.
    pub bit: u32,
    pub mask: u64,
    pub opens_segment: bool,
    pub closes_segment: bool,
    /// Its classes within `Model::keys` and so on.
    pub classes: std::ops::Range<usize>,
    /// The donors' masses before it: from here in `flat` if it opens a segment, else in `lanes`.
    pub before: usize,
    /// From here in `query_mass`.
    pub query: usize,
}

/// Lane sums at the end of a segment, as mantissa and binary exponent.
#[derive(Clone, Copy)]
pub struct Totals {
    pub sum: V,
    pub exponent: [i32; 8],
}

impl Totals {
    pub fn start() -> Self {
        Self { sum: V([1.0; 8]), exponent: [0; 8] }
    }

    /// Factors that bring the first `lanes` lanes to one scale; 0 for the others.
    pub fn weights(&self, lanes: u8) -> V {
        let top = self.exponent[..usize::from(lanes)].iter().max().copied().unwrap_or(0);
        V::new(|h| if h < usize::from(lanes) { 2.0_f32.powi(self.exponent[h] - top) } else { 0.0 })
    }
}

/// Working memory of one thread.
#[derive(Default)]
pub struct Model {
    pub donors: Donors,
    pub(crate) sites: Vec<Site>,
    pub(crate) blocks: Vec<Block>,
    /// Donors' classes, block by block.
    pub(crate) class: Vec<u32>,
    pub(crate) keys: Vec<u64>,
    pub(crate) counts: Vec<f32>,
    /// Of each class at the end of its block, forwards: stay and jump of one donor.
    pub(crate) factors: Vec<(V, V)>,
    pub(crate) flat: Vec<f32>,
    pub(crate) lanes: Vec<V>,
    /// Class masses at loci to impute.
    pub(crate) query_mass: Vec<(V, V)>,
    /// One a segment of the window.
    pub(crate) ends: Vec<Totals>,
    pub(crate) scratch: Scratch,
    numbering: Numbering,
    donor_keys: Vec<u64>,
}

/// What a pass over the classes of one block works on.
#[derive(Default)]
pub struct Scratch {
    /// Class masses: what stayed since the block began, what jumped.
    pub mass: Vec<(V, V)>,
    /// Class masses before the block.
    pub before: Vec<V>,
    pub table: Vec<(V, V)>,
    pub border: Vec<(V, V)>,
}

/// One window of one sample.
pub struct Window<'a> {
    pub map: &'a Map,
    pub graph: &'a Graph,
    /// The sample's haplotype 0, where homozygous codes are read.
    pub row: &'a [u64],
    pub segments: std::ops::Range<usize>,
    pub imputation: Imputation,
    pub level: Level,
}

impl Window<'_> {
    pub fn first_locus(&self) -> usize {
        self.graph.segments[self.segments.start].first as usize
    }

    pub fn end_locus(&self) -> usize {
        self.graph.segments[self.segments.end - 1].end as usize
    }

    /// Chance to stay on the same donor over a distance in cM.
    pub fn stay(&self, distance: f64) -> f32 {
        (-self.map.rate * distance.max(1e-7)).exp() as f32
    }

    /// Emission of every code in every lane, times the chance to stay and the mass that jumps.
    pub fn emission(&self, site: &Site, stay: f32, jump: &V, table: &mut Vec<(V, V)>) {
        let codes = self.map.codes[site.locus as usize];
        let mut push = |e: V| table.push((V::new(|h| e[h] * stay), V::new(|h| e[h] * jump[h])));
        let all = |fits: bool| V([if fits { 1.0 } else { MISMATCH }; 8]);
        match site.seen {
            Seen::Hom(code) => (0..codes).for_each(|c| push(all(c == code))),
            Seen::Ambiguous(i) => {
                let site = &self.graph.ambiguous[i as usize];
                let wild = site.codes[1] == MISSING;
                for c in 0..codes {
                    let (clear, set) = (site.codes[0] == c, wild || site.codes[1] == c);
                    push(V::new(|h| if [clear, set][usize::from(site.bits >> h & 1)] { 1.0 } else { MISMATCH }));
                }
            }
            Seen::Query(j) => {
                let query = &self.graph.queries[j as usize];
                (0..codes).for_each(|c| push(all(query.allows(c))));
            }
        }
    }

    /// Index of the query at a site, if an allele is to be imputed there.
    pub fn query_at(&self, site: &Site) -> Option<usize> {
        match site.seen {
            Seen::Query(j) => Some(j as usize),
            Seen::Ambiguous(i) if self.graph.ambiguous[i as usize].codes[1] == MISSING => {
                self.graph.queries.binary_search_by_key(&site.locus, |q| q.locus).ok()
            }
            _ => None,
        }
    }
}

/// The classes' move past a site, from `from` cM, with lane sums `totals`.
pub(crate) fn advance(
    window: &Window,
    site: &Site,
    block: &Block,
    from: f64,
    keys: &[u64],
    counts: &[f32],
    donors: f32,
    totals: &mut Totals,
    scratch: &mut Scratch,
) {
    let l = site.locus as usize;
    let stay = window.stay((window.map.cm[l] - from).abs());
    let jump = (1.0 - stay) / donors;
    scratch.table.clear();
    window.emission(site, stay, &V::new(|h| totals.sum[h] * jump), &mut scratch.table);
    let layout = &window.map.layout;
    let (shift, mask) = (layout.offset[l] - block.bit, (1 << layout.width[l]) - 1);
    let mut classes = Classes { keys, counts, mass: &mut scratch.mass };
    totals.sum = step(window.level, &Step { table: &scratch.table, shift, mask }, &mut classes);
    while totals.sum.iter().any(|&s| s < FAINT) {
        let lift = totals.sum.map(|s| if s < FAINT { 1.0 / FAINT } else { 1.0 });
        for (q, t) in &mut scratch.mass {
            (0..8).for_each(|h| (q[h], t[h]) = (q[h] * lift[h], t[h] * lift[h]));
        }
        for h in 0..8 {
            totals.exponent[h] -= if lift[h] > 1.0 { FAINT_BITS } else { 0 };
            totals.sum[h] *= lift[h];
        }
    }
}

/// Starts a pass over the classes of a block from donors' masses.
pub(crate) fn begin(level: Level, class: &[u32], before: &Before, classes: usize, scratch: &mut Scratch) {
    scratch.before.resize(classes, ZERO);
    gather(level, class, before, &mut scratch.before[..classes]);
    scratch.mass.clear();
    scratch.mass.extend(scratch.before[..classes].iter().map(|&m| (m, ZERO)));
}

/// Per-donor factors at the end of a block from class masses.
pub(crate) fn settle(scratch: &Scratch, counts: &[f32], factors: &mut Vec<(V, V)>) {
    factors.extend(
        scratch
            .mass
            .iter()
            .zip(&scratch.before)
            .zip(counts)
            .map(|(((q, t), m), &n)| (V::new(|h| if m[h] > 0.0 { q[h] / m[h] } else { 0.0 }), V::new(|h| t[h] / n))),
    );
}

/// Sums a donor's lanes, so that a segment may begin: one number a donor, 1 in all.
pub(crate) fn collapse(after: &After, totals: &Totals, lanes: u8, sums: &mut Vec<(V, V)>, out: &mut [f32]) {
    let w = totals.weights(lanes);
    sums.clear();
    match after.before {
        Before::Flat(f) => {
            let weigh = |v: &V| (0..8).map(|h| w[h] * v[h]).sum::<f32>();
            sums.extend(after.factors.iter().map(|(stay, jump)| {
                let mut pair = ZERO;
                (pair[0], pair[1]) = (weigh(stay), weigh(jump));
                (pair, ZERO)
            }));
            for ((o, &g), x) in out.iter_mut().zip(after.class).zip(f) {
                let pair = &sums[g as usize].0;
                *o = x * pair[0] + pair[1];
            }
        }
        Before::Lanes(f) => {
            let weigh = |v: &V| V::new(|h| w[h] * v[h]);
            sums.extend(after.factors.iter().map(|(stay, jump)| (weigh(stay), weigh(jump))));
            for ((o, &g), x) in out.iter_mut().zip(after.class).zip(f) {
                let (stay, jump) = &sums[g as usize];
                *o = (0..8).map(|h| x[h] * stay[h] + jump[h]).sum::<f32>();
            }
        }
    }
    let scale = 1.0 / (0..8).map(|h| w[h] * totals.sum[h]).sum::<f32>();
    out.iter_mut().for_each(|x| *x *= scale);
}

impl Model {
    /// Lists the loci that count and cuts them into blocks. A homozygous locus is left out where all donors carry one
    /// code, which is exact, and where the sample carries a code that nearly everybody carries.
    pub(crate) fn lay_out(&mut self, window: &Window) {
        let (graph, map) = (window.graph, window.map);
        self.sites.clear();
        self.blocks.clear();
        let (mut a, mut q) = (graph.segments[window.segments.start].from as usize, 0);
        q += graph.queries.partition_point(|q| (q.locus as usize) < window.first_locus());
        for segment in &graph.segments[window.segments.clone()] {
            let mut from = self.sites.len();
            let mut opens_segment = true;
            let (mut bit, mut mask) = (map.layout.offset[segment.first as usize], 0);
            for l in segment.first as usize..segment.end as usize {
                let ambiguous = graph.ambiguous.get(a).is_some_and(|s| s.locus as usize == l);
                let query = graph.queries.get(q).is_some_and(|s| s.locus as usize == l);
                let seen = if ambiguous {
                    Seen::Ambiguous(a as u32)
                } else if query {
                    Seen::Query(q as u32)
                } else {
                    if !self.donors.differ(map.layout.offset[l], map.layout.width[l]) {
                        continue;
                    }
                    match homozygous(&map.layout, window.row, l) {
                        Seen::Hom(code) if code == map.major[l] => continue,
                        hom => hom,
                    }
                };
                a += usize::from(ambiguous);
                q += usize::from(query);
                if self.sites.len() == from {
                    bit = map.layout.offset[l];
                } else if map.layout.end(l) > bit + 64 {
                    self.push_block(from, bit, mask, opens_segment, false);
                    (from, bit, mask, opens_segment) = (self.sites.len(), map.layout.offset[l], 0, false);
                }
                mask |= ((1 << map.layout.width[l]) - 1) << (map.layout.offset[l] - bit);
                self.sites.push(Site { locus: l as u32, seen });
            }
            self.push_block(from, bit, mask, opens_segment, true);
        }
    }

    fn push_block(&mut self, from: usize, bit: u32, mask: u64, opens_segment: bool, closes_segment: bool) {
        let (sites, classes) = (from..self.sites.len(), 0..0);
        self.blocks.push(Block { sites, bit, mask, opens_segment, closes_segment, classes, before: 0, query: 0 });
    }

    /// Fills `stay`, `jump`, `flat`, `lanes`, `ends` and the class masses at loci to impute.
    pub(crate) fn forward(&mut self, window: &Window) {
        let n = self.donors.len();
        self.class.clear();
        self.keys.clear();
        self.counts.clear();
        self.factors.clear();
        self.lanes.clear();
        self.query_mass.clear();
        self.ends.clear();
        self.flat.clear();
        self.flat.resize(n, 1.0 / n as f32);
        let mut at_cm = self.sites.first().map_or(0.0, |s| window.map.cm[s.locus as usize]);
        let mut totals = Totals::start();
        for b in 0..self.blocks.len() {
            let from = self.keys.len();
            self.donors.keys(self.blocks[b].bit, self.blocks[b].mask, &mut self.donor_keys);
            self.numbering.number(&self.donor_keys, &mut self.class, &mut self.keys, &mut self.counts);
            let block = &mut self.blocks[b];
            block.classes = from..self.keys.len();
            block.query = self.query_mass.len();
            block.before = if block.opens_segment { self.flat.len() - n } else { self.lanes.len() - n };
            let block = &self.blocks[b];
            let class = &self.class[b * n..];
            let before = if block.opens_segment {
                Before::Flat(&self.flat[block.before..])
            } else {
                Before::Lanes(&self.lanes[block.before..])
            };
            begin(window.level, class, &before, block.classes.len(), &mut self.scratch);
            let (keys, counts) = (&self.keys[from..], &self.counts[from..]);
            for site in &self.sites[block.sites.clone()] {
                advance(window, site, block, at_cm, keys, counts, n as f32, &mut totals, &mut self.scratch);
                at_cm = window.map.cm[site.locus as usize];
                if window.query_at(site).is_some() {
                    self.query_mass.extend_from_slice(&self.scratch.mass);
                }
            }
            settle(&self.scratch, counts, &mut self.factors);
            let factors = &self.factors[from..];
            // Both grow at the end and are read before it.
            let (mut flat, mut lanes) = (std::mem::take(&mut self.flat), std::mem::take(&mut self.lanes));
            let (flat_end, lanes_end) = (flat.len(), lanes.len());
            flat.resize(flat_end + if block.closes_segment { n } else { 0 }, 0.0);
            lanes.resize(lanes_end + if block.closes_segment { 0 } else { n }, ZERO);
            let (old_flat, new_flat) = flat.split_at_mut(flat_end);
            let (old_lanes, new_lanes) = lanes.split_at_mut(lanes_end);
            let before = if block.opens_segment {
                Before::Flat(&old_flat[block.before..])
            } else {
                Before::Lanes(&old_lanes[block.before..])
            };
            let after = After { class, before, factors };
            if block.closes_segment {
                let lanes = window.graph.segments[window.segments.start + self.ends.len()].lanes;
                collapse(&after, &totals, lanes, &mut self.scratch.border, new_flat);
                self.ends.push(totals);
                totals = Totals::start();
            } else {
                unfold(window.level, &after, new_lanes);
            }
            (self.flat, self.lanes) = (flat, lanes);
        }
    }

    /// Donors' masses at the end of block `b`, forwards.
    pub(crate) fn after(&self, b: usize) -> After<'_> {
        let (block, n) = (&self.blocks[b], self.donors.len());
        let before = if block.opens_segment {
            Before::Flat(&self.flat[block.before..][..n])
        } else {
            Before::Lanes(&self.lanes[block.before..][..n])
        };
        let class = &self.class[b * n..][..n];
        After { class, before, factors: &self.factors[block.classes.clone()] }
    }
}
