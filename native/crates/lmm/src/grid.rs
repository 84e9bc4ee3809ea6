//! What no variant changes: at the grid's lambdas the weights, and the cross products of covariates and phenotype.
//! Per variant the whole scan is then one product of a few rows with a narrow matrix.

use x_simd::{Result, try_zeroed};

use crate::elimination::{Cross, Likelihood};
use crate::kernels::{Kernels, LANES, Weights};
use crate::options::Options;
use crate::search::Fit;
use crate::statistics::Tests;

/// Pairs of columns by index: those without the variant, then those with it.
pub type Pairs = [Vec<(usize, usize)>; 2];

pub struct Grid {
    /// Empty when no test searches.
    pub points: Vec<f64>,
    /// Column 0 is all ones, then come the first two weights of every point, then the first weight of the null model's
    /// lambda if a test needs it: panels of `LANES` columns, one after another.
    panels: Vec<f64>,
    pub panel_count: usize,
    /// Cross products of (W, y) under each column: `fixed[column * pairs + pair]`.
    fixed: Vec<f64>,
    traces: Vec<f64>,
    /// ln |H| at the first and the last point.
    ln_det_ends: [f64; 2],
    null_lambda: f64,
}

/// Pairs of columns (c fixed, v of the variant, y), in the order of product rows.
pub fn pairs(c: usize, v: usize) -> Pairs {
    let y = c + v;
    let others: Vec<usize> = (0..c).chain([y]).collect();
    let fixed = others.iter().enumerate().flat_map(|(at, &i)| others[at..].iter().map(move |&j| (i, j))).collect();
    let variant = (c..y).flat_map(|x| (0..=x).map(move |i| (i, x)).chain([(x, y)])).collect();
    [fixed, variant]
}

/// Columns of the panels.
fn columns(points: usize, tests: Tests) -> usize {
    1 + 2 * points + usize::from(tests.at_null())
}

fn points(options: &Options, tests: Tests) -> Vec<f64> {
    if tests.search() { options.points() } else { Vec::new() }
}

impl Grid {
    /// `fixed_rows`: the product rows of (W, y), padded to `values.len()`.
    pub fn new(
        options: &Options,
        tests: Tests,
        null_lambda: f64,
        values: &[f64],
        fixed_rows: &[f64],
        kernels: Kernels,
    ) -> Result<Self> {
        let points = points(options, tests);
        let len = values.len();
        let columns = columns(points.len(), tests);
        let panel_count = columns.div_ceil(LANES);
        let mut panels: Vec<f64> = try_zeroed(panel_count * len * LANES)?;
        let pair_count = fixed_rows.len() / len;
        let mut fixed = vec![0.0; columns * pair_count];
        let mut sums = vec![0.0; 3 * pair_count];
        let mut put = |column: usize, weights: &Weights, orders: usize| {
            (kernels.sums)(fixed_rows, weights, 2, &mut sums);
            for order in 0..orders {
                let column = column + order;
                let panel = &mut panels[column / LANES * len * LANES..];
                for (row, w) in panel.chunks_exact_mut(LANES).zip(&weights.w[order]) {
                    row[column % LANES] = *w;
                }
                for (to, from) in fixed[column * pair_count..].iter_mut().zip(sums.chunks_exact(3)) {
                    *to = from[order];
                }
            }
        };
        let mut weights = Weights { w: [vec![1.0; len], vec![0.0; len], vec![0.0; len]] };
        put(0, &weights, 1);
        let mut traces = Vec::with_capacity(points.len());
        for (at, &lambda) in points.iter().enumerate() {
            traces.push((kernels.weights)(values, lambda, &mut weights)[0]);
            put(1 + 2 * at, &weights, 2);
        }
        if tests.at_null() {
            (kernels.weights)(values, null_lambda, &mut weights);
            put(columns - 1, &weights, 1);
        }
        let ends = [points.first(), points.last()];
        let ln_det_ends = ends.map(|end| end.map_or(0.0, |&l| (kernels.ln_det)(values, l)));
        Ok(Self { points, panels, panel_count, fixed, traces, ln_det_ends, null_lambda })
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
    fn fill(&self, cross: &mut Cross, order: usize, column: usize, pairs: &Pairs, scan: &Scan) {
        for (&(i, j), &sum) in pairs[0].iter().zip(&self.fixed[column * pairs[0].len()..]) {
            cross.set(order, i, j, sum);
        }
        let panel = &scan.out[column / LANES * scan.count * LANES..];
        for (at, &(i, j)) in pairs[1].iter().enumerate() {
            cross.set(order, i, j, panel[(scan.row + at) * LANES + column % LANES]);
        }
    }

    /// Unweighted cross products, eliminated; returns the smallest share that the columns before it leave of any
    /// column from `first` to the last before y, and the share that all leave of y.
    pub fn unweighted(&self, cross: &mut Cross, first: usize, pairs: &Pairs, scan: &Scan) -> (f64, f64) {
        self.fill(cross, 0, 0, pairs, scan);
        let squares: [f64; 2] = std::array::from_fn(|k| cross.pivot((first + k).min(cross.m - 1)));
        let whole = cross.y_py();
        cross.eliminate(0);
        let shares = (first..cross.m - 1).zip(squares).map(|(x, square)| cross.pivot(x) / square);
        // A NaN (a column of zeros) counts as nothing left.
        let least = shares
            .fold(f64::INFINITY, |least, share| if share.is_nan() { f64::NEG_INFINITY } else { least.min(share) });
        (least, cross.y_py() / whole)
    }

    /// The fit at the null model's lambda; without a log-likelihood, which no test asks for.
    pub fn at_null(&self, cross: &mut Cross, pairs: &Pairs, scan: &Scan) -> Fit {
        let column = 1 + 2 * self.points.len();
        self.fill(cross, 0, column, pairs, scan);
        cross.eliminate(0);
        Fit::new(self.null_lambda, f64::NAN, cross)
    }

    /// First derivatives of the likelihoods at all points, and the fits at both ends: one elimination a point for all
    /// `kinds`.
    pub fn slopes<const K: usize>(
        &self,
        kinds: [Likelihood; K],
        cross: &mut Cross,
        pairs: &Pairs,
        scan: &Scan,
        slopes: &mut [Vec<f64>; 2],
    ) -> [[Fit; 2]; K] {
        let mut ends = [[None; 2]; K];
        for (at, &lambda) in self.points.iter().enumerate() {
            for order in 0..2 {
                self.fill(cross, order, 1 + 2 * at + order, pairs, scan);
            }
            cross.trace[0] = self.traces[at];
            cross.eliminate(1);
            for k in 0..K {
                slopes[k][at] = cross.slope(kinds[k], scan.n);
                let end = usize::from(at > 0);
                if at == 0 || at + 1 == self.points.len() {
                    let loglik = cross.loglik(kinds[k], scan.n, self.ln_det_ends[end], scan.ln_det_ww);
                    ends[k][end] = Some(Fit::new(lambda, loglik, cross));
                }
            }
        }
        ends.map(|ends| ends.map(|fit| fit.expect("a grid has two ends")))
    }

    pub fn bytes(options: &Options, tests: Tests, len: usize) -> u64 {
        let columns = columns(points(options, tests).len(), tests);
        columns.next_multiple_of(LANES) as u64 * len as u64 * 8
    }
}

/// Where in a scan's output one variant lies: its first row among the `count` that were scanned.
pub struct Scan<'a> {
    pub out: &'a [f64],
    pub row: usize,
    pub count: usize,
    /// People.
    pub n: usize,
    /// ln |W'W| with the variant, unweighted.
    pub ln_det_ww: f64,
}
