//! One phenotype's model: rotated columns, their products, and the search grid. Shared by all variants.

use x_simd::Result;

use crate::grid::{Grid, pairs};
use crate::kernels::Kernels;
use crate::null::product;
use crate::options::Options;
use crate::statistics::{NullPoint, Tests};

/// The columns are (fixed, variant, y): W and the environment; the variant and, with an environment, their product;
/// the phenotype.
pub struct Model {
    pub n: usize,
    /// Fixed columns.
    pub c: usize,
    /// Columns of a variant: 1, or 2 with an environment; the last one is tested.
    pub v: usize,
    /// Clamped eigenvalues, padded.
    pub values: Vec<f64>,
    /// Rotated fixed columns, then y, padded.
    pub columns: Vec<Vec<f64>>,
    /// Product rows of the pairs in `pairs[0]`.
    pub fixed: Vec<f64>,
    pub pairs: [Vec<(usize, usize)>; 2],
    /// The same without the tested column, for the null model of each variant; only with an environment.
    pub null_pairs: Option<[Vec<(usize, usize)>; 2]>,
    pub grid: Grid,
    pub kernels: Kernels,
    pub tests: Tests,
    pub null: NullPoint,
}

/// What the models of several phenotypes share.
pub struct Common {
    pub n: usize,
    pub v: usize,
    /// Clamped eigenvalues, padded.
    pub values: Vec<f64>,
    pub tests: Tests,
    pub options: Options,
    pub kernels: Kernels,
}

impl Model {
    /// `columns`: fixed ones, then y, rotated and padded.
    pub fn new(common: &Common, columns: Vec<Vec<f64>>, null: NullPoint) -> Result<Self> {
        let Common { n, v, ref values, tests, options, kernels } = *common;
        let c = columns.len() - 1;
        let pairs_of_all = pairs(c, v);
        // Among (fixed, variant, y) the phenotype is column c + v; among the stored columns it is the last.
        let fixed: Vec<f64> =
            pairs_of_all[0].iter().flat_map(|&(i, j)| product(&columns[i.min(c)], &columns[j.min(c)])).collect();
        let grid = Grid::new(&options, tests, null.lambda, values, &fixed, kernels)?;
        let values = values.clone();
        let null_pairs = (v == 2).then(|| pairs(c, 1));
        Ok(Self { n, c, v, values, columns, fixed, pairs: pairs_of_all, null_pairs, grid, kernels, tests, null })
    }

    /// Columns of the model with the variant, y included.
    pub fn m(&self) -> usize {
        self.c + self.v + 1
    }

    /// Product rows of a variant.
    pub fn rows(&self) -> usize {
        self.pairs[1].len()
    }

    /// Residual degrees of freedom with the variant.
    pub fn df(&self) -> f64 {
        (self.n - (self.c + self.v)) as f64
    }

    /// Doubles that `new` keeps, for `len` padded people.
    pub fn doubles(len: u64, c: u64) -> u64 {
        len * (1 + c + 1 + (c + 1) * (c + 2) / 2)
    }
}
