//! Natural parametrisation of a singly penalised basis (Wood 2017, section 5.4.2): coefficients whose functions are
//! orthonormal over the data and whose penalty is diagonal, the penalised ones then scaled to penalty one.

use x_simd::{Error, Result};

use super::{Basis, Columns};
use crate::mat::{Factor, Mat, axpy, dot};

/// Basis coefficients × natural coefficients (penalised ones first), and how many are penalised.
pub fn natural(basis: &Basis, columns: &Columns, rows: usize) -> Result<(Mat, usize)> {
    let (s, rank) = single(basis)?;
    let w = basis.width();
    let gram = products(basis, columns, rows);
    // X'X = R'R; Q = X R^-1 has orthonormal columns.
    let factor = Factor::new(&gram).ok_or_else(|| Error::new("GAM_RANK", "the basis is not determined by the data"))?;
    let root = factor.upper_inverse();
    let (values, vectors) = s.congruence(&root).eigen()?;
    let mut change = root.mul(&Mat::from_fn(w, w, |i, j| {
        let from = w - 1 - j;
        vectors[(i, from)] * if j < rank { 1.0 / values[from].sqrt() } else { 1.0 }
    }));
    let free = free_functions(&s, rank, &gram)?;
    let size = (rows as f64).sqrt();
    for (j, v) in free.iter().enumerate() {
        v.iter().enumerate().for_each(|(i, x)| change[(i, rank + j)] = x * size);
    }
    Ok((change, rank))
}

/// Coefficients of the functions without penalty, orthonormal over the data: where the last columns of the basis are
/// free, these in their order (constant, linear, …).
fn free_functions(s: &Mat, rank: usize, gram: &Mat) -> Result<Vec<Vec<f64>>> {
    let w = s.rows;
    let plain = (rank..w).all(|i| (0..w).all(|j| s[(i, j)] == 0.0));
    let (_, vectors) = s.eigen()?;
    let start = |j: usize| -> Vec<f64> {
        if plain {
            (0..w).map(|i| f64::from(i == rank + j)).collect()
        } else {
            (0..w).map(|i| vectors[(i, j)]).collect()
        }
    };
    let mut out: Vec<Vec<f64>> = Vec::new();
    for j in 0..w - rank {
        let mut v = start(j);
        for q in &out {
            let c = dot(q, &gram.mul_vec(&v));
            axpy(-c, q, &mut v);
        }
        let size = dot(&v, &gram.mul_vec(&v)).sqrt();
        v.iter_mut().for_each(|x| *x /= size);
        out.push(v);
    }
    Ok(out)
}

/// The same by the eigenvectors of the penalty itself (Wood 2004, appendix): penalised functions are orthogonal to the
/// free ones as coefficients, not over the data.
pub fn penalty_axes(basis: &Basis, columns: &Columns, rows: usize) -> Result<(Mat, usize)> {
    let (s, rank) = single(basis)?;
    let w = s.rows;
    let (values, vectors) = s.eigen()?;
    let free = free_functions(&s, rank, &products(basis, columns, rows))?;
    let size = (rows as f64).sqrt();
    let change = Mat::from_fn(w, w, |i, j| {
        if j < rank { vectors[(i, w - 1 - j)] / values[w - 1 - j].sqrt() } else { free[j - rank][i] * size }
    });
    Ok((change, rank))
}

/// Gives the penalised functions a mean square of one over the data, as the free ones have it: whatever unit the covariate
/// is in, they are then of one size. A single factor, so that the penalty stays a ridge.
pub fn level_out(change: &mut Mat, rank: usize, gram: &Mat, rows: usize) {
    let column = |j: usize| -> Vec<f64> { (0..change.rows).map(|i| change[(i, j)]).collect() };
    let total: f64 = (0..rank).map(column).map(|v| dot(&v, &gram.mul_vec(&v))).sum();
    if total > 0.0 {
        let factor = (rows as f64 * rank as f64 / total).sqrt();
        for i in 0..change.rows {
            change.row_mut(i)[..rank].iter_mut().for_each(|x| *x *= factor);
        }
    }
}

/// X'X over the data.
pub fn products(basis: &Basis, columns: &Columns, rows: usize) -> Mat {
    let w = basis.width();
    let lift = basis.lift();
    let (mut row, mut gram) = (vec![0.0; w], Mat::zeros(w, w));
    for i in 0..rows {
        basis.dense(columns, i, lift.as_ref(), &mut row);
        for a in 0..w {
            if row[a] != 0.0 {
                axpy(row[a], &row, gram.row_mut(a));
            }
        }
    }
    gram
}

fn single(basis: &Basis) -> Result<(Mat, usize)> {
    let mut penalties = basis.penalties()?;
    if penalties.len() != 1 {
        return Err(Error::new("GAM_OPTIONS", "this smooth is built of bases with a single penalty"));
    }
    Ok(penalties.remove(0))
}
