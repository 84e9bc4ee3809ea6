//! Wald test of every variant, streamed: packed genotypes in, six columns out, never an n x p array.

use rayon::prelude::*;
use x_dense::SquareMatrix;
use x_simd::{Error, Job, Level, Result, try_zeroed, with_pool};

use crate::design::check_design;
use crate::grid::{Grid, pairs};
use crate::kernels::Kernels;
use crate::null::{check_columns, pad, product};
use crate::options::{Options, clamp_eigenvalues};
use crate::search::Fit;
use crate::tile::{Buffers, GROUP};

/// Columns of GEMMA's `-lmm 1`, one entry a tested row. NaN throughout for a variant that is a combination of the
/// covariates (constant ones included).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wald {
    pub beta: Vec<f64>,
    pub se: Vec<f64>,
    /// REML log-likelihood of the model with the variant.
    pub logl_h1: Vec<f64>,
    pub l_remle: Vec<f64>,
    pub p_wald: Vec<f64>,
    /// Stays finite where `p_wald` underflows to 0.
    pub neg_log10_p_wald: Vec<f64>,
    /// Rows whose columns are NaN.
    pub degenerate: u64,
}

/// Phenotype, covariates and eigenvalues of the analysed people.
#[derive(Clone, Copy)]
pub struct Study<'a> {
    /// Eigenvalues in the order of the eigenvectors' columns; clamped by `clamp_eigenvalues`.
    pub values: &'a [f64],
    /// The analysed people among `samples_in_file`, in the order of the eigenvectors' rows.
    pub keep: &'a [u32],
    pub samples_in_file: usize,
    pub y: &'a [f64],
    /// `c` columns, one after another, the intercept included.
    pub w: &'a [f64],
    pub c: usize,
}

/// Everything about phenotype, covariates and people that the tests share; the eigenvectors stay with the caller.
pub struct Association {
    model: Model,
    keep: Vec<u32>,
    samples_in_file: usize,
    level: Level,
}

pub struct Model {
    pub n: usize,
    pub c: usize,
    /// Clamped eigenvalues, padded.
    pub values: Vec<f64>,
    /// Rotated W, then y, padded.
    pub columns: Vec<Vec<f64>>,
    /// Product rows of the pairs in `pairs[0]`.
    pub fixed: Vec<f64>,
    pub pairs: [Vec<(usize, usize)>; 2],
    pub grid: Grid,
    pub kernels: Kernels,
}

impl Association {
    /// Rotates phenotype and covariates and prepares the search grid. Errors: DF, COVAR_RANK (`column`), SHAPE,
    /// NOT_FINITE, LAMBDA_RANGE, ALLOC.
    pub fn new(vectors: &SquareMatrix, study: &Study, options: Options) -> Result<Self> {
        Self::with_level(vectors, study, options, Level::get())
    }

    /// `new` at a given instruction set: results do not depend on it.
    pub fn with_level(vectors: &SquareMatrix, study: &Study, options: Options, level: Level) -> Result<Self> {
        let Study { values, keep, samples_in_file, y, w, c } = *study;
        let n = vectors.n();
        if values.len() != n || keep.len() != n {
            let (d, k) = (values.len(), keep.len());
            return Err(Error::new("SHAPE", format!("{n} eigenvectors, {d} eigenvalues and {k} people do not match")));
        }
        if let Some(&person) = keep.iter().find(|&&person| person as usize >= samples_in_file) {
            return Err(Error::new("SHAPE", format!("person {person} of a file of {samples_in_file}")));
        }
        check_columns(n, y, w, c)?;
        options.check()?;
        check_design(w, n, c)?;
        let kernels = Kernels::new(level);
        let values = pad(&clamp_eigenvalues(values));
        let columns =
            w.chunks_exact(n).chain([y]).map(|column| project(vectors, column)).collect::<Result<Vec<_>>>()?;
        let pairs = pairs(c);
        // Among (W, x, y) the phenotype is column c + 1; among the stored columns it is the last.
        let fixed: Vec<f64> =
            pairs[0].iter().flat_map(|&(i, j)| product(&columns[i.min(c)], &columns[j.min(c)])).collect();
        let grid = Grid::new(&options, &values, &fixed, kernels)?;
        let model = Model { n, c, values, columns, fixed, pairs, grid, kernels };
        Ok(Self { model, keep: keep.to_vec(), samples_in_file, level })
    }

    /// Tests the listed rows of a block of packed variants of all people in the file; `means[i]` replaces missing
    /// genotypes of `rows[i]` (the mean over analysed people). `vectors` must be those given to `new`. The job counts
    /// every variant twice: rotated, tested.
    pub fn test(
        &self,
        vectors: &SquareMatrix,
        packed: &[u8],
        rows: &[u32],
        means: &[f64],
        threads: usize,
        job: &Job,
    ) -> Result<Wald> {
        if vectors.n() != self.model.n || means.len() != rows.len() {
            return Err(Error::new("SHAPE", "eigenvectors or means do not match the people or rows under test"));
        }
        let rows_in_block = packed.len() / self.samples_in_file.div_ceil(4).max(1);
        if let Some(&row) = rows.iter().find(|&&row| row as usize >= rows_in_block) {
            return Err(Error::new("SHAPE", format!("row {row} of a block of {rows_in_block}")));
        }
        let (model, n, level) = (&self.model, self.model.n, self.level);
        let kept = x_genotype::subset_at(level, packed, self.samples_in_file, rows_in_block, &self.keep, threads, job)?;
        // Every variant counts when it has been rotated and again when it has been tested.
        job.start(2 * rows.len() as u64);
        let batch = batch_rows(n).min(rows.len());
        let mut rotated: Vec<f64> = try_zeroed(batch * n)?;
        let mut wald = Wald::default();
        for (rows, means) in rows.chunks(batch.max(1)).zip(means.chunks(batch.max(1))) {
            job.check()?;
            let rotated = &mut rotated[..rows.len() * n];
            x_genotype::rotate_at(vectors.data(), n, &kept, rows, means, rotated, threads, level, job)?;
            let groups = rotated.par_chunks(GROUP * n);
            // A minimum of groups a task keeps the buffers few.
            let fits: Result<Vec<Vec<Option<Fit>>>> = with_pool(threads, || {
                let share = rows.len().div_ceil(GROUP * 4 * rayon::current_num_threads());
                let tested = groups.with_min_len(share).map_init(
                    || None,
                    |buffers, group| {
                        job.check()?;
                        let buffers = match buffers {
                            Some(buffers) => buffers,
                            None => buffers.insert(Buffers::new(model)?),
                        };
                        let fits = model.test_group(group, buffers);
                        job.advance(fits.len() as u64);
                        Ok(fits)
                    },
                );
                Ok(tested.collect())
            })?;
            for fit in fits?.into_iter().flatten() {
                wald.push(fit, (n - model.c - 1) as f64);
            }
        }
        Ok(wald)
    }
}

/// Variants rotated together: many, because each batch reads all eigenvectors, but at most 256 MiB of them.
pub(crate) fn batch_rows(n: usize) -> usize {
    ((256 << 20) / (8 * n.max(1))).clamp(64, 2048)
}

impl Wald {
    fn push(&mut self, fit: Option<Fit>, df: f64) {
        let row = match fit {
            Some(fit) => {
                let beta = fit.xy / fit.xx;
                // F = (P_yy - Px_yy) tau with tau = df / Px_yy, and P_yy - Px_yy = xy^2 / xx.
                let f = fit.xy * beta * df / fit.yy;
                let ln_p = x_stats::ln_f_sf(f, 1.0, df);
                [
                    beta,
                    (fit.yy / (df * fit.xx)).sqrt(),
                    fit.loglik,
                    fit.lambda,
                    ln_p.exp(),
                    -ln_p / std::f64::consts::LN_10,
                ]
            }
            None => [f64::NAN; 6],
        };
        self.degenerate += u64::from(row.iter().any(|v| v.is_nan()));
        let columns = [
            &mut self.beta,
            &mut self.se,
            &mut self.logl_h1,
            &mut self.l_remle,
            &mut self.p_wald,
            &mut self.neg_log10_p_wald,
        ];
        for (column, value) in columns.into_iter().zip(row) {
            column.push(value);
        }
    }
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

/// Bytes that an `Association` for `n` people and `c` covariates and one call of its `test` on `threads` threads take,
/// besides eigenvectors, results, and the packed genotypes of the file and of the analysed people.
pub fn association_bytes(n: usize, c: usize, threads: usize, options: &Options) -> u64 {
    let len = n as u64 + 8;
    let shared = 8 * len * (1 + c + 1 + (c + 1) * (c + 2) / 2) as u64 + Grid::bytes(options, n + 8);
    // The rotated batch, and a thread's share of `x_genotype::rotate` (2.7 n KiB and twice 128 KiB).
    let batch = batch_rows(n) as u64 * 8 * n as u64;
    let rotate = 2765 * n as u64 + (256 << 10);
    shared + batch + rotate + threads as u64 * (Buffers::bytes(n, c) + (256 << 10))
}
