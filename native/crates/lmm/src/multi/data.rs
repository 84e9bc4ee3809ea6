//! What all variants of a study share: rotated covariates and traits, and the products of their columns.

use x_dense::SquareMatrix;
use x_simd::{Error, Level, Result, try_zeroed};

use super::kernel::{Cross, kernel};
use super::small::{cholesky, solve};
use crate::design::Design;
use crate::kernels::{Kernels, LANES};
use crate::null::{check_columns, pad, product};
use crate::options::clamp_eigenvalues;

/// GEMMA's limit; the number of variance parameters is d (d + 1).
pub const MOST_TRAITS: usize = 10;

/// A trait counts as a combination of others when less than this share of its variance is left.
const COLLINEAR: f64 = 1e-10;

/// Traits, covariates and eigenvalues of the analysed people.
#[derive(Clone, Copy)]
pub struct MultiStudy<'a> {
    /// Eigenvalues in the order of the eigenvectors' columns; clamped by `clamp_eigenvalues`.
    pub values: &'a [f64],
    /// The analysed people among `samples_in_file`, in the order of the eigenvectors' rows.
    pub keep: &'a [u32],
    pub samples_in_file: usize,
    /// `d` columns, one after another.
    pub y: &'a [f64],
    pub d: usize,
    /// `c` columns, one after another, the intercept included.
    pub w: &'a [f64],
    pub c: usize,
    /// With an environment the product of it and the variant is tested, given both (`-gxe`).
    pub environment: Option<&'a [f64]>,
}

/// Rotated columns of W and of the residuals of Y (the effects of W are taken out first, so that traits far from 0
/// lose no digits), padded with zeros.
pub struct Data {
    pub n: usize,
    pub c: usize,
    pub d: usize,
    /// Most columns that a model adds to W.
    pub added: usize,
    pub len: usize,
    /// Clamped eigenvalues.
    pub values: Vec<f64>,
    /// Eigenvalues above 0.
    pub positive: usize,
    /// 1 for a person, 0 for padding; then the eigenvalues: the plain weights.
    pub plain: Vec<f64>,
    pub w: Vec<Vec<f64>>,
    pub y: Vec<Vec<f64>>,
    /// Products of the pairs (i, j), i <= j, of the columns (W, Y).
    pub fixed: Vec<f64>,
    /// Ordinary least squares effects of W, `b0[trait * c + column]`.
    pub b0: Vec<f64>,
    pub kernels: Kernels,
    pub cross: Cross,
}

impl Data {
    /// For models with at most `added` columns beside W; the study's environment is not among them unless the caller
    /// put it there. Errors: SHAPE, DF, COVAR_RANK (`column`), TRAIT_COUNT, TRAIT_COLLINEAR (`trait`), NOT_FINITE, ALLOC.
    pub fn new(vectors: &SquareMatrix, study: &MultiStudy, added: usize, level: Level) -> Result<Self> {
        let MultiStudy { values, keep, samples_in_file, y, d, w, c, .. } = *study;
        let n = vectors.n();
        if values.len() != n || keep.len() != n || y.len() != d * n {
            return Err(Error::new("SHAPE", "eigenvectors, eigenvalues, people and traits do not match"));
        }
        if keep.iter().any(|&person| person as usize >= samples_in_file) {
            return Err(Error::new("SHAPE", "a person beyond the end of the file"));
        }
        if !(1..=MOST_TRAITS).contains(&d) {
            return Err(Error::new("TRAIT_COUNT", format!("{d} traits; 1 to {MOST_TRAITS} can be fitted together"))
                .with("traits", d as f64));
        }
        for y in y.chunks_exact(n) {
            check_columns(n, y, w, c)?;
        }
        Design::new(w, n, c, n)?;
        if n < c + added + d + 1 {
            return Err(Error::new(
                "DF",
                format!("{n} people leave no degrees of freedom with {c} covariates and {d} traits"),
            )
            .with("covariates", c as f64)
            .with("people", n as f64));
        }
        let (residuals, b0) = residuals(y, w, n, d, c)?;
        check_traits(y, &residuals, n, d)?;
        let rotate = |columns: &[f64]| -> Result<Vec<Vec<f64>>> {
            columns.chunks_exact(n).map(|column| crate::association::project(vectors, column)).collect()
        };
        let (w, y) = (rotate(w)?, rotate(&residuals)?);
        let values = pad(&clamp_eigenvalues(values));
        let len = values.len();
        let mut plain = try_zeroed(2 * len)?;
        plain[..n].fill(1.0);
        plain[len..].copy_from_slice(&values);
        let column = |i: usize| if i < c { &w[i] } else { &y[i - c] };
        let pairs = (0..c + d).flat_map(|i| (i..c + d).map(move |j| (i, j)));
        let fixed = pairs.flat_map(|(i, j)| product(column(i), column(j))).collect();
        let positive = values.iter().filter(|&&v| v > 0.0).count();
        let kernels = Kernels::new(level);
        Ok(Self { n, c, d, added, len, values, positive, plain, w, y, fixed, b0, kernels, cross: kernel(level) })
    }

    /// Room for the columns that a model adds; their padding stays 0.
    pub fn columns(&self) -> Result<Vec<Column>> {
        let column = |k: usize| {
            let rows = try_zeroed((self.c + 1 + k + self.d) * self.len)?;
            Ok(Column { x: try_zeroed(self.len)?, rows })
        };
        (0..self.added).map(column).collect()
    }

    /// The last of the columns becomes x.
    pub fn set_last(&self, columns: &mut [Column], x: &[f64]) {
        debug_assert_eq!(LANES * (self.len / LANES), self.len);
        let Some((Column { x: to, rows }, before)) = columns.split_last_mut() else { return };
        to[..self.n].copy_from_slice(x);
        let x = &*to;
        let before = before.iter().map(|column| column.x.as_slice());
        let (w, y) = (self.w.iter().map(Vec::as_slice), self.y.iter().map(Vec::as_slice));
        for (row, other) in rows.chunks_exact_mut(self.len).zip(w.chain(before).chain([x.as_slice()]).chain(y)) {
            for ((to, x), z) in row.iter_mut().zip(x).zip(other) {
                *to = x * z;
            }
        }
    }
}

/// A rotated column that a model adds to W, padded, with its products: with each column of W, the columns added before
/// it and itself, each trait.
pub struct Column {
    pub x: Vec<f64>,
    pub rows: Vec<f64>,
}

/// Y - W (W'W)^-1 W'Y and the effects.
fn residuals(y: &[f64], w: &[f64], n: usize, d: usize, c: usize) -> Result<(Vec<f64>, Vec<f64>)> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    // Columns of unit length: `check_design` has seen their angles.
    let lengths: Vec<f64> = w.chunks_exact(n).map(|a| dot(a, a).sqrt()).collect();
    let mut gram: Vec<f64> = vec![0.0; c * c];
    for (i, a) in w.chunks_exact(n).enumerate() {
        for (j, b) in w.chunks_exact(n).enumerate() {
            gram[i * c + j] = dot(a, b) / (lengths[i] * lengths[j]);
        }
    }
    if !cholesky(&mut gram, c) {
        return Err(Error::new("COVAR_RANK", "the covariates are nearly dependent").with("column", (c - 1) as f64));
    }
    let (mut rest, mut effects) = (y.to_vec(), vec![0.0; d * c]);
    for (y, effects) in rest.chunks_exact_mut(n).zip(effects.chunks_exact_mut(c)) {
        // The second pass removes what rounding left of the first.
        for _ in 0..2 {
            let mut b: Vec<f64> = w.chunks_exact(n).zip(&lengths).map(|(a, length)| dot(a, y) / length).collect();
            solve(&gram, c, &mut b);
            for (((a, b), length), effect) in w.chunks_exact(n).zip(&b).zip(&lengths).zip(effects.iter_mut()) {
                y.iter_mut().zip(a).for_each(|(y, a)| *y -= b / length * a);
                *effect += b / length;
            }
        }
    }
    Ok((rest, effects))
}

/// Each trait must have variance that covariates and earlier traits leave.
fn check_traits(y: &[f64], residuals: &[f64], n: usize, d: usize) -> Result<()> {
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(d);
    for (at, (values, whole)) in residuals.chunks_exact(n).zip(y.chunks_exact(n)).enumerate() {
        let largest = |values: &[f64]| values.iter().fold(0.0f64, |most, v| most.max(v.abs()));
        let scale = largest(values);
        // What rounding leaves of a trait that the covariates hold.
        let explained = scale <= 1e-12 * largest(whole);
        let mut rest: Vec<f64> = values.iter().map(|v| if scale > 0.0 { v / scale } else { 0.0 }).collect();
        let all: f64 = rest.iter().map(|v| v * v).sum();
        for _ in 0..2 {
            for b in &basis {
                let share: f64 = b.iter().zip(&rest).map(|(b, r)| b * r).sum();
                rest.iter_mut().zip(b).for_each(|(r, b)| *r -= share * b);
            }
        }
        let left: f64 = rest.iter().map(|v| v * v).sum();
        if left.is_nan() || explained || left <= COLLINEAR * all {
            let message = format!("trait {at} (counted from 0) is a combination of the earlier traits and covariates");
            return Err(Error::new("TRAIT_COLLINEAR", message).with("trait", at as f64));
        }
        rest.iter_mut().for_each(|r| *r /= left.sqrt());
        basis.push(rest);
    }
    Ok(())
}
