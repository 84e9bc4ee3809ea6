//! Cox proportional hazards as a family: its likelihood is no sum over rows, so the sums stand in `crate::cox`.

use super::{Derivs, Family, Response};

pub struct CoxPh;

impl Family for CoxPh {
    fn name(&self) -> &'static str {
        "cox.ph"
    }

    fn link_name(&self) -> &'static str {
        "identity"
    }

    fn scale_known(&self) -> bool {
        true
    }

    fn observed_covariance(&self) -> bool {
        true
    }

    fn partial(&self) -> bool {
        true
    }

    fn refuse(&self, y: f64, w: f64) -> Option<&'static str> {
        match (y >= 0.0, w == 0.0 || w == 1.0) {
            (false, _) => Some("is a time and must not be negative"),
            (true, false) => Some("its weight says event (1) or censored (0)"),
            _ => None,
        }
    }

    fn start(&self, _y: f64, _w: f64, _mean: f64, _k: usize) -> f64 {
        0.0
    }

    fn derive(&self, r: Response, _theta: &[f64], _eta: &[Vec<f64>], full: bool, out: &mut Derivs) {
        out.reset(r.y.len(), 1, 0, full);
    }

    fn saturated(&self, _r: Response, _log_phi: f64) -> [f64; 3] {
        [0.0; 3]
    }

    /// Of a row alone there is none.
    fn deviance(&self, _y: f64, _w: f64, _theta: &[f64], _eta: &[f64]) -> f64 {
        f64::NAN
    }

    fn log_lik(&self, _r: Response, _theta: &[f64], _eta: &[Vec<f64>], _phi: f64) -> f64 {
        f64::NAN
    }

    /// The hazard ratio.
    fn mean(&self, _theta: &[f64], eta: &[f64]) -> (f64, f64) {
        (eta[0].exp(), eta[0].exp())
    }

    fn variance(&self, _theta: &[f64], _eta: &[f64]) -> f64 {
        1.0
    }
}
