//! The last step of a search, which is too short for anything to follow, and the gradient that it ends with.

use x_simd::Result;

use crate::criterion::{Evaluation, Method};
use crate::outer::{INNER, Search, State};

impl Search<'_> {
    /// Has a related fit told its third derivatives?
    pub fn related(&self) -> bool {
        !self.control.third.is_empty()
    }

    /// Is the last step one of derivatives alone? Covariances ask for those at the very last point.
    pub fn carries(&self) -> bool {
        self.related() && !self.control.refresh && self.model.method != Method::Gcv
    }

    /// The gradient after a short step, by the Hessian and the third derivatives, and a bound on it that holds as long as
    /// those are right to a factor of two. Where nothing was told of a tail, -3 h is what it has at its optimum.
    pub fn left(&self, step: &[f64], now: &Evaluation, state: &State) -> (Vec<f64>, f64) {
        let n = step.len();
        let third = |i: usize, j: usize, k: usize| match self.third.get((i * n + j) * n + k) {
            Some(&t) if t != 0.0 || i != j || j != k => t,
            _ if i == j && j == k => -3.0 * now.hessian[(i, i)],
            _ => 0.0,
        };
        let mut gradient = now.gradient.clone();
        let mut bound = 0.0_f64;
        for &i in &state.active {
            let (mut bend, mut size) = (0.0, 0.0);
            for j in 0..n {
                gradient[i] += now.hessian[(i, j)] * step[j];
                for k in 0..n {
                    let t = 0.5 * third(i, j, k) * step[j] * step[k];
                    bend += t;
                    size += t.abs();
                }
            }
            gradient[i] += bend;
            bound = bound.max(gradient[i].abs() + size);
        }
        (gradient, bound)
    }

    /// Takes a last, tiny step that nothing follows; returns the certificate's gradient there. Folds of a cross-fit have it
    /// carried over by derivatives: a gaussian model's gradient is then exact, of others there is a bound.
    pub fn refine(&mut self, point: &mut [f64], step: &[f64], now: &mut Evaluation, state: &State) -> Result<f64> {
        let next: Vec<f64> = point.iter().zip(step).map(|(p, s)| p + s).collect();
        if self.carries() {
            let (gradient, bound) = self.left(step, now, state);
            *now = Evaluation { gradient, ..self.model.carry(now, &next, step)? };
            point.copy_from_slice(&next);
            let exact = self.model.gradient(now);
            if let Some(gradient) = exact {
                now.gradient = gradient;
                return Ok(state.certificate(now).gradient);
            }
            return Ok(bound);
        }
        let (rho, theta) = next.split_at(self.m);
        let guess = self.follow(step, now);
        self.evaluations += 1;
        let e = match self.model.evaluate(rho, theta, Some(&guess), true, INNER) {
            Ok(e) => e,
            Err(e) if e.code == "CANCELLED" => return Err(e),
            Err(_) => return Ok(state.certificate(now).gradient),
        };
        self.inner += e.inner;
        point.copy_from_slice(&next);
        let hessian = now.hessian.clone();
        *now = if self.model.method == Method::Gcv { Evaluation { hessian, ..e } } else { e };
        Ok(state.certificate(now).gradient)
    }
}
