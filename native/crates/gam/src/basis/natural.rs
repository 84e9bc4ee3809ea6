//! Natural parametrisation of a singly penalised basis (Wood 2017, section 5.4.2): coefficients whose functions are
//! orthonormal over the data and whose penalty is diagonal, the penalised ones then scaled to penalty one.

use x_simd::{Error, Result};

use super::{Basis, Columns};
use crate::mat::{Factor, Mat};

/// Basis coefficients × natural coefficients (penalised ones first), and how many are penalised.
pub fn natural(basis: &Basis, columns: &Columns, rows: usize) -> Result<(Mat, usize)> {
    let mut penalties = basis.penalties()?;
    if penalties.len() != 1 {
        return Err(Error::new("GAM_OPTIONS", "this smooth is built of bases with a single penalty"));
    }
    let (s, rank) = penalties.remove(0);
    let w = basis.width();
    let lift = basis.lift();
    let (mut row, mut gram) = (vec![0.0; w], Mat::zeros(w, w));
    for i in 0..rows {
        basis.dense(columns, i, lift.as_ref(), &mut row);
        for a in 0..w {
            if row[a] != 0.0 {
                crate::mat::axpy(row[a], &row, gram.row_mut(a));
            }
        }
    }
    // X'X = R'R; Q = X R^-1 has orthonormal columns.
    let factor = Factor::new(&gram).ok_or_else(|| Error::new("GAM_RANK", "the basis is not determined by the data"))?;
    let root = factor.upper_inverse();
    let (values, vectors) = s.congruence(&root).eigen()?;
    let size = (rows as f64).sqrt();
    let change = root.mul(&Mat::from_fn(w, w, |i, j| {
        let from = w - 1 - j;
        vectors[(i, from)] * if j < rank { 1.0 / values[from].sqrt() } else { size }
    }));
    Ok((change, rank))
}
