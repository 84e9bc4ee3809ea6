//! Figures of a whole fit: null deviance, log likelihood, information criteria, adjusted R².

use crate::criterion::Method;
use crate::family::{Derivs, Family, Response};
use crate::fit::Fit;
use crate::passes::Data;

pub fn fill(fit: &mut Fit, d: &Data, theta: &[f64], method: Method) {
    let r = Response { y: d.y, w: d.w };
    let k = d.predictors();
    let columns: Vec<Vec<f64>> = (0..k).map(|c| fit.eta.iter().skip(c).step_by(k).copied().collect()).collect();
    fit.log_lik = if d.family.partial() {
        crate::cox::log_lik(d.y, d.w, &fit.eta)
    } else {
        // GCV has no likelihood of the scale: mgcv puts the estimate from the residuals into the density.
        let phi = match method {
            Method::Gcv => fit.scale,
            _ => fit.reml_scale,
        };
        d.family.log_lik(r, theta, &columns, phi)
    };
    let parameters = fit.edf2.iter().sum::<f64>() + theta.len() as f64 + if fit.scale_estimated { 1.0 } else { 0.0 };
    fit.aic = -2.0 * fit.log_lik + 2.0 * parameters;
    fit.bic = -2.0 * fit.log_lik + (fit.n).ln() * parameters;
    fit.null_deviance = null_deviance(d, theta, &columns);
    if k == 1 && !d.family.partial() {
        fit.r_sq_adj = r_sq_adj(fit, d, theta, &columns[0]);
    }
    // A dispersion among the family's parameters: f and the covariances hold it already.
    if let Some(phi) = d.family.dispersion(theta) {
        (fit.scale, fit.reml_scale, fit.scale_estimated) = (phi, phi, true);
    }
}

fn weighted_mean(y: &[f64], w: &[f64]) -> f64 {
    y.iter().zip(w).map(|(y, w)| y * w).sum::<f64>() / w.iter().sum::<f64>()
}

/// Deviance of the model with an intercept (and the offset) only, theta as estimated.
fn null_deviance(d: &Data, theta: &[f64], eta: &[Vec<f64>]) -> f64 {
    let k = d.predictors();
    let mean = weighted_mean(d.y, d.w);
    let rows = || (0..d.y.len()).filter(|&i| d.w[i] > 0.0);
    match d.family.name() {
        "cox.ph" => {
            let none = if d.offset.is_empty() { vec![0.0; d.y.len()] } else { d.offset.to_vec() };
            crate::cox::deviance(d.y, d.w, &none)
        }
        // Location-scale: the common mean under the fitted standard deviations.
        "gaulss" => rows().map(|i| d.family.deviance(d.y[i], d.w[i], theta, &[mean, eta[1][i]])).sum(),
        "multinom" => {
            let total: f64 = d.w.iter().sum();
            let share = |c: usize| rows().filter(|&i| d.y[i] as usize == c).map(|i| d.w[i]).sum::<f64>() / total;
            let at: Vec<f64> = (1..=k).map(|c| (share(c) / share(0)).ln()).collect();
            rows().map(|i| d.family.deviance(d.y[i], d.w[i], theta, &at)).sum()
        }
        // The mean response itself, which is not quite the maximum likelihood one.
        "betar" if d.offset.is_empty() => {
            let eta = predictor_of(d.family, theta, mean);
            rows().map(|i| d.family.deviance(d.y[i], d.w[i], theta, &[eta])).sum()
        }
        _ => {
            let intercept = intercept_only(d.family, d, theta, mean);
            let at = |i: usize| intercept + if d.offset.is_empty() { 0.0 } else { d.offset[i] };
            rows().map(|i| d.family.deviance(d.y[i], d.w[i], theta, &[at(i)])).sum()
        }
    }
}

/// The linear predictor of a mean, by Newton's method.
fn predictor_of(family: &dyn Family, theta: &[f64], mean: f64) -> f64 {
    let mut eta = family.start(mean, 1e6, mean, 0);
    for _ in 0..50 {
        let (mu, slope) = family.mean(theta, &[eta]);
        let step = (mean - mu) / slope;
        eta += step;
        if step.abs() <= 1e-14 * (1.0 + eta.abs()) {
            break;
        }
    }
    eta
}

/// Maximum likelihood intercept by Newton's method.
fn intercept_only(family: &dyn Family, d: &Data, theta: &[f64], mean: f64) -> f64 {
    let total: f64 = d.w.iter().sum();
    let shift = if d.offset.is_empty() { 0.0 } else { weighted_mean(d.offset, d.w) };
    let mut b = family.start(mean, total.max(1e6), mean, 0) - shift;
    let mut out = Derivs::default();
    for _ in 0..50 {
        let eta =
            d.y.iter().enumerate().map(|(i, _)| b + if d.offset.is_empty() { 0.0 } else { d.offset[i] }).collect();
        family.derive(Response { y: d.y, w: d.w }, theta, &[eta], false, &mut out);
        let (g, h): (f64, f64) = (out.d1[0].iter().sum(), out.fisher[0].iter().sum());
        let step = g / h;
        if !step.is_finite() {
            break;
        }
        b -= step;
        // The next one changes the deviance by the square of this.
        if g * step <= 1e-16 * out.f.iter().sum::<f64>().abs() {
            break;
        }
    }
    b
}

fn r_sq_adj(fit: &Fit, d: &Data, theta: &[f64], eta: &[f64]) -> f64 {
    let mean = weighted_mean(d.y, d.w);
    let variance = |values: &dyn Fn(usize) -> f64| {
        let used: Vec<f64> = (0..d.y.len()).filter(|&i| d.w[i] > 0.0).map(values).collect();
        let m = used.iter().sum::<f64>() / used.len() as f64;
        used.iter().map(|x| (x - m).powi(2)).sum::<f64>() / (used.len() as f64 - 1.0)
    };
    let residual = variance(&|i| d.w[i].sqrt() * (d.y[i] - d.family.mean(theta, &[eta[i]]).0));
    let whole = variance(&|i| d.w[i].sqrt() * (d.y[i] - mean));
    1.0 - residual * (fit.n - 1.0) / (whole * fit.residual_df)
}
