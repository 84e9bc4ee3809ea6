//! Generalised additive models: penalised regression with smoothing parameters chosen by REML, ML, GCV or UBRE.
//! Wood (2011, 2017), Wood, Pya & Säfken (2016), Wood & Fasiolo (2017).

// Sums over rows and columns of small matrices read as their formulas do with indices.
#![allow(clippy::needless_range_loop)]

pub mod basis;
mod carry;
mod centred;
mod corrected;
pub mod cox;
pub mod criterion;
pub mod cross;
pub mod davies;
pub mod design;
pub mod diagnose;
pub mod family;
pub mod fingerprint;
mod first;
pub mod fit;
mod grid;
pub mod jet;
pub mod json;
mod kernels;
mod last;
mod linked;
pub mod mat;
pub mod mixture;
pub mod options;
pub mod outer;
mod overall;
pub mod passes;
pub mod penalty;
pub mod predict;
mod probe;
pub mod report;
mod residuals;
pub mod rows;
mod shape;
mod shaped;
mod side;
mod step;
mod tail;
pub mod term;
pub mod termtest;
mod unit;

use centred::{Centred, Centres};
use design::Design;
use family::{Family, from_options};
use fit::{Fit, Options, fit};
use json::Json;
use rows::Rows;
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
    let shaped = !design.constraints().is_empty();
    let centres = Centres::of(design);
    let mut fitted = if shaped && family.partial() {
        return Err(Error::new("GAM_OPTIONS", "shape constraints are not for the family cox.ph"));
    } else if shaped {
        shaped::fit_shaped(design, &*family, y, w, offset, &read, job)?
    } else if family.partial() {
        by_time(design, &*family, y, w, offset, &read, job)?
    } else {
        let mut inside = read.clone();
        inside.control.beta.iter_mut().for_each(|b| centres.inward(b));
        let rows = Centred { design, centres: &centres };
        fit(&rows, &design.penalties, &*family, y, w, offset, &inside, job)?
    };
    if read.tests {
        fitted.tests = termtest::all(&fitted, &design.penalties, &design.ranges(), &design.random())?;
    }
    if !shaped && !family.partial() {
        centres.outward(&mut fitted);
    }
    let text = describe(&fitted, design, &*family, &read);
    Ok((text, fitted))
}

/// A fit whose rows must come from the longest time to the shortest.
fn by_time(
    design: &Design,
    family: &dyn Family,
    y: &[f64],
    w: &[f64],
    offset: &[f64],
    options: &Options,
    job: &Job,
) -> Result<Fit> {
    let n = design.rows();
    if y.len() != n || w.len() != n || !(offset.is_empty() || offset.len() == n) {
        return Err(Error::new("SHAPE", "times, events and offset need one value a row"));
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| y[b].total_cmp(&y[a]));
    let take = |x: &[f64]| -> Vec<f64> { order.iter().filter_map(|&i| x.get(i).copied()).collect() };
    let sorted = design.reordered(&order, job)?;
    let mut fitted = fit(&sorted, &sorted.penalties, family, &take(y), &take(w), &take(offset), options, job)?;
    let mut eta = vec![0.0; n];
    order.iter().zip(&fitted.eta).for_each(|(&i, e)| eta[i] = *e);
    fitted.eta = eta;
    Ok(fitted)
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
    if family.partial() {
        let events: Vec<f64> = (0..y.len()).map(w).collect();
        let martingale = cox::martingale(y, &events, eta);
        return match kind {
            "martingale" => Ok(martingale),
            "deviance" => Ok(martingale.iter().zip(&events).map(|(m, e)| cox::deviance_residual(*m, *e)).collect()),
            other => {
                Err(Error::new("GAM_OPTIONS", format!("cox.ph has martingale and deviance residuals, not {other}")))
            }
        };
    }
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
                let sign = if family.above(*y, theta, e) { 1.0 } else { -1.0 };
                sign * family.deviance(*y, w(i), theta, e).max(0.0).sqrt()
            })
            .collect(),
        other => return Err(Error::new("GAM_OPTIONS", format!("unknown residuals \"{other}\""))),
    })
}
