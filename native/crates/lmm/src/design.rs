//! Checks of the covariates before any fit: enough people, and no column that the others already hold.

use x_simd::{Error, Result};

/// A column counts as dependent when less than this share of its length is left after removing the earlier ones.
const DEPENDENT: f64 = 1e-10;

/// `w` holds `c` columns of `width` values for `n` people (rotated or not: an orthogonal rotation keeps lengths and
/// angles).
pub fn check_design(w: &[f64], width: usize, c: usize, n: usize) -> Result<()> {
    if c + 1 >= n {
        return Err(Error::new("DF", format!("{c} covariates leave no degrees of freedom with {n} people"))
            .with("covariates", c as f64)
            .with("people", n as f64));
    }
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(c);
    for (column, values) in w.chunks_exact(width).enumerate() {
        let length = norm(values);
        let mut rest = values.to_vec();
        // Twice is enough (Kahan; Parlett 1998): the second pass removes what rounding left of the first.
        for _ in 0..2 {
            for b in &basis {
                let share = dot(b, &rest);
                rest.iter_mut().zip(b).for_each(|(r, b)| *r -= share * b);
            }
        }
        let left = norm(&rest);
        if left.is_nan() || left <= DEPENDENT * length {
            let message = format!("covariate column {column} (counted from 0) is a combination of the earlier columns");
            return Err(Error::new("COVAR_RANK", message).with("column", column as f64));
        }
        rest.iter_mut().for_each(|r| *r /= left);
        basis.push(rest);
    }
    Ok(())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}
