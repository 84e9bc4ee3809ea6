//! From what was read to phased loci.

use std::collections::HashSet;
use std::sync::Arc;

use x_hmm::{Counters, Iteration, MISSING, Options, Phased, Study, Trio, inherit};
use x_simd::{Error, Job, Result};
use x_vcf::{Loci, PHASED};

use crate::confidence::Confidence;
use crate::haploid::settle;
use crate::likelihood::weights;
use crate::reference::{Shared, meet};
use crate::scaffold::{Oriented, orient};
use crate::study::study;

pub struct Inputs {
    pub target: Loci,
    /// Centimorgans of the target's loci.
    pub cm: Vec<f64>,
    /// Read as such: phased and complete.
    pub reference: Option<Arc<Loci>>,
    /// Read as such: phased where it has bars.
    pub scaffold: Option<Arc<Loci>>,
    /// By number of the target's samples.
    pub trios: Vec<Trio>,
    pub haploids: HashSet<String>,
    /// First and last position of the result; what lies beyond is phased with it only.
    pub own: [u32; 2],
    /// Let PL or GL weigh missing and doubtful calls, where they were read.
    pub likelihoods: bool,
}

/// A child's genotype that its parents cannot have given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mendel {
    pub position: u32,
    pub child: u32,
}

/// What was found on the way; genotypes in numbers, buffers included.
#[derive(Debug, Clone, Default)]
pub struct Found {
    pub reference: Option<Shared>,
    pub scaffold: Option<Oriented>,
    /// Heterozygous genotypes oriented by parents, and missing ones filled by them.
    pub inherited: u64,
    pub filled: u64,
    pub mendel: Vec<Mendel>,
    /// Heterozygous calls of haploid samples, taken for missing.
    pub haploid_hets: u64,
    /// Calls drawn by their likelihoods, and how many observed ones came out otherwise.
    pub weighted: u64,
    pub recalled: u64,
    /// Calls with a missing allele, and how many of them still have one.
    pub missing: u64,
    pub still_missing: u64,
}

pub struct Outcome {
    /// The target's loci with haplotypes for calls, without the buffer.
    pub loci: Loci,
    /// Where it was asked for.
    pub confidence: Option<Confidence>,
    pub found: Found,
    pub iterations: Vec<Iteration>,
    pub counters: Counters,
}

/// Phases. Errors: NO_COMMON_VARIANTS, NO_COMMON_SAMPLES, NO_VARIANTS and those of the engine.
pub fn phase(inputs: Inputs, options: &Options, progress: &(dyn Fn(&Iteration) + Sync), job: &Job) -> Result<Outcome> {
    let Inputs { mut target, mut cm, reference, scaffold, trios, haploids, own, likelihoods } = inputs;
    if cm.len() != target.len() {
        return Err(Error::new("BAD_STUDY", format!("{} genetic positions for {} loci", cm.len(), target.len())));
    }
    let mut found = Found::default();
    let mut panel = Vec::new();
    if let Some(reference) = reference {
        let (codes, shared) = meet(&mut target, &mut cm, &reference)?;
        (panel, found.reference) = (codes, Some(shared));
    }
    let [from, to] = own;
    let keep: Vec<bool> = target.positions.iter().map(|p| (from..=to).contains(p)).collect();
    if !keep.contains(&true) {
        let message = format!("no variants to phase: {} positions were kept, all of them in the buffer", keep.len());
        return Err(Error::new("NO_VARIANTS", message));
    }
    let haploid: Vec<bool> = target.samples.iter().map(|s| haploids.contains(s)).collect();
    found.haploid_hets = settle(&mut target, &haploid);
    let weights = if likelihoods { weights(&target, &haploid) } else { Vec::new() };
    target.likelihoods = Vec::new();
    let mut study = study(&mut target, &cm, haploid, panel, weights);
    let inherited = inherit(&mut study, &trios);
    (found.inherited, found.filled) = (inherited.oriented, inherited.filled);
    let place = |l: u32| target.positions[l as usize];
    found.mendel = inherited.errors.iter().map(|e| Mendel { position: place(e.locus), child: e.child }).collect();
    if let Some(scaffold) = scaffold {
        found.scaffold = Some(orient(&mut study, &target, &scaffold)?);
    }
    let phased = x_hmm::phase(&study, options, progress, job)?;
    compare(&study, &phased, &mut found);
    let confidence = options.confidence.then(|| Confidence::new(&phased, &keep, study.samples)).transpose()?;
    let Phased { codes, iterations, counters, .. } = phased;
    drop(study);
    for (flags, pair) in target.flags.iter_mut().zip(codes.chunks_exact(2)) {
        // What nobody knows has no order either.
        *flags |= if pair == [MISSING; 2] { 0 } else { PHASED };
    }
    target.calls = codes;
    target.trim(own);
    Ok(Outcome { loci: target, confidence, found, iterations, counters })
}

fn compare(study: &Study, phased: &Phased, found: &mut Found) {
    for (before, after) in study.calls.chunks_exact(2).zip(phased.codes.chunks_exact(2)) {
        found.missing += u64::from(before.contains(&MISSING));
        found.still_missing += u64::from(after.contains(&MISSING));
    }
    found.weighted = study.likelihoods.len() as u64;
    for g in &study.likelihoods {
        let before = study.call(g.locus as usize, g.sample as usize);
        let at = 2 * (g.locus as usize * study.samples + g.sample as usize);
        let [a, b] = [phased.codes[at], phased.codes[at + 1]];
        found.recalled += u64::from(!before.contains(&MISSING) && before != [a, b] && before != [b, a]);
    }
}
