//! Tests of every variant against all traits, streamed: packed genotypes in, columns out.

use rayon::prelude::*;
use x_dense::SquareMatrix;
use x_simd::{Error, Job, Level, Result, try_zeroed, with_pool};

use super::columns::{Found, MultiColumns};
use super::data::{Column, Data, MultiStudy};
use super::derivatives::Parameter;
use super::frame::Frame;
use super::maximise::{MultiOptions, maximise};
use super::null::{MultiNull, Start, fit, least, plain_gram};
use super::point::{Model, Scratch};
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

/// Everything that the tests share; the eigenvectors stay with the caller.
pub struct MultiAssociation {
    data: Data,
    /// Centred: with x in the model the product's effect is the same, and they are further from each other.
    environment: Option<Vec<f64>>,
    keep: Vec<u32>,
    samples_in_file: usize,
    level: Level,
    options: MultiOptions,
    null: MultiNull,
    start: Start,
    parameters: Vec<Parameter>,
}

impl MultiAssociation {
    /// Rotates traits and covariates and fits the null model, in which an environment is the last covariate (as in GEMMA).
    /// Errors: DF, COVAR_RANK (`column`; the environment is the last), TRAIT_COUNT, TRAIT_COLLINEAR (`trait`), SHAPE,
    /// NOT_FINITE, OPTION_RANGE, NULL_FIT, ALLOC.
    pub fn new(vectors: &SquareMatrix, study: &MultiStudy, options: MultiOptions) -> Result<Self> {
        Self::with_level(vectors, study, options, Level::get())
    }

    /// `new` at a given instruction set: results do not depend on it.
    pub fn with_level(vectors: &SquareMatrix, study: &MultiStudy, options: MultiOptions, level: Level) -> Result<Self> {
        options.check()?;
        let added = usize::from(study.environment.is_some());
        let w = [study.w, study.environment.unwrap_or_default()].concat();
        let data = Data::new(vectors, &MultiStudy { w: &w, c: study.c + added, ..*study }, 1 + added, level)?;
        let (null, start) = fit(&data, &options, &mut Scratch::new(&data)?)?;
        let environment = study.environment.map(centred);
        let parameters = Parameter::all(data.d);
        let (keep, samples_in_file) = (study.keep.to_vec(), study.samples_in_file);
        Ok(Self { data, environment, keep, samples_in_file, level, options, null, start, parameters })
    }

    pub fn null(&self) -> &MultiNull {
        &self.null
    }

    /// Tests the listed rows of a block of packed variants of all people in the file; `means[i]` replaces missing
    /// genotypes of `rows[i]`. `vectors` must be those given to `new`. The job counts every variant twice, rotated and
    /// tested, and once more with an environment.
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
        self.batches(rows, means, tests, threads, job, |rows, means, scale, rotated| {
            x_genotype::rotate_at(vectors.data(), n, scale, &kept, rows, means, rotated, threads, level, job)
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
        self.batches(rows, means, tests, threads, job, |rows, means, scale, rotated| {
            let mut x = x_genotype::fill_rows(values, self.samples_in_file, &self.keep, rows, means)?;
            for row in x.chunks_exact_mut(n) {
                row.iter_mut().zip(scale.unwrap_or_default()).for_each(|(x, e)| *x *= e);
            }
            x_dense::gemm(rows.len(), n, n, &x, vectors.data(), rotated, threads, &Job::default())?;
            job.advance(rows.len() as u64);
            Ok(())
        })
    }

    /// Rotates and tests so many variants at a time that they stay in cache. `rotate` takes rows, means and what a row
    /// is multiplied by first.
    fn batches(
        &self,
        rows: &[u32],
        means: &[f64],
        tests: MultiTests,
        threads: usize,
        job: &Job,
        rotate: impl Fn(&[u32], &[f64], Option<&[f64]>, &mut [f64]) -> Result<()>,
    ) -> Result<MultiColumns> {
        let (n, added) = (self.data.n, self.data.added);
        job.start((added as u64 + 1) * rows.len() as u64);
        let batch = batch_rows(n).min(rows.len()).max(1);
        let mut rotated: Vec<Vec<f64>> = (0..added).map(|_| try_zeroed(batch * n)).collect::<Result<_>>()?;
        let mut columns = MultiColumns::default();
        for (rows, means) in rows.chunks(batch).zip(means.chunks(batch)) {
            job.check()?;
            for (rotated, scale) in rotated.iter_mut().zip([None, self.environment.as_deref()]) {
                rotate(rows, means, scale, &mut rotated[..rows.len() * n])?;
            }
            self.rotated(&rotated, rows.len(), tests, threads, job, &mut columns)?;
        }
        Ok(columns)
    }

    /// Tests the first `count` rotated variants and adds them to the columns.
    fn rotated(
        &self,
        rotated: &[Vec<f64>],
        count: usize,
        tests: MultiTests,
        threads: usize,
        job: &Job,
        columns: &mut MultiColumns,
    ) -> Result<()> {
        let n = self.data.n;
        let found: Result<Vec<Option<Found>>> = with_pool(threads, || {
            // A minimum of variants a task keeps the buffers few.
            let share = count.div_ceil(4 * rayon::current_num_threads());
            let found = (0..count).into_par_iter().with_min_len(share).map_init(
                || None,
                |buffers, i| {
                    job.check()?;
                    let buffers = match buffers {
                        Some(buffers) => buffers,
                        None => buffers.insert(Buffers::new(&self.data)?),
                    };
                    for (k, rotated) in rotated.iter().enumerate() {
                        self.data.set_last(&mut buffers.columns[..=k], &rotated[i * n..(i + 1) * n]);
                    }
                    let found = self.variant(tests, buffers);
                    job.advance(1);
                    Ok(found)
                },
            );
            Ok(found.collect())
        })?;
        found?.into_iter().for_each(|found| columns.push(found, tests, self.data.d));
        Ok(())
    }

    /// The tests of the columns in the buffers.
    fn variant(&self, tests: MultiTests, buffers: &mut Buffers) -> Option<Found> {
        let (data, Buffers { columns, scratch }) = (&self.data, buffers);
        let model = |added: usize, kind: Likelihood| -> Option<Model> {
            let added = &columns[..added];
            let gram = plain_gram(data, added)?;
            let m = data.c + added.len();
            let lost = |(k, Column { x, .. }): (usize, &Column)| {
                let left = gram[(data.c + k) * (m + 1)].powi(2);
                left <= COLLINEAR * x.iter().map(|x| x * x).sum::<f64>()
            };
            (!added.iter().enumerate().any(lost)).then(|| Model { data, added, kind, ln_det_xx: ln_det(&gram, m) })
        };
        let reml = model(data.added, Likelihood::Reml)?;
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
            // Without an environment the null model is the same for all variants.
            let null = match data.added {
                1 => None,
                added => Some(search(&model(added - 1, Likelihood::Mle)?, &self.start.mle, &mut found)?),
            };
            let (from, loglik) =
                null.as_ref().map_or((&self.start.mle, self.start.loglik_mle), |null| (&null.frame, null.loglik));
            let point = search(&mle, from, &mut found)?;
            found.logl_mle = point.loglik;
            found.statistics[1] = (2.0 * (point.loglik - loglik)).max(0.0);
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

/// Less its mean.
fn centred(environment: &[f64]) -> Vec<f64> {
    let mean = environment.iter().sum::<f64>() / environment.len() as f64;
    environment.iter().map(|e| e - mean).collect()
}

/// Buffers of one thread.
struct Buffers {
    columns: Vec<Column>,
    scratch: Scratch,
}

impl Buffers {
    fn new(data: &Data) -> Result<Self> {
        Ok(Self { columns: data.columns()?, scratch: Scratch::new(data)? })
    }
}

/// Bytes that a `MultiAssociation` for `n` people, `c` covariates and `d` traits and one call of its `test` on
/// `threads` threads take, besides eigenvectors, results and packed genotypes.
pub fn multi_association_bytes(n: usize, c: usize, d: usize, environment: bool, threads: usize) -> u64 {
    let added = 1 + usize::from(environment);
    let c = c + added - 1;
    let len = n as u64 + 8;
    let shared = 8 * len * (3 + c + d + (c + d) * (c + d + 1) / 2) as u64;
    // The rotated batch, and a thread's share of `x_genotype::rotate` (2.7 n KiB and twice 128 KiB).
    let batch = added as u64 * batch_rows(n) as u64 * 8 * n as u64;
    let rotate = 2765 * n as u64 + (256 << 10);
    let columns = added * (c + 2 + d) + added - 1;
    let thread = 8 * len * (4 * d + Scratch::rows(c + added, d) + columns) as u64;
    // The null model is fitted with one more thread's buffers, before the threads run.
    shared + batch + rotate + threads as u64 * (thread + (256 << 10))
}
