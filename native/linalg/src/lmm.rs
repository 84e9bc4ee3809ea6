//! Exports of the `lmm` crate.

use std::sync::Arc;

use napi::bindgen_prelude::{AsyncTask, Float64Array, Float64ArraySlice, Uint8Array, Uint32Array, Uint32ArraySlice};
use napi_derive::napi;

use crate::job::Job;
use crate::matrix::{Matrix, Shared, read};
use crate::work::{Work, to_napi};

/// Search for lambda = vg / ve: bounds and number of intervals of equal width in log lambda.
#[napi(object)]
pub struct LmmOptions {
    pub lmin: f64,
    pub lmax: f64,
    pub regions: u32,
}

impl From<LmmOptions> for x_lmm::Options {
    fn from(o: LmmOptions) -> Self {
        Self { lmin: o.lmin, lmax: o.lmax, regions: o.regions as usize }
    }
}

#[napi(object)]
pub struct NullFit {
    pub lambda_reml: f64,
    pub lambda_mle: f64,
    pub loglik_reml: f64,
    pub loglik_mle: f64,
    pub pve: f64,
    pub pve_se: f64,
    pub vg: f64,
    pub ve: f64,
    pub beta: Float64Array,
    pub beta_se: Float64Array,
}

/// Null model from eigenvalues, U'y and U'W (`c` columns, one after another).
#[napi(catch_unwind)]
pub fn fit_null(values: &[f64], uty: &[f64], utw: &[f64], c: u32, options: LmmOptions) -> napi::Result<NullFit> {
    let null = x_lmm::fit_null(values, uty, utw, c as usize, &options.into()).map_err(to_napi)?;
    Ok(null_fit(null))
}

pub(crate) fn null_fit(null: x_lmm::Null) -> NullFit {
    NullFit {
        lambda_reml: null.lambda_reml,
        lambda_mle: null.lambda_mle,
        loglik_reml: null.loglik_reml,
        loglik_mle: null.loglik_mle,
        pve: null.pve,
        pve_se: null.pve_se,
        vg: null.vg,
        ve: null.ve,
        beta: Float64Array::new(null.beta),
        beta_se: Float64Array::new(null.beta_se),
    }
}

/// Which tests to run.
#[napi(object)]
#[derive(Clone, Copy)]
pub struct LmmTests {
    pub wald: bool,
    pub lrt: bool,
    pub score: bool,
}

impl From<LmmTests> for x_lmm::Tests {
    fn from(t: LmmTests) -> Self {
        Self { wald: t.wald, lrt: t.lrt, score: t.score }
    }
}

/// One phenotype's results, one entry a tested row; absent columns belong to tests that did not run. NaN in all columns
/// of a row whose genotypes are a combination of the covariates.
#[napi(object)]
pub struct TestColumns {
    pub beta: Float64Array,
    pub se: Float64Array,
    pub logl_h1: Option<Float64Array>,
    pub l_remle: Option<Float64Array>,
    pub l_mle: Option<Float64Array>,
    pub p_wald: Option<Float64Array>,
    pub p_lrt: Option<Float64Array>,
    pub p_score: Option<Float64Array>,
    pub neg_log10_p_wald: Option<Float64Array>,
    pub neg_log10_p_lrt: Option<Float64Array>,
    pub neg_log10_p_score: Option<Float64Array>,
    pub degenerate: f64,
}

/// Results of all phenotypes, and what they took.
#[napi(object)]
pub struct TestResults {
    pub traits: Vec<TestColumns>,
    pub rotations: f64,
    pub searches: f64,
    pub evaluations: f64,
}

fn test_columns(c: x_lmm::Columns) -> TestColumns {
    let present = |column: Vec<f64>| (!column.is_empty()).then(|| Float64Array::new(column));
    TestColumns {
        beta: Float64Array::new(c.beta),
        se: Float64Array::new(c.se),
        logl_h1: present(c.logl_h1),
        l_remle: present(c.l_remle),
        l_mle: present(c.l_mle),
        p_wald: present(c.p_wald),
        p_lrt: present(c.p_lrt),
        p_score: present(c.p_score),
        neg_log10_p_wald: present(c.neg_log10_p_wald),
        neg_log10_p_lrt: present(c.neg_log10_p_lrt),
        neg_log10_p_score: present(c.neg_log10_p_score),
        degenerate: c.degenerate as f64,
    }
}

pub(crate) fn test_results(r: x_lmm::Results) -> TestResults {
    TestResults {
        traits: r.traits.into_iter().map(test_columns).collect(),
        rotations: r.rotations as f64,
        searches: r.searches as f64,
        evaluations: r.evaluations as f64,
    }
}

/// Who is analysed, and the model without the variant. `y` holds the phenotypes one after another, `nulls` the MLE
/// lambda and log-likelihood of each; `w` has `c` columns (intercept included); all of the people in `keep` only.
#[napi(object)]
pub struct AssociationStudy<'a> {
    pub values: Float64ArraySlice<'a>,
    pub keep: Uint32ArraySlice<'a>,
    pub samples_in_file: u32,
    pub y: Float64ArraySlice<'a>,
    pub nulls: Float64ArraySlice<'a>,
    pub w: Float64ArraySlice<'a>,
    pub c: u32,
    pub environment: Option<Float64ArraySlice<'a>>,
    pub tests: LmmTests,
}

/// Association of packed variants with phenotypes of the same people. Keeps the eigenvectors alive, not a copy of them.
#[napi]
pub struct Association {
    inner: Arc<x_lmm::Association>,
    vectors: Shared,
}

#[napi]
impl Association {
    /// `study.keep`: the analysed people of the file, in the order of the eigenvectors' rows.
    #[napi(constructor, catch_unwind)]
    pub fn new(vectors: &Matrix, study: AssociationStudy, options: LmmOptions) -> napi::Result<Self> {
        let n = study.keep.len().max(1);
        let points = study.nulls.chunks_exact(2);
        let traits: Vec<x_lmm::Trait> = (study.y.chunks(n).zip(points))
            .map(|(y, at)| x_lmm::Trait { y, null: x_lmm::NullPoint { lambda: at[0], loglik: at[1] } })
            .collect();
        let study = x_lmm::Study {
            values: &study.values,
            keep: &study.keep,
            samples_in_file: study.samples_in_file as usize,
            traits: &traits,
            w: &study.w,
            c: study.c as usize,
            environment: study.environment.as_deref(),
            tests: study.tests.into(),
        };
        let inner = read(&vectors.inner, |u| x_lmm::Association::new(u, &study, options.into())).map_err(to_napi)?;
        Ok(Self { inner: Arc::new(inner), vectors: vectors.inner.clone() })
    }

    /// Tests the listed rows of a packed block; `means[i]` replaces missing genotypes of `rows[i]`.
    #[napi(catch_unwind, ts_return_type = "Promise<TestResults>")]
    pub fn test(
        &self,
        job: &Job,
        packed: Uint8Array,
        rows: Uint32Array,
        means: Float64Array,
        threads: u32,
    ) -> AsyncTask<Work<x_lmm::Results, TestResults>> {
        let (job, inner, vectors) = (job.0.clone(), self.inner.clone(), self.vectors.clone());
        Work::spawn(
            move || read(&vectors, |u| inner.test(u, &packed, &rows, &means, threads as usize, &job)),
            test_results,
        )
    }

    /// The same for a block of dosages of all people in the file, NaN where missing.
    #[napi(catch_unwind, ts_return_type = "Promise<TestResults>")]
    pub fn test_dosages(
        &self,
        job: &Job,
        values: Float64Array,
        rows: Uint32Array,
        means: Float64Array,
        threads: u32,
    ) -> AsyncTask<Work<x_lmm::Results, TestResults>> {
        let (job, inner, vectors) = (job.0.clone(), self.inner.clone(), self.vectors.clone());
        Work::spawn(
            move || read(&vectors, |u| inner.test_dosages(u, &values, &rows, &means, threads as usize, &job)),
            test_results,
        )
    }
}

/// Share of each row that the covariates explain: x'W (W'W)^-1 W'x / x'x of uncentred dosages of the people `keep`, of whom
/// `w` has `c` columns; `means[i]` replaces missing genotypes of `rows[i]`. The block is packed, or `dosages` of everyone.
#[napi(catch_unwind, ts_return_type = "Promise<Float64Array>")]
#[allow(clippy::too_many_arguments)]
pub fn covariate_r2(
    job: &Job,
    packed: Uint8Array,
    dosages: Option<Float64Array>,
    samples: u32,
    keep: Uint32Array,
    rows: Uint32Array,
    means: Float64Array,
    w: Float64Array,
    c: u32,
    threads: u32,
) -> AsyncTask<Work<Vec<f64>, Float64Array>> {
    let job = job.0.clone();
    let (samples, c, threads) = (samples as usize, c as usize, threads as usize);
    let run = move || {
        let genotypes = match &dosages {
            Some(dosages) => x_lmm::Genotypes::Dosages(dosages),
            None => x_lmm::Genotypes::Packed(&packed),
        };
        x_lmm::explained_by_covariates(genotypes, samples, &keep, &rows, &means, &w, c, threads, &job)
    };
    Work::spawn(run, Float64Array::new)
}

/// How large an association is.
#[napi(object)]
pub struct AssociationSize {
    pub n: f64,
    pub c: u32,
    pub traits: u32,
    pub environment: bool,
    pub tests: LmmTests,
}

impl From<AssociationSize> for x_lmm::Size {
    fn from(s: AssociationSize) -> Self {
        let AssociationSize { n, c, traits, environment, tests } = s;
        Self { n: n as usize, c: c as usize, traits: traits as usize, environment, tests: tests.into() }
    }
}

/// Bytes an `Association` and one call of its `test` take, besides eigenvectors, packed genotypes and results.
#[napi(catch_unwind)]
pub fn association_bytes(size: AssociationSize, threads: u32, options: LmmOptions) -> f64 {
    x_lmm::association_bytes(&size.into(), threads as usize, &options.into()) as f64
}
