//! The possible haplotype pairs of one sample: a chain of segments with up to eight lanes each. A lane is one haplotype
//! over the segment; lane h and lane `lanes − 1 − h` together make the genotypes.

use crate::study::{MISSING, Study};

/// Unfolded heterozygous loci of a fresh segment; one less where orientation is known, which takes a lane bit too.
const UNFOLDED: u32 = 3;
/// Ambiguous loci of a segment at most.
pub const MAX_AMBIGUOUS: usize = 22;
/// Loci of a segment at most.
pub const MAX_LOCI: usize = 65_535;

#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    pub first: u32,
    /// One past the last locus.
    pub end: u32,
    /// 1 to 8.
    pub lanes: u8,
    /// Haplotype 0 runs on the lower half of the lanes.
    pub oriented: bool,
    /// Its ambiguous loci: `Graph::ambiguous[from..to]`.
    pub from: u32,
    pub to: u32,
}

impl Segment {
    /// Lanes on which haplotype 0 may run.
    pub fn legal(&self) -> usize {
        if self.oriented { usize::from(self.lanes) / 2 } else { usize::from(self.lanes) }
    }

    /// The other haplotype's lane.
    pub fn partner(&self, lane: usize) -> usize {
        usize::from(self.lanes) - 1 - lane
    }
}

/// A locus where lanes differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ambiguous {
    pub locus: u32,
    /// Codes of lanes with a clear and with a set bit. The second may be `MISSING`: any code.
    pub codes: [u8; 2],
    pub bits: u8,
}

/// A locus with alleles to impute.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub locus: u32,
    /// The other allele was observed: the locus is ambiguous, and only lanes with a set bit are imputed.
    pub half: bool,
    /// Codes that may appear; empty: all.
    pub allowed: Vec<u8>,
    /// Weights of genotypes in VCF order; empty: all equal.
    pub weights: Vec<f32>,
}

impl Query {
    pub fn allows(&self, code: u8) -> bool {
        self.allowed.is_empty() || self.allowed.contains(&code)
    }

    /// The weight of an unordered pair of codes.
    pub fn weight(&self, a: u8, b: u8) -> f64 {
        let (low, high) = (usize::from(a.min(b)), usize::from(a.max(b)));
        if self.weights.is_empty() { 1.0 } else { f64::from(self.weights[high * (high + 1) / 2 + low]) }
    }
}

#[derive(Debug, Clone, Default)]
pub struct Graph {
    pub segments: Vec<Segment>,
    pub ambiguous: Vec<Ambiguous>,
    pub queries: Vec<Query>,
    pub haploid: bool,
}

impl Graph {
    pub fn new(study: &Study, sample: usize) -> Self {
        let mut graph = Self { haploid: study.is_haploid(sample), ..Self::default() };
        let mut open = Open::default();
        for l in 0..study.loci.len() {
            let query = graph.query(study, l, sample);
            let call = study.call(l, sample);
            let het = match &query {
                Some(q) if q.half => Some([if call[0] == MISSING { call[1] } else { call[0] }, MISSING]),
                None if call[0] != call[1] => Some(call),
                _ => None,
            };
            let fixed = het.is_some() && study.is_fixed(l, sample);
            let wants_bit = if fixed { !open.oriented } else { het.is_some() };
            let full = het.is_some() && graph.ambiguous.len() - open.from >= MAX_AMBIGUOUS
                || wants_bit && open.bits() == UNFOLDED
                || l - open.first >= MAX_LOCI;
            if full {
                graph.close(&open, l);
                open = Open { first: l, from: graph.ambiguous.len(), ..Open::default() };
            }
            if let Some(codes) = het {
                // Bits: the number of the unfolded locus for now, 255 for known orientation.
                let bits = if fixed { 255 } else { open.unfolded as u8 };
                graph.ambiguous.push(Ambiguous { locus: l as u32, codes, bits });
                open.unfolded += u32::from(!fixed);
                open.oriented |= fixed;
            }
            graph.queries.extend(query);
        }
        if !study.loci.is_empty() {
            graph.close(&open, study.loci.len());
        }
        graph
    }

    fn query(&self, study: &Study, l: usize, s: usize) -> Option<Query> {
        let key = (l as u32, s as u32);
        let weights = study.likelihoods.binary_search_by_key(&key, |g| (g.locus, g.sample));
        let call = study.call(l, s);
        let gaps = call.iter().filter(|&&c| c == MISSING).count();
        let het = call[0] != call[1];
        if gaps == 0 && weights.is_err() && !(self.haploid && het) {
            return None;
        }
        let allowed = study.partial.binary_search_by_key(&key, |p| (p.locus, p.sample));
        let mut allowed = allowed.map_or(Vec::new(), |i| study.partial[i].allowed.clone());
        if self.haploid && gaps == 1 {
            // The observed one is all there is.
            allowed = call.iter().copied().filter(|&c| c != MISSING).collect();
        }
        Some(Query {
            locus: key.0,
            half: gaps == 1 && !self.haploid && weights.is_err(),
            allowed,
            weights: weights.map_or(Vec::new(), |i| study.likelihoods[i].weights.clone()),
        })
    }

    /// Ends the open segment before locus `end` and turns numbers of loci into lane bits.
    fn close(&mut self, open: &Open, end: usize) {
        let bits = open.bits();
        for site in &mut self.ambiguous[open.from..] {
            let bit = if site.bits == 255 { bits - 1 } else { u32::from(site.bits) };
            site.bits = (0..8).fold(0, |b, lane: u32| b | ((lane >> bit & 1) as u8) << lane);
        }
        self.segments.push(Segment {
            first: open.first as u32,
            end: end as u32,
            lanes: 1 << bits,
            oriented: open.oriented,
            from: open.from as u32,
            to: self.ambiguous.len() as u32,
        });
    }

    /// The codes of both haplotypes at an ambiguous locus if haplotype 0 runs on `lane`; `None` where imputed.
    pub fn codes(&self, segment: &Segment, site: &Ambiguous, lane: usize) -> [Option<u8>; 2] {
        [lane, segment.partner(lane)].map(|h| {
            let code = site.codes[usize::from(site.bits >> h & 1)];
            (code != MISSING).then_some(code)
        })
    }
}

/// The segment that is being filled.
#[derive(Default)]
struct Open {
    first: usize,
    from: usize,
    unfolded: u32,
    oriented: bool,
}

impl Open {
    fn bits(&self) -> u32 {
        self.unfolded + u32::from(self.oriented)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Locus;

    fn study(calls: &[[u8; 2]], fixed: &[bool]) -> Study {
        let locus = |i| Locus { position: i as u32 + 1, cm: i as f64, codes: 4 };
        Study {
            samples: 1,
            loci: (0..calls.len()).map(locus).collect(),
            calls: calls.concat(),
            fixed: fixed.to_vec(),
            ..Study::default()
        }
    }

    #[test]
    fn three_hets_fill_a_segment_and_a_supersite_counts_once() {
        let calls = [[0, 1], [0, 0], [1, 2], [0, 3], [2, 2], [3, 1], [MISSING, MISSING]];
        let graph = Graph::new(&study(&calls, &[]), 0);
        let shape: Vec<_> = graph.segments.iter().map(|s| (s.first, s.end, s.lanes)).collect();
        assert_eq!(shape, [(0, 5, 8), (5, 7, 2)]);
        let bits: Vec<_> = graph.ambiguous.iter().map(|a| a.bits).collect();
        assert_eq!(bits, [0b1010_1010, 0b1100_1100, 0b1111_0000, 0b1010_1010]);
        let first = &graph.segments[0];
        assert_eq!(graph.codes(first, &graph.ambiguous[1], 0), [Some(1), Some(2)]);
        assert_eq!(graph.codes(first, &graph.ambiguous[1], 2), [Some(2), Some(1)]);
        assert_eq!(graph.queries.len(), 1);
    }

    #[test]
    fn known_orientation_takes_a_lane_bit_and_holds_haplotype_0_on_the_lower_half() {
        let calls = [[0, 1], [1, 0], [0, 1], [0, 1]];
        let graph = Graph::new(&study(&calls, &[false, true, true, false]), 0);
        assert_eq!(graph.segments.len(), 1);
        let s = &graph.segments[0];
        assert_eq!((s.lanes, s.oriented, s.legal()), (8, true, 4));
        for lane in 0..s.legal() {
            assert_eq!(graph.codes(s, &graph.ambiguous[1], lane), [Some(1), Some(0)]);
            assert_eq!(graph.codes(s, &graph.ambiguous[2], lane), [Some(0), Some(1)]);
        }
    }

    #[test]
    fn a_haploid_sample_has_one_lane_and_its_hets_are_imputed() {
        let mut study = study(&[[0, 1], [1, 1], [MISSING, 2]], &[]);
        study.haploid = vec![true];
        let graph = Graph::new(&study, 0);
        assert_eq!((graph.segments.len(), graph.segments[0].lanes), (1, 1));
        let queries: Vec<_> = graph.queries.iter().map(|q| (q.locus, q.half)).collect();
        assert_eq!(queries, [(0, false), (2, false)]);
    }
}
