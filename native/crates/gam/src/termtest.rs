//! Tests of whole smooths: Wood (2013, Biometrika 100) for terms with an unpenalised part, Wood (2013, "A simple test
//! for random effects") for terms that the penalties shrink to zero.

use std::ops::Range;

use x_simd::{Error, Result};
use x_stats::{ln_chisq_sf, ln_f_sf};

use crate::davies::upper_tail;
use crate::fit::Fit;
use crate::mat::{Factor, Mat, dot};
use crate::mixture::ln_upper_tail;
use crate::penalty::Penalty;

/// Statistic (divided by its degrees of freedom where the scale is estimated), reference degrees of freedom, ln p.
#[derive(Debug, Clone, Copy)]
pub struct TermTest {
    pub ref_df: f64,
    pub statistic: f64,
    /// By Davies' method at the accuracy of the reference implementation.
    pub p: f64,
    /// Exact.
    pub log_p: f64,
}

/// Variances below this part of the largest one are rounding error.
const RANK: f64 = 4e-9;

/// A matrix whose rows times coefficients have the Euclidean length of the weighted fitted values.
fn root(gram: &Mat) -> Result<Mat> {
    if let Some(f) = Factor::new(gram) {
        return Ok(f.upper());
    }
    let (values, vectors) = gram.eigen()?;
    let n = gram.rows;
    Ok(Mat::from_fn(n, n, |i, j| vectors[(j, n - 1 - i)] * values[n - 1 - i].max(0.0).sqrt()))
}

/// One test a range of coefficients; `random` says which of them are random effects.
pub fn all(fit: &Fit, penalties: &[Penalty], ranges: &[Range<usize>], random: &[bool]) -> Result<Vec<TermTest>> {
    let mut out = Vec::new();
    for (t, range) in ranges.iter().enumerate() {
        out.push(if crate::penalty::joint_rank(penalties, range) == range.len() {
            let others: Vec<&Range<usize>> =
                (0..ranges.len()).filter(|&i| i != t && random[i]).map(|i| &ranges[i]).collect();
            random_effect(fit, penalties, range, &others)?
        } else {
            smooth(fit, range)?
        });
    }
    Ok(out)
}

fn smooth(fit: &Fit, range: &Range<usize>) -> Result<TermTest> {
    let width = range.len();
    let edf1: f64 = fit.edf1[range.clone()].iter().sum();
    let r = edf1.min(width as f64);
    let x = root(&fit.gram.block(range.clone(), range.clone()))?;
    let v = fit.vp.block(range.clone(), range.clone());
    let mut rvr = x.mul(&v).mul(&x.t());
    rvr.symmetrise();
    let (values, vectors) = rvr.eigen()?;
    let fitted = x.mul_vec(&fit.beta[range.clone()]);
    // Projection on the i-th largest eigenvector, signed so that its first entry is positive.
    let value = |i: usize| values[width - 1 - i];
    let projection = |i: usize| {
        let u: Vec<f64> = (0..width).map(|j| vectors[(j, width - 1 - i)]).collect();
        let sign = if u[0] < 0.0 { -1.0 } else { 1.0 };
        sign * dot(&u, &fitted)
    };
    let k = (r.floor() as usize).max(1);
    let nu = (r - k as f64).max(0.0);
    let pair = nu > 0.0 && k < width && r >= 1.0;
    let whole = if pair { k - 1 } else { k };
    let sum: f64 = (0..whole).map(|i| projection(i).powi(2) / value(i)).sum();
    let residual = fit.scale_estimated.then_some(fit.residual_df);
    if !pair {
        let rank = if r < 1.0 { 1.0 } else { k as f64 };
        let log_p = match residual {
            Some(res) => ln_f_sf(sum / rank, rank, res),
            None => ln_chisq_sf(sum, rank),
        };
        let statistic = if residual.is_some() { sum / r } else { sum };
        return Ok(TermTest { ref_df: r, statistic, p: log_p.exp(), log_p });
    }
    let c = (nu * (1.0 - nu) / 2.0).sqrt();
    let (e, f) = (1.0 / value(k - 1).sqrt(), 1.0 / value(k).sqrt());
    // Squared length of B^(1/2) z is z'Bz.
    let b = [e * e, e * c * f, f * nu * f];
    let quadratic = |sign: f64| {
        let (z0, z1) = (sign * projection(k - 1), projection(k));
        sum + b[0] * z0 * z0 + 2.0 * b[1] * z0 * z1 + b[2] * z1 * z1
    };
    let heavy = 0.5 * (nu + 1.0 + ((nu + 1.0) * (1.0 - nu)).sqrt());
    let mut weights = vec![(1.0, (k - 1) as f64), (heavy, 1.0), (nu + 1.0 - heavy, 1.0)];
    if k == 1 {
        weights.remove(0);
    }
    let (t, other) = (quadratic(1.0), quadratic(-1.0));
    let (a, b) = (tails(&weights, t, residual), tails(&weights, other, residual));
    let top = a.1.max(b.1);
    let log_p = if top == f64::NEG_INFINITY { top } else { top + (0.5 * ((a.1 - top).exp() + (b.1 - top).exp())).ln() };
    let statistic = if residual.is_some() { t / r } else { t };
    Ok(TermTest { ref_df: r, statistic, p: 0.5 * (a.0 + b.0), log_p })
}

/// P(sum of weights × chi-square > t), as Davies' method prints it and its exact logarithm; with an estimated scale over
/// its chi-square of `residual` degrees of freedom (a whole number for Davies' method).
fn tails(weights: &[(f64, f64)], t: f64, residual: Option<f64>) -> (f64, f64) {
    let Some(res) = residual else { return (upper_tail(weights, t), ln_upper_tail(weights, t)) };
    let against = |res: f64| -> Vec<(f64, f64)> { weights.iter().copied().chain([(-t / res, res)]).collect() };
    (upper_tail(&against(res.round().max(1.0)), 0.0), ln_upper_tail(&against(res), 0.0))
}

/// `others`: the other random effects, which vary under the hypothesis too.
fn random_effect(fit: &Fit, penalties: &[Penalty], range: &Range<usize>, others: &[&Range<usize>]) -> Result<TermTest> {
    let phi = fit.unit;
    let width = fit.gram.rows;
    // X'W^(1/2) Var(y) W^(1/2) X over phi, the other random effects integrated out.
    let mut spread = fit.gram.clone();
    let mut total = Mat::zeros(width, width);
    for (j, p) in penalties.iter().enumerate() {
        for (from, s) in &p.parts {
            total.add_block(*from, *from, fit.rho[j].exp(), s);
        }
    }
    for other in others {
        let Some(prior) = Factor::new(&total.block((*other).clone(), (*other).clone())) else { continue };
        let across = fit.gram.block(0..width, (*other).clone());
        spread.add_scaled(1.0, &across.mul(&prior.inverse()).mul(&across.t()));
    }
    // Covariance of this term's coefficients without it, over phi; phi H^-1 is Vp.
    let own = fit.vp.block(range.clone(), 0..width);
    let mut v = own.mul(&spread).mul(&own.t());
    v.data.iter_mut().for_each(|x| *x /= phi * phi);
    v.symmetrise();
    // Likelihood ratio: b'(spread + S)b with the remaining coefficients profiled out.
    let random: Vec<&Range<usize>> = others.iter().copied().chain([range]).collect();
    let rest: Vec<usize> = (0..width).filter(|i| !random.iter().any(|r| r.contains(i))).collect();
    spread.add_scaled(1.0, &total);
    let pick = |rows: &[usize], cols: &[usize]| Mat::from_fn(rows.len(), cols.len(), |i, j| spread[(rows[i], cols[j])]);
    let this: Vec<usize> = range.clone().collect();
    let mut form = pick(&this, &this);
    if !rest.is_empty() {
        let Some(f) = Factor::new(&pick(&rest, &rest)) else {
            return Err(Error::new("GAM_RANK", "the terms beside a random effect cannot be told apart"));
        };
        let across = pick(&this, &rest);
        form.add_scaled(-1.0, &across.mul(&f.inverse()).mul(&across.t()));
    }
    form.symmetrise();
    let x = root(&form)?;
    let mut mixed = x.mul(&v).mul(&x.t());
    mixed.symmetrise();
    let (values, _) = mixed.eigen()?;
    let top = values.iter().fold(0.0, |m: f64, v| m.max(*v));
    let kept: Vec<(f64, f64)> = values.iter().filter(|v| **v > top * RANK).map(|v| (*v, 1.0)).collect();
    let fitted = x.mul_vec(&fit.beta[range.clone()]);
    let statistic = dot(&fitted, &fitted) / phi;
    let rank = kept.len() as f64;
    let residual = fit.scale_estimated.then_some(fit.residual_df);
    let (p, log_p) = tails(&kept, statistic, residual);
    let statistic = if fit.scale_estimated { statistic / rank } else { statistic };
    Ok(TermTest { ref_df: rank, statistic, p, log_p })
}
