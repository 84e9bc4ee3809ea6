//! Which haplotypes a haplotype is compared with: its neighbours in prefix order, stored at one locus a group.

use rayon::prelude::*;
use x_simd::{Job, Result, try_zeroed};

use crate::{Order, Panel};

/// A locus that orders the haplotypes.
#[derive(Debug, Clone, Copy)]
pub struct Site {
    pub locus: u32,
    pub codes: u8,
    /// Neighbours are kept after this locus, as those of this group.
    pub group: Option<u32>,
}

/// Sites that are swept together: those before `from` only warm the order up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chunk {
    pub warm: usize,
    pub from: usize,
    pub to: usize,
}

/// The neighbours of the first `targets` haplotypes: `depth` a haplotype and group, `NONE` where there were fewer.
#[derive(Debug)]
pub struct Neighbours {
    pub depth: usize,
    pub targets: usize,
    /// Locus of each group, ascending.
    pub loci: Vec<u32>,
    ids: Vec<u32>,
}

pub const NONE: u32 = u32::MAX;

impl Neighbours {
    /// Of one haplotype in one group, nearest first.
    pub fn of(&self, group: usize, haplotype: usize) -> &[u32] {
        &self.ids[(group * self.targets + haplotype) * self.depth..][..self.depth]
    }
}

/// Sweeps every chunk and keeps, for each of the first `targets` haplotypes, up to `depth` neighbours with the longest
/// matches at every site that has a group. `banned(h, other, locus)` refuses a neighbour.
pub fn select(
    panel: &Panel,
    sites: &[Site],
    chunks: &[Chunk],
    targets: usize,
    depth: usize,
    banned: &(dyn Fn(u32, u32, u32) -> bool + Sync),
    job: &Job,
) -> Result<Neighbours> {
    let loci: Vec<u32> = sites.iter().filter(|s| s.group.is_some()).map(|s| s.locus).collect();
    let mut ids = try_zeroed::<u32>(loci.len() * targets * depth)?;
    // Groups ascend with the sites, so each chunk owns one run of them.
    let mut rest = ids.as_mut_slice();
    let mut parts = Vec::new();
    for &chunk in chunks {
        let groups = sites[chunk.from..chunk.to].iter().filter(|s| s.group.is_some()).count();
        let (mine, others) = rest.split_at_mut(groups * targets * depth);
        parts.push((chunk, mine));
        rest = others;
    }
    parts
        .into_par_iter()
        .try_for_each(|(chunk, mine)| sweep(panel, sites, chunk, targets, depth, banned, job, mine))?;
    Ok(Neighbours { depth, targets, loci, ids })
}

#[allow(clippy::too_many_arguments)]
fn sweep(
    panel: &Panel,
    sites: &[Site],
    chunk: Chunk,
    targets: usize,
    depth: usize,
    banned: &(dyn Fn(u32, u32, u32) -> bool + Sync),
    job: &Job,
    ids: &mut [u32],
) -> Result<()> {
    let mut codes = vec![0; panel.haplotypes()];
    let mut pbwt = Order::new(panel.haplotypes(), sites.get(chunk.warm).map_or(0, |s| s.locus));
    let mut groups = ids.chunks_exact_mut((targets * depth).max(1));
    // Rows lie far apart, so a word of each is fetched once for all its loci.
    let (mut words, mut fetched) = (Vec::new(), None);
    for (i, site) in sites[chunk.warm..chunk.to].iter().enumerate() {
        job.check()?;
        let (at, width) = (panel.layout.offset[site.locus as usize], panel.layout.width[site.locus as usize]);
        if fetched != Some(at / 64) {
            fetched = Some(at / 64);
            panel.words((at / 64) as usize, &mut words);
        }
        let mask = (1_u64 << width) - 1;
        codes.iter_mut().zip(&words).for_each(|(code, w)| *code = (w >> (at % 64) & mask) as u8);
        pbwt.step(site.locus, &codes, usize::from(site.codes));
        if chunk.warm + i >= chunk.from && site.group.is_some() {
            let Some(out) = groups.next() else { break };
            for (at, &h) in pbwt.order.iter().enumerate().filter(|&(_, &h)| (h as usize) < targets) {
                nearest(&pbwt, at, &mut out[h as usize * depth..][..depth], |other| banned(h, other, site.locus));
            }
        }
    }
    Ok(())
}

/// Walks outwards from place `at`, always to the side whose match began earlier.
fn nearest(pbwt: &Order, at: usize, out: &mut [u32], banned: impl Fn(u32) -> bool) {
    let n = pbwt.order.len();
    let (mut above, mut below) = (at, at + 1);
    let mut above_start = pbwt.start[at];
    let mut below_start = if below < n { pbwt.start[below] } else { 0 };
    let mut filled = 0;
    while filled < out.len() && (above > 0 || below < n) {
        let up = above > 0 && (below >= n || above_start <= below_start);
        let other = if up {
            above -= 1;
            let other = pbwt.order[above];
            above_start = above_start.max(pbwt.start[above]);
            other
        } else {
            let other = pbwt.order[below];
            below += 1;
            if below < n {
                below_start = below_start.max(pbwt.start[below]);
            }
            other
        };
        if !banned(other) {
            out[filled] = other;
            filled += 1;
        }
    }
    out[filled..].fill(NONE);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Layout;
    use x_random::Random;

    #[test]
    fn neighbours_have_the_longest_matches() {
        let (h, l) = (30, 40);
        let mut panel = Panel::new(Layout::new(vec![3; l]), h).unwrap();
        let mut random = Random::new(3, 1);
        (0..h * l).for_each(|i| panel.set(i / l, i % l, (random.int(5) / 2) as u8));
        let sites: Vec<Site> =
            (0..l as u32).map(|i| Site { locus: i, codes: 3, group: (i % 8 == 7).then_some(i / 8) }).collect();
        let chunk = Chunk { warm: 0, from: 0, to: l };
        let own = |a: u32, b: u32, _| a / 2 == b / 2;
        let found = select(&panel, &sites, &[chunk], 20, 4, &own, &Job::default()).unwrap();
        assert_eq!(found.loci, [7, 15, 23, 31, 39]);
        for (g, &locus) in found.loci.iter().enumerate() {
            let length = |a: usize, b: usize| {
                (0..=locus as usize).rev().take_while(|&j| panel.get(a, j) == panel.get(b, j)).count()
            };
            for a in 0..20 {
                let mut best: Vec<usize> = (0..h).filter(|b| b / 2 != a / 2).map(|b| length(a, b)).collect();
                best.sort_unstable_by(|x, y| y.cmp(x));
                let got: Vec<usize> = found.of(g, a).iter().map(|&b| length(a, b as usize)).collect();
                assert_eq!(got, best[..4]);
            }
        }
        let alone = select(&panel, &sites, &[chunk], 20, 40, &own, &Job::default()).unwrap();
        assert_eq!(alone.of(0, 0).iter().filter(|&&b| b == NONE).count(), 12);
    }
}
