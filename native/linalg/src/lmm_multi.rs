//! Exports of the multivariate part of the `lmm` crate.

use std::sync::Arc;

use napi::bindgen_prelude::{AsyncTask, Float64Array, Uint8Array, Uint32Array};
use napi_derive::napi;

use crate::job::Job;
use crate::matrix::{Matrix, Shared, read};
use crate::work::Work;

/// How far the searches go: EM steps of the null model and the gain that ends them, Newton steps and the predicted gain
/// below which one is the last.
#[napi(object)]
pub struct MultiOptions {
    pub em_iterations: u32,
    pub em_precision: f64,
    pub newton_iterations: u32,
    pub newton_precision: f64,
}

impl From<MultiOptions> for x_lmm::MultiOptions {
    fn from(o: MultiOptions) -> Self {
        Self {
            em_iterations: o.em_iterations as usize,
            em_precision: o.em_precision,
            newton_iterations: o.newton_iterations as usize,
            newton_precision: o.newton_precision,
        }
    }
}

/// d x d matrices are row-major; `pve` has a value a trait, `rg` and `re` are correlations of Vg and Ve; `b` holds the covariates' effects on one trait after another.
#[napi(object)]
pub struct MultiEstimate {
    pub loglik: f64,
    pub vg: Float64Array,
    pub ve: Float64Array,
    pub vg_se: Float64Array,
    pub ve_se: Float64Array,
    pub pve: Float64Array,
    pub pve_se: Float64Array,
    pub rg: Float64Array,
    pub rg_se: Float64Array,
    pub re: Float64Array,
    pub re_se: Float64Array,
    pub b: Float64Array,
    pub b_se: Float64Array,
    pub converged: bool,
}

impl From<&x_lmm::MultiEstimate> for MultiEstimate {
    fn from(e: &x_lmm::MultiEstimate) -> Self {
        let array = |values: &[f64]| Float64Array::new(values.to_vec());
        Self {
            loglik: e.loglik,
            vg: array(&e.vg),
            ve: array(&e.ve),
            vg_se: array(&e.vg_se),
            ve_se: array(&e.ve_se),
            pve: array(&e.shares.pve),
            pve_se: array(&e.shares.pve_se),
            rg: array(&e.shares.rg),
            rg_se: array(&e.shares.rg_se),
            re: array(&e.shares.re),
            re_se: array(&e.shares.re_se),
            b: array(&e.b),
            b_se: array(&e.b_se),
            converged: e.converged,
        }
    }
}

#[napi(object)]
pub struct MultiNullFit {
    pub reml: MultiEstimate,
    pub mle: MultiEstimate,
}

/// Which tests to run; columns of the others are empty.
#[napi(object)]
pub struct MultiTests {
    pub wald: bool,
    pub lrt: bool,
    pub score: bool,
}

impl From<MultiTests> for x_lmm::MultiTests {
    fn from(t: MultiTests) -> Self {
        Self { wald: t.wald, lrt: t.lrt, score: t.score }
    }
}

/// `beta` has d values a row, `v_beta` the lower triangle of their covariance.
#[napi(object)]
pub struct MultiColumns {
    pub beta: Float64Array,
    pub v_beta: Float64Array,
    pub logl_reml: Float64Array,
    pub logl_mle: Float64Array,
    pub p_wald: Float64Array,
    pub p_lrt: Float64Array,
    pub p_score: Float64Array,
    pub neg_log10_p_wald: Float64Array,
    pub neg_log10_p_lrt: Float64Array,
    pub neg_log10_p_score: Float64Array,
    pub degenerate: f64,
    pub unconverged: f64,
    pub steps: f64,
}

impl From<x_lmm::MultiColumns> for MultiColumns {
    fn from(m: x_lmm::MultiColumns) -> Self {
        Self {
            beta: m.beta.into(),
            v_beta: m.v_beta.into(),
            logl_reml: m.logl_reml.into(),
            logl_mle: m.logl_mle.into(),
            p_wald: m.p_wald.into(),
            p_lrt: m.p_lrt.into(),
            p_score: m.p_score.into(),
            neg_log10_p_wald: m.neg_log10_p_wald.into(),
            neg_log10_p_lrt: m.neg_log10_p_lrt.into(),
            neg_log10_p_score: m.neg_log10_p_score.into(),
            degenerate: m.degenerate as f64,
            unconverged: m.unconverged as f64,
            steps: m.steps as f64,
        }
    }
}

/// The fitted null model of several traits, ready to test variants; holds on to the eigenvectors.
#[napi]
pub struct MultiAssociation {
    inner: Arc<x_lmm::MultiAssociation>,
    vectors: Shared,
}

/// Rotates traits and covariates and fits the null model. `keep`: the analysed people of the file, in the order of the
/// eigenvectors' rows; the `d` columns of `y`, the `c` columns of `w` (intercept included) and `environment`, with which
/// its product with the variant is tested, hold these people only.
#[napi(catch_unwind, ts_return_type = "Promise<MultiAssociation>")]
#[allow(clippy::too_many_arguments)]
pub fn multi_association(
    job: &Job,
    vectors: &Matrix,
    values: Float64Array,
    keep: Uint32Array,
    samples_in_file: u32,
    y: Float64Array,
    d: u32,
    w: Float64Array,
    c: u32,
    environment: Option<Float64Array>,
    options: MultiOptions,
) -> AsyncTask<Work<MultiAssociation, MultiAssociation>> {
    let (job, vectors, options) = (job.0.clone(), vectors.inner.clone(), options.into());
    Work::spawn(
        move || {
            job.check()?;
            let study = x_lmm::MultiStudy {
                values: &values,
                keep: &keep,
                samples_in_file: samples_in_file as usize,
                y: &y,
                d: d as usize,
                w: &w,
                c: c as usize,
                environment: environment.as_deref(),
            };
            let inner = read(&vectors, |u| x_lmm::MultiAssociation::new(u, &study, options))?;
            Ok(MultiAssociation { inner: Arc::new(inner), vectors: vectors.clone() })
        },
        |model| model,
    )
}

#[napi]
impl MultiAssociation {
    #[napi(getter, catch_unwind)]
    pub fn null_fit(&self) -> MultiNullFit {
        let null = self.inner.null();
        MultiNullFit { reml: (&null.reml).into(), mle: (&null.mle).into() }
    }

    /// Tests the listed rows of a packed block; `means[i]` replaces missing genotypes of `rows[i]`.
    #[napi(catch_unwind, ts_return_type = "Promise<MultiColumns>")]
    pub fn test(
        &self,
        job: &Job,
        packed: Uint8Array,
        rows: Uint32Array,
        means: Float64Array,
        tests: MultiTests,
        threads: u32,
    ) -> AsyncTask<Work<x_lmm::MultiColumns, MultiColumns>> {
        let (job, inner, vectors) = (job.0.clone(), self.inner.clone(), self.vectors.clone());
        let tests = tests.into();
        Work::spawn(
            move || read(&vectors, |u| inner.test(u, &packed, &rows, &means, tests, threads as usize, &job)),
            MultiColumns::from,
        )
    }

    /// The same for a block of dosages of all people in the file, NaN where missing.
    #[napi(catch_unwind, ts_return_type = "Promise<MultiColumns>")]
    pub fn test_dosages(
        &self,
        job: &Job,
        values: Float64Array,
        rows: Uint32Array,
        means: Float64Array,
        tests: MultiTests,
        threads: u32,
    ) -> AsyncTask<Work<x_lmm::MultiColumns, MultiColumns>> {
        let (job, inner, vectors) = (job.0.clone(), self.inner.clone(), self.vectors.clone());
        let tests = tests.into();
        Work::spawn(
            move || read(&vectors, |u| inner.test_dosages(u, &values, &rows, &means, tests, threads as usize, &job)),
            MultiColumns::from,
        )
    }
}

/// Bytes a `MultiAssociation` and one call of its `test` take, besides eigenvectors, packed genotypes and results.
#[napi(catch_unwind)]
pub fn multi_association_bytes(n: f64, c: u32, d: u32, environment: bool, threads: u32) -> f64 {
    x_lmm::multi_association_bytes(n as usize, c as usize, d as usize, environment, threads as usize) as f64
}
