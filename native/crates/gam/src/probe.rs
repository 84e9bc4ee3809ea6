//! How the curvature of the criterion changes beside its optimum: third derivatives, which let the steps of related fits
//! be better than Newton's.

use x_simd::Result;

use crate::criterion::Evaluation;
use crate::outer::Search;

const H: f64 = 1e-3;
/// Half a Newton decrement that leaves differences of Hessians good to a thousandth.
const INNER: f64 = 1e-12;

/// Derivatives of the Hessian by (rho, theta), zero for coordinates at infinity, and what they took.
#[derive(Debug, Clone)]
pub struct Probe {
    pub third: Vec<f64>,
    pub evaluations: usize,
    pub inner: usize,
}

impl Search<'_> {
    /// By differences of the exact Hessian.
    pub fn probe(&self, point: &[f64], now: &Evaluation) -> Result<Probe> {
        let n = point.len();
        let mut slopes = vec![0.0; n * n * n];
        let active = self.state(point, now).active;
        let mut inner = 0;
        for &k in &active {
            let mut next = point.to_vec();
            next[k] += H;
            let mut reach = vec![0.0; n];
            reach[k] = H;
            let (rho, theta) = next.split_at(self.m);
            let e = self.model.evaluate(rho, theta, Some(&self.follow(&reach, now)), true, INNER)?;
            inner += e.inner;
            for &i in &active {
                for &j in &active {
                    slopes[(i * n + j) * n + k] = (e.hessian[(i, j)] - now.hessian[(i, j)]) / H;
                }
            }
        }
        // The order of differentiation does not matter.
        let at = |i: usize, j: usize, k: usize| slopes[(i * n + j) * n + k];
        let mut third = vec![0.0; n * n * n];
        for i in 0..n {
            for j in 0..n {
                for k in 0..n {
                    third[(i * n + j) * n + k] = (at(i, j, k) + at(j, k, i) + at(k, i, j)) / 3.0;
                }
            }
        }
        Ok(Probe { third, evaluations: active.len(), inner })
    }
}
