//! The conditioning haplotypes of one window.

use std::ops::Range;

use x_pbwt::{NONE, Neighbours, Panel};
use x_random::Random;

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

/// Ascending ids of the neighbours that either haplotype of `sample` has in the window, IBD2 pairs left out and added
/// to `bans`.
pub fn choose(
    neighbours: &Neighbours,
    panel: &Panel,
    sample: usize,
    loci: Range<usize>,
    bans: &mut Vec<Ban>,
    random: &mut Random,
    out: &mut Vec<u32>,
) {
    out.clear();
    let from = neighbours.loci.partition_point(|&l| (l as usize) < loci.start);
    let to = neighbours.loci.partition_point(|&l| (l as usize) < loci.end);
    // A window between two groups is covered by the matches that end at the next one.
    let to = to.max((from + 1).min(neighbours.loci.len()));
    for group in from..to {
        for h in [2 * sample, 2 * sample + 1] {
            out.extend(neighbours.of(group, h).iter().filter(|&&id| id != NONE));
        }
    }
    out.sort_unstable();
    out.dedup();
    let alike: Vec<u32> = out
        .windows(2)
        .filter(|w| w[0] % 2 == 0 && w[1] == w[0] + 1 && same_hets(panel, sample, w[0] as usize / 2, &loci))
        .map(|w| w[0] / 2)
        .collect();
    if !alike.is_empty() {
        out.retain(|id| alike.binary_search(&(id / 2)).is_err());
        let ban = |&other: &u32| Ban { other, first: loci.start as u32, end: loci.end as u32 };
        bans.extend(alike.iter().map(ban));
    }
    if out.len() < 2 {
        let others = panel.haplotypes() as u64 - 2;
        let banned = |id: u32| bans.iter().any(|b| b.other == id / 2 && overlap(b, &loci));
        for _ in 0..RANDOM_DONORS.min(2 * others as usize) {
            let id = random.int(others) as u32;
            let id = if id as usize >= 2 * sample { id + 2 } else { id };
            if !banned(id) {
                out.push(id);
            }
        }
        out.sort_unstable();
        out.dedup();
    }
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
