//! Tests of whole smooths: Wood (2013, Biometrika 100) for terms with an unpenalised part, Wood (2013, "A simple test
//! for random effects") for terms that the penalties shrink to zero.

use std::ops::Range;

use x_simd::Result;
use x_stats::{ln_chisq_sf, ln_f_sf};

use crate::fit::Fit;
use crate::mat::{Factor, Mat, dot};
use crate::mixture::ln_upper_tail;
use crate::penalty::Penalty;

/// Statistic (divided by its degrees of freedom where the scale is estimated), reference degrees of freedom, ln p.
#[derive(Debug, Clone, Copy)]
pub struct TermTest {
    pub ref_df: f64,
    pub statistic: f64,
    pub log_p: f64,
}

/// A matrix whose rows times coefficients have the Euclidean length of the weighted fitted values.
fn root(gram: &Mat) -> Result<Mat> {
    if let Some(f) = Factor::new(gram) {
        return Ok(f.upper());
    }
    let (values, vectors) = gram.eigen()?;
    let n = gram.rows;
    Ok(Mat::from_fn(n, n, |i, j| vectors[(j, n - 1 - i)] * values[n - 1 - i].max(0.0).sqrt()))
}

/// One test a range of coefficients.
pub fn all(fit: &Fit, penalties: &[Penalty], ranges: &[Range<usize>]) -> Result<Vec<TermTest>> {
    let full = |r: &Range<usize>| crate::penalty::joint_rank(penalties, r) == r.len();
    let random: Vec<bool> = ranges.iter().map(full).collect();
    let mut out = Vec::new();
    for (t, range) in ranges.iter().enumerate() {
        out.push(if random[t] {
            let others: Vec<&Range<usize>> = ranges
                .iter()
                .zip(&random)
                .enumerate()
                .filter(|(i, (_, r))| *i != t && **r)
                .map(|(_, (r, _))| r)
                .collect();
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
        return Ok(TermTest { ref_df: r, statistic, log_p });
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
    let tail = |t: f64| match residual {
        Some(res) => {
            let mut all = weights.clone();
            all.push((-t / res, res));
            ln_upper_tail(&all, 0.0)
        }
        None => ln_upper_tail(&weights, t),
    };
    let (t, other) = (quadratic(1.0), quadratic(-1.0));
    let (p, q) = (tail(t), tail(other));
    let top = p.max(q);
    let log_p = if top == f64::NEG_INFINITY { top } else { top + (0.5 * ((p - top).exp() + (q - top).exp())).ln() };
    Ok(TermTest { ref_df: r, statistic: if residual.is_some() { t / r } else { t }, log_p })
}

fn random_effect(fit: &Fit, penalties: &[Penalty], range: &Range<usize>, others: &[&Range<usize>]) -> Result<TermTest> {
    let phi = fit.unit;
    let x = root(&fit.gram.block(range.clone(), range.clone()))?;
    // Covariance of the estimates with this term absent and the other random terms random (over phi).
    let mut v = fit.ve.block(range.clone(), range.clone());
    v.data.iter_mut().for_each(|x| *x /= phi);
    for other in others {
        let mut s = Mat::zeros(other.len(), other.len());
        for (j, p) in penalties.iter().enumerate() {
            for (from, m) in p.parts.iter().filter(|(from, _)| other.contains(from)) {
                s.add_block(from - other.start, from - other.start, fit.rho[j].exp(), m);
            }
        }
        let Some(factor) = Factor::new(&s) else { continue };
        // Vp/phi X'WX restricted to (this term, the other term).
        let all = fit.vp.block(range.clone(), 0..fit.vp.cols).mul(&fit.gram.block(0..fit.gram.rows, (*other).clone()));
        let f = Mat { data: all.data.iter().map(|x| x / phi).collect(), ..all };
        let mut add = f.mul(&factor.inverse()).mul(&f.t());
        add.symmetrise();
        v.add_scaled(1.0, &add);
    }
    let mut rvr = x.mul(&v).mul(&x.t());
    rvr.symmetrise();
    let (values, _) = rvr.eigen()?;
    let top = values.iter().fold(0.0, |m: f64, v| m.max(*v));
    let kept: Vec<f64> = values.iter().copied().filter(|v| *v > top * f64::EPSILON.powf(0.8)).collect();
    let fitted = x.mul_vec(&fit.beta[range.clone()]);
    let statistic = dot(&fitted, &fitted) / phi;
    let rank = kept.len() as f64;
    let mut terms: Vec<(f64, f64)> = kept.iter().map(|v| (*v, 1.0)).collect();
    let log_p = if fit.scale_estimated {
        terms.push((-statistic / fit.residual_df, fit.residual_df));
        ln_upper_tail(&terms, 0.0)
    } else {
        ln_upper_tail(&terms, statistic)
    };
    let statistic = if fit.scale_estimated { statistic / rank } else { statistic };
    Ok(TermTest { ref_df: rank, statistic, log_p })
}
