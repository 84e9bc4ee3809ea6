//! The model without any variant.

use x_simd::{Error, Result};

use super::data::{Column, Data};
use super::derivatives::Parameter;
use super::frame::Frame;
use super::maximise::{LEAST_SHARE, Maximum, MultiOptions, expectation_maximisation, maximise};
use super::point::{Model, Point, Scratch};
use super::shares::Shares;
use super::small::{cholesky, inverse, ln_det};
use crate::elimination::Likelihood;
use crate::null::fit_null;
use crate::options::Options;

/// One likelihood's estimates. Matrices are d x d, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiEstimate {
    pub loglik: f64,
    pub vg: Vec<f64>,
    pub ve: Vec<f64>,
    /// Standard errors from the observed information; NaN where it is not positive definite (on the border of the cone).
    pub vg_se: Vec<f64>,
    pub ve_se: Vec<f64>,
    pub shares: Shares,
    /// Effects of the covariates and the environment, if there is one, `b[trait * c + column]`, and their standard errors.
    pub b: Vec<f64>,
    pub b_se: Vec<f64>,
    pub converged: bool,
}

/// The null model by both likelihoods.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiNull {
    pub reml: MultiEstimate,
    pub mle: MultiEstimate,
}

/// Where the variants start.
pub struct Start {
    pub reml: Frame,
    pub mle: Frame,
    pub loglik_mle: f64,
}

/// Errors: NULL_FIT.
pub fn fit(data: &Data, options: &MultiOptions, scratch: &mut Scratch) -> Result<(MultiNull, Start)> {
    let parameters = Parameter::all(data.d);
    let fail = || {
        Error::new(
            "NULL_FIT",
            "the null model of these traits has no finite likelihood: a trait varies too little, or the kinship is not one",
        )
    };
    let ln_det_xx = ln_det(&plain_gram(data, &[]).ok_or_else(fail)?, data.c);
    let model = Model { data, added: &[], kind: Likelihood::Reml, ln_det_xx };
    let mut best: Option<Maximum> = None;
    for start in starts(data)? {
        let Some(point) = expectation_maximisation(&model, start, &parameters, options, scratch) else { continue };
        let start = point.frame.inside(least(data));
        let Some(found) = maximise(&model, start, &parameters, options, scratch) else { continue };
        if best.as_ref().is_none_or(|best| found.point.loglik > best.point.loglik + 1e-9) {
            best = Some(found);
        }
    }
    let reml = best.ok_or_else(fail)?;
    let model_mle = Model { kind: Likelihood::Mle, ..model };
    let start = reml.point.frame.inside(least(data));
    let mle = maximise(&model_mle, start, &parameters, options, scratch).ok_or_else(fail)?;
    let starts = Start { reml: reml.point.frame.clone(), mle: mle.point.frame.clone(), loglik_mle: mle.point.loglik };
    let null = MultiNull {
        reml: estimate(&model, reml, &parameters, scratch),
        mle: estimate(&model_mle, mle, &parameters, scratch),
    };
    Ok((null, starts))
}

/// Smallest ratio a search starts from.
pub fn least(data: &Data) -> f64 {
    let trace = data.values.iter().sum::<f64>() / data.n as f64;
    if trace > 0.0 { LEAST_SHARE / trace } else { LEAST_SHARE }
}

/// Cholesky factor of X'X, unweighted, of X = (W, added). `None` when a column depends on the others.
pub fn plain_gram(data: &Data, added: &[Column]) -> Option<Vec<f64>> {
    let columns: Vec<&[f64]> = data.w.iter().chain(added.iter().map(|column| &column.x)).map(Vec::as_slice).collect();
    let m = columns.len();
    let mut gram = vec![0.0; m * m];
    for i in 0..m {
        for j in 0..=i {
            let sum = columns[i].iter().zip(columns[j]).map(|(a, b)| a * b).sum();
            gram[i * m + j] = sum;
            gram[j * m + i] = sum;
        }
    }
    cholesky(&mut gram, m).then_some(gram)
}

/// Each trait's own univariate estimates without any covariance, and half of the traits' covariance to each part.
fn starts(data: &Data) -> Result<Vec<Frame>> {
    let (n, d) = (data.n, data.d);
    let w: Vec<f64> = data.w.iter().flat_map(|w| &w[..n]).copied().collect();
    let [mut vg, mut ve] = [vec![0.0; d * d], vec![0.0; d * d]];
    for (t, y) in data.y.iter().enumerate() {
        let alone = fit_null(&data.values[..n], &y[..n], &w, data.c, &Options::default())?;
        (vg[t * d + t], ve[t * d + t]) = (alone.vg, alone.ve);
    }
    let trace = data.values.iter().sum::<f64>() / n as f64;
    let half = |share: f64| -> Vec<f64> {
        (0..d * d)
            .map(|at| data.y[at / d].iter().zip(&data.y[at % d]).map(|(a, b)| a * b).sum::<f64>() * share / n as f64)
            .collect()
    };
    let proportional = if trace > 0.0 { half(0.5 / trace) } else { half(0.5) };
    let frames = [Frame::new(&vg, &ve, d), Frame::new(&proportional, &half(0.5), d)];
    Ok(frames.into_iter().flatten().map(|frame| frame.inside(least(data))).collect())
}

fn estimate(model: &Model, found: Maximum, parameters: &[Parameter], scratch: &mut Scratch) -> MultiEstimate {
    let (data, converged) = (model.data, found.converged);
    let (c, d) = (data.c, data.d);
    // The scratch must hold this point's weights.
    let point = model.evaluate(found.point.frame.clone(), scratch).unwrap_or(found.point);
    let hessian = model.derivatives(&point, parameters, true, scratch).hessian;
    let count = parameters.len();
    let mut l: Vec<f64> = hessian.iter().map(|h| -h).collect();
    let covariance = if cholesky(&mut l, count) { inverse(&l, count) } else { vec![f64::NAN; count * count] };
    let back = &point.frame.back;
    let (b, b_se) = effects(&point, &data.b0, c);
    // An entry of the traits' own matrix as a combination of the frame's entries.
    let entry = |power: usize, i: usize, j: usize| -> Vec<f64> {
        let weight = |p: &Parameter| match p.power == power {
            false => 0.0,
            true if p.a == p.b => back[i * d + p.a] * back[j * d + p.a],
            true => back[i * d + p.a] * back[j * d + p.b] + back[i * d + p.b] * back[j * d + p.a],
        };
        parameters.iter().map(weight).collect()
    };
    let deviation = |weights: &[f64]| {
        let mut sum = 0.0;
        for (p, u) in weights.iter().enumerate() {
            for (q, v) in weights.iter().enumerate() {
                sum += u * covariance[p * count + q] * v;
            }
        }
        sum.sqrt()
    };
    let se = |power: usize| -> Vec<f64> { (0..d * d).map(|at| deviation(&entry(power, at / d, at % d))).collect() };
    let (vg, ve) = (point.frame.vg(), point.frame.ve());
    let trace = data.values.iter().sum::<f64>() / data.n as f64;
    let shares = Shares::new(&vg, &ve, trace, d, entry, deviation);
    MultiEstimate { loglik: point.loglik, vg, ve, vg_se: se(1), ve_se: se(0), shares, b, b_se, converged }
}

fn effects(point: &Point, b0: &[f64], c: usize) -> (Vec<f64>, Vec<f64>) {
    let d = point.frame.d;
    let back = &point.frame.back;
    let at = |t: usize, j: usize| {
        let sum: f64 = (0..d).map(|k| back[t * d + k] * point.b[k * c + j]).sum();
        let variance: f64 = (0..d).map(|k| back[t * d + k].powi(2) * point.inverse[k * c * c + j * c + j]).sum();
        (b0[t * c + j] + sum, variance.sqrt())
    };
    (0..d * c).map(|i| at(i / c, i % c)).unzip()
}
