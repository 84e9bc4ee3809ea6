//! Smoothing parameter selection: a Fellner–Schall start, then Newton steps on the exact Hessian with step and box
//! limits. A coordinate whose gradient and curvature have both vanished has converged at infinity; it is left where it
//! is and named in the certificate.

use x_simd::{Error, Result};

use crate::criterion::{Evaluation, Method, Model};
use crate::mat::{Mat, dot};

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
}

impl Default for Control {
    fn default() -> Self {
        Control { rho: None, beta: None, fixed: false, max_outer: 200, refresh: true, rho_min: -20.0, rho_max: 30.0 }
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
}

/// Gradients below this count as zero: a Newton step from there changes edf by less than 1e-7.
const GRADIENT: f64 = 1e-7;
/// Gradient and curvature of a coordinate at infinity.
const FLAT: f64 = 1e-7;
const MAX_STEP: f64 = 5.0;
/// The last Newton step may be this long: what it leaves of the gradient is of the order of its square.
const REFINE: f64 = 3e-4;
/// Half a Newton decrement of P-IRLS: coefficients within 1e-7 standard errors. The criterion would be content with less;
/// its gradient errs with the first power of theirs.
const INNER: f64 = 1e-14;

struct Search<'a> {
    model: &'a Model<'a>,
    control: &'a Control,
    m: usize,
    evaluations: usize,
    inner: usize,
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
    let mut search = Search { model, control, m, evaluations: 0, inner: 0 };
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
        let first = model.evaluate(&keep(vec![0.0; m]), theta, beta.as_deref(), false, 1e-2)?;
        search.inner += first.inner;
        let mut rho = keep(balanced(model, &first.prepared.rotate(&first.gram, false))?);
        beta = Some(first.prepared.to_plain(&first.beta));
        for _ in 0..2 {
            rho = keep(search.fellner_schall(&rho, theta, &mut beta)?);
        }
        rho
    };
    let mut point: Vec<f64> = start.iter().chain(theta).copied().collect();
    // At a fixed rho the family's own parameters are still estimated.
    let settled = control.fixed && theta.is_empty();
    let derivatives = !settled;
    let mut now = search.evaluate(&point, beta.as_deref(), derivatives)?;
    let mut trace = vec![(now.criterion, point.clone())];
    let mut outer = 0;
    let mut certificate = Certificate { converged: settled, ..Certificate::default() };
    let mut best_gradient = f64::INFINITY;
    let mut stalled = 0;
    let mut before = None;
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
        let last = search.newton(&now, &state);
        let close = last.iter().all(|s| s.abs() < REFINE) && certificate.curvature > 0.0;
        if certificate.gradient < GRADIENT || close || (stalled >= 2 && certificate.gradient < rounding) {
            certificate.converged = true;
            if close && last.iter().any(|s| s.abs() > 1e-9) {
                search.refine(&mut point, &last, &mut now)?;
                certificate.gradient = state.certificate(&now).gradient;
                trace.push((now.criterion, point.clone()));
            }
            break;
        }
        if outer >= control.max_outer {
            break;
        }
        outer += 1;
        match search.step(&point, &now, &state, before.as_ref())? {
            Some((next, evaluation)) => {
                let curvature = (0..point.len()).map(|i| now.hessian[(i, i)]).collect();
                before = Some(Past { point, curvature });
                point = next;
                now = evaluation;
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
    Ok(Optimum {
        rho: point[..m].to_vec(),
        evaluation: now,
        certificate,
        outer,
        evaluations: search.evaluations,
        inner: search.inner,
        trace,
    })
}

/// The point before the present one.
struct Past {
    point: Vec<f64>,
    curvature: Vec<f64>,
}

/// Which coordinates still move, and the Hessian over them.
struct State {
    active: Vec<usize>,
    infinite: Vec<usize>,
    at_box: Vec<usize>,
    values: Vec<f64>,
    vectors: Mat,
}

impl State {
    fn certificate(&self, now: &Evaluation) -> Certificate {
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
    fn evaluate(&mut self, point: &[f64], beta: Option<&[f64]>, derivatives: bool) -> Result<Evaluation> {
        self.evaluations += 1;
        let (rho, theta) = point.split_at(self.m);
        let mut e = self.model.evaluate(rho, theta, beta, derivatives, INNER)?;
        self.inner += e.inner;
        if derivatives && self.model.method == Method::Gcv {
            e.hessian = self.differences(point, &e)?;
        }
        Ok(e)
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
                *side = self.model.evaluate(&rho, &point[self.m..], Some(&beta), true, 1e-14)?.gradient;
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
        self.inner += e.inner;
        let p = &e.prepared;
        let phi = if self.model.method == Method::Gcv && self.model.scale.is_none() {
            2.0 * e.f / (self.model.n - e.inverse.trace_with(&e.gram)).max(1.0)
        } else {
            e.phi
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

    fn state(&self, point: &[f64], now: &Evaluation) -> State {
        let (mut active, mut infinite, mut at_box) = (Vec::new(), Vec::new(), Vec::new());
        // GCV lives on the scale of the deviance per row, REML on that of the log likelihood.
        let unit = self.unit(now);
        for i in 0..point.len() {
            let (g, h) = (now.gradient[i], now.hessian[(i, i)]);
            if i < self.m && self.control.fixed {
                continue;
            }
            if i < self.m && g.abs() < FLAT * unit && h.abs() < FLAT * unit {
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
        let (values, vectors) =
            if active.is_empty() { (Vec::new(), h) } else { h.eigen().unwrap_or((Vec::new(), Mat::zeros(0, 0))) };
        State { active, infinite, at_box, values, vectors }
    }

    fn unit(&self, now: &Evaluation) -> f64 {
        if self.model.method == Method::Gcv { now.criterion.abs().min(1.0) } else { 1.0 }
    }

    /// The Newton step with every curvature taken as positive.
    fn newton(&self, now: &Evaluation, state: &State) -> Vec<f64> {
        let g: Vec<f64> = state.active.iter().map(|&i| now.gradient[i]).collect();
        let top = state.values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        let mut direction = vec![0.0; g.len()];
        for (k, value) in state.values.iter().enumerate() {
            let u: Vec<f64> = (0..g.len()).map(|i| state.vectors[(i, k)]).collect();
            let size = value.abs().max(1e-12 * top).max(1e-14);
            crate::mat::axpy(-dot(&u, &g) / size, &u, &mut direction);
        }
        let mut step = vec![0.0; now.gradient.len()];
        for (d, &i) in direction.iter().zip(&state.active) {
            step[i] = *d;
        }
        step
    }

    /// Coefficients after a short move, by their derivatives.
    fn follow(&self, step: &[f64], now: &Evaluation) -> Vec<f64> {
        let mut guess = now.beta.clone();
        for (d, s) in now.directions.iter().zip(step) {
            crate::mat::axpy(*s, d, &mut guess);
        }
        now.prepared.to_plain(&guess)
    }

    /// Takes a last, tiny step that nothing follows. Only covariances ask for derivatives there; otherwise those of the point
    /// before stand for it. It is no evaluation of the search.
    fn refine(&mut self, point: &mut [f64], step: &[f64], now: &mut Evaluation) -> Result<()> {
        let next: Vec<f64> = point.iter().zip(step).map(|(p, s)| p + s).collect();
        let (rho, theta) = next.split_at(self.m);
        let guess = self.follow(step, now);
        let e = match self.model.evaluate(rho, theta, Some(&guess), self.control.refresh, INNER) {
            Ok(e) => e,
            Err(e) if e.code == "CANCELLED" => return Err(e),
            Err(_) => return Ok(()),
        };
        self.inner += e.inner;
        point.copy_from_slice(&next);
        if self.control.refresh {
            let hessian = now.hessian.clone();
            *now = if self.model.method == Method::Gcv { Evaluation { hessian, ..e } } else { e };
            return Ok(());
        }
        let moved = |d: &Vec<f64>| e.prepared.to_rotated(&now.prepared.to_plain(d));
        let directions = now.directions.iter().map(moved).collect();
        let (gradient, hessian) = (std::mem::take(&mut now.gradient), now.hessian.clone());
        let scale_border = now.scale_border.take();
        *now = Evaluation { gradient, hessian, scale_border, directions, ..e };
        Ok(())
    }

    /// Steps of vanishing terms. In its tail the criterion is a + b exp(-rho), which Newton would walk in steps of one, but
    /// where it is flat is known. What looks like a tail far from the optimum of the others may be none: then the step is
    /// long, but not all the way.
    fn tails(&self, point: &[f64], now: &Evaluation, state: &State, before: Option<&Past>, step: &mut [f64]) {
        // Distance of gradient and curvature from the tail's equality.
        let apart = |i: usize| (now.gradient[i] + now.hessian[(i, i)]).abs() / now.gradient[i].abs();
        let falling = |i: usize| i < self.m && now.gradient[i] < 0.0 && apart(i) < 0.3;
        let settled = state.active.iter().all(|&i| falling(i) || step[i].abs() < 0.5);
        for &i in state.active.iter().filter(|&&i| falling(i)) {
            // Curvature falls with the gradient in a tail; beside a finite optimum it stays.
            let fades = before.is_some_and(|b| {
                let moved = point[i] - b.point[i];
                moved > 0.5 && now.hessian[(i, i)] < b.curvature[i] * (-0.6 * moved).exp()
            });
            if settled && (apart(i) < 0.02 || fades) {
                step[i] = (-now.gradient[i] / (0.9 * FLAT * self.unit(now))).ln();
            } else if apart(i) < 0.2 {
                step[i] = MAX_STEP;
            }
        }
    }

    fn step(
        &mut self,
        point: &[f64],
        now: &Evaluation,
        state: &State,
        before: Option<&Past>,
    ) -> Result<Option<(Vec<f64>, Evaluation)>> {
        let mut step = self.newton(now, state);
        let longest = step.iter().fold(0.0, |m: f64, s| m.max(s.abs()));
        if longest > MAX_STEP {
            step.iter_mut().for_each(|s| *s *= MAX_STEP / longest);
        }
        self.tails(point, now, state, before, &mut step);
        let slack = 1e-12 * (1.0 + now.criterion.abs());
        let mut size = 1.0;
        for halving in 0..30 {
            let mut next: Vec<f64> = point.iter().zip(&step).map(|(p, s)| p + size * s).collect();
            for r in &mut next[..self.m] {
                *r = r.clamp(self.control.rho_min, self.control.rho_max);
            }
            // Coefficients follow their derivatives for short moves. A term in its tail hardly moves at all.
            let moved: Vec<f64> = next.iter().zip(point).map(|(a, b)| (a - b).clamp(-1.0, 1.0)).collect();
            let guess = self.follow(&moved, now);
            match self.evaluate(&next, Some(&guess), true) {
                Ok(e) if e.criterion <= now.criterion + slack => return Ok(Some((next, e))),
                Err(e) if e.code == "CANCELLED" => return Err(e),
                _ => {}
            }
            size *= if halving < 3 { 0.5 } else { 0.25 };
        }
        Ok(None)
    }
}
