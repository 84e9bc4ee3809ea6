//! Maximum of a likelihood over (Vg, Ve). EM steps make a start, damped Newton steps end it.
//!
//! A Newton step is taken in square roots: Vg = (R + A)² with R = diag(√ratios), Ve = (I + B)², A and B symmetric, in
//! the frame of the current point. So every step stays inside the cone, and a maximum on its border (a trait, or a
//! combination of traits, without genetic variance) is an ordinary maximum that is reached quadratically.

use x_simd::{Error, Result};

use super::derivatives::{Derivatives, Parameter};
use super::frame::Frame;
use super::point::{Model, Point, Scratch};
use super::small::{cholesky, solve};

/// How far the search goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MultiOptions {
    /// Most EM steps of the null model, and the gain of log-likelihood below which they end.
    pub em_iterations: usize,
    pub em_precision: f64,
    /// Most Newton steps, and the predicted gain below which a step is the last.
    pub newton_iterations: usize,
    pub newton_precision: f64,
}

impl Default for MultiOptions {
    fn default() -> Self {
        Self { em_iterations: 10_000, em_precision: 1e-3, newton_iterations: 100, newton_precision: 1e-10 }
    }
}

impl MultiOptions {
    pub(super) fn check(&self) -> Result<()> {
        let good = |precision: f64| precision > 0.0 && precision.is_finite();
        if good(self.em_precision) && good(self.newton_precision) && self.newton_iterations > 0 {
            return Ok(());
        }
        Err(Error::new("OPTION_RANGE", "precisions must be above 0, and at least one Newton step allowed"))
    }
}

/// No step changes a square root of Ve by more than this share.
const LONGEST: f64 = 0.7;
/// Shortest useful start: a ratio of 0 has no slope in its square root.
pub const LEAST_SHARE: f64 = 1e-3;

pub struct Maximum {
    pub point: Point,
    pub steps: usize,
    pub converged: bool,
}

/// Newton's method from a frame. `None` when the likelihood cannot be evaluated there.
pub fn maximise(
    model: &Model,
    start: Frame,
    parameters: &[Parameter],
    options: &MultiOptions,
    scratch: &mut Scratch,
) -> Option<Maximum> {
    let mut point = model.evaluate(start, scratch)?;
    let mut damping = 0.0;
    let mut fresh = None;
    for steps in 0..options.newton_iterations {
        let newton = match fresh.take() {
            Some(newton) => newton,
            None => {
                let derivatives = model.derivatives(&point, parameters, true, scratch);
                Newton::new(derivatives, &point.frame, parameters)
            }
        };
        let (change, gain, whole) = newton.step(&mut damping)?;
        let last = whole && gain <= options.newton_precision;
        let trial = moved(&point.frame, &change, parameters).and_then(|frame| model.evaluate(frame, scratch));
        let noise = 1e-13 * point.loglik.abs();
        match trial {
            Some(trial) if trial.loglik >= point.loglik - noise => {
                point = trial;
                damping = if damping > 1e-6 { damping * 0.1 } else { 0.0 };
            }
            _ if gain <= 1e3 * noise => return Some(Maximum { point, steps, converged: true }),
            _ => {
                damping = (damping * 10.0).max(1e-3);
                fresh = Some(newton);
            }
        }
        if last {
            return Some(Maximum { point, steps: steps + 1, converged: true });
        }
    }
    Some(Maximum { point, steps: options.newton_iterations, converged: false })
}

/// EM steps (each raises the likelihood): Vg + 2/n' Vg Γ Vg with Γ the slope in Vg and n' the eigenvalues above 0, and
/// likewise Ve.
pub fn expectation_maximisation(
    model: &Model,
    start: Frame,
    parameters: &[Parameter],
    options: &MultiOptions,
    scratch: &mut Scratch,
) -> Option<Point> {
    let d = start.d;
    let mut point = model.evaluate(start, scratch)?;
    for _ in 0..options.em_iterations {
        let slopes = model.derivatives(&point, parameters, false, scratch);
        let ratios = point.frame.ratios.clone();
        let counts = [model.data.n, model.data.positive.max(1)];
        let [mut vg, mut ve] = [vec![0.0; d * d], vec![0.0; d * d]];
        for i in 0..d {
            (vg[i * d + i], ve[i * d + i]) = (ratios[i], 1.0);
        }
        for (j, slope) in parameters.iter().zip(&slopes.gradient) {
            let scale = if j.power == 1 { ratios[j.a] * ratios[j.b] } else { 1.0 };
            let by = 2.0 / counts[j.power] as f64 * scale * slope * if j.a == j.b { 1.0 } else { 0.5 };
            let target = if j.power == 1 { &mut vg } else { &mut ve };
            target[j.a * d + j.b] += by;
            if j.a != j.b {
                target[j.b * d + j.a] += by;
            }
        }
        let next = point.frame.moved(&vg, &ve).and_then(|frame| model.evaluate(frame, scratch));
        let Some(next) = next.filter(|next| next.loglik > point.loglik) else { break };
        let gain = next.loglik - point.loglik;
        point = next;
        if gain < options.em_precision {
            break;
        }
    }
    Some(point)
}

/// Slope and curvature in the square roots.
struct Newton {
    gradient: Vec<f64>,
    /// Minus the second derivative.
    curvature: Vec<f64>,
    scale: f64,
    parameters: Vec<Parameter>,
}

impl Newton {
    fn new(derivatives: Derivatives, frame: &Frame, parameters: &[Parameter]) -> Self {
        let (d, count) = (frame.d, parameters.len());
        let Derivatives { gradient: slopes, hessian } = derivatives;
        // S = R A + A R + A²: the linear part of an entry is (r_a + r_b) A_ab.
        let root = |trait_: usize, power: usize| if power == 1 { frame.ratios[trait_].sqrt() } else { 1.0 };
        let linear: Vec<f64> = parameters.iter().map(|j| root(j.a, j.power) + root(j.b, j.power)).collect();
        // Γ with dl = tr(Γ dS), for Ve and for Vg.
        let mut slope = [vec![0.0; d * d], vec![0.0; d * d]];
        for (j, g) in parameters.iter().zip(&slopes) {
            let value = if j.a == j.b { *g } else { 0.5 * g };
            slope[j.power][j.a * d + j.b] = value;
            slope[j.power][j.b * d + j.a] = value;
        }
        let mut curvature = vec![0.0; count * count];
        for (at, j) in parameters.iter().enumerate() {
            for (other, k) in parameters.iter().enumerate().take(at + 1) {
                let mut value = linear[at] * hessian[at * count + other] * linear[other];
                if j.power == k.power {
                    value += 2.0 * bent(&slope[j.power], j, k, d);
                }
                curvature[at * count + other] = -value;
                curvature[other * count + at] = -value;
            }
        }
        let gradient = slopes.iter().zip(&linear).map(|(g, l)| g * l).collect();
        let scale = (0..count).map(|i| curvature[i * count + i].abs()).fold(f64::MIN_POSITIVE, f64::max);
        Self { gradient, curvature, scale, parameters: parameters.to_vec() }
    }

    /// The step, the gain it promises, and whether it is Newton's own, neither damped nor cut. Raises the damping until
    /// the curvature is positive definite.
    fn step(&self, damping: &mut f64) -> Option<(Vec<f64>, f64, bool)> {
        let count = self.gradient.len();
        for _ in 0..60 {
            let mut l = self.curvature.clone();
            (0..count).for_each(|i| l[i * count + i] += *damping * self.scale);
            if cholesky(&mut l, count) {
                let mut change = self.gradient.clone();
                solve(&l, count, &mut change);
                let gain = 0.5 * change.iter().zip(&self.gradient).map(|(a, b)| a * b).sum::<f64>();
                if gain.is_finite() {
                    let residual = self.parameters.iter().zip(&change).filter(|(j, _)| j.power == 0);
                    let longest = residual.map(|(_, v)| v.abs()).fold(0.0, f64::max);
                    let cut = (LONGEST / longest).min(1.0);
                    change.iter_mut().for_each(|v| *v *= cut);
                    return Some((change, gain, *damping == 0.0 && cut == 1.0));
                }
            }
            *damping = (*damping * 10.0).max(1e-6);
        }
        None
    }
}

/// tr(Γ E_j E_k) of the symmetric unit matrices of two entries, half from each order.
fn bent(slope: &[f64], j: &Parameter, k: &Parameter, d: usize) -> f64 {
    let ends = |p: &Parameter| {
        let twice = (p.a != p.b).then_some((p.b, p.a));
        [(p.a, p.b)].into_iter().chain(twice)
    };
    let mut sum = 0.0;
    for (p, q) in ends(j) {
        for (r, s) in ends(k) {
            if q == r {
                sum += slope[s * d + p];
            }
        }
    }
    sum
}

/// The frame after a step in square roots.
fn moved(frame: &Frame, change: &[f64], parameters: &[Parameter]) -> Option<Frame> {
    let d = frame.d;
    let [mut ve, mut vg] = [vec![0.0; d * d], vec![0.0; d * d]];
    for i in 0..d {
        (vg[i * d + i], ve[i * d + i]) = (frame.ratios[i].sqrt(), 1.0);
    }
    for (j, &change) in parameters.iter().zip(change) {
        let target = if j.power == 1 { &mut vg } else { &mut ve };
        target[j.a * d + j.b] += change;
        if j.a != j.b {
            target[j.b * d + j.a] += change;
        }
    }
    let square = |root: &[f64]| super::small::multiply(root, root, d);
    frame.moved(&square(&vg), &square(&ve))
}
