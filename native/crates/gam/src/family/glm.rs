//! Exponential families with one linear predictor and their quasi variants.

use x_stats::ln_gamma;

use super::link::Link;
use super::{Derivs, Family, Response};
use crate::jet::{Jet, polygamma};

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Distribution {
    Gaussian,
    Binomial,
    Poisson,
    Gamma,
    InverseGaussian,
}

pub struct Glm {
    pub distribution: Distribution,
    pub link: Link,
    /// Scale estimated, extended quasi-likelihood in place of the likelihood.
    pub quasi: bool,
}

use Distribution::*;

const LN_2PI: f64 = 1.837_877_066_409_345_6;

fn y_ln(y: f64) -> f64 {
    if y == 0.0 { 0.0 } else { y * y.ln() }
}

impl Glm {
    /// Half the deviance of a row of unit weight as a series in the linear predictor.
    fn half_deviance(&self, y: f64, eta: f64) -> Jet<1> {
        if self.distribution == Binomial {
            if self.link == Link::Log && eta >= 0.0 {
                return Jet::constant(f64::INFINITY);
            }
            let (p, q) = self.link.log_probabilities::<1>(eta);
            let both = if y == 0.0 {
                q.scale(-1.0)
            } else if y == 1.0 {
                p.scale(-1.0)
            } else {
                p.scale(-y) + q.scale(y - 1.0)
            };
            return both.shift(y_ln(y) + y_ln(1.0 - y));
        }
        let mu = self.link.mean::<1>(eta);
        let m = mu.value();
        if !(m.is_finite() && (self.distribution == Gaussian || m > 0.0)) {
            return Jet::constant(f64::INFINITY);
        }
        match self.distribution {
            Gaussian => {
                let r = mu.shift(-y);
                (r * r).scale(0.5)
            }
            Poisson => {
                let ln = if self.link == Link::Log { Jet::eta(eta) } else { mu.ln() };
                (mu - ln.scale(y)).shift(y_ln(y) - y)
            }
            Gamma => {
                let ln = if self.link == Link::Log { Jet::eta(eta) } else { mu.ln() };
                (ln + mu.recip().scale(y)).shift(-1.0 - y.ln())
            }
            // (y - mu)^2 / (2 y mu^2) = (y / mu - 1)^2 / (2 y)
            _ => {
                let r = mu.recip().scale(y).shift(-1.0);
                (r * r).scale(0.5 / y)
            }
        }
    }

    fn variance_at(&self, mu: f64) -> f64 {
        match self.distribution {
            Gaussian => 1.0,
            Binomial => mu * (1.0 - mu),
            Poisson => mu,
            Gamma => mu * mu,
            InverseGaussian => mu * mu * mu,
        }
    }

    /// Derivative of the variance function.
    fn slope_at(&self, mu: f64) -> f64 {
        match self.distribution {
            Gaussian => 0.0,
            Binomial => 1.0 - 2.0 * mu,
            Poisson => 1.0,
            Gamma => 2.0 * mu,
            InverseGaussian => 3.0 * mu * mu,
        }
    }

    /// The two canonical links that carry large data, without series.
    fn derive_fast(&self, r: Response, eta: &[f64], full: bool, out: &mut Derivs) -> bool {
        let rows = r.y.iter().zip(r.w).zip(eta).enumerate();
        match (self.distribution, self.link) {
            (Binomial, Link::Logit) => {
                super::logit::derive(r, eta, full, out);
                true
            }
            (Poisson, Link::Log) => {
                for (i, ((&y, &w), &eta)) in rows {
                    let mu = eta.exp();
                    out.f[i] = w * (mu - y * eta + y_ln(y) - y);
                    out.d1[0][i] = w * (mu - y);
                    out.d2[0][i] = w * mu;
                    out.fisher[0][i] = w * mu;
                    if full {
                        out.d3[0][i] = w * mu;
                        out.d4[0][i] = w * mu;
                    }
                }
                true
            }
            _ => false,
        }
    }
}

impl Family for Glm {
    fn name(&self) -> &'static str {
        match (self.distribution, self.quasi) {
            (Gaussian, false) => "gaussian",
            (Gaussian, true) => "quasi",
            (Binomial, false) => "binomial",
            (Binomial, true) => "quasibinomial",
            (Poisson, false) => "poisson",
            (Poisson, true) => "quasipoisson",
            (Gamma, _) => "Gamma",
            (InverseGaussian, _) => "inverse.gaussian",
        }
    }

    fn link_name(&self) -> &'static str {
        self.link.name()
    }

    fn scale_known(&self) -> bool {
        matches!(self.distribution, Binomial | Poisson) && !self.quasi
    }

    fn refuse(&self, y: f64, _w: f64) -> Option<&'static str> {
        let (good, text) = match self.distribution {
            Gaussian => (true, ""),
            Binomial => ((0.0..=1.0).contains(&y), "must lie in 0 … 1 (successes / trials, with trials as weights)"),
            Poisson => (y >= 0.0, "must not be negative"),
            Gamma | InverseGaussian => (y > 0.0, "must be positive"),
        };
        if good { None } else { Some(text) }
    }

    fn start(&self, y: f64, w: f64, mean: f64, _k: usize) -> f64 {
        let mu = match self.distribution {
            Gaussian => match self.link {
                Link::Identity => y,
                Link::Logit => y.clamp(0.01, 0.99),
                _ if y > 0.0 => y,
                _ if mean != 0.0 => mean.abs() * 0.1,
                _ => 1e-4,
            },
            Binomial => (w * y + 0.5) / (w + 1.0),
            Poisson => y + 0.1,
            Gamma | InverseGaussian => y,
        };
        self.link.eta(mu)
    }

    fn derive(&self, r: Response, _theta: &[f64], eta: &[Vec<f64>], full: bool, out: &mut Derivs) {
        out.reset(r.y.len(), 1, 0, full);
        if self.derive_fast(r, &eta[0], full, out) {
            return;
        }
        for (i, ((&y, &w), &eta)) in r.y.iter().zip(r.w).zip(&eta[0]).enumerate() {
            let j = self.half_deviance(y, eta);
            out.f[i] = w * j.value();
            out.d1[0][i] = w * j.derivative(0, 1);
            out.d2[0][i] = w * j.derivative(0, 2);
            if full {
                out.d3[0][i] = w * j.derivative(0, 3);
                out.d4[0][i] = w * j.derivative(0, 4);
            }
            let mu = self.link.mean::<1>(eta);
            let slope = mu.derivative(0, 1);
            let v = self.variance_at(mu.value());
            out.fisher[0][i] = if v > 0.0 { w * slope * slope / v } else { 0.0 };
            let change = 2.0 * mu.derivative(0, 2) - slope * slope * self.slope_at(mu.value()) / v;
            out.fisher1[i] = if v > 0.0 { w * slope * change / v } else { 0.0 };
        }
    }

    fn saturated(&self, r: Response, log_phi: f64) -> [f64; 3] {
        let phi = log_phi.exp();
        let mut sum = [0.0; 3];
        for (&y, &w) in r.y.iter().zip(r.w).filter(|(_, w)| **w > 0.0) {
            let row = if self.quasi {
                [0.5 * (w.ln() - log_phi), -0.5, 0.0]
            } else {
                match self.distribution {
                    Gaussian => [0.5 * (w.ln() - log_phi - LN_2PI), -0.5, 0.0],
                    InverseGaussian => [0.5 * (w.ln() - log_phi - LN_2PI - 3.0 * y.ln()), -0.5, 0.0],
                    Gamma => {
                        let k = w / phi;
                        let (g, g1) = (polygamma(0, k), polygamma(1, k));
                        [
                            k * k.ln() - k - ln_gamma(k) - y.ln(),
                            -k * (k.ln() - g),
                            k * (k.ln() - g) + k * (1.0 - k * g1),
                        ]
                    }
                    Poisson => [w * (y_ln(y) - y - ln_gamma(y + 1.0)), 0.0, 0.0],
                    // One trial, or all trials alike.
                    Binomial if y == 0.0 || y == 1.0 => [0.0; 3],
                    Binomial => {
                        let s = w * y;
                        let choose = ln_gamma(w + 1.0) - ln_gamma(s + 1.0) - ln_gamma(w - s + 1.0);
                        [choose + w * (y_ln(y) + y_ln(1.0 - y)), 0.0, 0.0]
                    }
                }
            };
            sum.iter_mut().zip(row).for_each(|(s, x)| *s += x);
        }
        sum
    }

    fn deviance(&self, y: f64, w: f64, _theta: &[f64], eta: &[f64]) -> f64 {
        let eta = eta[0];
        let half = match (self.distribution, self.link) {
            (Gaussian, Link::Identity) => 0.5 * (y - eta) * (y - eta),
            (Binomial, Link::Logit) => {
                let soft = (-eta.abs()).exp().ln_1p();
                let side = if eta > 0.0 { 1.0 - y } else { -y };
                let constant = if y == 0.0 || y == 1.0 { 0.0 } else { y_ln(y) + y_ln(1.0 - y) };
                side * eta + soft + constant
            }
            _ => self.half_deviance(y, eta).value(),
        };
        2.0 * w * half
    }

    fn log_lik(&self, r: Response, theta: &[f64], eta: &[Vec<f64>], phi: f64) -> f64 {
        if self.quasi {
            return f64::NAN;
        }
        let rows = r.y.iter().zip(r.w).zip(&eta[0]);
        let dev: f64 = rows.map(|((&y, &w), &e)| self.deviance(y, w, theta, &[e])).sum();
        // The gaussian likelihood is profiled over the scale, as in R.
        let total: f64 = r.w.iter().sum();
        let phi = match self.distribution {
            Binomial | Poisson => 1.0,
            Gaussian => dev / r.w.iter().filter(|w| **w > 0.0).count() as f64,
            Gamma | InverseGaussian => phi,
        };
        if self.distribution == Gamma {
            // R's Gamma()$aic: the density at shape 1/phi, each row's log density times its weight.
            let k = 1.0 / phi;
            let density = |y: f64, e: f64| {
                let mu = self.link.mean::<1>(e).value();
                k * (k / mu).ln() + (k - 1.0) * y.ln() - k * y / mu - ln_gamma(k)
            };
            return r.y.iter().zip(r.w).zip(&eta[0]).map(|((&y, &w), &e)| w * density(y, e)).sum();
        }
        if self.distribution == InverseGaussian {
            let sum: f64 = r.y.iter().zip(r.w).map(|(y, w)| 3.0 * w * y.ln()).sum();
            return -0.5 * (sum + total * (LN_2PI + phi.ln() + 1.0));
        }
        self.saturated(r, phi.ln())[0] - dev / (2.0 * phi)
    }

    fn mean(&self, _theta: &[f64], eta: &[f64]) -> (f64, f64) {
        match self.link {
            Link::Identity => return (eta[0], 1.0),
            Link::Log => return (eta[0].exp(), eta[0].exp()),
            Link::Logit => {
                let e = (-eta[0].abs()).exp();
                let small = e / (1.0 + e);
                return (if eta[0] > 0.0 { 1.0 - small } else { small }, small * (1.0 - small));
            }
            _ => {}
        }
        let m = self.link.mean::<1>(eta[0]);
        (m.value(), m.derivative(0, 1))
    }

    fn variance(&self, theta: &[f64], eta: &[f64]) -> f64 {
        self.variance_at(self.mean(theta, eta).0)
    }

    fn variance_of(&self, mean: f64) -> f64 {
        self.variance_at(mean)
    }

    fn variance_slope(&self, _theta: &[f64], eta: &[f64]) -> f64 {
        self.slope_at(self.link.mean::<1>(eta[0]).value())
    }

    fn fisher_moves(&self) -> bool {
        let canonical = match self.distribution {
            Gaussian => Link::Identity,
            Binomial => Link::Logit,
            Poisson => Link::Log,
            Gamma => Link::Inverse,
            InverseGaussian => Link::InverseSquare,
        };
        self.link != canonical
    }

    fn quadratic(&self) -> bool {
        self.distribution == Gaussian && self.link == Link::Identity
    }
}
