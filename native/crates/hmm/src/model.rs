//! The Li–Stephens model over one window of one sample: which loci count, how they fall into blocks, and the forward
//! pass. The backward pass is in `backward.rs`.
//!
//! Within a block all donors of a class see the same emissions, so a donor's mass after the block is
//! `before · stay[class] + jump[class]`: exact, and only classes are moved from locus to locus. At the first locus of a
//! segment all lanes of a donor are equal, so there a donor's state is one number.

use x_pbwt::{Layout, read};
use x_simd::Level;

use crate::classes::{Donors, Numbering};
use crate::graph::{Ambiguous, Graph};
use crate::kernel::{After, Before, collapse, gather, settle, unfold};
use crate::lanes::{V, ZERO};
use crate::options::Imputation;
use crate::pass::{Pass, Site, Totals, pass};
use crate::study::MISSING;

/// Nothing is to be imputed at a site.
pub const NONE: u32 = u32::MAX;

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

impl Block {
    fn new(site: usize, bit: u32) -> Self {
        let sites = site..site;
        Self { sites, bit, mask: 0, opens_segment: false, closes_segment: false, classes: 0..0, before: 0, query: 0 }
    }
}

/// Working memory of one thread.
#[derive(Default)]
pub struct Model {
    pub donors: Donors,
    pub(crate) sites: Vec<Site>,
    /// The chance to stay between each site and the one before it, and once more after the last.
    pub(crate) stays: Vec<f32>,
    /// Of each site and code: the lanes that fit, one bit a lane.
    pub(crate) fits: Vec<u8>,
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
    /// Of a site, by code.
    pub table: Vec<(V, V)>,
    pub sums: Vec<(f32, f32)>,
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

    /// The lanes that fit each code of an ambiguous locus.
    fn fits(site: &Ambiguous, code: u8) -> u8 {
        let wild = site.codes[1] == MISSING;
        let clear = if site.codes[0] == code { !site.bits } else { 0 };
        clear | if wild || site.codes[1] == code { site.bits } else { 0 }
    }
}

/// Starts a pass over the classes of a block from donors' masses.
pub(crate) fn begin(level: Level, class: &[u32], before: &Before, classes: usize, scratch: &mut Scratch) {
    scratch.before.resize(classes, ZERO);
    gather(level, class, before, &mut scratch.before[..classes]);
    scratch.table.resize(256, (ZERO, ZERO));
    scratch.mass.clear();
    scratch.mass.extend(scratch.before[..classes].iter().map(|&m| (m, ZERO)));
}

impl Model {
    /// Lists the loci that count and cuts them into blocks. A homozygous locus is left out where all donors carry one
    /// code, which is exact, and where the sample carries a code that nearly everybody carries.
    pub(crate) fn lay_out(&mut self, window: &Window) {
        let (graph, map) = (window.graph, window.map);
        let Self { donors, sites, fits, .. } = self;
        sites.clear();
        fits.clear();
        self.blocks.clear();
        let mut a = graph.segments[window.segments.start].from as usize;
        let mut q = graph.queries.partition_point(|q| (q.locus as usize) < window.first_locus());
        for segment in &graph.segments[window.segments.clone()] {
            let mut open =
                Block { opens_segment: true, ..Block::new(sites.len(), map.layout.offset[segment.first as usize]) };
            for l in segment.first as usize..segment.end as usize {
                let (offset, width, codes) = (map.layout.offset[l], map.layout.width[l], map.codes[l]);
                let ambiguous = graph.ambiguous.get(a).filter(|s| s.locus as usize == l);
                let query = graph.queries.get(q).filter(|q| q.locus as usize == l);
                let at = fits.len();
                if let Some(site) = ambiguous {
                    fits.extend((0..codes).map(|c| Window::fits(site, c)));
                } else if let Some(query) = query {
                    fits.extend((0..codes).map(|c| if query.allows(c) { !0 } else { 0 }));
                } else {
                    if !donors.differ(offset, width) {
                        continue;
                    }
                    // Homozygous codes never change, so they can be read from the sample's own row.
                    let code = read(&map.layout, window.row, l);
                    if code == map.major[l] {
                        continue;
                    }
                    fits.extend((0..codes).map(|c| if c == code { !0 } else { 0 }));
                }
                if open.sites.start == sites.len() {
                    open.bit = offset;
                } else if offset + u32::from(width) > open.bit + 64 {
                    open.sites.end = sites.len();
                    self.blocks.push(std::mem::replace(&mut open, Block::new(sites.len(), offset)));
                }
                let shift = (offset - open.bit) as u8;
                let mask = ((1_u16 << width) - 1) as u8;
                open.mask |= u64::from(mask) << shift;
                sites.push(Site {
                    locus: l as u32,
                    codes,
                    fits: at as u32,
                    shift,
                    mask,
                    query: if query.is_some() { q as u32 } else { NONE },
                });
                a += usize::from(ambiguous.is_some());
                q += usize::from(query.is_some());
            }
            open.sites.end = sites.len();
            open.closes_segment = true;
            self.blocks.push(open);
        }
        self.stays.clear();
        let cm = |s: &Site| map.cm[s.locus as usize];
        self.stays.extend(sites.first().map(|_| window.stay(0.0)));
        self.stays.extend(sites.windows(2).map(|w| window.stay(cm(&w[1]) - cm(&w[0]))));
        self.stays.push(window.stay(0.0));
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
            let mut next = block.sites.start;
            while next < block.sites.end {
                let stop = self.until_query(next..block.sites.end);
                let sites = Pass {
                    sites: &self.sites[next..stop],
                    stays: &self.stays[next..stop],
                    back: false,
                    fits: &self.fits,
                    keys,
                    counts,
                    donors: n as f32,
                };
                let Scratch { mass, table, .. } = &mut self.scratch;
                pass(window.level, &sites, mass, table, &mut totals);
                if self.sites[stop - 1].query != NONE {
                    self.query_mass.extend_from_slice(mass);
                }
                next = stop;
            }
            self.factors.resize(self.keys.len(), (ZERO, ZERO));
            settle(window.level, &self.scratch.mass, &self.scratch.before, counts, &mut self.factors[from..]);
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
                collapse(window.level, &after, &totals, lanes, &mut self.scratch.sums, new_flat);
                self.ends.push(totals);
                totals = Totals::start();
            } else {
                unfold(window.level, &after, new_lanes);
            }
            (self.flat, self.lanes) = (flat, lanes);
        }
    }

    /// The end of the run of sites up to and with the first one to impute.
    fn until_query(&self, sites: std::ops::Range<usize>) -> usize {
        let found = self.sites[sites.clone()].iter().position(|s| s.query != NONE);
        found.map_or(sites.end, |i| sites.start + i + 1)
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
