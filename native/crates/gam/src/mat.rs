//! Small dense matrices, row-major: a few dozen to a few hundred columns, factored many times in one fit, so without
//! the thread pools and blocking of `x-dense`.

use std::ops::{Index, IndexMut};

use x_dense::SquareMatrix;
use x_simd::{Job, Result};

#[derive(Debug, Clone, PartialEq)]
pub struct Mat {
    pub rows: usize,
    pub cols: usize,
    pub data: Vec<f64>,
}

impl Index<(usize, usize)> for Mat {
    type Output = f64;
    fn index(&self, (i, j): (usize, usize)) -> &f64 {
        &self.data[i * self.cols + j]
    }
}

impl IndexMut<(usize, usize)> for Mat {
    fn index_mut(&mut self, (i, j): (usize, usize)) -> &mut f64 {
        &mut self.data[i * self.cols + j]
    }
}

pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

pub fn axpy(a: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}

impl Mat {
    pub fn zeros(rows: usize, cols: usize) -> Mat {
        Mat { rows, cols, data: vec![0.0; rows * cols] }
    }

    pub fn identity(n: usize) -> Mat {
        Mat::from_fn(n, n, |i, j| if i == j { 1.0 } else { 0.0 })
    }

    pub fn from_fn(rows: usize, cols: usize, f: impl Fn(usize, usize) -> f64) -> Mat {
        let data = (0..rows * cols).map(|t| f(t / cols, t % cols)).collect();
        Mat { rows, cols, data }
    }

    pub fn row(&self, i: usize) -> &[f64] {
        &self.data[i * self.cols..(i + 1) * self.cols]
    }

    pub fn row_mut(&mut self, i: usize) -> &mut [f64] {
        &mut self.data[i * self.cols..(i + 1) * self.cols]
    }

    pub fn t(&self) -> Mat {
        Mat::from_fn(self.cols, self.rows, |i, j| self[(j, i)])
    }

    /// A B
    pub fn mul(&self, b: &Mat) -> Mat {
        debug_assert_eq!(self.cols, b.rows);
        let mut out = Mat::zeros(self.rows, b.cols);
        for i in 0..self.rows {
            let to = &mut out.data[i * b.cols..(i + 1) * b.cols];
            for (k, &a) in self.row(i).iter().enumerate() {
                if a != 0.0 {
                    axpy(a, b.row(k), to);
                }
            }
        }
        out
    }

    /// A'B
    pub fn tmul(&self, b: &Mat) -> Mat {
        debug_assert_eq!(self.rows, b.rows);
        let mut out = Mat::zeros(self.cols, b.cols);
        for k in 0..self.rows {
            for (i, &a) in self.row(k).iter().enumerate() {
                if a != 0.0 {
                    axpy(a, b.row(k), out.row_mut(i));
                }
            }
        }
        out
    }

    pub fn mul_vec(&self, x: &[f64]) -> Vec<f64> {
        (0..self.rows).map(|i| dot(self.row(i), x)).collect()
    }

    pub fn tmul_vec(&self, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.cols];
        for (i, &x) in x.iter().enumerate() {
            axpy(x, self.row(i), &mut out);
        }
        out
    }

    /// B'A B for symmetric A.
    pub fn congruence(&self, b: &Mat) -> Mat {
        let mut out = b.tmul(&self.mul(b));
        out.symmetrise();
        out
    }

    pub fn symmetrise(&mut self) {
        for i in 0..self.rows {
            for j in 0..i {
                let m = 0.5 * (self[(i, j)] + self[(j, i)]);
                self[(i, j)] = m;
                self[(j, i)] = m;
            }
        }
    }

    pub fn add_scaled(&mut self, a: f64, b: &Mat) {
        axpy(a, &b.data, &mut self.data);
    }

    /// The block of rows `r` and columns `c`.
    pub fn block(&self, r: std::ops::Range<usize>, c: std::ops::Range<usize>) -> Mat {
        let mut out = Mat::zeros(r.len(), c.len());
        for (i, k) in r.enumerate() {
            out.row_mut(i).copy_from_slice(&self.row(k)[c.clone()]);
        }
        out
    }

    /// Adds `a` times `b` to the block that starts at (row, col).
    pub fn add_block(&mut self, row: usize, col: usize, a: f64, b: &Mat) {
        for i in 0..b.rows {
            axpy(a, b.row(i), &mut self.row_mut(row + i)[col..col + b.cols]);
        }
    }

    pub fn trace(&self) -> f64 {
        (0..self.rows).map(|i| self[(i, i)]).sum()
    }

    /// tr(A B) for symmetric B of the same size.
    pub fn trace_with(&self, b: &Mat) -> f64 {
        dot(&self.data, &b.data)
    }

    pub fn largest(&self) -> f64 {
        self.data.iter().fold(0.0, |m: f64, x| m.max(x.abs()))
    }

    /// Largest sum of absolute values of a column.
    pub fn norm1(&self) -> f64 {
        let mut sums = vec![0.0; self.cols];
        for i in 0..self.rows {
            for (s, x) in sums.iter_mut().zip(self.row(i)) {
                *s += x.abs();
            }
        }
        sums.into_iter().fold(0.0, f64::max)
    }

    /// Eigenvalues in ascending order and the matrix of eigenvectors (columns).
    pub fn eigen(&self) -> Result<(Vec<f64>, Mat)> {
        let mut k = SquareMatrix::zeros(self.rows)?;
        k.data_mut().copy_from_slice(&self.data);
        let e = x_dense::eigh(k, 1, &Job::default())?;
        Ok((e.values, Mat { rows: self.rows, cols: self.rows, data: e.vectors.data().to_vec() }))
    }
}

/// Cholesky factor of a symmetric matrix scaled to a unit diagonal: D^-1/2 A D^-1/2 = L L'. The scaling makes blocks of
/// very different size (smoothing parameters 1e10 apart) harmless as long as each is well conditioned by itself.
pub struct Factor {
    l: Mat,
    scale: Vec<f64>,
}

impl Factor {
    /// `None` when the matrix is not positive definite to working precision.
    pub fn new(a: &Mat) -> Option<Factor> {
        let n = a.rows;
        let scale: Vec<f64> = (0..n).map(|i| 1.0 / a[(i, i)].sqrt()).collect();
        if scale.iter().any(|s| !s.is_finite()) {
            return None;
        }
        let mut l = Mat::zeros(n, n);
        for i in 0..n {
            for j in 0..=i {
                let x = a[(i, j)] * scale[i] * scale[j] - dot(&l.row(i)[..j], &l.row(j)[..j]);
                if i > j {
                    l[(i, j)] = x / l[(j, j)];
                } else if x > 1e-14 {
                    l[(i, i)] = x.sqrt();
                } else {
                    return None;
                }
            }
        }
        Some(Factor { l, scale })
    }

    pub fn log_det(&self) -> f64 {
        (0..self.l.rows).map(|i| 2.0 * (self.l[(i, i)].ln() - self.scale[i].ln())).sum()
    }

    /// Smallest pivot of the scaled matrix: how far it is from singular, and where.
    pub fn weakest(&self) -> (usize, f64) {
        let pivot = |i: usize| self.l[(i, i)] * self.l[(i, i)];
        (0..self.l.rows).map(|i| (i, pivot(i))).fold((0, 1.0), |m, x| if x.1 < m.1 { x } else { m })
    }

    pub fn solve(&self, x: &mut [f64]) {
        let n = self.l.rows;
        for i in 0..n {
            let s = dot(&self.l.row(i)[..i], &x[..i]);
            x[i] = (x[i] * self.scale[i] - s) / self.l[(i, i)];
        }
        for i in (0..n).rev() {
            x[i] /= self.l[(i, i)];
            let t = x[i];
            axpy(-t, &self.l.row(i)[..i], &mut x[..i]);
        }
        for (x, s) in x.iter_mut().zip(&self.scale) {
            *x *= s;
        }
    }

    pub fn inverse(&self) -> Mat {
        let n = self.l.rows;
        // Rows of M are rows of L^-1.
        let mut m = Mat::zeros(n, n);
        for i in 0..n {
            let mut row = vec![0.0; i + 1];
            for k in 0..i {
                axpy(-self.l[(i, k)], &m.row(k)[..=k], &mut row[..=k]);
            }
            row[i] += 1.0;
            let d = 1.0 / self.l[(i, i)];
            for (to, x) in m.row_mut(i).iter_mut().zip(&row) {
                *to = x * d;
            }
        }
        let mut out = Mat::zeros(n, n);
        for k in 0..n {
            let row = &m.data[k * n..k * n + k + 1];
            for i in 0..=k {
                axpy(row[i], &row[..=i], &mut out.row_mut(i)[..=i]);
            }
        }
        for i in 0..n {
            for j in 0..=i {
                let x = out[(i, j)] * self.scale[i] * self.scale[j];
                out[(i, j)] = x;
                out[(j, i)] = x;
            }
        }
        out
    }

    /// U^-1 of `upper`.
    pub fn upper_inverse(&self) -> Mat {
        let n = self.l.rows;
        let mut m = Mat::zeros(n, n);
        for i in 0..n {
            let mut row = vec![0.0; i + 1];
            for k in 0..i {
                axpy(-self.l[(i, k)], &m.row(k)[..=k], &mut row[..=k]);
            }
            row[i] += 1.0;
            let d = 1.0 / self.l[(i, i)];
            for (to, x) in m.row_mut(i).iter_mut().zip(&row) {
                *to = x * d;
            }
        }
        Mat::from_fn(n, n, |i, j| m[(j, i)] * self.scale[i])
    }

    /// U with U'U = the matrix (upper triangle).
    pub fn upper(&self) -> Mat {
        let n = self.l.rows;
        Mat::from_fn(n, n, |i, j| if j >= i { self.l[(j, i)] / self.scale[j] } else { 0.0 })
    }
}

/// Orthonormal basis of the complement of `c`: the last n - 1 columns of the Householder reflector that maps `c` onto
/// the first axis.
pub fn complement(c: &[f64]) -> Mat {
    let n = c.len();
    let norm = dot(c, c).sqrt();
    let mut v = c.to_vec();
    if norm == 0.0 {
        return Mat::from_fn(n, n - 1, |i, j| if i == j + 1 { 1.0 } else { 0.0 });
    }
    v[0] += if c[0] < 0.0 { -norm } else { norm };
    let tau = 2.0 / dot(&v, &v);
    Mat::from_fn(n, n - 1, |i, j| (if i == j + 1 { 1.0 } else { 0.0 }) - tau * v[i] * v[j + 1])
}

/// The same with nothing but the coordinates `at` (ascending) changed; `c` is all of them.
pub fn complement_within(c: &[f64], at: &[usize]) -> Mat {
    let own: Vec<f64> = at.iter().map(|&i| c[i]).collect();
    let inner = complement(&own);
    let mut out = Mat::zeros(c.len(), c.len() - 1);
    let mut next = 0;
    for i in (0..c.len()).filter(|i| !at.contains(i)) {
        out[(i, next)] = 1.0;
        next += 1;
    }
    for (a, &i) in at.iter().enumerate() {
        out.row_mut(i)[next..].copy_from_slice(inner.row(a));
    }
    out
}

/// Orthonormal basis of the complement of the columns of `c` (n × m): the last n - m columns of the product of the
/// Householder reflectors of its QR decomposition.
pub fn complement_of(c: &Mat) -> Mat {
    let mut z = Mat::identity(c.rows);
    let mut rest = c.clone();
    for j in 0..c.cols {
        let column: Vec<f64> = (0..rest.rows).map(|i| rest[(i, j)]).collect();
        let next = complement(&column);
        rest = next.tmul(&rest);
        z = z.mul(&next);
    }
    z
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factor_solves_inverts_and_takes_huge_ratios() {
        let n = 6;
        let b = Mat::from_fn(n, n, |i, j| ((i * 7 + j * 3) as f64).sin() + if i == j { 3.0 } else { 0.0 });
        let mut a = b.tmul(&b);
        for i in 0..n {
            for j in 0..n {
                a[(i, j)] *= 10f64.powi(3 * (i + j) as i32);
            }
        }
        let f = Factor::new(&a).unwrap();
        let product = a.mul(&f.inverse());
        for i in 0..n {
            let mut x = a.row(i).to_vec();
            f.solve(&mut x);
            for j in 0..n {
                let unit = if i == j { 1.0 } else { 0.0 };
                let size = 10f64.powi(3 * (i as i32 - j as i32));
                assert!((product[(i, j)] - unit).abs() < 1e-11 * size.max(1.0), "{i} {j} {}", product[(i, j)]);
                assert!((x[j] - unit).abs() < 1e-9 * 10f64.powi(3 * (i as i32 - j as i32)).max(1.0));
            }
        }
        assert!(Factor::new(&Mat::from_fn(2, 2, |_, _| 1.0)).is_none());
    }

    #[test]
    fn complement_is_orthonormal() {
        let c = Mat::from_fn(5, 2, |i, j| (i * i + j) as f64 - 2.0);
        let z = complement_of(&c);
        assert_eq!((z.rows, z.cols), (5, 3));
        assert!(c.tmul(&z).largest() < 1e-13);
        let mut e = z.tmul(&z);
        e.add_scaled(-1.0, &Mat::identity(3));
        assert!(e.largest() < 1e-14);
    }
}
