//! The iterations.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use x_pbwt::{Chunk, Neighbours, Panel, Site, read, select};
use x_simd::{Job, Level, Result, try_zeroed, with_pool};

use crate::backward::Posterior;
use crate::confidence::{CodeConfidence, PhaseConfidence, codes, phases};
use crate::donors::{Ban, Chooser, Pool};
use crate::graph::Graph;
use crate::merge::merge;
use crate::model::{Map, Model, Window};
use crate::options::Options;
use crate::panel::{EVERYBODY, chunks, draw_groups, first_guess, ordering_bits, stream, survey};
use crate::path::{Choice, best, draw, realise};
use crate::schedule::Stage;
use crate::study::{MISSING, Study};
use crate::windows::split;

/// One finished iteration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Iteration {
    /// From 0.
    pub number: usize,
    pub of: usize,
    pub stage: Stage,
    /// Mean number of conditioning haplotypes of a window.
    pub mean_donors: f64,
    /// Mean number of segments of a sample, after merging.
    pub mean_segments: f64,
}

#[derive(Debug, Clone, Default)]
pub struct Phased {
    /// Locus-major, two codes a sample: haplotypes 0 and 1.
    pub codes: Vec<u8>,
    /// By locus, then sample; empty unless `Options::confidence`.
    pub phase_confidence: Vec<PhaseConfidence>,
    /// By locus, then sample; empty unless `Options::confidence`.
    pub code_confidence: Vec<CodeConfidence>,
    pub iterations: Vec<Iteration>,
    pub counters: Counters,
}

#[derive(Debug, Clone, Default)]
pub struct Counters {
    /// Loci with more than two codes, and how many of them do not order the haplotypes.
    pub supersites: usize,
    pub supersites_unordered: usize,
    /// Loci that order the haplotypes.
    pub ordering_loci: usize,
    /// Pairs of samples found alike on both haplotypes, counted once a direction and iteration.
    pub ibd2: u64,
    pub time: Times,
}

/// Wall time of each stage.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    pub first_guess: Duration,
    pub selection: Duration,
    pub model: Duration,
}

/// One sample between iterations.
struct Sample {
    graph: Graph,
    bans: Vec<Ban>,
    /// Sums over main iterations.
    sum: Option<Posterior>,
}

/// Working memory of one thread.
#[derive(Default)]
struct Worker {
    chooser: Chooser,
    model: Model,
    posterior: Posterior,
}

/// Phases all samples. `progress` is called after every iteration; `job` counts samples × iterations and is checked
/// between samples. Errors: `BAD_STUDY`, `ALLOC`, `CANCELLED`, `THREADS`.
pub fn phase(study: &Study, options: &Options, progress: &(dyn Fn(&Iteration) + Sync), job: &Job) -> Result<Phased> {
    study.check()?;
    job.start((study.samples * options.schedule.0.len()) as u64);
    with_pool(options.threads, || Run::new(study, options, job)?.iterate(progress))
}

struct Run<'a> {
    study: &'a Study,
    options: &'a Options,
    job: &'a Job,
    map: Map,
    sites: Vec<Site>,
    /// The bits of `sites` in a row.
    ordering: Vec<u64>,
    chunks: Vec<Chunk>,
    depth: usize,
    modulo: f64,
    panel: Panel,
    samples: Vec<Sample>,
    counters: Counters,
}

impl<'a> Run<'a> {
    fn new(study: &'a Study, options: &'a Options, job: &'a Job) -> Result<Self> {
        let clock = Instant::now();
        let (map, sites) = survey(study, options);
        let graphs: Vec<Graph> = (0..study.samples).into_par_iter().map(|s| Graph::new(study, s)).collect();
        let panel = first_guess(study, &graphs, &map, &sites, options.seed, job)?;
        let people = (panel.haplotypes() as f64 / 2.0).max(1.0);
        let supersites = study.loci.iter().filter(|l| l.codes > 2).count();
        let counters = Counters {
            supersites,
            supersites_unordered: supersites - sites.iter().filter(|s| s.codes > 2).count(),
            ordering_loci: sites.len(),
            time: Times { first_guess: clock.elapsed(), ..Times::default() },
            ..Counters::default()
        };
        Ok(Self {
            study,
            options,
            job,
            depth: options.pbwt_depth.unwrap_or((15.0 - people.log10()).round().clamp(6.0, 14.0) as usize),
            modulo: options.pbwt_modulo.unwrap_or((0.01 * ((people / 50.0).ln() + 1.0)).clamp(0.005, 0.15)),
            chunks: chunks(&sites, &map.cm, options.pbwt_window),
            ordering: ordering_bits(&map, &sites),
            map,
            sites,
            panel,
            samples: graphs.into_iter().map(|graph| Sample { graph, bans: Vec::new(), sum: None }).collect(),
            counters,
        })
    }

    fn iterate(mut self, progress: &(dyn Fn(&Iteration) + Sync)) -> Result<Phased> {
        let stages = &self.options.schedule.0;
        let mut iterations = Vec::new();
        for (number, &stage) in stages.iter().enumerate() {
            let clock = Instant::now();
            let neighbours = self.select(number)?;
            self.counters.time.selection += clock.elapsed();
            let clock = Instant::now();
            let mean_donors = self.update(number, stage, &neighbours)?;
            self.counters.time.model += clock.elapsed();
            let segments: usize = self.samples.iter().map(|s| s.graph.segments.len()).sum();
            let mean_segments = segments as f64 / self.study.samples.max(1) as f64;
            let done = Iteration { number, of: stages.len(), stage, mean_donors, mean_segments };
            progress(&done);
            iterations.push(done);
        }
        self.finish(iterations)
    }

    fn select(&mut self, iteration: usize) -> Result<Neighbours> {
        let mut random = stream(self.options.seed, iteration + 1, EVERYBODY);
        draw_groups(&mut self.sites, &self.map.cm, self.modulo, &mut random);
        let bans: Vec<&[Ban]> = self.samples.iter().map(|s| s.bans.as_slice()).collect();
        let banned = |h: u32, other: u32, locus: u32| {
            let list = bans[h as usize / 2];
            h / 2 == other / 2
                || !list.is_empty() && list.iter().any(|b| b.other == other / 2 && b.first <= locus && locus < b.end)
        };
        select(&self.panel, &self.sites, &self.chunks, 2 * self.study.samples, self.depth, &banned, self.job)
    }

    /// One iteration of all samples against the haplotypes of the last one; the mean number of donors.
    fn update(&mut self, iteration: usize, stage: Stage, neighbours: &Neighbours) -> Result<f64> {
        let (donors, windows, ibd2) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        let Self { map, panel, samples, options, job, ordering, .. } = self;
        let mut next = panel.clone();
        let old = &*panel;
        let pool = Pool { neighbours, panel: old, ordering, most: options.hmm_donors.max(2) };
        samples
            .par_iter_mut()
            .zip(next.pairs_mut(self.study.samples).collect::<Vec<_>>())
            .enumerate()
            .try_for_each_init(Worker::default, |worker, (s, (sample, rows))| {
                job.check()?;
                let mut random = stream(options.seed, iteration + 1, s as u64);
                worker.posterior.reset(&sample.graph, &map.codes);
                let before = sample.bans.len();
                for segments in split(&sample.graph, &map.cm, options.hmm_window, &mut random) {
                    let window = Window {
                        map,
                        graph: &sample.graph,
                        row: old.row(2 * s),
                        segments,
                        imputation: options.imputation,
                        level: Level::get(),
                    };
                    let loci = window.first_locus()..window.end_locus();
                    let chosen = &mut worker.model.donors;
                    worker.chooser.choose(&pool, s, loci.clone(), &mut sample.bans, &mut random, chosen);
                    donors.fetch_add(chosen.len() as u64, Relaxed);
                    windows.fetch_add(1, Relaxed);
                    let (from, to) = (map.layout.offset[loci.start], map.layout.end(loci.end - 1));
                    chosen.load(|id| old.row(id as usize), from, to);
                    worker.model.run(&window, &mut worker.posterior);
                }
                ibd2.fetch_add((sample.bans.len() - before) as u64, Relaxed);
                let lanes = draw(&sample.graph, &worker.posterior, &mut random);
                let choice = Choice::Draw(&mut random);
                realise(&sample.graph, &worker.posterior, &lanes, &map.layout, &map.codes, rows, choice);
                match stage {
                    Stage::BurnIn => {}
                    Stage::Prune => merge(&mut sample.graph, &worker.posterior, options.mcmc_prune),
                    Stage::Main => match &mut sample.sum {
                        Some(sum) => sum.add(&worker.posterior),
                        sum => *sum = Some(worker.posterior.clone()),
                    },
                }
                job.advance(1);
                Ok(())
            })?;
        *panel = next;
        self.counters.ibd2 += ibd2.into_inner();
        Ok(donors.into_inner() as f64 / windows.into_inner().max(1) as f64)
    }

    fn finish(mut self, iterations: Vec<Iteration>) -> Result<Phased> {
        let (n, map, panel) = (self.study.samples, &self.map, &mut self.panel);
        let confidence = self.options.confidence;
        let rows = panel.pairs_mut(n).collect::<Vec<_>>();
        let sure = self.samples.par_iter().zip(rows).enumerate().map(|(s, (sample, rows))| {
            let Some(sum) = &sample.sum else { return (Vec::new(), Vec::new()) };
            let lanes = best(&sample.graph, sum);
            realise(&sample.graph, sum, &lanes, &map.layout, &map.codes, rows, Choice::Best);
            if !confidence {
                return (Vec::new(), Vec::new());
            }
            let code = |h: usize, l: usize| read(&map.layout, &rows[h * map.layout.words..], l);
            let (graph, s) = (&sample.graph, s as u32);
            (phases(graph, sum, &lanes, s), self::codes(graph, sum, &lanes, s, &map.codes, code))
        });
        let (phase_confidence, code_confidence): (Vec<_>, Vec<_>) = sure.collect::<Vec<_>>().into_iter().unzip();
        let (mut phase_confidence, mut code_confidence) = (phase_confidence.concat(), code_confidence.concat());
        phase_confidence.sort_by_key(|c| (c.locus, c.sample));
        code_confidence.sort_by_key(|c| (c.locus, c.sample));
        let mut codes = try_zeroed::<u8>(self.study.calls.len())?;
        if n > 0 {
            let mut column = vec![0; panel.haplotypes()];
            for (l, out) in codes.chunks_exact_mut(2 * n).enumerate() {
                panel.column(l, &mut column);
                out.copy_from_slice(&column[..2 * n]);
            }
        }
        if self.options.keep_missing {
            for (pair, call) in codes.chunks_exact_mut(2).zip(self.study.calls.chunks_exact(2)) {
                keep_missing(pair, call);
            }
        }
        Ok(Phased { codes, phase_confidence, code_confidence, iterations, counters: self.counters })
    }
}

/// Takes imputed alleles back. Of a half-missing genotype the observed allele stays on the haplotype it was phased to.
fn keep_missing(pair: &mut [u8], call: &[u8]) {
    match (call[0] == MISSING, call[1] == MISSING) {
        (false, false) => {}
        (true, true) => pair.fill(MISSING),
        (first, _) => {
            let known = call[usize::from(first)];
            let at = usize::from(pair[0] != known);
            pair[1 - at] = MISSING;
        }
    }
}
