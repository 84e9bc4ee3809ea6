//! Tests of every variant against all traits, streamed: packed genotypes in, columns out.

use rayon::prelude::*;
use x_dense::SquareMatrix;
use x_simd::{Error, Job, Level, Result, try_zeroed, with_pool};

use super::data::{Data, MultiStudy};
use super::derivatives::Parameter;
use super::frame::Frame;
use super::maximise::{MultiOptions, maximise};
use super::null::{MultiNull, Start, fit, least, plain_gram};
use super::point::{Effect, Model, Scratch};
use super::small::ln_det;
use crate::association::batch_rows;
use crate::elimination::Likelihood;

/// A variant counts as a combination of the covariates when less than this share of its sum of squares is left.
const COLLINEAR: f64 = 1e-10;

/// Which tests to run.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MultiTests {
    pub wald: bool,
    pub lrt: bool,
    pub score: bool,
}

/// One entry a tested row; columns of tests that did not run are empty. NaN throughout for a variant that is a
/// combination of the covariates.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MultiColumns {
    /// `beta[row * d + trait]`, at the estimates of the first test that ran (Wald, LRT, score).
    pub beta: Vec<f64>,
    /// Covariance of these effects: lower triangle by rows, d (d + 1) / 2 a row.
    pub v_beta: Vec<f64>,
    pub logl_reml: Vec<f64>,
    pub logl_mle: Vec<f64>,
    pub p_wald: Vec<f64>,
    pub p_lrt: Vec<f64>,
    pub p_score: Vec<f64>,
    /// Finite where p underflows to 0.
    pub neg_log10_p_wald: Vec<f64>,
    pub neg_log10_p_lrt: Vec<f64>,
    pub neg_log10_p_score: Vec<f64>,
    /// Rows without an effect.
    pub degenerate: u64,
    /// Rows whose search ended without reaching its precision.
    pub unconverged: u64,
    /// Newton steps of all rows.
    pub steps: u64,
}

/// Everything that the tests share; the eigenvectors stay with the caller.
pub struct MultiAssociation {
    data: Data,
    keep: Vec<u32>,
    samples_in_file: usize,
    level: Level,
    options: MultiOptions,
    null: MultiNull,
    start: Start,
    parameters: Vec<Parameter>,
}

/// What one variant's tests found.
#[derive(Default)]
struct Found {
    effect: Option<Effect>,
    logl_reml: f64,
    logl_mle: f64,
    statistics: [f64; 3],
    converged: bool,
    steps: usize,
}

impl MultiAssociation {
    /// Rotates traits and covariates and fits the null model. Errors: DF, COVAR_RANK (`column`), TRAIT_COUNT,
    /// TRAIT_COLLINEAR (`trait`), SHAPE, NOT_FINITE, OPTION_RANGE, NULL_FIT, ALLOC.
    pub fn new(vectors: &SquareMatrix, study: &MultiStudy, options: MultiOptions) -> Result<Self> {
        Self::with_level(vectors, study, options, Level::get())
    }

    /// `new` at a given instruction set: results do not depend on it.
    pub fn with_level(vectors: &SquareMatrix, study: &MultiStudy, options: MultiOptions, level: Level) -> Result<Self> {
        options.check()?;
        let data = Data::new(vectors, study, level)?;
        let (null, start) = fit(&data, &options, &mut Scratch::new(&data)?)?;
        let parameters = Parameter::all(data.d);
        let (keep, samples_in_file) = (study.keep.to_vec(), study.samples_in_file);
        Ok(Self { data, keep, samples_in_file, level, options, null, start, parameters })
    }

    pub fn null(&self) -> &MultiNull {
        &self.null
    }

    /// Tests the listed rows of a block of packed variants of all people in the file; `means[i]` replaces missing
    /// genotypes of `rows[i]`. `vectors` must be those given to `new`. The job counts every variant twice: rotated,
    /// tested.
    #[allow(clippy::too_many_arguments)]
    pub fn test(
        &self,
        vectors: &SquareMatrix,
        packed: &[u8],
        rows: &[u32],
        means: &[f64],
        tests: MultiTests,
        threads: usize,
        job: &Job,
    ) -> Result<MultiColumns> {
        let (n, level) = (self.data.n, self.level);
        let rows_in_block = packed.len() / self.samples_in_file.div_ceil(4).max(1);
        if vectors.n() != n || means.len() != rows.len() || rows.iter().any(|&row| row as usize >= rows_in_block) {
            return Err(Error::new("SHAPE", "eigenvectors, means or rows do not match the people or the block"));
        }
        let kept = x_genotype::subset_at(level, packed, self.samples_in_file, rows_in_block, &self.keep, threads, job)?;
        self.batches(rows, means, tests, threads, job, |rows, means, rotated| {
            x_genotype::rotate_at(vectors.data(), n, None, &kept, rows, means, rotated, threads, level, job)
        })
    }

    /// As `test`, for a block of rows of dosages of all people in the file, NaN where missing.
    #[allow(clippy::too_many_arguments)]
    pub fn test_dosages(
        &self,
        vectors: &SquareMatrix,
        values: &[f64],
        rows: &[u32],
        means: &[f64],
        tests: MultiTests,
        threads: usize,
        job: &Job,
    ) -> Result<MultiColumns> {
        let n = self.data.n;
        if vectors.n() != n || means.len() != rows.len() {
            return Err(Error::new("SHAPE", "eigenvectors or means do not match the people or rows under test"));
        }
        self.batches(rows, means, tests, threads, job, |rows, means, rotated| {
            let x = x_genotype::fill_rows(values, self.samples_in_file, &self.keep, rows, means)?;
            x_dense::gemm(rows.len(), n, n, &x, vectors.data(), rotated, threads, &Job::default())?;
            job.advance(rows.len() as u64);
            Ok(())
        })
    }

    /// Rotates and tests so many variants at a time that they stay in cache.
    fn batches(
        &self,
        rows: &[u32],
        means: &[f64],
        tests: MultiTests,
        threads: usize,
        job: &Job,
        rotate: impl Fn(&[u32], &[f64], &mut [f64]) -> Result<()>,
    ) -> Result<MultiColumns> {
        let n = self.data.n;
        job.start(2 * rows.len() as u64);
        let batch = batch_rows(n).min(rows.len()).max(1);
        let mut rotated: Vec<f64> = try_zeroed(batch * n)?;
        let mut columns = MultiColumns::default();
        for (rows, means) in rows.chunks(batch).zip(means.chunks(batch)) {
            job.check()?;
            let rotated = &mut rotated[..rows.len() * n];
            rotate(rows, means, rotated)?;
            self.rotated(rotated, tests, threads, job, &mut columns)?;
        }
        Ok(columns)
    }

    /// Tests rotated variants and adds them to the columns.
    fn rotated(
        &self,
        rotated: &[f64],
        tests: MultiTests,
        threads: usize,
        job: &Job,
        columns: &mut MultiColumns,
    ) -> Result<()> {
        let n = self.data.n;
        let found: Result<Vec<Option<Found>>> = with_pool(threads, || {
            // A minimum of variants a task keeps the buffers few.
            let share = (rotated.len() / n).div_ceil(4 * rayon::current_num_threads());
            let variants = rotated.par_chunks(n).with_min_len(share);
            let found = variants.map_init(
                || None,
                |buffers, x| {
                    job.check()?;
                    let buffers = match buffers {
                        Some(buffers) => buffers,
                        None => buffers.insert(Buffers::new(&self.data)?),
                    };
                    let found = self.variant(x, tests, buffers);
                    job.advance(1);
                    Ok(found)
                },
            );
            Ok(found.collect())
        })?;
        found?.into_iter().for_each(|found| columns.push(found, tests, self.data.d));
        Ok(())
    }

    fn variant(&self, x: &[f64], tests: MultiTests, buffers: &mut Buffers) -> Option<Found> {
        let data = &self.data;
        let Buffers { x: padded, rows, scratch } = buffers;
        padded[..data.n].copy_from_slice(x);
        data.variant_rows(padded, rows);
        let m = data.c + 1;
        let gram = plain_gram(data, Some(padded))?;
        let (left, square) = (gram[m * m - 1].powi(2), x.iter().map(|x| x * x).sum::<f64>());
        if left <= COLLINEAR * square {
            return None;
        }
        let reml = Model { data, x: Some((padded, rows)), kind: Likelihood::Reml, ln_det_xx: ln_det(&gram, m) };
        let mle = Model { kind: Likelihood::Mle, ..reml };
        let mut found = Found { converged: true, ..Found::default() };
        let mut search = |model: &Model, from: &Frame, found: &mut Found| {
            let start = from.inside(least(data));
            let best = maximise(model, start, &self.parameters, &self.options, scratch)?;
            found.converged &= best.converged;
            found.steps += best.steps;
            Some(best.point)
        };
        if tests.wald {
            let point = search(&reml, &self.start.reml, &mut found)?;
            let effect = point.effect();
            (found.logl_reml, found.statistics[0]) = (point.loglik, effect.statistic);
            found.effect = Some(effect);
        }
        if tests.lrt {
            let point = search(&mle, &self.start.mle, &mut found)?;
            found.logl_mle = point.loglik;
            found.statistics[1] = (2.0 * (point.loglik - self.start.loglik_mle)).max(0.0);
            found.effect.get_or_insert_with(|| point.effect());
        }
        if tests.score {
            let effect = mle.evaluate(self.start.mle.clone(), scratch)?.effect();
            found.statistics[2] = effect.statistic;
            found.effect.get_or_insert(effect);
        }
        Some(found)
    }
}

/// Buffers of one thread; their padding stays 0.
struct Buffers {
    x: Vec<f64>,
    rows: Vec<f64>,
    scratch: Scratch,
}

impl Buffers {
    fn new(data: &Data) -> Result<Self> {
        let rows = try_zeroed((data.c + 1 + data.d) * data.len)?;
        Ok(Self { x: try_zeroed(data.len)?, rows, scratch: Scratch::new(data)? })
    }
}

impl MultiColumns {
    fn push(&mut self, found: Option<Found>, tests: MultiTests, d: usize) {
        let Some(found) = found else {
            let none =
                Effect { beta: vec![f64::NAN; d], variance: vec![f64::NAN; d * (d + 1) / 2], statistic: f64::NAN };
            let nan = f64::NAN;
            let row =
                Found { effect: Some(none), logl_reml: nan, logl_mle: nan, statistics: [nan; 3], ..Found::default() };
            self.degenerate += 1;
            self.row(row, tests, d);
            return;
        };
        self.unconverged += u64::from(!found.converged);
        self.row(found, tests, d);
    }

    fn row(&mut self, found: Found, tests: MultiTests, d: usize) {
        self.steps += found.steps as u64;
        if let Some(effect) = found.effect {
            self.beta.extend(effect.beta);
            self.v_beta.extend(effect.variance);
        }
        let columns = [
            (tests.wald, &mut self.p_wald, &mut self.neg_log10_p_wald),
            (tests.lrt, &mut self.p_lrt, &mut self.neg_log10_p_lrt),
            (tests.score, &mut self.p_score, &mut self.neg_log10_p_score),
        ];
        for ((wanted, p, neg_log10), statistic) in columns.into_iter().zip(found.statistics) {
            if wanted {
                let ln_p = x_stats::ln_chisq_sf(statistic, d as f64);
                p.push(ln_p.exp());
                neg_log10.push(-ln_p / std::f64::consts::LN_10);
            }
        }
        if tests.wald {
            self.logl_reml.push(found.logl_reml);
        }
        if tests.lrt {
            self.logl_mle.push(found.logl_mle);
        }
    }
}

/// Bytes that a `MultiAssociation` for `n` people, `c` covariates and `d` traits and one call of its `test` on
/// `threads` threads take, besides eigenvectors, results and packed genotypes.
pub fn multi_association_bytes(n: usize, c: usize, d: usize, threads: usize) -> u64 {
    let len = n as u64 + 8;
    let shared = 8 * len * (3 + c + d + (c + d) * (c + d + 1) / 2) as u64;
    // The rotated batch, and a thread's share of `x_genotype::rotate` (2.7 n KiB and twice 128 KiB).
    let batch = batch_rows(n) as u64 * 8 * n as u64;
    let rotate = 2765 * n as u64 + (256 << 10);
    let thread = 8 * len * (4 * d + Scratch::rows(c, d) + c + 2 + d) as u64;
    // The null model is fitted with one more thread's buffers, before the threads run.
    shared + batch + rotate + threads as u64 * (thread + (256 << 10))
}
