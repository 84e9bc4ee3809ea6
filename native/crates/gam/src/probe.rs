//! How the curvature of the criterion changes beside its optimum: third derivatives, which let the steps of related fits
//! be better than Newton's.

use x_simd::Result;

use crate::criterion::Evaluation;
use crate::outer::Search;
use crate::step::KNOWN_TAIL;
use crate::tail::Tail;

const H: f64 = 1e-3;
/// Half a Newton decrement that leaves differences of Hessians good to a thousandth.
const INNER: f64 = 1e-12;

/// Derivatives of the Hessian by (rho, theta), zero for coordinates at infinity and for the third by a coordinate whose tail
/// is known, and what they took.
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
        let tail = |k: usize| {
            let flat = now.gradient[k].abs().max(now.hessian[(k, k)].abs()) < KNOWN_TAIL;
            k < self.m && flat && Tail::along(self.model, now, k).is_some()
        };
        let probed: Vec<usize> = active.iter().copied().filter(|&k| !tail(k)).collect();
        let mut inner = 0;
        for &k in &probed {
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
                    let told = [i, j, k].iter().filter(|x| probed.contains(x)).count();
                    third[(i * n + j) * n + k] = (at(i, j, k) + at(j, k, i) + at(k, i, j)) / told.max(1) as f64;
                }
            }
        }
        Ok(Probe { third, evaluations: probed.len(), inner })
    }
}
