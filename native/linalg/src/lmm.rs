//! Exports of the `lmm` crate.

use std::sync::Arc;

use napi::bindgen_prelude::{AsyncTask, Float64Array, Uint8Array, Uint32Array};
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
    Ok(NullFit {
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
    })
}

/// One entry a tested row; NaN in all columns of a row whose genotypes are a combination of the covariates.
#[napi(object)]
pub struct WaldColumns {
    pub beta: Float64Array,
    pub se: Float64Array,
    pub logl_h1: Float64Array,
    pub l_remle: Float64Array,
    pub p_wald: Float64Array,
    pub neg_log10_p_wald: Float64Array,
    pub degenerate: f64,
}

fn wald_columns(wald: x_lmm::Wald) -> WaldColumns {
    WaldColumns {
        beta: Float64Array::new(wald.beta),
        se: Float64Array::new(wald.se),
        logl_h1: Float64Array::new(wald.logl_h1),
        l_remle: Float64Array::new(wald.l_remle),
        p_wald: Float64Array::new(wald.p_wald),
        neg_log10_p_wald: Float64Array::new(wald.neg_log10_p_wald),
        degenerate: wald.degenerate as f64,
    }
}

/// Association of packed variants with one phenotype. Keeps the eigenvectors alive, not a copy of them.
#[napi]
pub struct Association {
    inner: Arc<x_lmm::Association>,
    vectors: Shared,
}

#[napi]
impl Association {
    /// `keep`: the analysed people of the file, in the order of the eigenvectors' rows; `y` and the `c` columns of `w`
    /// (intercept included) hold these people only.
    #[napi(constructor, catch_unwind)]
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        vectors: &Matrix,
        values: &[f64],
        keep: &[u32],
        samples_in_file: u32,
        y: &[f64],
        w: &[f64],
        c: u32,
        options: LmmOptions,
    ) -> napi::Result<Self> {
        let study = x_lmm::Study { values, keep, samples_in_file: samples_in_file as usize, y, w, c: c as usize };
        let inner = read(&vectors.inner, |u| x_lmm::Association::new(u, &study, options.into())).map_err(to_napi)?;
        Ok(Self { inner: Arc::new(inner), vectors: vectors.inner.clone() })
    }

    /// Wald test of the listed rows of a packed block; `means[i]` replaces missing genotypes of `rows[i]`.
    #[napi(catch_unwind, ts_return_type = "Promise<WaldColumns>")]
    pub fn test(
        &self,
        job: &Job,
        packed: Uint8Array,
        rows: Uint32Array,
        means: Float64Array,
        threads: u32,
    ) -> AsyncTask<Work<x_lmm::Wald, WaldColumns>> {
        let (job, inner, vectors) = (job.0.clone(), self.inner.clone(), self.vectors.clone());
        Work::spawn(
            move || read(&vectors, |u| inner.test(u, &packed, &rows, &means, threads as usize, &job)),
            wald_columns,
        )
    }

    /// The same for a block of dosages of all people in the file, NaN where missing.
    #[napi(catch_unwind, ts_return_type = "Promise<WaldColumns>")]
    pub fn test_dosages(
        &self,
        job: &Job,
        values: Float64Array,
        rows: Uint32Array,
        means: Float64Array,
        threads: u32,
    ) -> AsyncTask<Work<x_lmm::Wald, WaldColumns>> {
        let (job, inner, vectors) = (job.0.clone(), self.inner.clone(), self.vectors.clone());
        Work::spawn(
            move || read(&vectors, |u| inner.test_dosages(u, &values, &rows, &means, threads as usize, &job)),
            wald_columns,
        )
    }
}

/// Bytes an `Association` and one call of its `test` take, besides eigenvectors, packed genotypes and results.
#[napi(catch_unwind)]
pub fn association_bytes(n: f64, c: u32, threads: u32, options: LmmOptions) -> f64 {
    x_lmm::association_bytes(n as usize, c as usize, threads as usize, &options.into()) as f64
}
