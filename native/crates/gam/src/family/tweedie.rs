//! Tweedie with 1 < p < 2: variance phi mu^p, a point mass at zero. The dispersion is one of the family's own parameters,
//! so that f is the whole negative log likelihood; the density's constant is the series of Dunn & Smyth (2005).

use x_stats::ln_gamma;

use super::link::Link;
use super::{Derivs, Family, Response};
use crate::jet::{Jet, polygamma};

pub struct Tweedie {
    pub link: Link,
    /// [p] or [p, phi].
    pub fixed: Vec<f64>,
    pub start: f64,
}

/// Where an estimated power lies.
const LOW: f64 = 1.01;
const HIGH: f64 = 1.99;
/// Terms of the series this far below the largest (logarithm) no longer count.
const NEGLIGIBLE: f64 = 37.0;

/// ln of the series with its derivatives by p and t = ln phi: value, p, t, pp, pt, tt.
type Series = [f64; 6];

/// ln sum_j W_j for y > 0; ln W_j = j ln z - ln Gamma(1 + j) - ln Gamma(j a) with a = (2 - p) / (p - 1) and
/// ln z = a ln y - a ln(p - 1) - (1 + a) ln phi - ln(2 - p).
fn series(y: f64, p: f64, t: f64) -> Series {
    let (up, down) = (p - 1.0, 2.0 - p);
    let a = down / up;
    let (a1, a2) = (-1.0 / (up * up), 2.0 / (up * up * up));
    let ln_z = a * y.ln() - a * up.ln() - (1.0 + a) * t - down.ln();
    let base = y.ln() - up.ln() - t;
    let ln_z1 = a1 * base - a / up + 1.0 / down;
    let ln_z2 = a2 * base - 2.0 * a1 / up + a / (up * up) + 1.0 / (down * down);
    let value = |j: f64| j * ln_z - ln_gamma(1.0 + j) - ln_gamma(j * a);
    let largest = (y.powf(down) / (t.exp() * down)).round().max(1.0);
    let top = value(largest);
    let mut sum = [0.0; 6];
    let mut add = |j: f64| -> bool {
        let v = value(j) - top;
        if v < -NEGLIGIBLE {
            return false;
        }
        let w = v.exp();
        let (g, g1) = (polygamma(0, j * a), polygamma(1, j * a));
        let dp = j * ln_z1 - g * j * a1;
        let dt = -j * (1.0 + a);
        let dpp = j * ln_z2 - g1 * (j * a1) * (j * a1) - g * j * a2;
        let dpt = -j * a1;
        let row = [1.0, dp, dt, dpp + dp * dp, dpt + dp * dt, dt * dt];
        sum.iter_mut().zip(row).for_each(|(s, x)| *s += w * x);
        true
    };
    let mut j = largest;
    while add(j) {
        j += 1.0;
    }
    j = largest - 1.0;
    while j >= 1.0 && add(j) {
        j -= 1.0;
    }
    let [s, p1, t1, pp, pt, tt] = sum;
    let (p1, t1) = (p1 / s, t1 / s);
    [top + s.ln(), p1, t1, pp / s - p1 * p1, pt / s - p1 * t1, tt / s - t1 * t1]
}

/// The value alone.
fn series_value(y: f64, p: f64, t: f64) -> f64 {
    let (up, down) = (p - 1.0, 2.0 - p);
    let a = down / up;
    let ln_z = a * y.ln() - a * up.ln() - (1.0 + a) * t - down.ln();
    let value = |j: f64| j * ln_z - ln_gamma(1.0 + j) - ln_gamma(j * a);
    let largest = (y.powf(down) / (t.exp() * down)).round().max(1.0);
    let top = value(largest);
    let mut sum = 0.0;
    let mut add = |j: f64| {
        let v = value(j) - top;
        sum += if v < -NEGLIGIBLE { 0.0 } else { v.exp() };
        v >= -NEGLIGIBLE
    };
    let mut j = largest;
    while add(j) {
        j += 1.0;
    }
    j = largest - 1.0;
    while j >= 1.0 && add(j) {
        j -= 1.0;
    }
    top + sum.ln()
}

impl Tweedie {
    /// p with its first two derivatives by its parameter, and ln phi.
    fn parameters(&self, theta: &[f64]) -> ([f64; 3], f64) {
        let (p, rest) = match self.fixed.first() {
            Some(&p) => ([p, 0.0, 0.0], theta),
            None => {
                let s = 1.0 / (1.0 + (-theta[0]).exp());
                let v = s * (1.0 - s);
                let range = HIGH - LOW;
                ([LOW + range * s, range * v, range * v * (1.0 - 2.0 * s)], &theta[1..])
            }
        };
        (p, self.fixed.get(1).map_or_else(|| rest[0], |phi| phi.ln()))
    }

    /// The part of f times phi that the linear predictor enters; `p` a series in the first parameter.
    fn core<const T: usize>(&self, y: f64, eta: f64, p: Jet<T>) -> Jet<T> {
        let mu = self.link.mean::<T>(eta);
        if !(mu.value() > 0.0 && mu.value().is_finite()) {
            return Jet::constant(f64::INFINITY);
        }
        let ln = if self.link == Link::Log { Jet::eta(eta) } else { mu.ln() };
        let (up, down) = (p.shift(-1.0), p.scale(-1.0).shift(2.0));
        let second = (ln * down).exp() * down.recip();
        if y == 0.0 { second } else { second + ((ln * up).scale(-1.0).exp() * up.recip()).scale(y) }
    }
}

impl Family for Tweedie {
    fn name(&self) -> &'static str {
        "tw"
    }

    fn link_name(&self) -> &'static str {
        self.link.name()
    }

    fn theta_start(&self) -> Vec<f64> {
        let p = ((self.start - LOW) / (HIGH - self.start)).ln();
        [vec![p; usize::from(self.fixed.is_empty())], vec![0.0; usize::from(self.fixed.len() < 2)]].concat()
    }

    fn theta_natural(&self, theta: &[f64]) -> Vec<f64> {
        let (p, t) = self.parameters(theta);
        vec![p[0], t.exp()]
    }

    fn scale_known(&self) -> bool {
        true
    }

    fn dispersion_at(&self) -> Option<usize> {
        (self.fixed.len() < 2).then_some(usize::from(self.fixed.is_empty()))
    }

    fn dispersion(&self, theta: &[f64]) -> Option<f64> {
        Some(self.parameters(theta).1.exp())
    }

    fn refuse(&self, y: f64, _w: f64) -> Option<&'static str> {
        if y >= 0.0 { None } else { Some("must not be negative") }
    }

    fn start(&self, y: f64, _w: f64, mean: f64, _k: usize) -> f64 {
        self.link.eta(if y == 0.0 { 0.1 * mean } else { y })
    }

    fn derive(&self, r: Response, theta: &[f64], eta: &[Vec<f64>], full: bool, out: &mut Derivs) {
        let nt = theta.len();
        out.reset(r.y.len(), 1, nt, full);
        let ([p, p1, p2], t) = self.parameters(theta);
        let mut jet = Jet::<3>::constant(p);
        (jet.0[1][0], jet.0[2][0]) = (p1, p2 / 2.0);
        // Places of p and ln phi among the parameters.
        let (at_p, at_t) = (self.fixed.is_empty(), self.fixed.len() < 2);
        let place = usize::from(at_p);
        for (i, ((&y, &w), &eta)) in r.y.iter().zip(r.w).zip(&eta[0]).enumerate() {
            if w == 0.0 {
                zero(out, i, full);
                continue;
            }
            // A row of weight w has dispersion phi / w.
            let (t, factor) = (t - w.ln(), w * (-t).exp());
            let mu = self.link.mean::<1>(eta);
            let slope = mu.derivative(0, 1);
            out.fisher[0][i] = factor * slope * slope * mu.value().powf(-p);
            if !full {
                let j = self.core(y, eta, Jet::<1>::constant(p));
                let constant = if y > 0.0 { series_value(y, p, t) - y.ln() } else { 0.0 };
                out.f[i] = factor * j.value() - constant;
                out.d1[0][i] = factor * j.derivative(0, 1);
                out.d2[0][i] = factor * j.derivative(0, 2);
                continue;
            }
            let j = self.core(y, eta, jet);
            let c = if y > 0.0 { series(y, p, t) } else { [0.0; 6] };
            let constant = if y > 0.0 { c[0] - y.ln() } else { 0.0 };
            out.f[i] = factor * j.value() - constant;
            let d = |a: usize, e: usize| factor * j.derivative(a, e);
            (out.d1[0][i], out.d2[0][i], out.d3[0][i], out.d4[0][i]) = (d(0, 1), d(0, 2), d(0, 3), d(0, 4));
            if at_p {
                for e in 0..4 {
                    out.theta[0][e][i] = d(1, e) - if e == 0 { c[1] * p1 } else { 0.0 };
                }
                for e in 0..3 {
                    out.theta2[0][e][i] = d(2, e) - if e == 0 { c[3] * p1 * p1 + c[1] * p2 } else { 0.0 };
                }
            }
            if at_t {
                for e in 0..4 {
                    out.theta[place][e][i] = -d(0, e) - if e == 0 { c[2] } else { 0.0 };
                }
                for e in 0..3 {
                    let own = crate::rows::pair(place, place);
                    out.theta2[own][e][i] = d(0, e) - if e == 0 { c[5] } else { 0.0 };
                    if at_p {
                        out.theta2[crate::rows::pair(0, place)][e][i] = -d(1, e) - if e == 0 { c[4] * p1 } else { 0.0 };
                    }
                }
            }
        }
    }

    fn saturated(&self, _r: Response, _log_phi: f64) -> [f64; 3] {
        [0.0; 3]
    }

    fn deviance(&self, y: f64, w: f64, theta: &[f64], eta: &[f64]) -> f64 {
        let p = self.parameters(theta).0[0];
        let mu = self.link.mean::<1>(eta[0]).value();
        let first = if y > 0.0 { y * (y.powf(1.0 - p) - mu.powf(1.0 - p)) / (1.0 - p) } else { 0.0 };
        2.0 * w * (first - (y.powf(2.0 - p) - mu.powf(2.0 - p)) / (2.0 - p))
    }

    fn log_lik(&self, r: Response, theta: &[f64], eta: &[Vec<f64>], _phi: f64) -> f64 {
        let mut out = Derivs::default();
        self.derive(r, theta, eta, false, &mut out);
        -out.f.iter().sum::<f64>()
    }

    fn mean(&self, _theta: &[f64], eta: &[f64]) -> (f64, f64) {
        let m = self.link.mean::<1>(eta[0]);
        (m.value(), m.derivative(0, 1))
    }

    fn variance(&self, theta: &[f64], eta: &[f64]) -> f64 {
        self.link.mean::<1>(eta[0]).value().powf(self.parameters(theta).0[0])
    }
}

/// A row without likelihood.
fn zero(out: &mut Derivs, i: usize, full: bool) {
    (out.f[i], out.d1[0][i], out.d2[0][i], out.fisher[0][i]) = (0.0, 0.0, 0.0, 0.0);
    if full {
        (out.d3[0][i], out.d4[0][i]) = (0.0, 0.0);
        out.theta.iter_mut().flatten().for_each(|v| v[i] = 0.0);
        out.theta2.iter_mut().flatten().for_each(|v| v[i] = 0.0);
    }
}
