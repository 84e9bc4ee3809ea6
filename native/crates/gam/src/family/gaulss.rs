//! Gaussian location-scale: mean eta_0, standard deviation b + exp(eta_1) (mgcv's `logb` link; its b is 0.01).

use super::{Derivs, Family, Response};
use crate::jet::Jet;

pub struct Gaulss {
    /// The least standard deviation, in the unit of the response.
    pub b: f64,
}

const HALF_LN_2PI: f64 = 0.918_938_533_204_672_8;
/// A response that varies by less than so many times b is one that b decides the fit of.
const LEAST: f64 = 3.0;

impl Gaulss {
    fn sigma(&self, eta: f64) -> f64 {
        self.b + eta.exp()
    }
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

    fn refuse_all(&self, r: Response) -> Option<String> {
        let total: f64 = r.w.iter().sum();
        let mean = crate::mat::dot(r.w, r.y) / total;
        let squares: f64 = r.y.iter().zip(r.w).map(|(y, w)| w * (y - mean) * (y - mean)).sum();
        let sd = (squares / total).sqrt();
        (sd < LEAST * self.b).then(|| {
            format!(
                "the responses have a standard deviation of {sd:.3e}, the family allows none below b = {}: give a smaller b",
                self.b
            )
        })
    }

    fn start(&self, y: f64, _w: f64, mean: f64, k: usize) -> f64 {
        if k == 0 { y } else { ((y - mean).abs() + 10.0 * self.b).ln() }
    }

    fn derive(&self, r: Response, _theta: &[f64], eta: &[Vec<f64>], full: bool, out: &mut Derivs) {
        out.reset(r.y.len(), 2, 0, full);
        for (i, (&y, &w)) in r.y.iter().zip(r.w).enumerate() {
            let s = Jet::<1>::eta(eta[1][i]).exp().shift(self.b);
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
        let z = (y - eta[0]) / self.sigma(eta[1]);
        w * z * z
    }

    fn log_lik(&self, r: Response, theta: &[f64], eta: &[Vec<f64>], _phi: f64) -> f64 {
        let row = |i: usize| {
            let e = [eta[0][i], eta[1][i]];
            -0.5 * self.deviance(r.y[i], r.w[i], theta, &e) - r.w[i] * (self.sigma(e[1]).ln() + HALF_LN_2PI)
        };
        (0..r.y.len()).map(row).sum()
    }

    fn mean(&self, _theta: &[f64], eta: &[f64]) -> (f64, f64) {
        (eta[0], 1.0)
    }

    fn responses(&self, _theta: &[f64], eta: &[f64], out: &mut Vec<f64>, slopes: &mut Vec<f64>) {
        let s = self.sigma(eta[1]);
        out.extend([eta[0], 1.0 / s]);
        slopes.extend([1.0, -eta[1].exp() / (s * s)]);
    }

    fn variance(&self, _theta: &[f64], eta: &[f64]) -> f64 {
        self.sigma(eta[1]).powi(2)
    }
}
