//! The conditioning haplotypes of one window.

use std::ops::Range;

use x_pbwt::{NONE, Neighbours, Panel};
use x_random::Random;

use crate::classes::{Donors, Piece};

/// Two samples that look alike on both haplotypes between two loci must not be each other's donors there: each would
/// copy the other's phase.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ban {
    pub other: u32,
    pub first: u32,
    pub end: u32,
}

/// Share of heterozygous loci in common above which a pair is banned, and the fewest loci to say so.
const ALIKE: f64 = 0.75;
const FEWEST_HETS: u32 = 10;
/// Donors drawn at random where the neighbours are fewer than two.
const RANDOM_DONORS: usize = 100;

/// Where donors are chosen from; the same for all samples of an iteration.
pub struct Pool<'a> {
    pub neighbours: &'a Neighbours,
    pub panel: &'a Panel,
    /// The bits of a row that order the haplotypes.
    pub ordering: &'a [u64],
    /// Most donors of a window.
    pub most: usize,
}

/// Working memory of one thread.
#[derive(Default)]
pub struct Chooser {
    /// One bit a haplotype: is a neighbour.
    found: Vec<u64>,
    /// Of a haplotype: the donor that it is part of, plus 1.
    place: Vec<u32>,
    /// Of a donor: the haplotype it is now, and since which bit.
    now: Vec<(u32, u32)>,
    /// Of a donor: the bit at which that one stops being like the target.
    ends: Vec<u32>,
}

impl Chooser {
    /// The neighbours that either haplotype of `sample` has in the window, IBD2 pairs left out and added to `bans`. If
    /// they are more than `pool.most`, donors are mosaics of them.
    pub fn choose(
        &mut self,
        pool: &Pool,
        sample: usize,
        loci: Range<usize>,
        bans: &mut Vec<Ban>,
        random: &mut Random,
        out: &mut Donors,
    ) {
        let Pool { neighbours, panel, .. } = *pool;
        let from = neighbours.loci.partition_point(|&l| (l as usize) < loci.start);
        let to = neighbours.loci.partition_point(|&l| (l as usize) < loci.end);
        // A window between two groups is covered by the matches that end at the next one.
        let groups = from..to.max((from + 1).min(neighbours.loci.len()));
        self.found.clear();
        self.found.resize(panel.haplotypes().div_ceil(64), 0);
        for group in groups.clone() {
            for h in [2 * sample, 2 * sample + 1] {
                for &id in neighbours.of(group, h).iter().filter(|&&id| id != NONE) {
                    self.found[(id / 64) as usize] |= 1 << (id % 64);
                }
            }
        }
        self.leave_alike_out(panel, sample, &loci, bans);
        let (first, end) = (panel.layout.offset[loci.start], panel.layout.end(loci.end - 1));
        let count: u32 = self.found.iter().map(|w| w.count_ones()).sum();
        if count < 2 {
            let mut ids: Vec<u32> = members(&self.found).collect();
            let others = panel.haplotypes() as u64 - 2;
            let banned = |id: u32| bans.iter().any(|b| b.other == id / 2 && overlap(b, &loci));
            for _ in 0..RANDOM_DONORS.min(2 * others as usize) {
                let id = random.int(others) as u32;
                let id = if id as usize >= 2 * sample { id + 2 } else { id };
                if !banned(id) {
                    ids.push(id);
                }
            }
            ids.sort_unstable();
            ids.dedup();
            out.whole(ids.into_iter(), first, end);
        } else if count as usize <= pool.most {
            out.whole(members(&self.found), first, end);
        } else {
            self.mosaics(pool, sample, groups, loci, out);
        }
    }

    /// Takes both haplotypes of samples that are like this one out of `found`.
    fn leave_alike_out(&mut self, panel: &Panel, sample: usize, loci: &Range<usize>, bans: &mut Vec<Ban>) {
        for (w, word) in self.found.iter_mut().enumerate() {
            let mut pairs = *word & *word >> 1 & 0x5555_5555_5555_5555;
            while pairs != 0 {
                let bit = pairs.trailing_zeros();
                pairs &= pairs - 1;
                let other = (64 * w + bit as usize) / 2;
                if same_hets(panel, sample, other, loci) {
                    *word &= !(0b11 << bit);
                    bans.push(Ban { other: other as u32, first: loci.start as u32, end: loci.end as u32 });
                }
            }
        }
    }

    /// Donors that change from neighbour to neighbour along the window, each where it is like the target: the one whose
    /// likeness ended first makes room for a new neighbour, halfway between its end and the other's beginning.
    fn mosaics(&mut self, pool: &Pool, sample: usize, groups: Range<usize>, loci: Range<usize>, out: &mut Donors) {
        let Pool { neighbours, panel, .. } = *pool;
        let offset = &panel.layout.offset;
        let bits = offset[loci.start]..panel.layout.end(loci.end - 1);
        self.place.resize(panel.haplotypes(), 0);
        self.now.clear();
        self.ends.clear();
        out.pieces.clear();
        for group in groups {
            let at = offset[(neighbours.loci[group] as usize).clamp(loci.start, loci.end - 1)];
            for h in [2 * sample, 2 * sample + 1] {
                for &id in neighbours.of(group, h) {
                    if id == NONE || self.found[(id / 64) as usize] >> (id % 64) & 1 == 0 {
                        continue;
                    }
                    let place = self.place[id as usize] as usize;
                    if place > 0 && self.ends[place - 1] > at {
                        continue;
                    }
                    let (begin, end) = alike(panel.row(h), panel.row(id as usize), pool.ordering, at, &bits);
                    if place > 0 {
                        self.ends[place - 1] = end;
                    } else if self.now.len() < pool.most {
                        self.now.push((id, bits.start));
                        self.ends.push(end);
                        self.place[id as usize] = self.now.len() as u32;
                    } else {
                        let first = self.ends.iter().copied().min().unwrap_or(0);
                        if end <= first {
                            continue;
                        }
                        let donor = self.ends.iter().position(|&e| e == first).unwrap_or(0);
                        let (old, since) = self.now[donor];
                        // Codes of several bits are never cut.
                        let turn = first.midpoint(begin).clamp(since, at.max(since));
                        let turn =
                            offset[offset.partition_point(|&o| o < turn).min(offset.len() - 1)].min(at.max(since));
                        out.pieces.push(Piece { donor: donor as u32, id: old, from: since, to: turn });
                        self.place[old as usize] = 0;
                        self.place[id as usize] = donor as u32 + 1;
                        self.now[donor] = (id, turn);
                        self.ends[donor] = end;
                    }
                }
            }
        }
        for (donor, &(id, since)) in self.now.iter().enumerate() {
            out.pieces.push(Piece { donor: donor as u32, id, from: since, to: bits.end });
            self.place[id as usize] = 0;
        }
        out.count = self.now.len();
    }
}

fn members(set: &[u64]) -> impl Iterator<Item = u32> {
    set.iter()
        .enumerate()
        .flat_map(|(w, &word)| (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| 64 * w as u32 + bit))
}

/// The bits around `at`, within `bits`, over which two rows agree wherever `care` is set.
fn alike(a: &[u64], b: &[u64], care: &[u64], at: u32, bits: &Range<u32>) -> (u32, u32) {
    let differ = |w: usize| (a[w] ^ b[w]) & care[w];
    let (middle, below) = ((at / 64) as usize, (1_u64 << (at % 64)) - 1);
    let begin = ((bits.start / 64) as usize..=middle)
        .rev()
        .find_map(|w| {
            let bad = if w == middle { differ(w) & below } else { differ(w) };
            (bad != 0).then(|| 64 * w as u32 + 64 - bad.leading_zeros())
        })
        .map_or(bits.start, |bit| bit.max(bits.start));
    let end = (middle..bits.end.div_ceil(64) as usize)
        .find_map(|w| {
            let bad = if w == middle { differ(w) & !below } else { differ(w) };
            (bad != 0).then(|| 64 * w as u32 + bad.trailing_zeros())
        })
        .map_or(bits.end, |bit| bit.min(bits.end));
    (begin, end)
}

fn overlap(ban: &Ban, loci: &Range<usize>) -> bool {
    (ban.first as usize) < loci.end && (ban.end as usize) > loci.start
}

/// Whether most loci at which either sample is heterozygous are so in both.
fn same_hets(panel: &Panel, a: usize, b: usize, loci: &Range<usize>) -> bool {
    let (from, to) = (panel.layout.offset[loci.start], panel.layout.end(loci.end - 1));
    let (mut both, mut either) = (0, 0);
    for w in (from / 64) as usize..to.div_ceil(64) as usize {
        let mut mask = !0;
        if w == (from / 64) as usize {
            mask &= !0 << (from % 64);
        }
        if w == (to / 64) as usize {
            mask &= (1 << (to % 64)) - 1;
        }
        let hets = |s: usize| (panel.row(2 * s)[w] ^ panel.row(2 * s + 1)[w]) & mask;
        let (x, y) = (hets(a), hets(b));
        both += (x & y).count_ones();
        either += (x | y).count_ones();
    }
    either >= FEWEST_HETS && f64::from(both) > ALIKE * f64::from(either)
}

#[cfg(test)]
mod tests {
    use super::*;
    use x_pbwt::{Chunk, Layout, Site, select};
    use x_simd::Job;

    const LOCI: usize = 120;

    /// Mosaics of six founders at loci with two and more codes, and the neighbours at every fifth locus.
    fn panel() -> (Panel, Neighbours, Vec<u64>) {
        let codes: Vec<u8> = (0..LOCI).map(|l| [2, 5, 2, 3][l % 4]).collect();
        let mut panel = Panel::new(Layout::new(codes.iter().copied()), 60).unwrap();
        let mut r = Random::new(11, 2);
        let founders: Vec<Vec<u8>> =
            (0..6).map(|_| codes.iter().map(|&c| r.int(u64::from(c)) as u8).collect()).collect();
        for h in 0..60 {
            let mut founder = &founders[h % 6];
            for l in 0..LOCI {
                if r.int(15) == 0 {
                    founder = &founders[r.int(6) as usize];
                }
                panel.set(h, l, founder[l]);
            }
        }
        let group = |l: usize| (l % 5 == 4).then_some(l as u32 / 5);
        let sites: Vec<Site> = (0..LOCI).map(|l| Site { locus: l as u32, codes: codes[l], group: group(l) }).collect();
        let chunk = Chunk { warm: 0, from: 0, to: LOCI };
        let own = |a: u32, b: u32, _| a / 2 == b / 2;
        let neighbours = select(&panel, &sites, &[chunk], 60, 5, &own, &Job::default()).unwrap();
        (panel, neighbours, vec![!0; 8])
    }

    #[test]
    fn mosaics_cover_the_window_at_whole_loci_and_follow_the_target() {
        let (panel, neighbours, ordering) = panel();
        let (mut chooser, mut out) = (Chooser::default(), Donors::default());
        let loci = 7..113;
        let (first, end) = (panel.layout.offset[7], panel.layout.end(112));
        for sample in 0..30 {
            let mut alike = [0, 0];
            for (i, most) in [12, 100].into_iter().enumerate() {
                let pool = Pool { neighbours: &neighbours, panel: &panel, ordering: &ordering, most };
                let mut random = Random::new(1, 1);
                chooser.choose(&pool, sample, loci.clone(), &mut Vec::new(), &mut random, &mut out);
                assert!(out.count <= most && (most == 100 || out.count == most));
                for donor in 0..out.count as u32 {
                    let mut at = first;
                    for piece in out.pieces.iter().filter(|p| p.donor == donor) {
                        assert!(piece.from == at && piece.to >= at && piece.id / 2 != sample as u32);
                        assert!(piece.to == end || panel.layout.offset.contains(&piece.to));
                        at = piece.to;
                    }
                    assert_eq!(at, end);
                }
                // Loci at which a donor carries what the target carries, a donor.
                let same = |p: &Piece, l: usize| panel.get(p.id as usize, l) == panel.get(2 * sample, l);
                let inside = |p: &Piece, l: usize| (p.from..p.to).contains(&panel.layout.offset[l]);
                let hits = loci.clone().flat_map(|l| out.pieces.iter().filter(move |p| inside(p, l) && same(p, l)));
                alike[i] = hits.count() / out.count;
            }
            assert!(alike[0] > alike[1], "{alike:?}: changing donors are more like the target than whole ones");
        }
    }

    #[test]
    fn likeness_ends_where_an_ordering_bit_differs() {
        let (a, b) = ([0_u64; 3], [1 << 9 | 1 << 20, 0, 1 << 5]);
        let care = [!(1 << 20), !0, !0];
        assert_eq!(alike(&a, &b, &care, 30, &(0..192)), (10, 133));
        assert_eq!(alike(&a, &b, &care, 9, &(2..100)), (2, 9));
        assert_eq!(alike(&a, &b, &care, 64, &(12..130)), (12, 130));
    }
}
