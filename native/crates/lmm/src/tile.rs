//! One thread's work on a few rotated variants: scan the grid, search lambda, test.

use x_simd::{Result, try_zeroed};

use crate::association::Model;
use crate::curve::{Curve, Products, Scratch};
use crate::elimination::Likelihood;
use crate::grid::Scan;
use crate::search::{Fit, search};

/// Variants whose grid scan shares one pass over the weights.
pub const GROUP: usize = 4;

/// A variant counts as a combination of the covariates when less than this share of its sum of squares is left.
const COLLINEAR: f64 = 1e-10;

/// Buffers of one thread.
pub struct Buffers {
    /// Product rows of a group of variants; their padding stays 0.
    rows: Vec<f64>,
    scan: Vec<f64>,
    slopes: Vec<f64>,
    scratch: Scratch,
}

impl Buffers {
    pub fn new(model: &Model) -> Result<Self> {
        let (len, m) = (model.values.len(), model.c + 2);
        Ok(Self {
            rows: try_zeroed(GROUP * m * len)?,
            scan: try_zeroed(model.grid.scan_len(GROUP * m))?,
            slopes: vec![0.0; model.grid.points.len()],
            scratch: Scratch::new(m, len)?,
        })
    }

    pub fn bytes(n: usize, c: usize) -> u64 {
        8 * (n as u64 + 8) * (GROUP * (c + 2) + 3) as u64
    }
}

impl Model {
    /// Tests up to `GROUP` rotated variants of `n` values; `None` for those that are combinations of the covariates.
    pub fn test_group(&self, rotated: &[f64], buffers: &mut Buffers) -> Vec<Option<Fit>> {
        let (len, m) = (self.values.len(), self.c + 2);
        let size = rotated.len() / self.n;
        // Products of each variant with the columns (W, x, y).
        for (x, rows) in rotated.chunks_exact(self.n).zip(buffers.rows.chunks_exact_mut(m * len)) {
            for (column, row) in rows.chunks_exact_mut(len).enumerate() {
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
        (0..size).map(|s| self.fit(s, size, buffers)).collect()
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
