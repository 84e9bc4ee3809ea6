//! The whole of it: what is certain, whom to copy from, the model of every sample, then the settling.

use rayon::prelude::*;
use x_simd::{Error, Job, Result, with_pool};

use crate::copying::{Model, posteriors};
use crate::data::{Reason, Study};
use crate::options::Options;
use crate::select::{Donors, select};
use crate::settle::{Donor, Evidence, impute, settle};
use crate::viterbi::pieces;
use x_vcf::MISSING;

/// Centimorgans of the scaffold's and of the rare loci.
#[derive(Debug, Clone, Copy)]
pub struct Positions<'a> {
    pub scaffold: &'a [f64],
    pub rare: &'a [f64],
}

/// What became of the heterozygous genotypes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counts {
    pub donors: u64,
    pub length: u64,
    pub scaffold: u64,
    pub pedigree: u64,
    pub coin: u64,
    /// Missing alleles filled, and left.
    pub imputed: u64,
    pub missing: u64,
    /// Children's genotypes that their parents cannot have given.
    pub mendel_errors: u64,
    /// Donors a sample, on average.
    pub mean_donors: f64,
}

pub fn phase(study: &mut Study, at: Positions, options: &Options, job: &Job) -> Result<Counts> {
    check(study, at)?;
    with_pool(options.threads, || run(study, at, options, job))
}

fn check(study: &Study, at: Positions) -> Result<()> {
    let sizes = [(at.scaffold.len(), study.scaffold.bits.loci()), (at.rare.len(), study.rare.len())];
    let bad = |message: String| Err(Error::new("BAD_STUDY", message));
    if let Some((got, want)) = sizes.iter().find(|(a, b)| a != b) {
        return bad(format!("{got} genetic positions for {want} loci"));
    }
    let ascends = |cm: &[f64]| cm.iter().all(|c| c.is_finite()) && cm.windows(2).all(|w| w[0] <= w[1]);
    if !ascends(at.scaffold) || !ascends(at.rare) {
        return bad("genetic positions must be finite and must not descend".to_owned());
    }
    if study.phased {
        return bad("these genotypes are phased already".to_owned());
    }
    if u32::try_from(study.rare.entries.len()).is_err() {
        let message = "more than four thousand million genotypes to place; take smaller regions";
        return Err(Error::new("TOO_LARGE", message));
    }
    Ok(())
}

fn run(study: &mut Study, at: Positions, options: &Options, job: &Job) -> Result<Counts> {
    study.phased = true;
    let mut counts = Counts { mendel_errors: certain(study, options), ..Counts::default() };
    let scaffold = &study.scaffold.about.positions;
    let before: Vec<u32> =
        study.rare.about.positions.iter().map(|p| scaffold.partition_point(|s| s <= p) as u32).collect();
    let donors = select(study, options, at.scaffold, &before, job)?;
    let mut of: Vec<Vec<u32>> = vec![Vec::new(); study.samples.len()];
    for (i, e) in study.rare.entries.iter().enumerate() {
        if e.open() || (e.missing && !options.keep_missing) {
            of[e.sample as usize].push(i as u32);
        }
    }
    let busy: Vec<usize> = (0..of.len()).filter(|&s| !of[s].is_empty()).collect();
    job.start(busy.len() as u64);
    let model = Model {
        bits: &study.scaffold.bits,
        cm: at.scaffold,
        rate: 0.04 * options.ne / study.scaffold.bits.haplotypes() as f64,
        mismatch: (options.error / (1.0 - options.error)) as f32,
    };
    let found: Vec<(usize, Vec<Evidence>)> = busy
        .par_iter()
        .map(|&s| {
            job.check()?;
            let all = both(&donors, s, study.samples.len());
            let out = sample(study, model, at.rare, &before, s, &all, &of[s]);
            job.advance(1);
            Ok((all.len(), out))
        })
        .collect::<Result<_>>()?;
    counts.mean_donors = found.iter().map(|f| f.0 as f64).sum::<f64>() / (busy.len().max(1)) as f64;
    let mut all: Vec<(u32, Evidence)> =
        busy.iter().zip(found).flat_map(|(&s, (_, f))| of[s].iter().copied().zip(f)).collect();
    all.sort_unstable_by_key(|a| a.0);
    let (slots, evidence): (Vec<u32>, Vec<Evidence>) = all.into_iter().unzip();
    settle(study, &slots, &evidence, options, job)?;
    if !options.keep_missing {
        counts.imputed = impute(study, &slots, &evidence);
    }
    for e in &study.rare.entries {
        match e.reason {
            Reason::Donors => counts.donors += 1,
            Reason::Length => counts.length += 1,
            Reason::Scaffold => counts.scaffold += 1,
            Reason::Pedigree => counts.pedigree += 1,
            Reason::Coin => counts.coin += 1,
            Reason::Same | Reason::Open => {}
        }
        counts.missing += e.codes.iter().filter(|&&c| c == MISSING).count() as u64;
    }
    Ok(counts)
}

/// Orders that the scaffold's own ALTs or the parents leave no choice about. Returns the Mendel errors.
fn certain(study: &mut Study, options: &Options) -> u64 {
    let mut errors = 0;
    let mut fixed: Vec<(usize, bool, Reason)> = Vec::new();
    for locus in 0..study.rare.len() {
        for i in study.rare.first[locus]..study.rare.first[locus + 1] {
            let e = &study.rare.entries[i];
            let h = 2 * e.sample as usize;
            let fits = |codes: [u8; 2]| study.fits(locus, h, codes[0]) && study.fits(locus, h + 1, codes[1]);
            let turned = [e.codes[1], e.codes[0]];
            if !e.open() {
                continue;
            }
            match (fits(e.codes), fits(turned)) {
                (true, false) => fixed.push((i, false, Reason::Scaffold)),
                (false, true) => fixed.push((i, true, Reason::Scaffold)),
                _ => {}
            }
        }
        for trio in &options.trios {
            let of = study.rare.of(locus);
            let find = |s: u32| of.binary_search_by_key(&s, |e| e.sample).ok();
            let Some(k) = find(trio.child).filter(|&k| of[k].open() && !of[k].missing) else { continue };
            let gives = |parent: Option<u32>, code: u8| match parent.map(find) {
                None => true,
                Some(None) => code == study.rare.major[locus],
                Some(Some(p)) => of[p].carries(code) || of[p].carries(MISSING),
            };
            let [x, y] = of[k].codes;
            let i = study.rare.first[locus] + k;
            match (gives(trio.father, x) && gives(trio.mother, y), gives(trio.father, y) && gives(trio.mother, x)) {
                (true, true) => {}
                (false, false) => errors += 1,
                (straight, _) => fixed.push((i, !straight, Reason::Pedigree)),
            }
        }
    }
    for (i, swap, reason) in fixed {
        let e = &mut study.rare.entries[i];
        // The scaffold's word comes first: it cannot be gone against.
        if !e.open() {
            continue;
        }
        if swap {
            e.codes.swap(0, 1);
        }
        (e.reason, e.probability) = (reason, 1.0);
    }
    errors
}

/// Donors of both haplotypes of a sample; everyone else when there is none.
fn both(donors: &Donors, s: usize, samples: usize) -> Vec<u32> {
    let mut all: Vec<u32> = donors[2 * s].iter().chain(&donors[2 * s + 1]).copied().collect();
    all.sort_unstable();
    all.dedup();
    if all.is_empty() {
        all.extend((0..2 * samples as u32).filter(|h| *h as usize / 2 != s).take(200));
    }
    all
}

/// The evidence for the entries `mine` of one sample.
fn sample(
    study: &Study,
    model: Model,
    cm: &[f64],
    before: &[u32],
    s: usize,
    donors: &[u32],
    mine: &[u32],
) -> Vec<Evidence> {
    let mut out: Vec<Evidence> = vec![Evidence { length: [1.0; 2], ..Evidence::default() }; mine.len()];
    if donors.is_empty() {
        return out;
    }
    let rare = &study.rare;
    let loci: Vec<usize> = mine.iter().map(|&e| rare.locus_of(e as usize)).collect();
    // Scaffold loci on either side, and the share of the second.
    let last = model.bits.loci() as u32 - 1;
    let sides: Vec<(u32, u32, f32)> = loci
        .iter()
        .map(|&l| {
            let (a, b) = (before[l].saturating_sub(1), before[l].min(last));
            let (from, to) = (model.cm[a as usize], model.cm[b as usize]);
            let share = if to > from { ((cm[l] - from) / (to - from)).clamp(0.0, 1.0) } else { 0.5 };
            (a, b, share as f32)
        })
        .collect();
    let mut wanted: Vec<u32> = sides.iter().flat_map(|s| [s.0, s.1]).collect();
    wanted.sort_unstable();
    wanted.dedup();
    // Who of the donors has an entry at each locus.
    let mut carriers: Vec<(Vec<u32>, Vec<Donor>)> =
        loci.iter().map(|&l| carriers(rare.of(l), rare.first[l], donors)).collect();
    let mut asks: Vec<Vec<(u32, bool)>> = vec![Vec::new(); wanted.len()];
    for (i, side) in sides.iter().enumerate() {
        for (locus, right) in [(side.0, false), (side.1, true)] {
            if let Ok(at) = wanted.binary_search(&locus) {
                asks[at].push((i as u32, right));
            }
        }
    }
    let mut scratch = Vec::new();
    for h in 0..2 {
        posteriors(model, 2 * s + h, donors, &wanted, &mut scratch, |at, p| {
            for &(i, right) in &asks[at] {
                let share = sides[i as usize].2;
                let share = if right { share } else { 1.0 - share };
                let (places, found) = &mut carriers[i as usize];
                places.iter().zip(found).for_each(|(&k, d)| d.mass[h] += share * p[k as usize]);
            }
        });
        let copied = pieces(model, 2 * s + h, donors);
        out.iter_mut().zip(&loci).for_each(|(e, &l)| e.length[h] = copied.length(cm[l]) as f32);
    }
    for (e, (_, found)) in out.iter_mut().zip(carriers) {
        e.donors = found.into_iter().filter(|d| d.mass[0].max(d.mass[1]) > 1e-6).collect();
    }
    out
}

/// Places in `donors` of those with an entry, and the entries; `first` is the number of the first of `entries`.
fn carriers(entries: &[crate::data::Entry], first: usize, donors: &[u32]) -> (Vec<u32>, Vec<Donor>) {
    let mut out = (Vec::new(), Vec::new());
    let mut push = |place: usize, entry: usize| {
        out.0.push(place as u32);
        out.1.push(Donor { entry: (first + entry) as u32, side: (donors[place] % 2) as u8, mass: [0.0; 2] });
    };
    if entries.len() < donors.len() {
        for (i, e) in entries.iter().enumerate() {
            let from = donors.partition_point(|&d| d < 2 * e.sample);
            (from..donors.len()).take_while(|&k| donors[k] / 2 == e.sample).for_each(|k| push(k, i));
        }
    } else {
        for (k, d) in donors.iter().enumerate() {
            if let Ok(i) = entries.binary_search_by_key(&(d / 2), |e| e.sample) {
                push(k, i);
            }
        }
    }
    out
}
