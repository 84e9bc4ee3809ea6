//! The first iterate of P-IRLS.

use x_simd::{Error, Result};

use crate::criterion::{Model, Source};
use crate::mat::{Factor, Mat};
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

    /// Where a search begins that has nothing to begin from: smoothing parameters by `rule` from X'WX at the start values,
    /// and coefficients at them (unrotated) unless they are given.
    pub fn outset(
        &self,
        theta: &[f64],
        beta: Option<Vec<f64>>,
        rule: &dyn Fn(&Mat) -> Result<Vec<f64>>,
    ) -> Result<(Vec<f64>, Vec<f64>)> {
        let plain = self.penalties.prepare(&vec![0.0; self.penalties.count])?;
        let layout = self.layout.rotated(&plain.rotation);
        let start = match (&self.source, &beta) {
            (Source::Data(d), None) => d.starting(&layout, theta, false)?,
            (_, given) => {
                let at = given.as_ref().map_or_else(|| vec![0.0; layout.width], |b| plain.to_rotated(b));
                self.working(&layout, &plain, &at, theta, Weights::Fisher)?
            }
        };
        let rho = rule(&plain.rotate(&start.gram, false))?;
        if let Some(beta) = beta {
            return Ok((beta, rho));
        }
        let p = self.penalties.prepare(&rho)?;
        let gram = p.rotate(&plain.rotate(&start.gram, false), true);
        let score = p.to_rotated(&plain.to_plain(&start.score));
        let beta = self.least_squares(&p, &Working { gram, score, ..start })?;
        Ok((p.to_plain(&beta), rho))
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
