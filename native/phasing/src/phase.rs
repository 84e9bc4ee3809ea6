//! Phasing of loci that were read.

use std::sync::{Arc, Mutex, MutexGuard};

use napi::bindgen_prelude::{AsyncTask, Float32Array, Float64Array, Uint32Array};
use napi_derive::napi;
use x_hmm::{Anchor, Imputation, Iteration, Options, Schedule, Stage, Trio};
use x_phase::{Inputs, Outcome};
use x_simd::{Error, Result};

use crate::job::Job;
use crate::loci::{Loci, Shared, get, take};
use crate::work::{Work, to_napi};

/// Iterations as they end; read while the work goes on.
#[napi]
#[derive(Default)]
pub struct PhaseLog(Arc<Mutex<Vec<Iteration>>>);

#[napi(object)]
pub struct IterationRow {
    /// From 1.
    pub number: u32,
    pub of: u32,
    /// `burn-in`, `pruning` or `main`.
    pub stage: String,
    pub mean_donors: f64,
    pub mean_segments: f64,
}

#[napi]
impl PhaseLog {
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Iterations that ended, but for the first `from`.
    #[napi(catch_unwind)]
    pub fn after(&self, from: u32) -> Vec<IterationRow> {
        let log = self.0.lock().map(|l| l.clone()).unwrap_or_default();
        log.iter().skip(from as usize).map(row).collect()
    }
}

fn row(i: &Iteration) -> IterationRow {
    let stage = match i.stage {
        Stage::BurnIn => "burn-in",
        Stage::Prune => "pruning",
        Stage::Main => "main",
    };
    IterationRow {
        number: i.number as u32 + 1,
        of: i.of as u32,
        stage: stage.to_owned(),
        mean_donors: i.mean_donors,
        mean_segments: i.mean_segments,
    }
}

#[napi(object)]
pub struct PhaseInput {
    /// Handles that are empty afterwards: their memory is used for the result, or freed early.
    pub take_target: bool,
    pub take_reference: bool,
    /// First and last position of the result.
    pub from: u32,
    pub to: u32,
    /// Child, father, mother by number; −1 unknown. Three a child.
    pub trios: Vec<i32>,
    pub haploids: Vec<String>,
    pub use_likelihoods: bool,
    pub seed: f64,
    pub threads: u32,
    pub schedule: Option<String>,
    pub prune: Option<f64>,
    pub pbwt_depth: Option<u32>,
    pub pbwt_modulo: Option<f64>,
    pub pbwt_mac: Option<u32>,
    pub pbwt_mdr: Option<f64>,
    pub pbwt_window: Option<f64>,
    pub hmm_window: Option<f64>,
    pub hmm_donors: Option<u32>,
    pub hmm_ne: Option<f64>,
    pub supersite_pbwt: bool,
    /// `argmax`, `pbwt` or `hmm`.
    pub imputation: String,
    pub keep_missing: bool,
    pub confidence: bool,
}

impl PhaseInput {
    fn options(&self) -> Result<Options> {
        let or = Options::default();
        Ok(Options {
            seed: self.seed as u64,
            threads: self.threads as usize,
            schedule: self.schedule.as_deref().map_or(Ok(or.schedule), Schedule::parse)?,
            pbwt_depth: self.pbwt_depth.map(|d| d as usize),
            pbwt_modulo: self.pbwt_modulo,
            pbwt_mac: self.pbwt_mac.map_or(or.pbwt_mac, |m| m as usize),
            pbwt_mdr: self.pbwt_mdr.unwrap_or(or.pbwt_mdr),
            pbwt_window: self.pbwt_window.unwrap_or(or.pbwt_window),
            hmm_window: self.hmm_window.unwrap_or(or.hmm_window),
            hmm_donors: self.hmm_donors.map_or(or.hmm_donors, |n| n as usize),
            hmm_ne: self.hmm_ne.unwrap_or(or.hmm_ne),
            mcmc_prune: self.prune.unwrap_or(or.mcmc_prune),
            supersite_pbwt: self.supersite_pbwt,
            imputation: match self.imputation.as_str() {
                "argmax" => Imputation::Argmax,
                "pbwt" => Imputation::Anchor(Anchor::Pbwt),
                "hmm" => Imputation::Anchor(Anchor::Hmm),
                other => return Err(Error::new("OPTION_RANGE", format!("imputation cannot be {other:?}"))),
            },
            keep_missing: self.keep_missing,
            confidence: self.confidence,
        })
    }

    fn trios(&self) -> Vec<Trio> {
        let some = |s: i32| usize::try_from(s).ok();
        let trio = |t: &[i32]| some(t[0]).map(|child| Trio { child, father: some(t[1]), mother: some(t[2]) });
        self.trios.chunks_exact(3).filter_map(trio).collect()
    }
}

/// What phasing found, until JavaScript has taken it.
#[napi]
pub struct PhaseOutcome(Arc<Mutex<Option<Outcome>>>);

/// Numbers of genotypes unless said otherwise.
#[napi(object)]
pub struct PhaseInfo {
    pub iterations: Vec<IterationRow>,
    pub supersites_unordered: u32,
    pub ordering_loci: u32,
    pub ibd2: f64,
    /// Seconds.
    pub first_guess: f64,
    pub selection: f64,
    pub model: f64,
    pub reference: Option<ReferenceCounts>,
    pub scaffold: Option<ScaffoldCounts>,
    pub inherited: f64,
    pub filled: f64,
    pub mendel_positions: Uint32Array,
    pub mendel_children: Uint32Array,
    pub haploid_hets: f64,
    pub weighted: f64,
    pub recalled: f64,
    pub missing: f64,
    pub still_missing: f64,
    /// One a sample and locus, and two; NaN where there is nothing to be sure of.
    pub phase_confidence: Option<Float32Array>,
    pub code_confidence: Option<Float32Array>,
}

#[napi(object)]
pub struct ReferenceCounts {
    pub haplotypes: u32,
    pub only_target: u32,
    pub only_reference: u32,
    pub ref_mismatch: u32,
}

#[napi(object)]
pub struct ScaffoldCounts {
    pub samples: u32,
    pub loci: u32,
    pub genotypes: f64,
    pub disagree: f64,
    pub not_expressible: f64,
    pub turned: u32,
}

/// Phases `target`. `cm`: of its loci. BAD_SCHEDULE, BAD_STUDY, NO_COMMON_VARIANTS, NO_COMMON_SAMPLES, NO_VARIANTS,
/// ALLOC, THREADS, LOCI_RELEASED.
#[napi(js_name = "phaseLoci", catch_unwind, ts_return_type = "Promise<PhaseOutcome>")]
pub fn phase_loci(
    job: &Job,
    log: &PhaseLog,
    target: &Loci,
    reference: Option<&Loci>,
    scaffold: Option<&Loci>,
    cm: Float64Array,
    input: PhaseInput,
) -> AsyncTask<Work<Outcome, PhaseOutcome>> {
    let (job, log, target) = (job.0.clone(), log.0.clone(), target.inner.clone());
    let [reference, scaffold] = [reference, scaffold].map(|p| p.map(|p| p.inner.clone()));
    let cm = cm.to_vec();
    Work::spawn(
        move || {
            let options = input.options()?;
            let open = |shared: &Shared, mine: bool| if mine { take(shared) } else { get(shared) };
            let reference = reference.as_ref().map(|r| open(r, input.take_reference)).transpose()?;
            let scaffold = scaffold.as_ref().map(get).transpose()?;
            let loci = open(&target, input.take_target)?;
            let inputs = Inputs {
                target: Arc::try_unwrap(loci).unwrap_or_else(|shared| (*shared).clone()),
                cm: cm.clone(),
                reference,
                scaffold,
                trios: input.trios(),
                haploids: input.haploids.iter().cloned().collect(),
                own: [input.from, input.to],
                likelihoods: input.use_likelihoods,
            };
            let progress = |i: &Iteration| {
                if let Ok(mut log) = log.lock() {
                    log.push(*i);
                }
            };
            x_phase::phase(inputs, &options, &progress, &job)
        },
        |outcome| PhaseOutcome(Arc::new(Mutex::new(Some(outcome)))),
    )
}

#[napi]
impl PhaseOutcome {
    /// Numbers and confidences; the handle is left with nothing but the loci.
    #[napi(catch_unwind)]
    pub fn info(&self) -> napi::Result<PhaseInfo> {
        let mut guard = self.lock().map_err(to_napi)?;
        let o = guard.as_mut().ok_or_else(gone).map_err(to_napi)?;
        let (confidence, f, c) = (o.confidence.take(), std::mem::take(&mut o.found), &o.counters);
        let (phase, codes) = confidence.map(|c| (c.phase, c.codes)).unzip();
        Ok(PhaseInfo {
            iterations: o.iterations.iter().map(row).collect(),
            supersites_unordered: c.supersites_unordered as u32,
            ordering_loci: c.ordering_loci as u32,
            ibd2: c.ibd2 as f64,
            first_guess: c.time.first_guess.as_secs_f64(),
            selection: c.time.selection.as_secs_f64(),
            model: c.time.model.as_secs_f64(),
            reference: f.reference.map(|r| ReferenceCounts {
                haplotypes: r.haplotypes,
                only_target: r.only_target,
                only_reference: r.only_reference,
                ref_mismatch: r.ref_mismatch,
            }),
            scaffold: f.scaffold.map(|s| ScaffoldCounts {
                samples: s.samples,
                loci: s.loci,
                genotypes: s.genotypes as f64,
                disagree: s.disagree as f64,
                not_expressible: s.not_expressible as f64,
                turned: s.turned,
            }),
            inherited: f.inherited as f64,
            filled: f.filled as f64,
            mendel_positions: Uint32Array::new(f.mendel.iter().map(|m| m.position).collect()),
            mendel_children: Uint32Array::new(f.mendel.iter().map(|m| m.child).collect()),
            haploid_hets: f.haploid_hets as f64,
            weighted: f.weighted as f64,
            recalled: f.recalled as f64,
            missing: f.missing as f64,
            still_missing: f.still_missing as f64,
            phase_confidence: phase.map(Float32Array::new),
            code_confidence: codes.map(Float32Array::new),
        })
    }

    /// The loci with haplotypes for calls; the handle is empty afterwards.
    #[napi(catch_unwind)]
    pub fn loci(&self) -> napi::Result<Loci> {
        let outcome = self.lock().map_err(to_napi)?.take();
        outcome.map(|o| Loci::wrap(o.loci)).ok_or_else(gone).map_err(to_napi)
    }
}

impl PhaseOutcome {
    fn lock(&self) -> Result<MutexGuard<'_, Option<Outcome>>> {
        self.0.lock().map_err(|_| Error::new("NATIVE_PANIC", "an earlier call on this result panicked"))
    }
}

fn gone() -> Error {
    Error::new("LOCI_RELEASED", "this result was taken by an earlier call")
}
