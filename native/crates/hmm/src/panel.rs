//! From a study to the first haplotypes, and which loci order them.

use x_pbwt::{Chunk, Initial, Layout, Panel, Site, Unknown};
use x_random::Random;
use x_simd::{Job, Result};

use crate::graph::Graph;
use crate::model::Map;
use crate::options::Options;
use crate::study::{MISSING, Study};

/// A sample that is homozygous for a code more frequent than this is not evaluated at the locus.
const COMMON: f64 = 0.999;
/// Samples, instead of a number of the run: streams of random numbers that belong to no sample.
pub const EVERYBODY: u64 = u32::MAX as u64;
/// cM that a chunk's order is warmed up over.
const WARM_UP: f64 = 0.5;
/// Short regions are cut into this many chunks, so that two threads have work, but none below 1 cM.
const FEWEST_CHUNKS: f64 = 4.0;
const SHORTEST_CHUNK: f64 = 1.0;
/// One in this many haplotypes may be the minor allele count that is asked for, not less.
const MAC_SHARE: usize = 20;

/// Random numbers of one sample in one iteration.
pub fn stream(seed: u64, iteration: usize, sample: u64) -> Random {
    Random::new(seed, (iteration as u64) << 32 | sample)
}

/// Loci as all samples see them, and the loci that order haplotypes (their groups are still to be drawn).
pub fn survey(study: &Study, options: &Options) -> (Map, Vec<Site>) {
    let haplotypes = 2 * study.samples + study.reference_haplotypes();
    let mac = options.pbwt_mac.min((haplotypes / MAC_SHARE).max(1));
    let (mut major, mut sites) = (Vec::with_capacity(study.loci.len()), Vec::new());
    let (n, r) = (2 * study.samples, study.reference_haplotypes());
    for (l, locus) in study.loci.iter().enumerate() {
        let mut counts = [0_usize; 256];
        study.calls[n * l..n * (l + 1)].iter().for_each(|&c| counts[usize::from(c)] += 1);
        study.reference[r * l..r * (l + 1)].iter().for_each(|&c| counts[usize::from(c)] += 1);
        let missing = counts[usize::from(MISSING)];
        let known = haplotypes - missing;
        let top = (0..255).fold(0, |best, c| if counts[c] > counts[best] { c } else { best });
        major.push(if counts[top] as f64 > COMMON * known as f64 { top as u8 } else { MISSING });
        let common = known - counts[top] >= mac && missing as f64 <= options.pbwt_mdr * haplotypes as f64;
        if common && (locus.codes == 2 || options.supersite_pbwt) {
            sites.push(Site { locus: l as u32, codes: locus.codes, group: None });
        }
    }
    let map = Map {
        layout: Layout::new(study.loci.iter().map(|l| l.codes)),
        codes: study.loci.iter().map(|l| l.codes).collect(),
        cm: study.loci.iter().map(|l| l.cm).collect(),
        major,
        rate: 0.04 * options.hmm_ne / haplotypes.clamp(1, options.hmm_donors.max(2)) as f64,
    };
    (map, sites)
}

/// The bits of a row in which the codes of `sites` lie.
pub fn ordering_bits(map: &Map, sites: &[Site]) -> Vec<u64> {
    let mut bits = vec![0; map.layout.words];
    for site in sites {
        let (at, width) = (map.layout.offset[site.locus as usize], map.layout.width[site.locus as usize]);
        bits[(at / 64) as usize] |= ((1 << width) - 1) << (at % 64);
    }
    bits
}

/// Draws one site of every group.
pub fn draw_groups(sites: &mut [Site], cm: &[f64], modulo: f64, random: &mut Random) {
    let group = |s: &Site| (cm[s.locus as usize] / modulo).round();
    for (number, run) in sites.chunk_by_mut(|a, b| group(a) == group(b)).enumerate() {
        run.iter_mut().for_each(|s| s.group = None);
        let chosen = random.int(run.len() as u64) as usize;
        run[chosen].group = Some(number as u32);
    }
}

/// Cuts the sites into chunks of about `shortest` cM, less where they would be few, each warmed up by the sites before it.
pub fn chunks(sites: &[Site], cm: &[f64], shortest: f64) -> Vec<Chunk> {
    let Some((first, last)) = sites.first().zip(sites.last()) else { return Vec::new() };
    let at = |s: &Site| cm[s.locus as usize];
    let (start, length) = (at(first), at(last) - at(first));
    let shortest = shortest.min((length / FEWEST_CHUNKS).max(SHORTEST_CHUNK));
    let count = (length / shortest.max(1e-9)).floor().clamp(1.0, 1e6) as usize;
    let cut = |i: usize| sites.partition_point(|s| at(s) < start + length * i as f64 / count as f64);
    let mut out: Vec<Chunk> = Vec::new();
    for i in 0..count {
        let (from, to) = (if i == 0 { 0 } else { cut(i) }, if i + 1 == count { sites.len() } else { cut(i + 1) });
        if from < to {
            let begin = at(&sites[from]) - WARM_UP;
            out.push(Chunk { warm: sites.partition_point(|s| at(s) < begin).min(from), from, to });
        }
    }
    out
}

/// Haplotypes with all that was observed, and a first guess for the rest.
pub fn first_guess(study: &Study, graphs: &[Graph], map: &Map, sites: &[Site], seed: u64, job: &Job) -> Result<Panel> {
    let (n, r) = (study.samples, study.reference_haplotypes());
    let mut panel = Panel::new(map.layout.clone(), 2 * n + r)?;
    let mut initial = Initial::new(2 * n + r);
    let mut random = stream(seed, 0, EVERYBODY);
    let mut open: Vec<(usize, usize)> = vec![(0, 0); n];
    let mut next_site = 0;
    let mut unknown = Vec::new();
    for l in 0..study.loci.len() {
        job.check()?;
        unknown.clear();
        for (s, graph) in graphs.iter().enumerate() {
            let (a, q) = &mut open[s];
            let query = graph.queries.get(*q).filter(|q| q.locus as usize == l);
            let site = graph.ambiguous.get(*a).filter(|a| a.locus as usize == l);
            *q += usize::from(query.is_some());
            *a += usize::from(site.is_some());
            match (query, site) {
                (Some(_), site) => {
                    let known = match site {
                        Some(site) => [Some(site.codes[0]), None],
                        None => [None, None],
                    };
                    unknown.push((s as u32, Unknown::Missing { known, haploid: graph.haploid }));
                }
                (None, Some(site)) if !study.is_fixed(l, s) => unknown.push((s as u32, Unknown::Het(site.codes))),
                _ => {
                    let call = study.call(l, s);
                    panel.set(2 * s, l, call[0]);
                    panel.set(2 * s + 1, l, call[1]);
                }
            }
        }
        for (h, &code) in study.reference[r * l..r * (l + 1)].iter().enumerate() {
            panel.set(2 * n + h, l, code);
        }
        let orders = sites.get(next_site).is_some_and(|s| s.locus as usize == l);
        next_site += usize::from(orders);
        let allowed = |s: u32, c: u8| {
            let graph = &graphs[s as usize];
            let found = graph.queries.binary_search_by_key(&(l as u32), |q| q.locus);
            found.map_or(true, |q| graph.queries[q].allows(c))
        };
        let count = usize::from(study.loci[l].codes);
        initial.settle(&mut panel, l, count, &unknown, &allowed, orders, &mut random);
    }
    Ok(panel)
}
