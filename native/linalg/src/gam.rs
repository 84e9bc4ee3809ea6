//! Exports of the `gam` crate. Structured things cross as JSON text, long ones as typed arrays (docs/design/gam-engine.md).

use std::sync::Arc;

use napi::bindgen_prelude::{AsyncTask, Float64Array, Uint32Array};
use napi_derive::napi;
use x_gam::cross::Cross;
use x_gam::design::Design;
use x_gam::family::{Family, from_options};
use x_gam::fit::{Fit, Options};
use x_gam::json::Json;
use x_gam::rows::Rows;
use x_simd::{Result, with_pool};

use crate::job::Job;
use crate::work::{Work, to_napi};

/// A model's columns over some rows.
#[napi]
pub struct GamDesign {
    inner: Arc<Design>,
}

#[napi]
impl GamDesign {
    #[napi(getter, catch_unwind)]
    pub fn rows(&self) -> f64 {
        self.inner.rows() as f64
    }

    /// Coefficients.
    #[napi(getter, catch_unwind)]
    pub fn width(&self) -> u32 {
        self.inner.layout().width as u32
    }

    /// JSON: terms, coefficient ranges, penalties, gauges.
    #[napi(catch_unwind)]
    pub fn describe(&self) -> String {
        self.inner.describe().print()
    }

    /// JSON: everything that rebuilds the same columns over other rows.
    #[napi(catch_unwind)]
    pub fn state(&self) -> String {
        self.inner.state().print()
    }

    /// Rows `from .. to` of the model matrix, row by row.
    #[napi(catch_unwind)]
    pub fn matrix(&self, from: u32, to: u32) -> napi::Result<Float64Array> {
        let (from, to) = (from as usize, to as usize);
        if from > to || to > self.inner.rows() {
            let text = format!("rows {from} … {to} of {}", self.inner.rows());
            return Err(to_napi(x_simd::Error::new("SHAPE", text)));
        }
        Ok(Float64Array::new(self.inner.layout().dense(&*self.inner, from, to - from).data))
    }
}

fn wrap(design: Design) -> GamDesign {
    GamDesign { inner: Arc::new(design) }
}

fn copied(columns: &[Float64Array]) -> Vec<Vec<f64>> {
    columns.iter().map(|c| c.to_vec()).collect()
}

/// Learns bases, constraints and penalties from the rows.
#[napi(catch_unwind, ts_return_type = "Promise<GamDesign>")]
pub fn gam_design(
    job: &Job,
    spec: String,
    columns: Vec<Float64Array>,
    rows: u32,
    threads: u32,
) -> AsyncTask<Work<Design, GamDesign>> {
    let (job, columns) = (job.0.clone(), copied(&columns));
    let run = move || {
        let spec = Json::parse(&spec)?;
        with_pool(threads as usize, || Design::learn(&spec, columns.clone(), rows as usize, &job))
    };
    Work::spawn(run, wrap)
}

/// The columns of a state over other rows.
#[napi(catch_unwind, ts_return_type = "Promise<GamDesign>")]
pub fn gam_restore(
    job: &Job,
    state: String,
    columns: Vec<Float64Array>,
    rows: u32,
    threads: u32,
) -> AsyncTask<Work<Design, GamDesign>> {
    let (job, columns) = (job.0.clone(), copied(&columns));
    let run = move || {
        let state = Json::parse(&state)?;
        with_pool(threads as usize, || Design::restore(&state, columns.clone(), rows as usize, &job))
    };
    Work::spawn(run, wrap)
}

/// `summary` is JSON; matrices row by row.
#[napi(object)]
pub struct GamFit {
    pub summary: String,
    pub beta: Float64Array,
    pub rho: Float64Array,
    pub gradient: Float64Array,
    pub hessian: Float64Array,
    pub vp: Float64Array,
    pub ve: Float64Array,
    pub vc: Float64Array,
    pub edf: Float64Array,
    pub edf1: Float64Array,
    pub edf2: Float64Array,
    pub eta: Float64Array,
    pub baseline: Float64Array,
}

fn fitted((summary, fit): (String, Fit)) -> GamFit {
    GamFit {
        summary,
        beta: Float64Array::new(fit.beta),
        rho: Float64Array::new(fit.rho),
        gradient: Float64Array::new(fit.gradient),
        hessian: Float64Array::new(fit.hessian.data),
        vp: Float64Array::new(fit.vp.data),
        ve: Float64Array::new(fit.ve.data),
        vc: Float64Array::new(fit.vc.data),
        edf: Float64Array::new(fit.edf),
        edf1: Float64Array::new(fit.edf1),
        edf2: Float64Array::new(fit.edf2),
        eta: Float64Array::new(fit.eta),
        baseline: Float64Array::new(fit.baseline),
    }
}

/// Fits; empty `weights` and `offset` mean none.
#[napi(catch_unwind, ts_return_type = "Promise<GamFit>")]
pub fn gam_fit(
    job: &Job,
    design: &GamDesign,
    y: Float64Array,
    weights: Float64Array,
    offset: Float64Array,
    options: String,
    threads: u32,
) -> AsyncTask<Work<(String, Fit), GamFit>> {
    let (job, design) = (job.0.clone(), design.inner.clone());
    let run = move || {
        with_pool(threads as usize, || x_gam::fit_design(&design, &y, &weights, &offset, &Json::parse(&options)?, &job))
    };
    Work::spawn(run, fitted)
}

/// Predictions, row by row; `se` is empty without a covariance.
#[napi(object)]
pub struct GamPrediction {
    pub fit: Float64Array,
    pub se: Float64Array,
}

fn prediction(p: x_gam::predict::Prediction) -> GamPrediction {
    GamPrediction { fit: Float64Array::new(p.fit), se: Float64Array::new(p.se) }
}

/// Linear predictors (rows × predictors) without the terms of `exclude`.
#[napi(catch_unwind, ts_return_type = "Promise<GamPrediction>")]
#[allow(clippy::too_many_arguments)]
pub fn gam_predict(
    job: &Job,
    design: &GamDesign,
    beta: Float64Array,
    v: Float64Array,
    offset: Float64Array,
    exclude: Uint32Array,
    threads: u32,
) -> AsyncTask<Work<x_gam::predict::Prediction, GamPrediction>> {
    let (job, design) = (job.0.clone(), design.inner.clone());
    let run =
        move || with_pool(threads as usize, || x_gam::predict::predict(&design, &beta, &v, &offset, &exclude, &job));
    Work::spawn(run, prediction)
}

/// Predictions on the response scale (rows × outputs) by the family of the fit options, theta given.
#[napi(catch_unwind, ts_return_type = "Promise<GamPrediction>")]
#[allow(clippy::too_many_arguments)]
pub fn gam_response(
    job: &Job,
    design: &GamDesign,
    options: String,
    beta: Float64Array,
    v: Float64Array,
    offset: Float64Array,
    threads: u32,
) -> AsyncTask<Work<x_gam::predict::Prediction, GamPrediction>> {
    let (job, design) = (job.0.clone(), design.inner.clone());
    let run = move || {
        let (family, theta) = with_theta(&options)?;
        let response = || x_gam::predict::response(&design, &*family, &theta, &beta, &v, &offset, &job);
        with_pool(threads as usize, response)
    };
    Work::spawn(run, prediction)
}

/// Survival probabilities (rows × times) of a Cox model from the baseline of its fit.
#[napi(catch_unwind, ts_return_type = "Promise<GamPrediction>")]
#[allow(clippy::too_many_arguments)]
pub fn gam_survival(
    job: &Job,
    design: &GamDesign,
    baseline: Float64Array,
    beta: Float64Array,
    v: Float64Array,
    offset: Float64Array,
    times: Float64Array,
    threads: u32,
) -> AsyncTask<Work<x_gam::predict::Prediction, GamPrediction>> {
    let (job, design) = (job.0.clone(), design.inner.clone());
    let run = move || {
        let curves = || x_gam::cox::survival(&design, &baseline, &beta, &v, &offset, &times, &job);
        with_pool(threads as usize, curves)
    };
    Work::spawn(run, prediction)
}

/// Contributions by term (rows × terms): parametric terms, then smooths.
#[napi(catch_unwind, ts_return_type = "Promise<GamPrediction>")]
pub fn gam_terms(
    job: &Job,
    design: &GamDesign,
    beta: Float64Array,
    v: Float64Array,
    threads: u32,
) -> AsyncTask<Work<x_gam::predict::Prediction, GamPrediction>> {
    let (job, design) = (job.0.clone(), design.inner.clone());
    let run = move || with_pool(threads as usize, || x_gam::predict::by_term(&design, &beta, &v, &job));
    Work::spawn(run, prediction)
}

/// draws × coefficients from N(beta, V).
#[napi(catch_unwind, ts_return_type = "Promise<Float64Array>")]
pub fn gam_sample(
    job: &Job,
    beta: Float64Array,
    v: Float64Array,
    draws: u32,
    seed: f64,
    threads: u32,
) -> AsyncTask<Work<Vec<f64>, Float64Array>> {
    let job = job.0.clone();
    let run =
        move || with_pool(threads as usize, || x_gam::predict::sample(&beta, &v, draws as usize, seed as u64, &job));
    Work::spawn(run, Float64Array::new)
}

/// Means of linear predictors and their derivatives.
#[napi(object)]
pub struct GamMeans {
    pub mu: Float64Array,
    pub dmu: Float64Array,
}

/// The options of a fit with its theta; `eta` is rows × predictors, the results rows × outputs.
#[napi(catch_unwind)]
pub fn gam_link(options: String, eta: &[f64]) -> napi::Result<GamMeans> {
    let means = || -> Result<(Vec<f64>, Vec<f64>)> {
        let (family, theta) = with_theta(&options)?;
        let k = family.predictors();
        let (mut mu, mut slopes) = (Vec::new(), Vec::new());
        eta.chunks_exact(k).for_each(|e| family.responses(&theta, e, &mut mu, &mut slopes));
        Ok((mu, slopes))
    };
    let (mu, dmu) = means().map_err(to_napi)?;
    Ok(GamMeans { mu: Float64Array::new(mu), dmu: Float64Array::new(dmu) })
}

/// Residuals of one kind: deviance, pearson, response or working.
#[napi(catch_unwind)]
pub fn gam_residuals(
    options: String,
    kind: String,
    y: &[f64],
    eta: &[f64],
    weights: &[f64],
) -> napi::Result<Float64Array> {
    let run = || {
        let (family, theta) = with_theta(&options)?;
        x_gam::residuals(&*family, &theta, &kind, y, eta, weights)
    };
    run().map(Float64Array::new).map_err(to_napi)
}

/// The family of fit options with its parameters fixed where given.
fn with_theta(options: &str) -> Result<(Box<dyn Family>, Vec<f64>)> {
    let family = from_options(&Json::parse(options)?)?;
    let theta = family.theta_start();
    Ok((family, theta))
}

/// Options are checked without a fit: unknown families, links and methods.
#[napi(catch_unwind)]
pub fn gam_check_options(options: String) -> napi::Result<()> {
    let run = || {
        let options = Json::parse(&options)?;
        from_options(&options)?;
        Options::read(&options).map(|_| ())
    };
    run().map_err(to_napi)
}

/// Concurvity of each smooth, JSON.
#[napi(catch_unwind, ts_return_type = "Promise<string>")]
pub fn gam_concurvity(
    job: &Job,
    design: &GamDesign,
    beta: Float64Array,
    threads: u32,
) -> AsyncTask<Work<String, String>> {
    let (job, design) = (job.0.clone(), design.inner.clone());
    let run = move || with_pool(threads as usize, || Ok(x_gam::diagnose::concurvity(&design, &beta, &job)?.print()));
    Work::spawn(run, |text| text)
}

/// Basis dimension check of each smooth, JSON.
#[napi(catch_unwind, ts_return_type = "Promise<string>")]
#[allow(clippy::too_many_arguments)]
pub fn gam_basis_check(
    job: &Job,
    design: &GamDesign,
    edf: Float64Array,
    residuals: Float64Array,
    seed: f64,
    draws: u32,
    threads: u32,
) -> AsyncTask<Work<String, String>> {
    let (job, design) = (job.0.clone(), design.inner.clone());
    let run = move || {
        with_pool(threads as usize, || {
            let table = x_gam::diagnose::basis_check(&design, &edf, &residuals, seed as u64, draws as usize, &job)?;
            Ok(table.print())
        })
    };
    Work::spawn(run, |text| text)
}

/// Cross-products of a gaussian model by row group.
#[napi]
pub struct GamCross {
    inner: Arc<Cross>,
    design: Arc<Design>,
}

#[napi]
impl GamCross {
    /// Fits all rows but the group `held_out` (−1: all rows) without a pass over the data.
    #[napi(catch_unwind, ts_return_type = "Promise<GamFit>")]
    pub fn fit(
        &self,
        job: &Job,
        held_out: i32,
        options: String,
        threads: u32,
    ) -> AsyncTask<Work<(String, Fit), GamFit>> {
        let (job, inner, design) = (job.0.clone(), self.inner.clone(), self.design.clone());
        let run = move || {
            with_pool(threads as usize, || {
                job.check()?;
                let options = Json::parse(&options)?;
                let group = usize::try_from(held_out).ok();
                let (read, fit) = inner.fit(group, &options)?;
                let text = x_gam::describe(&fit, &design, &*from_options(&options)?, &read);
                Ok((text, fit))
            })
        };
        Work::spawn(run, fitted)
    }
}

/// One pass over the data; `groups` holds one group number a row.
#[napi(catch_unwind, ts_return_type = "Promise<GamCross>")]
#[allow(clippy::too_many_arguments)]
pub fn gam_cross(
    job: &Job,
    design: &GamDesign,
    y: Float64Array,
    weights: Float64Array,
    offset: Float64Array,
    groups: Uint32Array,
    group_count: u32,
    threads: u32,
) -> AsyncTask<Work<(Cross, Arc<Design>), GamCross>> {
    let (job, design) = (job.0.clone(), design.inner.clone());
    let run = move || {
        with_pool(threads as usize, || {
            let cross = Cross::new(&design, &y, &weights, &offset, &groups, group_count as usize, &job)?;
            Ok((cross, design.clone()))
        })
    };
    Work::spawn(run, |(inner, design)| GamCross { inner: Arc::new(inner), design })
}
