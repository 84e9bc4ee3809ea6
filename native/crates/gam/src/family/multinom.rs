//! Multinomial logistic: responses 0 … K, one linear predictor for each of the classes 1 … K against class 0. The
//! derivatives of the log partition function are the cumulants of the class indicators.

use super::{Derivs, Family, Response, quadruple, triple};
use crate::rows::pair;

pub struct Multinom {
    pub classes: usize,
}

/// ln(1 + sum e^eta) and the probabilities of the classes 1 … K.
fn probabilities(eta: &[f64], p: &mut Vec<f64>) -> f64 {
    let top = eta.iter().fold(0.0, |m: f64, x| m.max(*x));
    let sum: f64 = (-top).exp() + eta.iter().map(|x| (x - top).exp()).sum::<f64>();
    p.clear();
    p.extend(eta.iter().map(|x| (x - top).exp() / sum));
    top + sum.ln()
}

impl Family for Multinom {
    fn name(&self) -> &'static str {
        "multinom"
    }

    fn link_name(&self) -> &'static str {
        "logit"
    }

    fn predictors(&self) -> usize {
        self.classes - 1
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

    fn start(&self, y: f64, _w: f64, _mean: f64, k: usize) -> f64 {
        if y as usize == k + 1 { 1.0 } else { -1.0 }
    }

    fn derive(&self, r: Response, _theta: &[f64], eta: &[Vec<f64>], full: bool, out: &mut Derivs) {
        let count = self.predictors();
        out.reset(r.y.len(), count, 0, full);
        let mut p = Vec::new();
        for (i, (&y, &w)) in r.y.iter().zip(r.w).enumerate() {
            let at: Vec<f64> = eta.iter().map(|e| e[i]).collect();
            let log_sum = probabilities(&at, &mut p);
            let class = y as usize;
            out.f[i] = w * (log_sum - if class > 0 { at[class - 1] } else { 0.0 });
            // E of a product of indicators: p when they are the same class, else 0.
            let e2 = |a: usize, b: usize| if a == b { p[a] } else { 0.0 };
            let e3 = |a: usize, b: usize, c: usize| if a == b && b == c { p[a] } else { 0.0 };
            for a in 0..count {
                out.d1[a][i] = w * (p[a] - if class == a + 1 { 1.0 } else { 0.0 });
                for b in 0..=a {
                    out.d2[pair(a, b)][i] = w * (e2(a, b) - p[a] * p[b]);
                    out.fisher[pair(a, b)][i] = out.d2[pair(a, b)][i];
                    if !full {
                        continue;
                    }
                    for c in 0..=b {
                        let pairs = e2(a, b) * p[c] + e2(a, c) * p[b] + e2(b, c) * p[a];
                        out.d3[triple([a, b, c])][i] = w * (e3(a, b, c) - pairs + 2.0 * p[a] * p[b] * p[c]);
                        for d in 0..=c {
                            let e4 = if a == d && b == d && c == d { p[a] } else { 0.0 };
                            let triples =
                                e3(a, b, c) * p[d] + e3(a, b, d) * p[c] + e3(a, c, d) * p[b] + e3(b, c, d) * p[a];
                            let twos = e2(a, b) * e2(c, d) + e2(a, c) * e2(b, d) + e2(a, d) * e2(b, c);
                            let mixed = e2(a, b) * p[c] * p[d]
                                + e2(a, c) * p[b] * p[d]
                                + e2(a, d) * p[b] * p[c]
                                + e2(b, c) * p[a] * p[d]
                                + e2(b, d) * p[a] * p[c]
                                + e2(c, d) * p[a] * p[b];
                            let all = p[a] * p[b] * p[c] * p[d];
                            out.d4[quadruple([a, b, c, d])][i] = w * (e4 - triples - twos + 2.0 * mixed - 6.0 * all);
                        }
                    }
                }
            }
        }
    }

    fn saturated(&self, _r: Response, _log_phi: f64) -> [f64; 3] {
        [0.0; 3]
    }

    fn deviance(&self, y: f64, w: f64, _theta: &[f64], eta: &[f64]) -> f64 {
        let log_sum = probabilities(eta, &mut Vec::new());
        2.0 * w * (log_sum - if y > 0.0 { eta[y as usize - 1] } else { 0.0 })
    }

    fn log_lik(&self, r: Response, theta: &[f64], eta: &[Vec<f64>], _phi: f64) -> f64 {
        let row = |i: usize| {
            let at: Vec<f64> = eta.iter().map(|e| e[i]).collect();
            self.deviance(r.y[i], r.w[i], theta, &at)
        };
        -0.5 * (0..r.y.len()).map(row).sum::<f64>()
    }

    fn mean(&self, _theta: &[f64], eta: &[f64]) -> (f64, f64) {
        // Of class 1 against all others; `responses` has every class.
        let mut p = Vec::new();
        probabilities(eta, &mut p);
        (p[0], p[0] * (1.0 - p[0]))
    }

    fn above(&self, y: f64, _theta: &[f64], eta: &[f64]) -> bool {
        let own = if y > 0.0 { eta[y as usize - 1] } else { 0.0 };
        eta.iter().all(|e| *e <= own) && own >= 0.0
    }

    fn responses(&self, _theta: &[f64], eta: &[f64], out: &mut Vec<f64>, _slopes: &mut Vec<f64>) {
        let mut p = Vec::new();
        probabilities(eta, &mut p);
        out.push(1.0 - p.iter().sum::<f64>());
        out.extend(&p);
    }

    fn jacobian(&self, _theta: &[f64], eta: &[f64]) -> Option<Vec<f64>> {
        let mut p = Vec::new();
        probabilities(eta, &mut p);
        let none = 1.0 - p.iter().sum::<f64>();
        let mut out: Vec<f64> = p.iter().map(|x| -none * x).collect();
        for (c, pc) in p.iter().enumerate() {
            out.extend(p.iter().enumerate().map(|(k, pk)| pc * (f64::from(c == k) - pk)));
        }
        Some(out)
    }

    fn variance(&self, _theta: &[f64], _eta: &[f64]) -> f64 {
        1.0
    }
}
