//! Negative binomial: variance mu + mu^2 / theta, log(theta) estimated with the smoothing parameters.

use x_stats::ln_gamma;

use super::link::Link;
use super::{Derivs, Family, Response};
use crate::jet::Jet;

pub struct NegBin {
    pub link: Link,
    pub fixed: Option<f64>,
    pub start: f64,
}

impl NegBin {
    fn theta(&self, theta: &[f64]) -> f64 {
        self.fixed.unwrap_or_else(|| theta[0].exp())
    }

    /// Negative log likelihood of a row; `t` is log(theta).
    fn negative_log_lik<const T: usize>(&self, y: f64, eta: f64, t: Jet<T>) -> Jet<T> {
        let mu = self.link.mean::<T>(eta);
        if !(mu.value() > 0.0 && mu.value().is_finite()) {
            return Jet::constant(f64::INFINITY);
        }
        let ln_mu = if self.link == Link::Log { Jet::eta(eta) } else { mu.ln() };
        let theta = t.exp();
        let both = theta.shift(y) * (theta + mu).ln() - theta * t - ln_mu.scale(y);
        both + theta.ln_gamma() - theta.shift(y).ln_gamma() + Jet::constant(ln_gamma(y + 1.0))
    }
}

impl Family for NegBin {
    fn name(&self) -> &'static str {
        "nb"
    }

    fn link_name(&self) -> &'static str {
        self.link.name()
    }

    fn theta_start(&self) -> Vec<f64> {
        if self.fixed.is_some() { Vec::new() } else { vec![self.start.ln()] }
    }

    fn theta_natural(&self, theta: &[f64]) -> Vec<f64> {
        vec![self.theta(theta)]
    }

    fn scale_known(&self) -> bool {
        true
    }

    fn refuse(&self, y: f64, _w: f64) -> Option<&'static str> {
        if y >= 0.0 { None } else { Some("must not be negative") }
    }

    fn start(&self, y: f64, _w: f64, _mean: f64, _k: usize) -> f64 {
        self.link.eta(y + if y == 0.0 { 1.0 / 6.0 } else { 0.0 })
    }

    fn derive(&self, r: Response, theta: &[f64], eta: &[Vec<f64>], full: bool, out: &mut Derivs) {
        out.reset(r.y.len(), 1, theta.len(), full);
        let value = self.theta(theta);
        for (i, ((&y, &w), &eta)) in r.y.iter().zip(r.w).zip(&eta[0]).enumerate() {
            let mu = self.link.mean::<1>(eta);
            let slope = mu.derivative(0, 1);
            out.fisher[0][i] = w * slope * slope / (mu.value() + mu.value() * mu.value() / value);
            if full && !theta.is_empty() {
                let j = self.negative_log_lik(y, eta, Jet::<3>::theta(theta[0]));
                fill(out, i, w, |e| j.derivative(0, e), true);
                for e in 0..4 {
                    out.theta[0][e][i] = w * j.derivative(1, e);
                }
                for e in 0..3 {
                    out.theta2[0][e][i] = w * j.derivative(2, e);
                }
            } else {
                let j = self.negative_log_lik(y, eta, Jet::<1>::constant(value.ln()));
                fill(out, i, w, |e| j.derivative(0, e), full);
            }
        }
    }

    fn saturated(&self, _r: Response, _log_phi: f64) -> [f64; 3] {
        [0.0; 3]
    }

    fn deviance(&self, y: f64, w: f64, theta: &[f64], eta: &[f64]) -> f64 {
        let (t, mu) = (self.theta(theta), self.link.mean::<1>(eta[0]).value());
        let first = if y > 0.0 { y * (y / mu).ln() } else { 0.0 };
        2.0 * w * (first - (y + t) * ((y + t) / (mu + t)).ln())
    }

    fn log_lik(&self, r: Response, theta: &[f64], eta: &[Vec<f64>], _phi: f64) -> f64 {
        let t = Jet::<1>::constant(self.theta(theta).ln());
        -r.y.iter().zip(r.w).zip(&eta[0]).map(|((&y, &w), &e)| w * self.negative_log_lik(y, e, t).value()).sum::<f64>()
    }

    fn mean(&self, _theta: &[f64], eta: &[f64]) -> (f64, f64) {
        let m = self.link.mean::<1>(eta[0]);
        (m.value(), m.derivative(0, 1))
    }

    fn variance(&self, theta: &[f64], eta: &[f64]) -> f64 {
        let mu = self.link.mean::<1>(eta[0]).value();
        mu + mu * mu / self.theta(theta)
    }
}

/// Writes f and its derivatives of one row.
pub fn fill(out: &mut Derivs, i: usize, w: f64, derivative: impl Fn(usize) -> f64, full: bool) {
    out.f[i] = w * derivative(0);
    out.d1[0][i] = w * derivative(1);
    out.d2[0][i] = w * derivative(2);
    if full {
        out.d3[0][i] = w * derivative(3);
        out.d4[0][i] = w * derivative(4);
    }
}
