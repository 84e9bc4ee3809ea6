//! The criterion along one smoothing parameter, all others and the working weights held: one small eigenproblem gives it in
//! closed form from here to infinity. Where a term is about to vanish the criterion is nearly flat and no parabola, in
//! whatever coordinate, tells how far its optimum is; this does.

use crate::criterion::{Evaluation, Method, Model, Source};
use crate::mat::Mat;

const H: f64 = 1e-4;

/// H + (exp(t) - 1) lambda_j S_j, for every t.
pub struct Tail {
    /// Eigenvalues of lambda_j S_j relative to H, between 0 and 1, and the penalty's pull on the coefficients along them,
    /// squared.
    shares: Vec<f64>,
    pulls: Vec<f64>,
    total: f64,
    phi: f64,
    /// Rows that the scale is estimated from; `None` where it is held.
    rows: Option<f64>,
    rank: f64,
    /// What the moving weights add to the slope at t = 0 and to its derivative there; both fade outward.
    beside: f64,
    bend: f64,
}

/// exp(-t) outward, bounded inward.
fn fade(t: f64) -> f64 {
    if t >= 0.0 { (-t).exp() } else { 2.0 - t.exp() }
}

/// Where the search along a tail ends.
pub enum End {
    /// A minimum so far away.
    At(f64),
    /// None before the criterion is flat, so far away.
    Flat(f64),
}

impl Tail {
    /// `None` where the penalty shares its coefficients with another one, or the criterion is no REML.
    pub fn along(model: &Model, now: &Evaluation, j: usize) -> Option<Tail> {
        let p = &now.prepared;
        let alone = (0..p.lambda.len()).all(|k| p.log_det_hessian[(j, k)] == 0.0);
        if !alone || model.method != Method::Reml {
            return None;
        }
        let mut roots: Vec<(usize, f64)> = Vec::new();
        for (from, s) in &p.parts[j] {
            for i in 0..s.rows {
                if (0..s.cols).any(|k| k != i && s[(i, k)] != 0.0) {
                    return None;
                }
                if s[(i, i)] > 0.0 {
                    roots.push((from + i, (p.lambda[j] * s[(i, i)]).sqrt()));
                }
            }
        }
        let n = roots.len();
        let k = Mat::from_fn(n, n, |a, b| roots[a].1 * roots[b].1 * now.inverse[(roots[a].0, roots[b].0)]);
        let (values, vectors) = k.eigen().ok()?;
        let pull: Vec<f64> = roots.iter().map(|(i, r)| r * now.beta[*i]).collect();
        let exact = matches!(model.source, Source::Quadratic(_)) && model.scale.is_none();
        let mut tail = Tail {
            shares: values.iter().map(|v| v.clamp(0.0, 1.0)).collect(),
            pulls: vectors.tmul_vec(&pull).iter().map(|x| x * x / model.gamma).collect(),
            total: (2.0 * now.f + now.penalty) / model.gamma,
            phi: now.phi,
            rows: exact.then_some(model.n / model.gamma - model.penalties.null_dimension as f64),
            rank: p.log_det_gradient[j],
            beside: 0.0,
            bend: 0.0,
        };
        tail.beside = now.gradient[j] - tail.slope(0.0);
        tail.bend = now.hessian[(j, j)] - (tail.slope(H) - tail.slope(-H)) / (2.0 * H);
        Some(tail)
    }

    /// Derivative of the criterion by rho_j at a distance `t` of it.
    pub fn slope(&self, t: f64) -> f64 {
        let grown = t.exp();
        let (mut fall, mut change, mut trace) = (0.0, 0.0, 0.0);
        for (m, w) in self.shares.iter().zip(&self.pulls) {
            let size = 1.0 + (grown - 1.0) * m;
            fall += (grown - 1.0) * w / size;
            change += grown * w / (size * size);
            trace += grown * m / size;
        }
        let phi = self.rows.map_or(self.phi, |rows| (self.total + fall) / rows);
        let bend = if t >= 0.0 { (1.0 - (-t).exp()) * (-t).exp() } else { t.exp() - 1.0 };
        0.5 * (change / phi + trace - self.rank) + self.beside * fade(t) + self.bend * bend
    }

    /// The first minimum downhill from here, no further than `low` and `high`. `push` is what the other coordinates' steps
    /// add to the slope; `flat` is a slope that counts as none.
    pub fn descend(&self, push: f64, flat: f64, low: f64, high: f64) -> End {
        const STEP: f64 = 0.25;
        let slope = |t: f64| self.slope(t) + push * fade(t);
        let outward = slope(0.0) < 0.0;
        let step = if outward { STEP } else { -STEP };
        let mut from = 0.0;
        loop {
            let next = (from + step).clamp(low, high);
            let s = slope(next);
            if (s < 0.0) != outward {
                return End::At(zero(&slope, from, next));
            }
            if outward && s > -flat {
                return End::Flat(next);
            }
            if next <= low || next >= high {
                return End::At(next);
            }
            from = next;
        }
    }
}

/// Bisection to rounding.
fn zero(f: &impl Fn(f64) -> f64, mut a: f64, mut b: f64) -> f64 {
    let below = f(a) < 0.0;
    for _ in 0..60 {
        let middle = 0.5 * (a + b);
        if (f(middle) < 0.0) == below { a = middle } else { b = middle }
    }
    0.5 * (a + b)
}
