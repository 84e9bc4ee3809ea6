//! Generalised additive models: penalised regression with smoothing parameters chosen by REML, ML, GCV or UBRE.
//! Wood (2011, 2017), Wood, Pya & Säfken (2016), Wood & Fasiolo (2017).

// Sums over rows and columns of small matrices read as their formulas do with indices.
#![allow(clippy::needless_range_loop)]

pub mod basis;
pub mod criterion;
pub mod cross;
pub mod davies;
pub mod design;
pub mod diagnose;
pub mod family;
pub mod fingerprint;
pub mod fit;
pub mod jet;
pub mod json;
pub mod mat;
pub mod mixture;
pub mod outer;
mod overall;
pub mod passes;
pub mod penalty;
pub mod predict;
pub mod report;
pub mod rows;
mod side;
pub mod term;
pub mod termtest;

use design::Design;
use family::{Family, from_options};
use fit::{Fit, Options, fit};
use json::Json;
use x_simd::{Error, Job, Result};

/// One fit as the door asks for it: the summary's JSON and the numbers. Empty `weights` and `offset` mean none.
pub fn fit_design(
    design: &Design,
    y: &[f64],
    weights: &[f64],
    offset: &[f64],
    options: &Json,
    job: &Job,
) -> Result<(String, Fit)> {
    let family = from_options(options)?;
    let read = Options::read(options)?;
    let ones;
    let w = if weights.is_empty() {
        ones = vec![1.0; y.len()];
        &ones
    } else {
        weights
    };
    let mut fitted = fit(design, &design.penalties, &*family, y, w, offset, &read, job)?;
    if read.tests {
        fitted.tests = termtest::all(&fitted, &design.penalties, &design.ranges(), &design.random())?;
    }
    let text = describe(&fitted, design, &*family, &read);
    Ok((text, fitted))
}

/// The summary of a fit as JSON text.
pub fn describe(fitted: &Fit, design: &Design, family: &dyn Family, options: &Options) -> String {
    let method = match (options.method, fitted.scale_estimated) {
        (criterion::Method::Reml, _) => "REML",
        (criterion::Method::Ml, _) => "ML",
        (criterion::Method::Gcv, true) => "GCV",
        (criterion::Method::Gcv, false) => "UBRE",
    };
    let warm = options.control.beta.is_some();
    report::summary(fitted, design, family.name(), family.link_name(), method, warm).print()
}

/// One residual a row; `eta` is rows × predictors, empty `weights` mean ones.
pub fn residuals(
    family: &dyn Family,
    theta: &[f64],
    kind: &str,
    y: &[f64],
    eta: &[f64],
    weights: &[f64],
) -> Result<Vec<f64>> {
    let k = family.predictors();
    if eta.len() != y.len() * k || !(weights.is_empty() || weights.len() == y.len()) {
        return Err(Error::new("SHAPE", "responses, linear predictors and weights differ in length"));
    }
    let rows = || y.iter().zip(eta.chunks_exact(k));
    let w = |i: usize| weights.get(i).copied().unwrap_or(1.0);
    Ok(match kind {
        "response" => rows().map(|(y, e)| y - family.mean(theta, e).0).collect(),
        "pearson" => rows()
            .enumerate()
            .map(|(i, (y, e))| (y - family.mean(theta, e).0) * (w(i) / family.variance(theta, e)).sqrt())
            .collect(),
        "working" => rows()
            .map(|(y, e)| {
                let (mu, slope) = family.mean(theta, e);
                (y - mu) / slope
            })
            .collect(),
        "deviance" => rows()
            .enumerate()
            .map(|(i, (y, e))| {
                let sign = if *y >= family.mean(theta, e).0 { 1.0 } else { -1.0 };
                sign * family.deviance(*y, w(i), theta, e).max(0.0).sqrt()
            })
            .collect(),
        other => return Err(Error::new("GAM_OPTIONS", format!("unknown residuals \"{other}\""))),
    })
}
