//! Whom a haplotype is copied from: its neighbours in prefix order, from both ends of the scaffold, among all
//! haplotypes at one locus a group and among the carriers of a rare allele at every one.

use x_pbwt::Order;
use x_simd::{Job, Result};

use crate::data::Study;
use crate::options::Options;

/// Donors of every haplotype, ascending; those of samples without an open genotype are empty.
pub type Donors = Vec<Vec<u32>>;

/// What both sweeps need to know.
struct Plan<'a> {
    study: &'a Study,
    options: &'a Options,
    /// Centimorgans of the scaffold.
    cm: &'a [f64],
    /// Scaffold loci that order haplotypes, ascending.
    sites: Vec<u32>,
    /// Has the sample something to place?
    work: Vec<bool>,
    /// Rare loci with entries of two samples and something to place, by the number of `sites` before them.
    rare: Vec<(u32, u32)>,
}

/// `before`: scaffold loci left of or at each rare locus.
pub fn select(study: &Study, options: &Options, cm: &[f64], before: &[u32], job: &Job) -> Result<Donors> {
    let sites = sites(study, options);
    let mut work = vec![false; study.samples.len()];
    let needs = |e: &crate::data::Entry| e.open() || e.missing;
    study.rare.entries.iter().filter(|e| needs(e)).for_each(|e| work[e.sample as usize] = true);
    let mut rare = Vec::new();
    #[allow(clippy::needless_range_loop)] // the locus is what the neighbours are asked about
    for locus in 0..study.rare.len() {
        let of = study.rare.of(locus);
        if of.len() > 1 && of.iter().any(|e| e.open()) {
            rare.push((sites.partition_point(|&s| s < before[locus]) as u32, locus as u32));
        }
    }
    let plan = Plan { study, options, cm, sites, work, rare };
    let (up, down) = rayon::join(|| sweep(&plan, false, job), || sweep(&plan, true, job));
    let mut donors = up?;
    for (mine, more) in donors.iter_mut().zip(down?) {
        mine.extend(more);
        mine.sort_unstable();
        mine.dedup();
        mine.shrink_to_fit();
    }
    Ok(donors)
}

/// Loci whose alleles other than the most common one have enough copies; all that vary when there are none.
fn sites(study: &Study, options: &Options) -> Vec<u32> {
    let bits = &study.scaffold.bits;
    let mut column = vec![0; bits.haplotypes()];
    let mut minor = Vec::with_capacity(bits.loci());
    for l in 0..bits.loci() {
        bits.column(l, &mut column);
        let mut seen = [0_u32; 256];
        column.iter().for_each(|&c| seen[usize::from(c)] += 1);
        minor.push(column.len() as u32 - seen.iter().max().copied().unwrap_or(0));
    }
    let with = |least: u32| (0..minor.len() as u32).filter(|&l| minor[l as usize] >= least).collect::<Vec<_>>();
    let enough = with(options.mac.max(1));
    if enough.is_empty() { with(1) } else { enough }
}

fn sweep(plan: &Plan, down: bool, job: &Job) -> Result<Donors> {
    let (study, options) = (plan.study, plan.options);
    let bits = &study.scaffold.bits;
    let h = bits.haplotypes();
    let mut donors: Donors = vec![Vec::new(); h];
    let mut order = Order::new(h, 0);
    let mut column = vec![0; h];
    let mut rank = vec![0_u32; h];
    let steps = plan.sites.len();
    let mut group = i64::MIN;
    let mut rare = plan.rare.iter().copied();
    let mut back = plan.rare.iter().rev().copied();
    let mut next = if down { back.next() } else { rare.next() };
    for step in 0..steps {
        job.check()?;
        let site = if down { steps - 1 - step } else { step };
        let locus = plan.sites[site] as usize;
        bits.column(locus, &mut column);
        order.step(step as u32, &column, usize::from(bits.codes(locus)));
        // The order after this step is that of the gap behind it: `gap` sites lie left of the gap.
        let gap = if down { site } else { site + 1 } as u32;
        let this = (plan.cm[locus] / options.modulo).round() as i64;
        if this != group {
            group = this;
            everyone(plan, &order, &mut donors);
        }
        // Loci before the first or after the last site belong to the nearest gap.
        let last = step + 1 == steps;
        let mut ranked = false;
        while let Some((at, locus)) = next
            && (last || if down { at >= gap } else { at <= gap })
        {
            if !ranked {
                order.order.iter().enumerate().for_each(|(i, &id)| rank[id as usize] = i as u32);
                ranked = true;
            }
            carriers(plan, locus as usize, &rank, &mut donors);
            next = if down { back.next() } else { rare.next() };
        }
    }
    Ok(donors)
}

/// The nearest haplotypes of other samples, `depth_common` each way.
fn everyone(plan: &Plan, order: &Order, donors: &mut Donors) {
    let order = &order.order;
    for (at, &h) in order.iter().enumerate().filter(|&(_, &h)| plan.work[h as usize / 2]) {
        let other = |&&id: &&u32| id / 2 != h / 2;
        let depth = plan.options.depth_common;
        let above = order[..at].iter().rev().filter(other).take(depth);
        let below = order[at + 1..].iter().filter(other).take(depth);
        above.chain(below).for_each(|&id| add(&mut donors[h as usize], id));
    }
}

/// The nearest carriers in other samples, `depth_rare` each way: in sorted order nearer means alike for longer.
fn carriers(plan: &Plan, locus: usize, rank: &[u32], donors: &mut Donors) {
    let rare = &plan.study.rare;
    let entries = rare.of(locus);
    let mut sorted: Vec<(u32, u32, bool)> = Vec::with_capacity(2 * entries.len());
    for e in entries {
        if e.codes == [x_vcf::MISSING; 2] {
            continue;
        }
        for side in 0..2 {
            let carries = e.open() || e.codes[side] != rare.major[locus];
            let id = 2 * e.sample + side as u32;
            if carries {
                sorted.push((rank[id as usize], id, e.open()));
            }
        }
    }
    sorted.sort_unstable();
    for (at, &(_, h, open)) in sorted.iter().enumerate() {
        if open {
            let other = |&&(_, id, _): &&(u32, u32, bool)| id / 2 != h / 2;
            let depth = plan.options.depth_rare;
            let above = sorted[..at].iter().rev().filter(other).take(depth);
            let below = sorted[at + 1..].iter().filter(other).take(depth);
            above.chain(below).for_each(|&(_, id, _)| add(&mut donors[h as usize], id));
        }
    }
}

/// Neighbours repeat from group to group; the last few are looked at.
fn add(list: &mut Vec<u32>, id: u32) {
    let recent = list.len().saturating_sub(12);
    if !list[recent..].contains(&id) {
        list.push(id);
    }
}
