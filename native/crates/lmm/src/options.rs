//! Where lambda is searched, and GEMMA's rule for eigenvalues.

use x_simd::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Bounds of lambda = vg / ve.
    pub lmin: f64,
    pub lmax: f64,
    /// Intervals of equal width in log lambda, each searched for a root of the first derivative.
    pub regions: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { lmin: 1e-5, lmax: 1e5, regions: 10 }
    }
}

impl Options {
    pub(crate) fn check(&self) -> Result<()> {
        let Self { lmin, lmax, regions } = *self;
        if !(lmin > 0.0 && lmin < lmax && lmax.is_finite() && (1..=1000).contains(&regions)) {
            return Err(Error::new(
                "LAMBDA_RANGE",
                format!(
                    "expected 0 < lmin < lmax and 1 to 1000 regions, found lmin {lmin}, lmax {lmax}, {regions} regions"
                ),
            ));
        }
        Ok(())
    }

    /// The ends of the intervals: `regions + 1` values, the outer ones exactly lmin and lmax.
    pub(crate) fn points(&self) -> Vec<f64> {
        let step = (self.lmax / self.lmin).ln() / self.regions as f64;
        let mut points: Vec<f64> = (0..=self.regions).map(|i| self.lmin * (step * i as f64).exp()).collect();
        points[self.regions] = self.lmax;
        points
    }
}

/// Eigenvalues below 1e-10, negative ones included, become 0: a centred kinship has at least one that is 0 up to
/// rounding. Both `fit_null` and `Association` call this.
pub fn clamp_eigenvalues(values: &[f64]) -> Vec<f64> {
    values.iter().map(|&d| if d < 1e-10 { 0.0 } else { d }).collect()
}
