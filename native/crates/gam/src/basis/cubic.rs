//! Cubic regression splines in terms of their values at the knots: natural (cr, cs) and cyclic (cc).
//!
//! The second derivatives at the knots are a linear map of the values, so a row is four numbers in the sparse columns
//! (value 0, second derivative 0, value 1, second derivative 1, …).

use x_simd::Result;

use super::{Columns, Plan, RawPenalty, bad_knots, distinct, too_large};
use crate::json::{Json, object};
use crate::kernels;
use crate::mat::{Factor, Mat};

/// From here on a search finds the knot interval faster than a comparison with every knot.
const MANY_KNOTS: usize = 64;

pub struct Cubic {
    pub column: usize,
    pub knots: Vec<f64>,
    cyclic: bool,
    shrink: bool,
    /// Both ends of each knot interval, its length and the reciprocal of that.
    intervals: Vec<[f64; 4]>,
    /// Second derivatives at the knots from the coefficients.
    second: Mat,
    penalty: Mat,
}

impl Cubic {
    pub fn learn(plan: &Plan, columns: &Columns) -> Result<Cubic> {
        let x = plan.one_column(columns)?;
        let k = plan.k.unwrap_or(10);
        let cyclic = plan.bs == "cc";
        let least = if cyclic { 4 } else { 3 };
        let unique = distinct(x);
        let given = plan.knots.as_ref().map(|k| k[0].clone());
        let knots = match given {
            Some(knots) if knots.len() == k => knots,
            Some(ends) if cyclic && ends.len() == 2 => place(&unique, k, Some((ends[0], ends[1]))),
            Some(knots) => return Err(bad_knots(format!("{} knots given, k = {k}", knots.len()))),
            None => place(&unique, k, None),
        };
        if k < least {
            return Err(bad_knots(format!("bs=\"{}\" needs k of at least {least}", plan.bs)));
        }
        if unique.len() < k - usize::from(cyclic) {
            return Err(too_large(k, unique.len()));
        }
        Self::new(plan.columns[0], knots, cyclic, plan.bs == "cs")
    }

    fn new(column: usize, mut knots: Vec<f64>, cyclic: bool, shrink: bool) -> Result<Cubic> {
        knots.sort_unstable_by(f64::total_cmp);
        if knots.windows(2).any(|w| !(w[1] > w[0] && w[1].is_finite() && w[0].is_finite())) {
            return Err(bad_knots("knots must be finite and distinct"));
        }
        let (second, penalty) = if cyclic { cyclic_maps(&knots) } else { natural_maps(&knots) };
        let intervals = knots.windows(2).map(|k| [k[0], k[1], k[1] - k[0], 1.0 / (k[1] - k[0])]).collect();
        Ok(Cubic { column, knots, cyclic, shrink, intervals, second, penalty })
    }

    pub fn state(&self) -> Json {
        object([
            ("kind", "cubic".into()),
            ("column", self.column.into()),
            ("knots", self.knots.clone().into()),
            ("cyclic", self.cyclic.into()),
            ("shrink", self.shrink.into()),
        ])
    }

    pub fn restore(j: &Json) -> Result<Cubic> {
        Self::new(
            j.get("column").index("column")?,
            j.get("knots").nums("knots")?,
            j.get("cyclic").flag(),
            j.get("shrink").flag(),
        )
    }

    pub fn width(&self) -> usize {
        self.knots.len() - usize::from(self.cyclic)
    }

    pub fn lift(&self) -> Mat {
        let (k, w) = (self.knots.len(), self.width());
        Mat::from_fn(2 * k, w, |r, c| {
            let knot = (r / 2) % w;
            if r % 2 == 1 {
                self.second[(knot, c)]
            } else if knot == c {
                1.0
            } else {
                0.0
            }
        })
    }

    /// Linear beyond the end knots (natural), wrapped (cyclic).
    pub fn window(&self, x: f64, out: &mut [f64]) -> usize {
        let last = self.knots.len() - 1;
        let (low, high) = (self.knots[0], self.knots[last]);
        let mut x = x;
        if self.cyclic && (x < low || x > high) {
            x = low + (x - low).rem_euclid(high - low);
        }
        let j = self.knots[1..last].partition_point(|k| *k < x);
        let [a, b, h, over] = self.intervals[j];
        if x < low {
            let d = x - low;
            out.copy_from_slice(&[1.0 - d / h, -d * h / 3.0, d / h, -d * h / 6.0]);
        } else if x > high {
            let d = x - high;
            out.copy_from_slice(&[-d / h, d * h / 6.0, 1.0 + d / h, d * h / 3.0]);
        } else {
            out.copy_from_slice(&kernels::cubic_row::<false>(x, [a, b, h, over]));
        }
        2 * j
    }

    /// The windows of consecutive rows.
    pub fn fill(&self, x: &[f64], at: &mut [u32], values: &mut [f64]) {
        let last = self.knots.len() - 1;
        if last < MANY_KNOTS {
            kernels::cubic_rows(x_simd::Level::get(), x, &self.knots, &self.intervals, at, values);
        }
        let (low, high) = (self.knots[0], self.knots[last]);
        for ((x, at), out) in x.iter().zip(at).zip(values.chunks_exact_mut(kernels::SPLINE)) {
            if last >= MANY_KNOTS || *x < low || *x > high {
                *at = self.window(*x, out) as u32;
            }
        }
    }

    pub fn penalties(&self) -> Result<Vec<RawPenalty>> {
        let w = self.width();
        if !self.shrink {
            return Ok(vec![(self.penalty.clone(), if self.cyclic { w - 1 } else { w - 2 })]);
        }
        // cs: the two zero eigenvalues become 0.1 (the line) and 0.01 (the constant) of the smallest other one.
        let (values, _) = self.penalty.eigen()?;
        let mean = self.knots.iter().sum::<f64>() / w as f64;
        let line: Vec<f64> = self.knots.iter().map(|k| k - mean).collect();
        let mut s = self.penalty.clone();
        for (v, part) in [(line, 0.1), (vec![1.0; w], 0.01)] {
            let size = part * values[2] / crate::mat::dot(&v, &v);
            for i in 0..w {
                crate::mat::axpy(size * v[i], &v, s.row_mut(i));
            }
        }
        s.symmetrise();
        Ok(vec![(s, w)])
    }
}

/// `k` knots at evenly spaced places of the sorted distinct values (plus the ends, if given).
pub fn place(unique: &[f64], k: usize, ends: Option<(f64, f64)>) -> Vec<f64> {
    let mut values = unique.to_vec();
    if let Some((low, high)) = ends {
        values.extend([low, high]);
        values.sort_unstable_by(f64::total_cmp);
        values.dedup();
    }
    let n = values.len();
    (0..k)
        .map(|i| {
            let at = (n - 1) as f64 * i as f64 / (k - 1) as f64;
            let low = (at.floor() as usize).min(n - 1);
            let part = at - low as f64;
            if part == 0.0 || low + 1 >= n { values[low] } else { values[low] + part * (values[low + 1] - values[low]) }
        })
        .collect()
}

/// D (rows per inner knot) and B of the natural spline: B gamma = D beta; penalty D'B^-1 D.
fn natural_maps(knots: &[f64]) -> (Mat, Mat) {
    let k = knots.len();
    let h: Vec<f64> = knots.windows(2).map(|w| w[1] - w[0]).collect();
    let mut d = Mat::zeros(k - 2, k);
    let mut b = Mat::zeros(k - 2, k - 2);
    for i in 0..k - 2 {
        d[(i, i)] = 1.0 / h[i];
        d[(i, i + 1)] = -1.0 / h[i] - 1.0 / h[i + 1];
        d[(i, i + 2)] = 1.0 / h[i + 1];
        b[(i, i)] = (h[i] + h[i + 1]) / 3.0;
        if i + 3 < k {
            b[(i, i + 1)] = h[i + 1] / 6.0;
            b[(i + 1, i)] = h[i + 1] / 6.0;
        }
    }
    let inner = solve_all(&b, &d);
    let mut penalty = d.tmul(&inner);
    penalty.symmetrise();
    let mut second = Mat::zeros(k, k);
    second.add_block(1, 0, 1.0, &inner);
    (second, penalty)
}

fn cyclic_maps(knots: &[f64]) -> (Mat, Mat) {
    let n = knots.len() - 1;
    let h: Vec<f64> = knots.windows(2).map(|w| w[1] - w[0]).collect();
    let mut d = Mat::zeros(n, n);
    let mut b = Mat::zeros(n, n);
    for i in 0..n {
        // Interval before knot i and the one after it.
        let (before, after) = (h[(i + n - 1) % n], h[i]);
        let (p, q) = ((i + n - 1) % n, (i + 1) % n);
        b[(i, i)] += (before + after) / 3.0;
        b[(i, p)] += before / 6.0;
        b[(i, q)] += after / 6.0;
        d[(i, i)] -= 1.0 / before + 1.0 / after;
        d[(i, p)] += 1.0 / before;
        d[(i, q)] += 1.0 / after;
    }
    let second = solve_all(&b, &d);
    let mut penalty = d.tmul(&second);
    penalty.symmetrise();
    (second, penalty)
}

/// B^-1 D for a positive definite B.
fn solve_all(b: &Mat, d: &Mat) -> Mat {
    let factor = Factor::new(b).expect("the tridiagonal matrix of distinct knots is positive definite");
    let mut t = d.t();
    for i in 0..t.rows {
        factor.solve(t.row_mut(i));
    }
    t.t()
}
