//! One thread's work on a few rotated variants: scan the grid, search lambda.

use x_simd::{Result, try_zeroed};

use crate::curve::{Curve, Products, Scratch};
use crate::elimination::Likelihood::{self, Mle, Reml};
use crate::grid::{Pairs, Scan};
use crate::model::Model;
use crate::search::{Fit, search};
use crate::statistics::Fits;

/// Variants whose grid scan shares one pass over the weights.
pub const GROUP: usize = 4;

/// A variant counts as a combination of the covariates when less than this share of its sum of squares is left.
const COLLINEAR: f64 = 1e-10;

/// Variant and covariates explain the phenotype completely when less than this share of what W left of it remains: the
/// rest is rounding, and counts as this share.
const PERFECT: f64 = 1e-12;

/// Buffers of one thread; they fit every model of one set of people and covariates.
pub struct Buffers {
    /// Product rows of a group of variants; their padding stays 0.
    rows: Vec<f64>,
    scan: Vec<f64>,
    slopes: [Vec<f64>; 2],
    scratch: Scratch,
    /// For the null model of each variant, which has a column less.
    null_scratch: Option<Scratch>,
    /// Lambdas at which a likelihood was evaluated, the grid's apart.
    pub evaluations: u64,
    /// Searches for a lambda.
    pub searches: u64,
}

impl Buffers {
    pub fn new(model: &Model) -> Result<Self> {
        let (len, rows) = (model.values.len(), GROUP * model.rows());
        let null_scratch = model.null_pairs.is_some().then(|| Scratch::new(model.m() - 1, len)).transpose()?;
        Ok(Self {
            rows: try_zeroed(rows * len)?,
            scan: try_zeroed(model.grid.scan_len(rows))?,
            slopes: std::array::from_fn(|_| vec![0.0; model.grid.points.len()]),
            scratch: Scratch::new(model.m(), len)?,
            null_scratch,
            evaluations: 0,
            searches: 0,
        })
    }

    pub fn bytes(n: usize, c: usize, v: usize) -> u64 {
        let rows = if v == 1 { c + 2 } else { 2 * c + 5 };
        8 * (n as u64 + 8) * (GROUP * rows + 3 * v) as u64
    }
}

impl Model {
    /// Searches for up to `GROUP` rotated variants, one `width` values long slice of `rotated` each (and of `products` with
    /// the environment); `None` for those that are combinations of the covariates. `again`: the buffers hold the same
    /// variants' products of another phenotype.
    pub fn test_group(&self, rotated: [&[f64]; 2], again: bool, buffers: &mut Buffers) -> Vec<Option<Fits>> {
        let (len, rows, y) = (self.values.len(), self.rows(), self.c + self.v);
        let size = rotated[0].len() / self.width;
        for (s, out) in buffers.rows.chunks_exact_mut(rows * len).take(size).enumerate() {
            let variant = |k: usize| &rotated[k][s * self.width..(s + 1) * self.width];
            for (row, &(i, j)) in out.chunks_exact_mut(len).zip(&self.pairs[1]) {
                // The variant's column is the later of the two, but beside y.
                let (x, other) = if j == y { (i, j) } else { (j, i) };
                if again && other != y {
                    continue;
                }
                let other = if other < self.c {
                    &self.columns[other]
                } else if other == y {
                    &self.columns[self.c]
                } else {
                    variant(other - self.c)
                };
                for ((to, x), z) in row.iter_mut().zip(variant(x - self.c)).zip(other) {
                    *to = x * z;
                }
            }
        }
        let used = self.grid.scan_len(size * rows);
        self.grid.scan(&buffers.rows[..size * rows * len], size * rows, self.kernels, &mut buffers.scan[..used]);
        (0..size).map(|s| self.fit(s, size, buffers)).collect()
    }

    fn fit(&self, s: usize, size: usize, buffers: &mut Buffers) -> Option<Fits> {
        let (len, count) = (self.values.len(), self.rows());
        let Buffers { rows, scan, slopes, scratch, null_scratch, evaluations, searches } = buffers;
        let mut scan = Scan { out: scan, row: s * count, count: size * count, n: self.n, ln_det_ww: 0.0 };
        let rows = &rows[s * count * len..(s + 1) * count * len];
        let (left, unexplained) = self.grid.unweighted(&mut scratch.cross, self.c, &self.pairs, &scan);
        if left <= COLLINEAR {
            return None;
        }
        scan.ln_det_ww = scratch.cross.ln_det();
        let mut fits = Fits { loglik_h0: self.null.loglik, ..Fits::default() };
        if self.tests.at_null() {
            fits.null = Some(self.grid.at_null(&mut scratch.cross, &self.pairs, &scan));
        }
        let mut variant = Variant { rows, scan, slopes, evaluations, searches };
        match (self.tests.wald, self.tests.lrt) {
            (true, true) => {
                let [reml, mle] = self.optima([Reml, Mle], &self.pairs, &mut variant, scratch);
                (fits.reml, fits.mle) = (Some(reml), Some(mle));
            }
            (true, false) => fits.reml = Some(self.optima([Reml], &self.pairs, &mut variant, scratch)[0]),
            (false, true) => fits.mle = Some(self.optima([Mle], &self.pairs, &mut variant, scratch)[0]),
            (false, false) => {}
        }
        if let (true, Some(pairs), Some(scratch)) = (self.tests.lrt, &self.null_pairs, null_scratch) {
            fits.loglik_h0 = self.optima([Mle], pairs, &mut variant, scratch)[0].loglik;
        }
        if unexplained <= PERFECT {
            for fit in [&mut fits.reml, &mut fits.mle, &mut fits.null].into_iter().flatten() {
                fit.yy = PERFECT * fit.xy * (fit.xy / fit.xx);
            }
        }
        Some(fits)
    }

    /// The maxima of one or both likelihoods: the scan of the grid is shared.
    fn optima<const K: usize>(
        &self,
        kinds: [Likelihood; K],
        pairs: &Pairs,
        variant: &mut Variant,
        scratch: &mut Scratch,
    ) -> [Fit; K] {
        let Variant { rows, scan, slopes, evaluations, searches } = variant;
        let ends = self.grid.slopes(kinds, &mut scratch.cross, pairs, scan, slopes);
        std::array::from_fn(|k| {
            let mut curve = Curve {
                kind: kinds[k],
                n: self.n,
                values: &self.values,
                products: [
                    Products { rows: &self.fixed, pairs: &pairs[0] },
                    Products { rows: &rows[..pairs[1].len() * self.values.len()], pairs: &pairs[1] },
                ],
                ln_det_ww: scan.ln_det_ww,
                kernels: self.kernels,
                evaluations: 0,
                scratch,
            };
            let fit = search(&mut curve, &self.grid.points, &slopes[k], ends[k]);
            **evaluations += curve.evaluations;
            **searches += 1;
            fit
        })
    }
}

/// What the searches for one variant share.
struct Variant<'a> {
    rows: &'a [f64],
    scan: Scan<'a>,
    slopes: &'a mut [Vec<f64>; 2],
    evaluations: &'a mut u64,
    searches: &'a mut u64,
}
