//! One thread's work on a tile of variants: rotate, scan the grid, search lambda, test.

use x_dense::SquareMatrix;
use x_simd::{Result, try_zeroed};

use crate::association::Model;
use crate::curve::{Curve, Products, Scratch};
use crate::elimination::Likelihood;
use crate::grid::Scan;
use crate::rotate::{Packed, RotateScratch, rotate};
use crate::search::{Fit, search};

/// Variants a tile: enough to reuse each panel of eigenvectors, few enough for the second-level cache.
pub const TILE: usize = 48;
/// Variants whose grid scan shares one pass over the weights.
const GROUP: usize = 4;

/// A variant counts as a combination of the covariates when less than this share of its sum of squares is left.
const COLLINEAR: f64 = 1e-10;

/// Buffers of one thread.
pub struct Buffers {
    rotate: RotateScratch,
    /// Rotated variants, padded.
    x: Vec<f64>,
    /// Product rows of a group of variants.
    rows: Vec<f64>,
    scan: Vec<f64>,
    slopes: Vec<f64>,
    scratch: Scratch,
}

impl Buffers {
    pub fn new(model: &Model) -> Result<Self> {
        let (len, m) = (model.values.len(), model.c + 2);
        Ok(Self {
            rotate: RotateScratch::new(model.n, TILE)?,
            x: try_zeroed(TILE * len)?,
            rows: try_zeroed(GROUP * m * len)?,
            scan: try_zeroed(model.grid.scan_len(GROUP * m))?,
            slopes: vec![0.0; model.grid.points.len()],
            scratch: Scratch::new(m, len)?,
        })
    }

    pub fn bytes(n: usize, c: usize) -> u64 {
        RotateScratch::bytes(n, TILE) + 8 * (n as u64 + 8) * (TILE + GROUP * (c + 2) + 3) as u64
    }
}

impl Model {
    /// Tests up to `TILE` variants; `None` for those that are combinations of the covariates.
    pub fn test_tile(&self, vectors: &SquareMatrix, packed: Packed, buffers: &mut Buffers) -> Vec<Option<Fit>> {
        let (len, rows) = (self.values.len(), packed.rows);
        rotate(vectors, packed, len, self.kernels, &mut buffers.rotate, &mut buffers.x);
        let mut fits = Vec::with_capacity(rows.len());
        for first in (0..rows.len()).step_by(GROUP) {
            let size = GROUP.min(rows.len() - first);
            self.fill_rows(first, size, buffers);
            fits.extend((0..size).map(|s| self.fit(s, size, buffers)));
        }
        fits
    }

    /// Products of each variant of the group with the columns (W, x, y), and their scan.
    fn fill_rows(&self, first: usize, size: usize, buffers: &mut Buffers) {
        let (len, m) = (self.values.len(), self.c + 2);
        for s in 0..size {
            let x = &buffers.x[(first + s) * len..(first + s + 1) * len];
            for (column, row) in buffers.rows[s * m * len..].chunks_exact_mut(len).take(m).enumerate() {
                let other = match column.cmp(&self.c) {
                    std::cmp::Ordering::Less => &self.columns[column],
                    std::cmp::Ordering::Equal => x,
                    std::cmp::Ordering::Greater => &self.columns[column - 1],
                };
                for ((to, x), z) in row.iter_mut().zip(x).zip(other) {
                    *to = x * z;
                }
            }
        }
        let used = self.grid.scan_len(size * m);
        self.grid.scan(&buffers.rows[..size * m * len], size * m, self.kernels, &mut buffers.scan[..used]);
    }

    fn fit(&self, s: usize, size: usize, buffers: &mut Buffers) -> Option<Fit> {
        let (len, m) = (self.values.len(), self.c + 2);
        let Buffers { rows, scan, slopes, scratch, .. } = buffers;
        let scan = Scan { out: scan, row: s * m, count: size * m };
        self.grid.unweighted(&mut scratch.cross, &self.pairs, &scan);
        let left = scratch.cross.pivot(self.c);
        let square = self.grid.square(&scan, self.c);
        if left.is_nan() || left <= COLLINEAR * square {
            return None;
        }
        let ln_det_ww = scratch.cross.ln_det();
        let ends = self.grid.slopes(&mut scratch.cross, &self.pairs, &scan, self.n, ln_det_ww, slopes);
        let mut curve = Curve {
            kind: Likelihood::Reml,
            n: self.n,
            values: &self.values,
            products: [
                Products { rows: &self.fixed, pairs: &self.pairs[0] },
                Products { rows: &rows[s * m * len..(s + 1) * m * len], pairs: &self.pairs[1] },
            ],
            ln_det_ww,
            kernels: self.kernels,
            scratch,
        };
        Some(search(&mut curve, &self.grid.points, slopes, ends))
    }
}
