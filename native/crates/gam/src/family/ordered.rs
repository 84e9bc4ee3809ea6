//! Ordered categories 0 … R - 1 by cut points of a logistic variable about the linear predictor (McCullagh 1980; Wood,
//! Pya & Säfken 2016). The first cut point is -1; the logarithms of the distances to the next ones are estimated.
//!
//! F(u) - F(v) = F(u) (1 - F(v)) (1 - e^(v - u)): three factors, of which the last holds no linear predictor.

use super::link::Link;
use super::{Derivs, Family, Response};
use crate::rows::pair;

pub struct Ordered {
    pub classes: usize,
    /// All cut points, where they are given.
    pub fixed: Option<Vec<f64>>,
}

/// ln(1 - e^-d) with two derivatives by d.
fn gap(d: f64) -> [f64; 3] {
    let q = 1.0 / d.exp_m1();
    [(-(-d).exp_m1()).ln(), q, -q * (1.0 + q)]
}

/// ln F and its four derivatives.
fn below(u: f64) -> [f64; 5] {
    let j = Link::Logit.log_probabilities::<1>(u).0;
    std::array::from_fn(|e| j.derivative(0, e))
}

/// ln(1 - F) and its four derivatives.
fn above(v: f64) -> [f64; 5] {
    let j = Link::Logit.log_probabilities::<1>(v).1;
    std::array::from_fn(|e| j.derivative(0, e))
}

impl Ordered {
    fn cuts(&self, theta: &[f64]) -> Vec<f64> {
        if let Some(cuts) = &self.fixed {
            return cuts.clone();
        }
        let mut cuts = vec![-1.0];
        for t in theta {
            cuts.push(cuts[cuts.len() - 1] + t.exp());
        }
        cuts
    }

    fn log_probability(&self, class: usize, cuts: &[f64], eta: f64) -> f64 {
        let low = if class == 0 { 0.0 } else { above(cuts[class - 1] - eta)[0] };
        let high = if class == cuts.len() { 0.0 } else { below(cuts[class] - eta)[0] };
        let both = class > 0 && class < cuts.len();
        low + high + if both { gap(cuts[class] - cuts[class - 1])[0] } else { 0.0 }
    }
}

impl Family for Ordered {
    fn name(&self) -> &'static str {
        "ocat"
    }

    fn link_name(&self) -> &'static str {
        "identity"
    }

    fn theta_start(&self) -> Vec<f64> {
        if self.fixed.is_some() { Vec::new() } else { vec![0.0; self.classes - 2] }
    }

    fn theta_natural(&self, theta: &[f64]) -> Vec<f64> {
        self.cuts(theta)
    }

    fn scale_known(&self) -> bool {
        true
    }

    fn observed_covariance(&self) -> bool {
        true
    }

    fn refuse(&self, y: f64, _w: f64) -> Option<&'static str> {
        let good = y >= 0.0 && y.fract() == 0.0 && y < self.classes as f64;
        if good { None } else { Some("must be a class number from 0") }
    }

    fn start(&self, y: f64, _w: f64, _mean: f64, _k: usize) -> f64 {
        y - 1.0
    }

    fn derive(&self, r: Response, theta: &[f64], eta: &[Vec<f64>], full: bool, out: &mut Derivs) {
        let nt = theta.len();
        out.reset(r.y.len(), 1, nt, full);
        let cuts = self.cuts(theta);
        let steps: Vec<f64> = theta.iter().map(|t| t.exp()).collect();
        for (i, ((&y, &w), &eta)) in r.y.iter().zip(r.w).zip(&eta[0]).enumerate() {
            let class = y as usize;
            let low = if class == 0 { [0.0; 5] } else { above(cuts[class - 1] - eta) };
            let high = if class == cuts.len() { [0.0; 5] } else { below(cuts[class] - eta) };
            let both = class > 0 && class < cuts.len();
            let between = if both { gap(cuts[class] - cuts[class - 1]) } else { [0.0; 3] };
            let d = |e: usize| w * if e.is_multiple_of(2) { -1.0 } else { 1.0 } * (low[e] + high[e]);
            out.f[i] = d(0) - w * between[0];
            out.d1[0][i] = d(1);
            out.d2[0][i] = d(2);
            // The expected information over all classes.
            out.fisher[0][i] = w
                * (0..self.classes)
                    .map(|c| {
                        let l = if c == 0 { 0.0 } else { above(cuts[c - 1] - eta)[1] };
                        let h = if c == cuts.len() { 0.0 } else { below(cuts[c] - eta)[1] };
                        self.log_probability(c, &cuts, eta).exp() * (l + h) * (l + h)
                    })
                    .sum::<f64>();
            if !full {
                continue;
            }
            (out.d3[0][i], out.d4[0][i]) = (d(3), d(4));
            // Cut point k moves with the steps 0 … k - 1.
            let moves = |t: usize, cut: usize| if t < cut { steps[t] } else { 0.0 };
            for a in 0..nt {
                let (la, ha) = (if class > 0 { moves(a, class - 1) } else { 0.0 }, moves(a, class));
                let own = both && a + 1 == class;
                for e in 0..4usize {
                    let sign = if e.is_multiple_of(2) { -1.0 } else { 1.0 };
                    out.theta[a][e][i] = w * sign * (low[e + 1] * la + high[e + 1] * ha);
                }
                if own {
                    out.theta[a][0][i] -= w * between[1] * steps[a];
                }
                for b in 0..=a {
                    let (lb, hb) = (if class > 0 { moves(b, class - 1) } else { 0.0 }, moves(b, class));
                    let at = pair(a, b);
                    for e in 0..3usize {
                        let sign = if e.is_multiple_of(2) { -1.0 } else { 1.0 };
                        let mut x = low[e + 2] * la * lb + high[e + 2] * ha * hb;
                        if a == b {
                            x += low[e + 1] * la + high[e + 1] * ha;
                        }
                        out.theta2[at][e][i] = w * sign * x;
                    }
                    if own && a == b {
                        out.theta2[at][0][i] -= w * (between[2] * steps[a] * steps[a] + between[1] * steps[a]);
                    }
                }
            }
        }
    }

    fn saturated(&self, _r: Response, _log_phi: f64) -> [f64; 3] {
        [0.0; 3]
    }

    fn deviance(&self, y: f64, w: f64, theta: &[f64], eta: &[f64]) -> f64 {
        -2.0 * w * self.log_probability(y as usize, &self.cuts(theta), eta[0])
    }

    fn log_lik(&self, r: Response, theta: &[f64], eta: &[Vec<f64>], _phi: f64) -> f64 {
        let cuts = self.cuts(theta);
        r.y.iter().zip(r.w).zip(&eta[0]).map(|((&y, &w), &e)| w * self.log_probability(y as usize, &cuts, e)).sum()
    }

    /// The expected class number.
    fn mean(&self, theta: &[f64], eta: &[f64]) -> (f64, f64) {
        let (mut p, mut slopes) = (Vec::new(), Vec::new());
        self.responses(theta, eta, &mut p, &mut slopes);
        let expected = |v: &[f64]| v.iter().enumerate().map(|(c, x)| c as f64 * x).sum();
        (expected(&p), expected(&slopes))
    }

    fn responses(&self, theta: &[f64], eta: &[f64], out: &mut Vec<f64>, slopes: &mut Vec<f64>) {
        let cuts = self.cuts(theta);
        for c in 0..self.classes {
            let p = self.log_probability(c, &cuts, eta[0]).exp();
            let low = if c == 0 { 0.0 } else { above(cuts[c - 1] - eta[0])[1] };
            let high = if c == cuts.len() { 0.0 } else { below(cuts[c] - eta[0])[1] };
            out.push(p);
            slopes.push(-p * (low + high));
        }
    }

    fn variance(&self, theta: &[f64], eta: &[f64]) -> f64 {
        let (mut p, mut slopes) = (Vec::new(), Vec::new());
        self.responses(theta, eta, &mut p, &mut slopes);
        let moment = |k: i32| p.iter().enumerate().map(|(c, x)| (c as f64).powi(k) * x).sum::<f64>();
        moment(2) - moment(1).powi(2)
    }
}
