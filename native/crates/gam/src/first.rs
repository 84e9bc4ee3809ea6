//! The first iterate of P-IRLS.

use x_simd::{Error, Result};

use crate::criterion::{Model, Source};
use crate::mat::Factor;
use crate::passes::{Weights, Working};
use crate::penalty::Prepared;
use crate::rows::Layout;

/// Halvings from the first iterate towards the constant model.
const MAX_BACK: usize = 20;

fn no_start() -> Error {
    Error::new("GAM_INNER", "no valid start: the linear predictor leaves the domain of the link")
}

impl Model<'_> {
    /// The family's start values by least squares.
    pub fn first(&self, layout: &Layout, p: &Prepared, theta: &[f64]) -> Result<Vec<f64>> {
        let start = match &self.source {
            Source::Quadratic(_) => self.working(layout, p, &vec![0.0; layout.width], theta, Weights::Fisher)?,
            Source::Data(d) => d.starting(layout, theta, false)?,
        };
        self.least_squares(p, &start)
    }

    /// From a first iterate outside the domain of the link back towards the constant model, which is inside.
    pub fn back(&self, layout: &Layout, p: &Prepared, theta: &[f64], beta: &[f64]) -> Result<(Vec<f64>, Working)> {
        let Source::Data(d) = &self.source else { return Err(no_start()) };
        let level = self.least_squares(p, &d.starting(layout, theta, true)?)?;
        let mut share = 1.0;
        for _ in 0..MAX_BACK {
            share *= 0.5;
            let between: Vec<f64> = beta.iter().zip(&level).map(|(b, l)| l + share * (b - l)).collect();
            let now = self.working(layout, p, &between, theta, Weights::Observed)?;
            if now.f.is_finite() {
                return Ok((between, now));
            }
        }
        Err(no_start())
    }

    /// The coefficients whose working sums at zero are these.
    fn least_squares(&self, p: &Prepared, start: &Working) -> Result<Vec<f64>> {
        let factor = Factor::new(&self.hessian_of(p, &start.gram)).ok_or_else(|| self.rank_error(p, &start.gram))?;
        let mut beta: Vec<f64> = start.score.iter().map(|s| -s).collect();
        factor.solve(&mut beta);
        Ok(beta)
    }
}
