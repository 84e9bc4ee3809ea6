//! What no variant changes: at the grid's lambdas the weights, and the cross products of covariates and phenotype.
//! Per variant the whole scan is then one product of a few rows with a narrow matrix.

use x_simd::{Result, try_zeroed};

use crate::elimination::{Cross, Likelihood};
use crate::kernels::{Kernels, LANES, Weights};
use crate::options::Options;
use crate::search::Fit;

pub struct Grid {
    pub points: Vec<f64>,
    /// Column 0 is all ones, then the first two weights of every point: panels of `LANES` columns, one after another.
    panels: Vec<f64>,
    pub panel_count: usize,
    /// Cross products of (W, y) under column 0, then under the weights of each point: `fixed[column * pairs + pair]`.
    fixed: Vec<f64>,
    traces: Vec<f64>,
    /// ln |H| at the first and the last point.
    ln_det_ends: [f64; 2],
}

/// Pairs of columns (W, x, y), in the order of product rows: those without x, then those with it.
pub fn pairs(c: usize) -> [Vec<(usize, usize)>; 2] {
    let others: Vec<usize> = (0..c).chain([c + 1]).collect();
    let fixed = others.iter().enumerate().flat_map(|(at, &i)| others[at..].iter().map(move |&j| (i, j))).collect();
    [fixed, (0..c + 2).map(|i| (i.min(c), i.max(c))).collect()]
}

impl Grid {
    /// `fixed_rows`: the product rows of (W, y), padded to `values.len()`.
    pub fn new(options: &Options, values: &[f64], fixed_rows: &[f64], kernels: Kernels) -> Result<Self> {
        let points = options.points();
        let len = values.len();
        let columns = 1 + 2 * points.len();
        let panel_count = columns.div_ceil(LANES);
        let mut panels: Vec<f64> = try_zeroed(panel_count * len * LANES)?;
        let mut put = |column: usize, weights: &[f64]| {
            let panel = &mut panels[column / LANES * len * LANES..];
            for (row, w) in panel.chunks_exact_mut(LANES).zip(weights) {
                row[column % LANES] = *w;
            }
        };
        let pair_count = fixed_rows.len() / len;
        let mut fixed = vec![0.0; columns * pair_count];
        let mut traces = Vec::with_capacity(points.len());
        let mut sums = vec![0.0; 3 * pair_count];
        let mut weights = Weights { w: [vec![1.0; len], vec![0.0; len], vec![0.0; len]] };
        let mut put_sums = |column: usize, order: usize, sums: &[f64]| {
            for (to, from) in fixed[column * pair_count..].iter_mut().zip(sums.chunks_exact(3)) {
                *to = from[order];
            }
        };
        put(0, &weights.w[0]);
        (kernels.sums)(fixed_rows, &weights, 2, &mut sums);
        put_sums(0, 0, &sums);
        for (at, &lambda) in points.iter().enumerate() {
            traces.push((kernels.weights)(values, lambda, &mut weights)[0]);
            (kernels.sums)(fixed_rows, &weights, 2, &mut sums);
            for order in 0..2 {
                put(1 + 2 * at + order, &weights.w[order]);
                put_sums(1 + 2 * at + order, order, &sums);
            }
        }
        let ln_det_ends = [points[0], points[points.len() - 1]].map(|l| (kernels.ln_det)(values, l));
        Ok(Self { points, panels, panel_count, fixed, traces, ln_det_ends })
    }

    /// Length of `scan`'s output for a number of rows.
    pub fn scan_len(&self, rows: usize) -> usize {
        self.panel_count * rows * LANES
    }

    /// Products of the padded rows with every column.
    pub fn scan(&self, rows: &[f64], count: usize, kernels: Kernels, out: &mut [f64]) {
        let len = rows.len() / count;
        for (panel, out) in self.panels.chunks_exact(len * LANES).zip(out.chunks_exact_mut(count * LANES)) {
            (kernels.panel)(rows, len, panel, out);
        }
    }

    /// Fills `cross` from a column of the scan.
    fn fill(&self, cross: &mut Cross, order: usize, column: usize, pairs: &[Vec<(usize, usize)>; 2], scan: &Scan) {
        for (&(i, j), &sum) in pairs[0].iter().zip(&self.fixed[column * pairs[0].len()..]) {
            cross.set(order, i, j, sum);
        }
        let panel = &scan.out[column / LANES * scan.count * LANES..];
        for (at, &(i, j)) in pairs[1].iter().enumerate() {
            cross.set(order, i, j, panel[(scan.row + at) * LANES + column % LANES]);
        }
    }

    /// Unweighted cross products, eliminated.
    pub fn unweighted(&self, cross: &mut Cross, pairs: &[Vec<(usize, usize)>; 2], scan: &Scan) {
        self.fill(cross, 0, 0, pairs, scan);
        cross.eliminate(0);
    }

    /// x'x of the variant, whose product with itself is row `c` of its rows.
    pub fn square(&self, scan: &Scan, c: usize) -> f64 {
        scan.out[(scan.row + c) * LANES]
    }

    /// First derivatives of the REML likelihood at all points, and the fits at both ends.
    pub fn slopes(
        &self,
        cross: &mut Cross,
        pairs: &[Vec<(usize, usize)>; 2],
        scan: &Scan,
        n: usize,
        ln_det_ww: f64,
        slopes: &mut [f64],
    ) -> [Fit; 2] {
        let mut ends = [None; 2];
        for (at, slope) in slopes.iter_mut().enumerate() {
            for order in 0..2 {
                self.fill(cross, order, 1 + 2 * at + order, pairs, scan);
            }
            cross.trace[0] = self.traces[at];
            cross.eliminate(1);
            *slope = cross.slope(Likelihood::Reml, n);
            let end = if at == 0 { 0 } else { 1 };
            if at == 0 || at + 1 == self.points.len() {
                let loglik = cross.loglik(Likelihood::Reml, n, self.ln_det_ends[end], ln_det_ww);
                ends[end] = Some(Fit::new(self.points[at], loglik, cross));
            }
        }
        ends.map(|fit| fit.expect("a grid has two ends"))
    }

    pub fn bytes(options: &Options, len: usize) -> u64 {
        let columns = 1 + 2 * (options.regions as u64 + 1);
        columns.next_multiple_of(LANES as u64) * len as u64 * 8
    }
}

/// Where in a scan's output one variant lies: its first row among the `count` that were scanned.
pub struct Scan<'a> {
    pub out: &'a [f64],
    pub row: usize,
    pub count: usize,
}
