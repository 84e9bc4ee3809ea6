//! Beta regression on the open interval 0 … 1: shapes mu phi and (1 - mu) phi, log(phi) estimated with the smoothing
//! parameters (Ferrari & Cribari-Neto 2004).

use super::link::Link;
use super::{Derivs, Family, Response};
use crate::jet::{Jet, polygamma};

pub struct Beta {
    pub link: Link,
    pub fixed: Option<f64>,
    pub start: f64,
}

impl Beta {
    fn phi(&self, theta: &[f64]) -> f64 {
        self.fixed.unwrap_or_else(|| theta[0].exp())
    }

    /// Negative log likelihood of a row; `t` is log(phi).
    fn negative_log_lik<const T: usize>(&self, y: f64, eta: f64, t: Jet<T>) -> Jet<T> {
        let (p, q) = self.link.log_probabilities::<T>(eta);
        let (a, b) = ((p + t).exp(), (q + t).exp());
        if !(a.value() > 0.0 && b.value() > 0.0) {
            return Jet::constant(f64::INFINITY);
        }
        let gammas = a.ln_gamma() + b.ln_gamma() - t.exp().ln_gamma();
        gammas - a.shift(-1.0).scale(y.ln()) - b.shift(-1.0).scale((-y).ln_1p())
    }

    /// The largest log likelihood that any mean gives a row.
    fn saturated_row(&self, y: f64, phi: f64) -> f64 {
        // digamma(mu phi) - digamma((1 - mu) phi) = logit(y), by Newton's method on the logit of mu.
        let logit = y.ln() - (-y).ln_1p();
        let mut eta = logit;
        for _ in 0..100 {
            let (m, q) = (1.0 / (1.0 + (-eta).exp()), 1.0 / (1.0 + eta.exp()));
            let g = polygamma(0, m * phi) - polygamma(0, q * phi) - logit;
            let slope = phi * m * q * (polygamma(1, m * phi) + polygamma(1, q * phi));
            let step = (g / slope).clamp(-1.0, 1.0);
            eta -= step;
            if step.abs() < 1e-12 * (1.0 + eta.abs()) {
                break;
            }
        }
        let logit = Beta { link: Link::Logit, fixed: None, start: 1.0 };
        -logit.negative_log_lik::<1>(y, eta, Jet::constant(phi.ln())).value()
    }
}

impl Family for Beta {
    fn name(&self) -> &'static str {
        "betar"
    }

    fn link_name(&self) -> &'static str {
        self.link.name()
    }

    fn theta_start(&self) -> Vec<f64> {
        if self.fixed.is_some() { Vec::new() } else { vec![self.start.ln()] }
    }

    fn theta_natural(&self, theta: &[f64]) -> Vec<f64> {
        vec![self.phi(theta)]
    }

    fn scale_known(&self) -> bool {
        true
    }

    fn refuse(&self, y: f64, _w: f64) -> Option<&'static str> {
        if y > 0.0 && y < 1.0 { None } else { Some("must lie strictly between 0 and 1") }
    }

    fn start(&self, y: f64, _w: f64, _mean: f64, _k: usize) -> f64 {
        self.link.eta(y.clamp(0.01, 0.99))
    }

    fn derive(&self, r: Response, theta: &[f64], eta: &[Vec<f64>], full: bool, out: &mut Derivs) {
        out.reset(r.y.len(), 1, theta.len(), full);
        let phi = self.phi(theta);
        for (i, ((&y, &w), &eta)) in r.y.iter().zip(r.w).zip(&eta[0]).enumerate() {
            let mu = self.link.mean::<1>(eta);
            let (m, slope) = (mu.value(), mu.derivative(0, 1));
            let information = phi * phi * (polygamma(1, m * phi) + polygamma(1, (1.0 - m) * phi));
            out.fisher[0][i] = w * slope * slope * information;
            if full && !theta.is_empty() {
                let j = self.negative_log_lik(y, eta, Jet::<3>::theta(theta[0]));
                super::negbin::fill(out, i, w, |e| j.derivative(0, e), true);
                for e in 0..4 {
                    out.theta[0][e][i] = w * j.derivative(1, e);
                }
                for e in 0..3 {
                    out.theta2[0][e][i] = w * j.derivative(2, e);
                }
            } else {
                let j = self.negative_log_lik(y, eta, Jet::<1>::constant(phi.ln()));
                super::negbin::fill(out, i, w, |e| j.derivative(0, e), full);
            }
        }
    }

    fn saturated(&self, _r: Response, _log_phi: f64) -> [f64; 3] {
        [0.0; 3]
    }

    fn deviance(&self, y: f64, w: f64, theta: &[f64], eta: &[f64]) -> f64 {
        let phi = self.phi(theta);
        let own = self.negative_log_lik::<1>(y, eta[0], Jet::constant(phi.ln())).value();
        2.0 * w * (self.saturated_row(y, phi) + own)
    }

    fn log_lik(&self, r: Response, theta: &[f64], eta: &[Vec<f64>], _phi: f64) -> f64 {
        let t = Jet::<1>::constant(self.phi(theta).ln());
        -r.y.iter().zip(r.w).zip(&eta[0]).map(|((&y, &w), &e)| w * self.negative_log_lik(y, e, t).value()).sum::<f64>()
    }

    fn mean(&self, _theta: &[f64], eta: &[f64]) -> (f64, f64) {
        let m = self.link.mean::<1>(eta[0]);
        (m.value(), m.derivative(0, 1))
    }

    fn variance(&self, theta: &[f64], eta: &[f64]) -> f64 {
        let m = self.link.mean::<1>(eta[0]).value();
        m * (1.0 - m) / (1.0 + self.phi(theta))
    }
}
