//! The likelihood of one model as a function of lambda, evaluated from products of its rotated columns.

use x_simd::{Result, try_zeroed};

use crate::elimination::{Cross, Likelihood};
use crate::kernels::{Kernels, Weights};
use crate::root::Function;

/// What one thread needs to evaluate likelihoods.
pub struct Scratch {
    weights: Weights,
    sums: Vec<f64>,
    pub cross: Cross,
}

impl Scratch {
    /// For `m` columns, y included, and arrays padded to `len`.
    pub fn new(m: usize, len: usize) -> Result<Self> {
        let weights = Weights { w: [try_zeroed(len)?, try_zeroed(len)?, try_zeroed(len)?] };
        Ok(Self { weights, sums: try_zeroed(3 * m * (m + 1) / 2)?, cross: Cross::new(m) })
    }
}

/// Products z_i z_j of pairs of columns, one padded row a pair.
#[derive(Clone, Copy)]
pub struct Products<'a> {
    pub rows: &'a [f64],
    pub pairs: &'a [(usize, usize)],
}

pub struct Curve<'a> {
    pub kind: Likelihood,
    /// People.
    pub n: usize,
    /// Padded with zeros, as the product rows are: padding adds nothing to any sum.
    pub values: &'a [f64],
    /// Products that do not and that do involve the variant under test.
    pub products: [Products<'a>; 2],
    /// ln |W'W|, unweighted.
    pub ln_det_ww: f64,
    pub kernels: Kernels,
    /// Lambdas evaluated so far.
    pub evaluations: u64,
    pub scratch: &'a mut Scratch,
}

impl Curve<'_> {
    /// Cross products at a lambda, eliminated: `orders` = 2 for the first derivative, 3 for the second.
    fn evaluate(&mut self, lambda: f64, orders: usize) {
        self.evaluations += 1;
        let Scratch { weights, sums, cross } = &mut *self.scratch;
        cross.trace = (self.kernels.weights)(self.values, lambda, weights);
        for products in &self.products {
            (self.kernels.sums)(products.rows, weights, orders, sums);
            for (&(i, j), sums) in products.pairs.iter().zip(sums.chunks_exact(3)) {
                for (k, &sum) in sums.iter().enumerate().take(orders) {
                    cross.set(k, i, j, sum);
                }
            }
        }
        cross.eliminate(orders - 1);
    }

    /// Log-likelihood at the lambda that was evaluated last.
    pub fn loglik(&self, lambda: f64) -> f64 {
        let ln_det_h = (self.kernels.ln_det)(self.values, lambda);
        self.scratch.cross.loglik(self.kind, self.n, ln_det_h, self.ln_det_ww)
    }
}

impl Function for Curve<'_> {
    fn value(&mut self, lambda: f64) -> f64 {
        self.evaluate(lambda, 2);
        self.scratch.cross.slope(self.kind, self.n)
    }

    fn value_and_slope(&mut self, lambda: f64) -> (f64, f64) {
        self.evaluate(lambda, 3);
        (self.scratch.cross.slope(self.kind, self.n), self.scratch.cross.curvature(self.kind, self.n))
    }
}
