//! Smoothing parameter selection: a Fellner–Schall start, then Newton steps on the exact Hessian with step and box
//! limits. A coordinate whose gradient and curvature have both vanished has converged at infinity; it is left where it
//! is and named in the certificate.

use x_simd::{Error, Result};

use crate::criterion::{Evaluation, Method, Model};
use crate::mat::{Mat, dot};
use crate::probe::Probe;
use crate::step::{Past, Place, Step, learn, propose};
use crate::tail::Tail;

#[derive(Debug, Clone)]
pub struct Control {
    /// NaN entries: the engine's own start.
    pub rho: Option<Vec<f64>>,
    pub beta: Option<Vec<f64>>,
    pub fixed: bool,
    pub max_outer: usize,
    /// Derivatives at the very last point, for the covariance of the smoothing parameters.
    pub refresh: bool,
    pub rho_min: f64,
    pub rho_max: f64,
    /// Derivatives of the Hessian by (rho, theta) at the optimum of a related fit, or empty. They only shape the steps.
    pub third: Vec<f64>,
    /// Should the result tell its own?
    pub probe: bool,
    /// Look once whether a term has a better optimum at infinity (REML only).
    pub look: bool,
}

impl Default for Control {
    fn default() -> Self {
        Control {
            rho: None,
            beta: None,
            fixed: false,
            max_outer: 200,
            refresh: true,
            rho_min: -FARTHEST,
            rho_max: FARTHEST,
            third: Vec::new(),
            probe: false,
            look: false,
        }
    }
}

#[derive(Debug, Clone, Default)]
pub struct Certificate {
    pub converged: bool,
    /// Largest absolute gradient over the coordinates that are neither at infinity nor at the box.
    pub gradient: f64,
    /// Smallest eigenvalue of the Hessian over the same coordinates.
    pub curvature: f64,
    pub inner_score: f64,
    pub infinite: Vec<usize>,
    pub at_box: Vec<usize>,
}

pub struct Optimum {
    pub rho: Vec<f64>,
    pub evaluation: Evaluation,
    pub certificate: Certificate,
    pub outer: usize,
    pub evaluations: usize,
    pub inner: usize,
    /// Criterion and (rho, theta) of each accepted point; the first is the start.
    pub trace: Vec<(f64, Vec<f64>)>,
    pub probe: Option<Probe>,
}

/// Gradients below this count as zero: a Newton step from there changes edf by less than 1e-7.
pub const GRADIENT: f64 = 1e-7;
/// Gradient and curvature of a coordinate at infinity.
pub const FLAT: f64 = 1e-7;
/// A gradient above this is no rounding error.
const RISING: f64 = 5e-9;
/// A shorter step changes nothing that anybody reads.
const NO_STEP: f64 = 1e-9;
/// Rounds of Fellner–Schall before Newton's method, and the step that ends them; terms further out are left to Newton.
const MAX_FELLNER: usize = 6;
const NEAR: f64 = 0.15;
const VANISHING: f64 = 10.0;
/// Half a Newton decrement of P-IRLS: coefficients within 1e-7 standard errors. The criterion would be content with less;
/// its gradient errs with the first power of theirs.
pub const INNER: f64 = 1e-14;
/// What a point on the way is content with, and what one that may be the last must have.
const INNER_ON_THE_WAY: f64 = 1e-8;
const INNER_AT_THE_END: f64 = 1e-13;

/// No search goes this far: where a criterion is flat depends on the units of responses and covariates, so the box is one
/// against overflow and nothing else.
const FARTHEST: f64 = 150.0;

/// How far out another basin is looked for, and how much higher than here its estimate may be.
const FAR: f64 = 12.0;
const WORTH_A_LOOK: f64 = 0.05;

pub struct Search<'a> {
    pub model: &'a Model<'a>,
    pub control: &'a Control,
    pub m: usize,
    pub evaluations: usize,
    pub inner: usize,
    pub third: Vec<f64>,
}

/// Start values at which each penalty weighs as much as the data on the coefficients it touches.
fn balanced(model: &Model, gram: &Mat) -> Result<Vec<f64>> {
    let p = model.penalties.prepare(&vec![0.0; model.penalties.count])?;
    let gram = p.rotate(gram, true);
    Ok(p.parts
        .iter()
        .map(|parts| {
            let (mut data, mut penalty, mut count) = (0.0, 0.0, 0.0);
            for (from, s) in parts {
                let small = 1e-8 * s.largest();
                for i in 0..s.rows {
                    if s[(i, i)] > small {
                        data += gram[(from + i, from + i)];
                        penalty += s[(i, i)];
                        count += 1.0;
                    }
                }
            }
            if count > 0.0 && data > 0.0 { (data / penalty).ln() } else { 0.0 }
        })
        .collect())
}

pub fn optimise(model: &Model, theta: &[f64], control: &Control) -> Result<Optimum> {
    let m = model.penalties.count;
    let mut search = Search { model, control, m, evaluations: 0, inner: 0, third: control.third.clone() };
    let clamp = |r: f64| r.clamp(control.rho_min, control.rho_max);
    let mut beta = control.beta.clone();
    let given = control.rho.clone().unwrap_or_else(|| vec![f64::NAN; m]);
    let start = if given.iter().all(|r| r.is_finite()) {
        given
    } else {
        // The caller's coordinates stay where they are, the others find their start beside them.
        let keep = |rho: Vec<f64>| -> Vec<f64> {
            rho.iter().zip(&given).map(|(r, g)| if g.is_finite() { *g } else { clamp(*r) }).collect()
        };
        let (guess, rough) = model.outset(theta, beta.take(), &|gram| Ok(keep(balanced(model, gram)?)))?;
        let first = model.evaluate(&rough, theta, Some(&guess), false, 1e-2)?;
        search.evaluations += 1;
        search.inner += first.inner;
        let mut rho = keep(balanced(model, &first.prepared.rotate(&first.gram, false))?);
        beta = Some(first.prepared.to_plain(&first.beta));
        // These evaluations need no derivatives: on the way to the optimum's neighbourhood they are cheaper than Newton's.
        for round in 0..MAX_FELLNER {
            let next = keep(search.fellner_schall(&rho, theta, &mut beta)?);
            let near = |(a, b): (&f64, &f64)| (a - b).abs() < NEAR || *b > VANISHING;
            let arrived = round > 0 && rho.iter().zip(&next).all(near);
            rho = next;
            if arrived {
                break;
            }
        }
        rho
    };
    let mut point: Vec<f64> = start.iter().chain(theta).copied().collect();
    // At a fixed rho the family's own parameters are still estimated.
    let settled = control.fixed && theta.is_empty();
    let derivatives = !settled;
    let first = if settled { INNER } else { INNER_ON_THE_WAY };
    let mut now = search.evaluate(&point, beta.as_deref(), derivatives, first)?;
    let mut trace = vec![(now.criterion, point.clone())];
    let mut outer = 0;
    let mut certificate = Certificate { converged: settled, ..Certificate::default() };
    let mut best_gradient = f64::INFINITY;
    let mut stalled = 0;
    let mut past = None;
    let mut looked = !control.look || control.fixed || model.method != Method::Reml;
    while !certificate.converged {
        let state = search.state(&point, &now);
        certificate = state.certificate(&now);
        // A gradient at the level of rounding: it does not fall any more although the steps are Newton's.
        if certificate.gradient < 0.5 * best_gradient {
            best_gradient = certificate.gradient;
            stalled = 0;
        } else {
            stalled += 1;
        }
        let rounding = 1e-9 * (1.0 + now.criterion.abs());
        let step = search.propose(&point, &now, past.as_ref(), &state);
        let unit = search.unit(&now);
        let close = certificate.curvature > 0.0
            && step.ends(&now, &state, unit)
            && (!search.carries() || search.left(&step.last(&now, unit), &now, &state).1 < GRADIENT);
        let ended = certificate.gradient < GRADIENT || close || (stalled >= 2 && certificate.gradient < rounding);
        if ended && !looked && now.decrement <= INNER_AT_THE_END {
            looked = true;
            if let Some((next, evaluation)) = search.look_outward(&point, &now, &state)? {
                (point, now, past) = (next, evaluation, None);
                search.third.clear();
                best_gradient = f64::INFINITY;
                trace.push((now.criterion, point.clone()));
                continue;
            }
        }
        if ended && now.decrement > INNER_AT_THE_END && search.tighten(&point, &mut now)? {
            best_gradient = f64::INFINITY;
            continue;
        }
        if ended {
            certificate.converged = true;
            let last = step.last(&now, unit);
            if close && last.iter().any(|s| s.abs() > NO_STEP) {
                certificate.gradient = search.refine(&mut point, &last, &mut now, &state)?;
                trace.push((now.criterion, point.clone()));
                if search.carries() && certificate.gradient >= GRADIENT {
                    // The exact gradient of a gaussian model: third derivatives were further off than they should be.
                    let beta = now.prepared.to_plain(&now.beta);
                    now = search.evaluate(&point, Some(&beta), true, INNER_ON_THE_WAY)?;
                    (certificate.converged, past, outer) = (false, None, outer + 1);
                    continue;
                }
            }
            break;
        }
        if outer >= control.max_outer {
            break;
        }
        outer += 1;
        match search.step(&point, &now, &step)? {
            Some((next, evaluation)) => {
                let Evaluation { gradient, hessian, .. } = std::mem::replace(&mut now, evaluation);
                if !search.third.is_empty() {
                    let moved: Vec<f64> = next.iter().zip(&point).map(|(a, b)| a - b).collect();
                    let mut change = now.hessian.clone();
                    change.add_scaled(-1.0, &hessian);
                    learn(&mut search.third, &moved, &change);
                }
                past = Some(Past { point: std::mem::replace(&mut point, next), gradient, hessian });
                trace.push((now.criterion, point.clone()));
            }
            None => {
                certificate.converged = certificate.gradient < 100.0 * rounding;
                break;
            }
        }
    }
    certificate.inner_score = now.decrement.max(0.0).sqrt() / (1.0 + (now.f.abs() + 0.5 * now.penalty).sqrt());
    if !certificate.converged {
        let text = format!(
            "the smoothing parameters did not converge: largest gradient {:e} after {outer} steps",
            certificate.gradient
        );
        return Err(Error::new("GAM_NOT_CONVERGED", text)
            .with("gradient", certificate.gradient)
            .with("outer", outer as f64)
            .with("criterion", now.criterion));
    }
    let probe = if control.probe { Some(search.probe(&point, &now)?) } else { None };
    Ok(Optimum {
        rho: point[..m].to_vec(),
        probe,
        evaluation: now,
        certificate,
        outer,
        evaluations: search.evaluations,
        inner: search.inner,
        trace,
    })
}

/// Which coordinates still move, and the Hessian over them.
pub struct State {
    pub active: Vec<usize>,
    infinite: Vec<usize>,
    at_box: Vec<usize>,
    values: Vec<f64>,
}

impl State {
    pub fn certificate(&self, now: &Evaluation) -> Certificate {
        Certificate {
            converged: false,
            gradient: self.active.iter().map(|&i| now.gradient[i].abs()).fold(0.0, f64::max),
            curvature: self.values.first().copied().unwrap_or(0.0),
            inner_score: 0.0,
            infinite: self.infinite.clone(),
            at_box: self.at_box.clone(),
        }
    }
}

impl Search<'_> {
    /// The criterion at another point. `tolerance` is half the Newton decrement that the coefficients may keep.
    fn evaluate(
        &mut self,
        point: &[f64],
        beta: Option<&[f64]>,
        derivatives: bool,
        tolerance: f64,
    ) -> Result<Evaluation> {
        self.evaluations += 1;
        let (rho, theta) = point.split_at(self.m);
        let mut e = self.model.evaluate(rho, theta, beta, derivatives, tolerance)?;
        self.inner += e.inner;
        if derivatives && self.model.method == Method::Gcv {
            e.hessian = self.differences(point, &e)?;
        }
        Ok(e)
    }

    /// The same point with coefficients good enough for a certificate; false where they cannot be had any better.
    fn tighten(&mut self, point: &[f64], now: &mut Evaluation) -> Result<bool> {
        let before = now.decrement;
        let beta = now.prepared.to_plain(&now.beta);
        *now = self.evaluate(point, Some(&beta), true, INNER)?;
        // No other point: no evaluation of the search.
        self.evaluations -= 1;
        Ok(now.decrement < before)
    }

    /// Hessian of GCV by central differences of its exact gradient.
    fn differences(&mut self, point: &[f64], at: &Evaluation) -> Result<Mat> {
        let beta = at.prepared.to_plain(&at.beta);
        let h = 1e-4;
        let mut out = Mat::zeros(self.m, self.m);
        for j in 0..self.m {
            let mut sides = [Vec::new(), Vec::new()];
            for (side, sign) in sides.iter_mut().zip([1.0, -1.0]) {
                let mut rho = point[..self.m].to_vec();
                rho[j] += sign * h;
                let e = self.model.evaluate(&rho, &point[self.m..], Some(&beta), true, INNER)?;
                self.evaluations += 1;
                self.inner += e.inner;
                *side = e.gradient;
            }
            for k in 0..self.m {
                out[(j, k)] = (sides[0][k] - sides[1][k]) / (2.0 * h);
            }
        }
        out.symmetrise();
        Ok(out)
    }

    /// One update of the generalised Fellner–Schall method (Wood & Fasiolo 2017).
    fn fellner_schall(&mut self, rho: &[f64], theta: &[f64], beta: &mut Option<Vec<f64>>) -> Result<Vec<f64>> {
        let e = self.model.evaluate(rho, theta, beta.as_deref(), false, 1e-4)?;
        self.evaluations += 1;
        self.inner += e.inner;
        let p = &e.prepared;
        let phi = if self.model.method == Method::Gcv && self.model.scale.is_none() {
            2.0 * e.f / (self.model.n - e.inverse.trace_with(&e.gram)).max(1.0)
        } else if self.model.method == Method::Gcv {
            e.phi
        } else {
            e.phi * self.model.gamma
        };
        let next = (0..self.m)
            .map(|j| {
                let gap = (p.log_det_gradient[j] - p.trace(j, &e.inverse)).max(1e-7);
                let size = (p.lambda[j] * dot(&p.times(j, &e.beta), &e.beta)).max(1e-300);
                let step = (phi * gap / size).ln().clamp(-4.0, 4.0);
                (rho[j] + step).clamp(self.control.rho_min, self.control.rho_max)
            })
            .collect();
        *beta = Some(p.to_plain(&e.beta));
        Ok(next)
    }

    pub fn state(&self, point: &[f64], now: &Evaluation) -> State {
        let (mut active, mut infinite, mut at_box) = (Vec::new(), Vec::new(), Vec::new());
        // GCV lives on the scale of the deviance per row, REML on that of the log likelihood.
        let unit = self.unit(now);
        for i in 0..point.len() {
            let (g, h) = (now.gradient[i], now.hessian[(i, i)]);
            if i < self.m && self.control.fixed {
                continue;
            }
            // Beside a finite optimum the criterion is as flat far out, but it rises.
            let flat = g.abs() < FLAT * unit && h.abs() < FLAT * unit;
            if i < self.m && flat && (g < RISING * unit || self.control.fixed) {
                infinite.push(i);
            } else if i < self.m
                && ((point[i] >= self.control.rho_max && g < 0.0) || (point[i] <= self.control.rho_min && g > 0.0))
            {
                at_box.push(i);
            } else {
                active.push(i);
            }
        }
        let h = Mat::from_fn(active.len(), active.len(), |a, b| now.hessian[(active[a], active[b])]);
        let values = if active.is_empty() { Vec::new() } else { h.eigen().map_or(Vec::new(), |e| e.0) };
        State { active, infinite, at_box, values }
    }

    fn propose(&self, point: &[f64], now: &Evaluation, past: Option<&Past>, state: &State) -> Step {
        // Covariances hold the Hessian of the last point.
        let limit = if self.carries() { 1e-3 } else { 3e-4 };
        // A cold search has its own way out; a related fit has told where this one ends, nearly.
        let tails: Vec<Option<Tail>> = (0..point.len())
            .map(|i| (self.related() && i < self.m).then(|| Tail::along(self.model, now, i)).flatten())
            .collect();
        let place = Place {
            point,
            now,
            past,
            third: &self.third,
            tails: &tails,
            active: &state.active,
            unit: self.unit(now),
            limit,
        };
        propose(&place, self.m, self.control.rho_min..=self.control.rho_max)
    }

    fn unit(&self, now: &Evaluation) -> f64 {
        if self.model.method == Method::Gcv { now.criterion.abs().min(1.0) } else { 1.0 }
    }

    /// Coefficients after a move: along their derivatives by rho, or by exp(-rho) where that is the coordinate.
    pub fn follow(&self, reach: &[f64], now: &Evaluation) -> Vec<f64> {
        let mut guess = now.beta.clone();
        for (d, s) in now.directions.iter().zip(reach) {
            crate::mat::axpy(*s, d, &mut guess);
        }
        now.prepared.to_plain(&guess)
    }

    /// A term can have two optima, one of them at infinity. Looks for that one with the likelihood as the parabola that it
    /// is here, at the cost of a factorisation, and goes there only where the criterion itself is lower.
    fn look_outward(
        &mut self,
        point: &[f64],
        now: &Evaluation,
        state: &State,
    ) -> Result<Option<(Vec<f64>, Evaluation)>> {
        let mut best: Option<(f64, Vec<f64>, Vec<f64>)> = None;
        for &i in state.active.iter().filter(|&&i| i < self.m) {
            let mut next = point.to_vec();
            next[i] = (point[i] + FAR).min(self.control.rho_max);
            let Some((criterion, beta)) = self.model.approximate(now, &next[..self.m])? else { continue };
            if criterion < best.as_ref().map_or(now.criterion + WORTH_A_LOOK, |b| b.0) {
                best = Some((criterion, next, beta));
            }
        }
        let Some((_, next, beta)) = best else { return Ok(None) };
        let e = match self.evaluate(&next, Some(&beta), true, INNER_ON_THE_WAY) {
            Ok(e) => e,
            Err(e) if e.code == "CANCELLED" => return Err(e),
            Err(_) => return Ok(None),
        };
        Ok((e.criterion < now.criterion).then_some((next, e)))
    }

    fn step(&mut self, point: &[f64], now: &Evaluation, step: &Step) -> Result<Option<(Vec<f64>, Evaluation)>> {
        let slack = 1e-12 * (1.0 + now.criterion.abs());
        // Coefficients need be as good as what the step will gain asks for.
        let tolerance = (1e-4 * step.gain(now)).powi(2).clamp(INNER, INNER_ON_THE_WAY);
        let mut size = 1.0;
        for halving in 0..30 {
            let mut next: Vec<f64> = point.iter().zip(&step.delta).map(|(p, s)| p + size * s).collect();
            for r in &mut next[..self.m] {
                *r = r.clamp(self.control.rho_min, self.control.rho_max);
            }
            let moved: Vec<f64> = next.iter().zip(point).map(|(a, b)| a - b).collect();
            let guess = self.follow(&step.reach(&moved), now);
            match self.evaluate(&next, Some(&guess), true, tolerance) {
                Ok(e) if e.criterion <= now.criterion + slack => return Ok(Some((next, e))),
                Err(e) if e.code == "CANCELLED" => return Err(e),
                _ => {}
            }
            size *= if halving < 3 { 0.5 } else { 0.25 };
        }
        Ok(None)
    }
}
