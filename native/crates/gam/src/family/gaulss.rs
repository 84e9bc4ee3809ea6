//! Gaussian location-scale: mean eta_0, standard deviation 0.01 + exp(eta_1) (mgcv's `logb` link with b = 0.01).

use super::{Derivs, Family, Response};
use crate::jet::Jet;

pub struct Gaulss;

const B: f64 = 0.01;
const HALF_LN_2PI: f64 = 0.918_938_533_204_672_8;

fn sigma(eta: f64) -> f64 {
    B + eta.exp()
}

impl Family for Gaulss {
    fn name(&self) -> &'static str {
        "gaulss"
    }

    fn link_name(&self) -> &'static str {
        "identity,logb"
    }

    fn predictors(&self) -> usize {
        2
    }

    fn scale_known(&self) -> bool {
        true
    }

    fn observed_covariance(&self) -> bool {
        true
    }

    fn refuse(&self, _y: f64, _w: f64) -> Option<&'static str> {
        None
    }

    fn start(&self, y: f64, _w: f64, mean: f64, k: usize) -> f64 {
        if k == 0 { y } else { ((y - mean).abs() + 0.1).ln() }
    }

    fn derive(&self, r: Response, _theta: &[f64], eta: &[Vec<f64>], full: bool, out: &mut Derivs) {
        out.reset(r.y.len(), 2, 0, full);
        for (i, (&y, &w)) in r.y.iter().zip(r.w).enumerate() {
            let s = Jet::<1>::eta(eta[1][i]).exp().shift(B);
            let (precision, ln_sigma) = (s.powf(-2.0), s.ln());
            let a = |e: usize| w * precision.derivative(0, e);
            let residual = y - eta[0][i];
            let own = |e: usize| 0.5 * residual * residual * a(e) + w * ln_sigma.derivative(0, e);
            out.f[i] = own(0) + w * HALF_LN_2PI;
            (out.d1[0][i], out.d1[1][i]) = (-residual * a(0), own(1));
            (out.d2[0][i], out.d2[1][i], out.d2[2][i]) = (a(0), -residual * a(1), own(2));
            let slope = s.derivative(0, 1) / s.value();
            (out.fisher[0][i], out.fisher[1][i], out.fisher[2][i]) = (a(0), 0.0, 2.0 * w * slope * slope);
            if full {
                // Packed: (0,0,0) (1,0,0) (1,1,0) (1,1,1) and the same with one more.
                for (t, v) in [0.0, a(1), -residual * a(2), own(3)].into_iter().enumerate() {
                    out.d3[t][i] = v;
                }
                for (t, v) in [0.0, 0.0, a(2), -residual * a(3), own(4)].into_iter().enumerate() {
                    out.d4[t][i] = v;
                }
            }
        }
    }

    fn saturated(&self, _r: Response, _log_phi: f64) -> [f64; 3] {
        [0.0; 3]
    }

    fn deviance(&self, y: f64, w: f64, _theta: &[f64], eta: &[f64]) -> f64 {
        let z = (y - eta[0]) / sigma(eta[1]);
        w * z * z
    }

    fn log_lik(&self, r: Response, theta: &[f64], eta: &[Vec<f64>], _phi: f64) -> f64 {
        let row = |i: usize| {
            let e = [eta[0][i], eta[1][i]];
            -0.5 * self.deviance(r.y[i], r.w[i], theta, &e) - r.w[i] * (sigma(e[1]).ln() + HALF_LN_2PI)
        };
        (0..r.y.len()).map(row).sum()
    }

    fn mean(&self, _theta: &[f64], eta: &[f64]) -> (f64, f64) {
        (eta[0], 1.0)
    }

    fn variance(&self, _theta: &[f64], eta: &[f64]) -> f64 {
        sigma(eta[1]).powi(2)
    }
}
