//! Tests of every variant, streamed: packed genotypes in, columns out, never an n x p array.

use x_dense::SquareMatrix;
use x_simd::{Error, Job, Level, Result, try_zeroed};

use crate::design::Design;
use crate::grid::Grid;
use crate::kernels::Kernels;
use crate::model::{Common, Model};
use crate::models::Models;
use crate::null::{check_columns, pad};
use crate::options::{Options, clamp_eigenvalues};
use crate::statistics::{Columns, NullPoint, Tests};
use crate::tile::Buffers;

/// One phenotype of the analysed people, and where the likelihood without a variant has its maximum (any finite
/// numbers when only the Wald test runs).
#[derive(Clone, Copy)]
pub struct Trait<'a> {
    pub y: &'a [f64],
    pub null: NullPoint,
}

/// Phenotypes, covariates and eigenvalues of the analysed people.
#[derive(Clone, Copy)]
pub struct Study<'a> {
    /// Eigenvalues in the order of the eigenvectors' columns; clamped by `clamp_eigenvalues`.
    pub values: &'a [f64],
    /// The analysed people among `samples_in_file`, in the order of the eigenvectors' rows.
    pub keep: &'a [u32],
    pub samples_in_file: usize,
    /// At least one; all of the same people.
    pub traits: &'a [Trait<'a>],
    /// `c` columns, one after another, the intercept included.
    pub w: &'a [f64],
    pub c: usize,
    /// With an environment the product of it and the variant is tested, given both (`-gxe`).
    pub environment: Option<&'a [f64]>,
    pub tests: Tests,
}

/// What one call of [`Association::test`] found and did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Results {
    /// One a phenotype, in the study's order.
    pub traits: Vec<Columns>,
    /// Columns multiplied by the eigenvectors: one a variant, two with an environment, whatever the phenotypes.
    pub rotations: u64,
    /// Searches for a lambda.
    pub searches: u64,
    /// Lambdas at which a search evaluated a likelihood; the grid's points are not among them.
    pub evaluations: u64,
}

/// Everything about phenotypes, covariates and people that the tests share; the eigenvectors stay with the caller.
pub struct Association {
    /// One a phenotype.
    pub(crate) models: Models,
    pub(crate) environment: Option<Vec<f64>>,
    pub(crate) keep: Vec<u32>,
    pub(crate) samples_in_file: usize,
    level: Level,
}

impl Association {
    /// Rotates phenotypes and covariates and prepares the search grids. Errors: DF, COVAR_RANK (`column`; the
    /// environment is the last), SHAPE, NOT_FINITE, LAMBDA_RANGE, ALLOC.
    pub fn new(vectors: &SquareMatrix, study: &Study, options: Options) -> Result<Self> {
        Self::with_level(vectors, study, options, Level::get())
    }

    /// `new` at a given instruction set: results do not depend on it.
    pub fn with_level(vectors: &SquareMatrix, study: &Study, options: Options, level: Level) -> Result<Self> {
        let Study { values, keep, samples_in_file, traits, w, c, environment, tests } = *study;
        let n = vectors.n();
        if values.len() != n || keep.len() != n || traits.is_empty() {
            let (d, k, t) = (values.len(), keep.len(), traits.len());
            let message = format!("{n} eigenvectors, {d} eigenvalues, {k} people and {t} phenotypes do not match");
            return Err(Error::new("SHAPE", message));
        }
        if let Some(&person) = keep.iter().find(|&&person| person as usize >= samples_in_file) {
            return Err(Error::new("SHAPE", format!("person {person} of a file of {samples_in_file}")));
        }
        options.check()?;
        let fixed = [w, environment.unwrap_or_default()].concat();
        let c = c + usize::from(environment.is_some());
        let v = 1 + usize::from(environment.is_some());
        for Trait { y, null } in traits {
            check_columns(n, y, &fixed, c)?;
            if !(null.lambda > 0.0 && null.lambda.is_finite() && null.loglik.is_finite()) {
                return Err(Error::new("NOT_FINITE", "the null model must have a positive lambda and a likelihood"));
            }
        }
        let kernels = Kernels::new(level);
        let common = Common { n, width: n, v, values: pad(&clamp_eigenvalues(values)), tests, options, kernels };
        let project = |column: &[f64]| project(vectors, column);
        let fixed = fixed.chunks_exact(n).map(project).collect::<Result<Vec<_>>>()?.concat();
        let design = Design::new(&fixed, common.values.len(), c + v - 1, n)?;
        let models = traits.iter().map(|t| {
            let (rest, _) = design.residual(&project(t.y)?)?;
            Model::new(&common, design.q.iter().cloned().chain([rest]).collect(), t.null)
        });
        Ok(Self {
            models: Models(models.collect::<Result<_>>()?),
            environment: environment.map(<[f64]>::to_vec),
            keep: keep.to_vec(),
            samples_in_file,
            level,
        })
    }

    /// Tests the listed rows of a block of packed variants of all people in the file; `means[i]` replaces missing
    /// genotypes of `rows[i]` (the mean over analysed people). `vectors` must be those given to `new`. Each variant is
    /// rotated once for all phenotypes; the job counts every variant twice: rotated, tested.
    pub fn test(
        &self,
        vectors: &SquareMatrix,
        packed: &[u8],
        rows: &[u32],
        means: &[f64],
        threads: usize,
        job: &Job,
    ) -> Result<Results> {
        let (n, level) = (self.models.0[0].n, self.level);
        if vectors.n() != n || means.len() != rows.len() {
            return Err(Error::new("SHAPE", "eigenvectors or means do not match the people or rows under test"));
        }
        let rows_in_block = packed.len() / self.samples_in_file.div_ceil(4).max(1);
        if let Some(&row) = rows.iter().find(|&&row| row as usize >= rows_in_block) {
            return Err(Error::new("SHAPE", format!("row {row} of a block of {rows_in_block}")));
        }
        let kept = x_genotype::subset_at(level, packed, self.samples_in_file, rows_in_block, &self.keep, threads, job)?;
        // Every variant counts when it has been rotated and again when it has been tested.
        job.start((1 + self.columns()) as u64 * rows.len() as u64);
        let batch = batch_rows(n).min(rows.len());
        let mut rotated: [Vec<f64>; 2] = [try_zeroed(batch * n)?, Vec::new()];
        if self.environment.is_some() {
            rotated[1] = try_zeroed(batch * n)?;
        }
        let mut results = Results { traits: vec![Columns::default(); self.models.0.len()], ..Results::default() };
        for (rows, means) in rows.chunks(batch.max(1)).zip(means.chunks(batch.max(1))) {
            job.check()?;
            for (rotated, scale) in rotated.iter_mut().zip([None, self.environment.as_deref()]).take(self.columns()) {
                let out = &mut rotated[..rows.len() * n];
                x_genotype::rotate_at(vectors.data(), n, scale, &kept, rows, means, out, threads, level, job)?;
                results.rotations += rows.len() as u64;
            }
            self.models.test(&rotated, rows.len(), threads, job, &mut results)?;
        }
        Ok(results)
    }

    /// Columns of a variant that are rotated.
    pub(crate) fn columns(&self) -> usize {
        self.models.0[0].v
    }
}

/// Variants rotated together: many, because each batch reads all eigenvectors, but at most 256 MiB of them.
pub(crate) fn batch_rows(n: usize) -> usize {
    ((256 << 20) / (8 * n.max(1))).clamp(64, 2048)
}

/// U' column, padded. Sums over people in ascending order.
pub(crate) fn project(vectors: &SquareMatrix, column: &[f64]) -> Result<Vec<f64>> {
    let mut out = try_zeroed(column.len().next_multiple_of(crate::kernels::LANES))?;
    for (i, value) in column.iter().enumerate() {
        for (to, u) in out.iter_mut().zip(vectors.row(i)) {
            *to += value * u;
        }
    }
    Ok(out)
}

/// How large an association is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// People.
    pub n: usize,
    /// Covariates, intercept included.
    pub c: usize,
    pub traits: usize,
    pub environment: bool,
    pub tests: Tests,
}

/// Bytes that an `Association` of this size and one call of its `test` on `threads` threads take, besides
/// eigenvectors, results, and the packed genotypes of the file and of the analysed people.
pub fn association_bytes(size: &Size, threads: usize, options: &Options) -> u64 {
    let Size { n, c, traits, environment, tests } = *size;
    let v = 1 + usize::from(environment);
    let c = c + v - 1;
    let len = n as u64 + 8;
    let model = 8 * Model::doubles(len, c as u64) + Grid::bytes(options, tests, n + 8);
    // The rotated batches, and a thread's share of `x_genotype::rotate` (2.7 n KiB and twice 128 KiB).
    let batch = v as u64 * batch_rows(n) as u64 * 8 * n as u64;
    let rotate = 2765 * n as u64 + (256 << 10);
    traits as u64 * model + batch + rotate + threads as u64 * (Buffers::bytes(n, c, v) + (256 << 10))
}
