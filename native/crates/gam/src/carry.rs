//! A fit carried over a step so short that first derivatives tell all: no pass over the data, no evaluation of the
//! criterion. What is left out is of the order of the step's square.

use x_simd::Result;

use crate::criterion::{Evaluation, Method, Model, Source};
use crate::mat::{Factor, axpy, dot};

impl Model<'_> {
    /// REML at another `rho` with the likelihood replaced by its parabola at `now`, whose coefficients are at their
    /// optimum; and the coefficients there (unrotated). `None` where the parabola has no minimum.
    pub fn approximate(&self, now: &Evaluation, rho: &[f64]) -> Result<Option<(f64, Vec<f64>)>> {
        let p = self.penalties.prepare(rho)?;
        let here = p.to_rotated(&now.prepared.to_plain(&now.beta));
        let gram = p.rotate(&now.prepared.rotate(&now.gram, false), true);
        // Score of the likelihood at its penalised optimum: minus the penalty's.
        let pull = p.to_rotated(&now.prepared.to_plain(&now.prepared.total_times(&now.beta)));
        let Some(factor) = Factor::new(&self.hessian_of(&p, &gram)) else { return Ok(None) };
        // G (b - here) - pull + S b = 0
        let mut beta = gram.mul_vec(&here);
        axpy(1.0, &pull, &mut beta);
        factor.solve(&mut beta);
        let moved: Vec<f64> = beta.iter().zip(&here).map(|(a, b)| a - b).collect();
        let f = now.f - dot(&pull, &moved) + 0.5 * dot(&gram.mul_vec(&moved), &moved);
        let penalty = dot(&beta, &p.total_times(&beta));
        let (criterion, ..) = self.laplace(2.0 * f + penalty, factor.log_det(), p.log_det);
        Ok(Some((criterion, p.to_plain(&beta))))
    }

    /// Gradient of REML from coefficients that are exact, as `carry` has them for a gaussian model with identity link.
    pub fn gradient(&self, e: &Evaluation) -> Option<Vec<f64>> {
        if !matches!(self.source, Source::Quadratic(_)) || self.method != Method::Reml {
            return None;
        }
        let p = &e.prepared;
        let own = |j: usize| {
            let half = 0.5 * p.lambda[j] * dot(&p.times(j, &e.beta), &e.beta);
            half / (e.phi * self.gamma) + 0.5 * p.trace(j, &e.inverse) - 0.5 * p.log_det_gradient[j]
        };
        Some((0..p.lambda.len()).map(own).collect())
    }

    /// `now`, which has its derivatives, at `point` = its own (rho, theta) + `step`. Gradient and Hessian stay those of `now`.
    pub fn carry(&self, now: &Evaluation, point: &[f64], step: &[f64]) -> Result<Evaluation> {
        let (rho, theta) = point.split_at(now.prepared.lambda.len());
        let p = self.penalties.prepare(rho)?;
        let moved = |x: &[f64]| p.to_rotated(&now.prepared.to_plain(x));
        let directions: Vec<Vec<f64>> = now.directions.iter().map(|d| moved(d)).collect();
        let mut beta = moved(&now.beta);
        directions.iter().zip(step).for_each(|(d, s)| axpy(*s, d, &mut beta));
        let mut gram = now.gram.clone();
        now.gram_slopes.iter().zip(step).for_each(|(slope, s)| gram.add_scaled(*s, slope));
        let gram = p.rotate(&now.prepared.rotate(&gram, false), true);
        let factor = Factor::new(&self.hessian_of(&p, &gram)).ok_or_else(|| self.rank_error(&p, &gram))?;
        let mut f = now.f;
        if let Source::Quadratic(q) = &self.source {
            let xty = p.to_rotated(&q.xty);
            beta.clone_from(&xty);
            factor.solve(&mut beta);
            f = (0.5 * (q.yy - 2.0 * dot(&xty, &beta) + dot(&gram.mul_vec(&beta), &beta))).max(0.0);
        }
        let penalty = dot(&beta, &p.total_times(&beta));
        let exact = matches!(self.source, Source::Quadratic(_)) && self.method == Method::Reml;
        let (criterion, phi) = if exact {
            let (criterion, phi, _) = self.laplace(2.0 * f + penalty, factor.log_det(), p.log_det);
            (criterion, phi)
        } else {
            let gain = dot(&now.gradient, step) + 0.5 * dot(&now.hessian.mul_vec(step), step);
            let shift = now.scale_border.as_ref().map_or(0.0, |(border, curvature)| -dot(border, step) / curvature);
            (now.criterion + gain, now.phi * shift.exp())
        };
        Ok(Evaluation {
            theta: theta.to_vec(),
            f,
            penalty,
            phi,
            criterion,
            gradient: now.gradient.clone(),
            hessian: now.hessian.clone(),
            scale_border: now.scale_border.clone(),
            inverse: factor.inverse(),
            gram_slopes: Vec::new(),
            inner: 0,
            decrement: now.decrement,
            log_det_h: factor.log_det(),
            gram,
            beta,
            directions,
            prepared: p,
        })
    }
}
