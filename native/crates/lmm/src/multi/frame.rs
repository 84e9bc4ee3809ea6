//! The basis of the traits in which Ve is the identity and Vg is diagonal.

use super::small::{cholesky, congruence, eigen, ln_det, multiply, transpose};

/// P Ve P' = I and P Vg P' = diag(ratios).
#[derive(Debug, Clone)]
pub struct Frame {
    pub d: usize,
    pub p: Vec<f64>,
    /// P^-1.
    pub back: Vec<f64>,
    /// Generalised eigenvalues of (Vg, Ve), never negative.
    pub ratios: Vec<f64>,
    pub ln_det_ve: f64,
}

impl Frame {
    /// `None` when Ve is not positive definite.
    pub fn new(vg: &[f64], ve: &[f64], d: usize) -> Option<Self> {
        let unit: Vec<f64> = (0..d * d).map(|at| f64::from(at / d == at % d)).collect();
        let origin = Self { d, p: unit.clone(), back: unit, ratios: vec![0.0; d], ln_det_ve: 0.0 };
        origin.moved(vg, ve)
    }

    /// The frame of variances that are given in the coordinates of this one.
    pub fn moved(&self, vg: &[f64], ve: &[f64]) -> Option<Self> {
        let d = self.d;
        let mut l = ve.to_vec();
        if !cholesky(&mut l, d) {
            return None;
        }
        for i in 0..d {
            l[i * d + i + 1..(i + 1) * d].fill(0.0);
        }
        // L^-1 by forward substitution.
        let mut inverse = vec![0.0; d * d];
        for j in 0..d {
            for i in j..d {
                let sum: f64 = (j..i).map(|k| l[i * d + k] * inverse[k * d + j]).sum();
                inverse[i * d + j] = (f64::from(i == j) - sum) / l[i * d + i];
            }
        }
        let whitened = multiply(&multiply(&inverse, vg, d), &transpose(&inverse, d), d);
        let symmetric = (0..d * d).map(|at| 0.5 * (whitened[at] + whitened[at % d * d + at / d])).collect();
        let (values, vectors) = eigen(symmetric, d);
        Some(Self {
            d,
            p: multiply(&multiply(&transpose(&vectors, d), &inverse, d), &self.p, d),
            back: multiply(&self.back, &multiply(&l, &vectors, d), d),
            ratios: values.iter().map(|v| v.max(0.0)).collect(),
            ln_det_ve: self.ln_det_ve + ln_det(&l, d),
        })
    }

    /// Vg in the traits' own units.
    pub fn vg(&self) -> Vec<f64> {
        congruence(&self.back, &self.ratios)
    }

    pub fn ve(&self) -> Vec<f64> {
        congruence(&self.back, &vec![1.0; self.d])
    }

    /// The same with every ratio at least `least`: a start inside the cone, from where Newton's method can move.
    pub fn inside(&self, least: f64) -> Self {
        Self { ratios: self.ratios.iter().map(|r| r.max(least)).collect(), ..self.clone() }
    }
}
