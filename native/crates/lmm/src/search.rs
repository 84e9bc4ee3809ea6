//! Global search for lambda (Zhou & Stephens 2012, online methods): every interval of the grid in which the derivative
//! changes sign is searched for its root; the best of these and the two bounds wins.

use crate::curve::Curve;
use crate::elimination::Cross;
use crate::root;

/// What a test needs of a model at one lambda. The last column before y is the variant under test.
#[derive(Debug, Clone, Copy)]
pub struct Fit {
    pub lambda: f64,
    pub loglik: f64,
    /// x' P x and x' P y given the covariates, y' P y given covariates and x.
    pub xx: f64,
    pub xy: f64,
    pub yy: f64,
}

impl Fit {
    pub fn new(lambda: f64, loglik: f64, cross: &Cross) -> Self {
        let x = cross.m - 2;
        Self { lambda, loglik, xx: cross.pivot(x), xy: cross.entry(x, x + 1), yy: cross.y_py() }
    }
}

/// `slopes`: the first derivative at the grid's `points`; `ends`: the fits at the first and the last of them.
pub fn search(curve: &mut Curve, points: &[f64], slopes: &[f64], ends: [Fit; 2]) -> Fit {
    let bounds = (points[0], points[points.len() - 1]);
    let mut best: Option<Fit> = None;
    for (x, f) in points.windows(2).zip(slopes.windows(2)) {
        if f[0] * f[1] > 0.0 || f[0].is_nan() || f[1].is_nan() {
            continue;
        }
        let lambda = root::find(curve, (x[0], f[0]), (x[1], f[1]), bounds);
        let fit = Fit::new(lambda, curve.loglik(lambda), &curve.scratch.cross);
        if best.is_none_or(|b| fit.loglik > b.loglik) {
            best = Some(fit);
        }
    }
    let [low, high] = ends;
    let end = if high.loglik > low.loglik { high } else { low };
    match best {
        Some(best) if best.loglik >= end.loglik => best,
        _ => end,
    }
}
