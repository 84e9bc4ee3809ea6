//! The likelihood of one model at one (Vg, Ve).

use x_simd::{Result, try_zeroed};

use super::data::{Column, Data};
use super::frame::Frame;
use super::small::{cholesky, inverse, ln_det};
use crate::elimination::Likelihood;

/// The null model, or one with a variant.
#[derive(Clone, Copy)]
pub struct Model<'a> {
    pub data: &'a Data,
    /// Columns beside W, the tested one last.
    pub added: &'a [Column],
    pub kind: Likelihood,
    /// ln |X'X|, unweighted, of X = (W, added).
    pub ln_det_xx: f64,
}

/// Buffers of one thread.
pub struct Scratch {
    /// δ^k / (δ ratio + 1) for each trait, k = 0, 1, 2.
    pub weights: Vec<f64>,
    pub rows: Vec<f64>,
    pub residuals: Vec<f64>,
    pub sums: Vec<f64>,
    pub more: Vec<f64>,
}

impl Scratch {
    pub fn new(data: &Data) -> Result<Self> {
        let (d, len) = (data.d, data.len);
        let rows = Self::rows(data.c + data.added, d);
        Ok(Self {
            weights: try_zeroed(3 * d * len)?,
            rows: try_zeroed(rows * len)?,
            residuals: try_zeroed(d * len)?,
            sums: try_zeroed(rows.max((data.c + d + data.added).pow(2)) * 3 * d)?,
            more: try_zeroed(2 * rows)?,
        })
    }

    /// Rows of products that the second derivatives take with `m` columns of X.
    pub fn rows(m: usize, d: usize) -> usize {
        d * (d + 1) / 2 + m * d + d + d * m * (m + 1)
    }
}

/// A model at one frame, each trait of the frame by itself.
pub struct Point {
    pub frame: Frame,
    pub loglik: f64,
    /// Effects of X: `b[trait * m + column]`.
    pub b: Vec<f64>,
    /// (X' H^-1 X)^-1, one m x m matrix a trait.
    pub inverse: Vec<f64>,
}

impl Model<'_> {
    /// Columns of X.
    pub fn m(&self) -> usize {
        self.data.c + self.added.len()
    }

    /// A column of X.
    pub fn column(&self, p: usize) -> &[f64] {
        if p < self.data.c { &self.data.w[p] } else { &self.added[p - self.data.c].x }
    }

    /// `None` where the likelihood is no number. Leaves the weights of the frame in `scratch`.
    pub fn evaluate(&self, frame: Frame, scratch: &mut Scratch) -> Option<Point> {
        let (data, m) = (self.data, self.m());
        let (n, d, len) = (data.n as f64, data.d, data.len);
        weights(data, &frame.ratios, &mut scratch.weights);
        let pairs = data.fixed.len() / len;
        let (fixed, added) = scratch.sums.split_at_mut(pairs * d);
        let weights: Vec<&[f64]> = scratch.weights.chunks_exact(3 * len).map(|w| &w[..len]).collect();
        // The kernel wants its columns side by side.
        let columns = &mut scratch.residuals[..d * len];
        columns.chunks_exact_mut(len).zip(&weights).for_each(|(to, from)| to.copy_from_slice(from));
        (data.cross)(&data.fixed, columns, len, fixed);
        let mut from = 0;
        for Column { rows, .. } in self.added {
            let sums = rows.len() / len * d;
            (data.cross)(rows, columns, len, &mut added[from..from + sums]);
            from += sums;
        }
        let (mut b, mut inverses) = (Vec::with_capacity(d * m), Vec::with_capacity(d * m * m));
        let (mut rest, mut ln_det_h, mut ln_det_x) = (0.0, 0.0, 0.0);
        for t in 0..d {
            let gram = self.gram(t, fixed, added);
            let z = m + d;
            // Cross products with the trait of the frame, a mixture of the traits.
            let mix = |i: usize| (0..d).map(|a| frame.p[t * d + a] * gram[i * z + m + a]).sum::<f64>();
            let mut l: Vec<f64> = (0..m * m).map(|at| gram[at / m * z + at % m]).collect();
            if !cholesky(&mut l, m) {
                return None;
            }
            let inverse = inverse(&l, m);
            let xy: Vec<f64> = (0..m).map(mix).collect();
            let effects: Vec<f64> = (0..m).map(|i| (0..m).map(|j| inverse[i * m + j] * xy[j]).sum()).collect();
            let yy: f64 = (0..d).map(|a| frame.p[t * d + a] * mix(m + a)).sum();
            rest += yy - effects.iter().zip(&xy).map(|(b, xy)| b * xy).sum::<f64>();
            ln_det_h += (data.kernels.ln_det)(&data.values, frame.ratios[t]);
            ln_det_x += ln_det(&l, m);
            b.extend(effects);
            inverses.extend(inverse);
        }
        let tau = std::f64::consts::TAU.ln();
        let (df, design) = match self.kind {
            Likelihood::Reml => (n - m as f64, ln_det_x - d as f64 * self.ln_det_xx),
            Likelihood::Mle => (n, 0.0),
        };
        let loglik = -0.5 * (df * (d as f64 * tau + frame.ln_det_ve) + ln_det_h + design + rest);
        loglik.is_finite().then_some(Point { frame, loglik, b, inverse: inverses })
    }

    /// Weighted cross products of the columns (W, added, Y), from those of the pairs.
    fn gram(&self, t: usize, fixed: &[f64], added: &[f64]) -> Vec<f64> {
        let (c, d, m) = (self.data.c, self.data.d, self.m());
        let z = m + d;
        let mut gram = vec![0.0; z * z];
        let mut set = |i: usize, j: usize, sum: f64| {
            gram[i * z + j] = sum;
            gram[j * z + i] = sum;
        };
        // What is added stands between W and Y.
        let place = |i: usize| if i < c { i } else { i + m - c };
        let mut at = 0;
        for i in 0..c + d {
            for j in i..c + d {
                set(place(i), place(j), fixed[at * d + t]);
                at += 1;
            }
        }
        let mut sums = added.chunks_exact(d).map(|sum| sum[t]);
        for i in c..m {
            (0..=i).chain(m..z).zip(&mut sums).for_each(|(j, sum)| set(i, j, sum));
        }
        gram
    }
}

/// Fills δ^k / (δ ratio + 1); the padding stays 0.
fn weights(data: &Data, ratios: &[f64], out: &mut [f64]) {
    for (out, ratio) in out.chunks_exact_mut(3 * data.len).zip(ratios) {
        let (w, rest) = out.split_at_mut(data.len);
        let (w1, w2) = rest.split_at_mut(data.len);
        for (((w, w1), w2), delta) in w.iter_mut().zip(w1).zip(w2).zip(&data.values).take(data.n) {
            *w = 1.0 / (ratio * delta + 1.0);
            *w1 = *w * delta;
            *w2 = *w1 * delta;
        }
    }
}

/// An effect of the variant on every trait.
pub struct Effect {
    /// In the traits' own units.
    pub beta: Vec<f64>,
    /// Its covariance, lower triangle by rows.
    pub variance: Vec<f64>,
    /// β' V^-1 β.
    pub statistic: f64,
}

impl Point {
    /// The last column of X.
    pub fn effect(&self) -> Effect {
        let d = self.frame.d;
        let m = self.b.len() / d;
        let b: Vec<f64> = self.b.chunks_exact(m).map(|b| b[m - 1]).collect();
        let variance: Vec<f64> = self.inverse.chunks_exact(m * m).map(|v| v[m * m - 1]).collect();
        let back = &self.frame.back;
        let entry = |i: usize, j: usize| (0..d).map(|k| back[i * d + k] * variance[k] * back[j * d + k]).sum::<f64>();
        Effect {
            beta: (0..d).map(|i| (0..d).map(|k| back[i * d + k] * b[k]).sum()).collect(),
            variance: (0..d).flat_map(|i| (0..=i).map(move |j| (i, j))).map(|(i, j)| entry(i, j)).collect(),
            statistic: b.iter().zip(&variance).map(|(b, v)| b * b / v).sum(),
        }
    }
}
