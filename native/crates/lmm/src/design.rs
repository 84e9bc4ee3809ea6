//! The covariates before any fit: enough people, no column that the others already hold, and W = Q R with orthonormal
//! Q. Models are fitted on Q and on what Q leaves of y: a phenotype far from 0, or covariates at a small angle, would
//! lose their digits in the products otherwise, and no statistic of a variant depends on the basis.

use x_simd::{Error, Result};

/// A column counts as dependent when less than this share of its length is left after removing the earlier ones.
const DEPENDENT: f64 = 1e-10;

/// Nothing of a phenotype is left when less than this share of its length is: the rest is rounding.
const LOST: f64 = 1e-12;

/// W = Q R.
pub struct Design {
    /// Columns of Q, `width` values each.
    pub q: Vec<Vec<f64>>,
    /// Columns of the upper triangle R: `r[j][i]` with i <= j.
    r: Vec<Vec<f64>>,
}

impl Design {
    /// `w` holds columns of `width` values for `n` people (rotated or not: an orthogonal rotation keeps lengths and
    /// angles); `c` of them, or more, take degrees of freedom. Errors: DF, COVAR_RANK (`column`).
    pub fn new(w: &[f64], width: usize, c: usize, n: usize) -> Result<Self> {
        if c + 1 >= n {
            return Err(Error::new("DF", format!("{c} covariates leave no degrees of freedom with {n} people"))
                .with("covariates", c as f64)
                .with("people", n as f64));
        }
        let mut design = Self { q: Vec::with_capacity(c), r: Vec::with_capacity(c) };
        for (column, values) in w.chunks_exact(width).enumerate() {
            let length = norm(values);
            let (mut rest, mut r) = design.split(values);
            let left = norm(&rest);
            if left.is_nan() || left <= DEPENDENT * length {
                let message =
                    format!("covariate column {column} (counted from 0) is a combination of the earlier columns");
                return Err(Error::new("COVAR_RANK", message).with("column", column as f64));
            }
            rest.iter_mut().for_each(|x| *x /= left);
            r.push(left);
            design.q.push(rest);
            design.r.push(r);
        }
        Ok(design)
    }

    /// What Q leaves of a column, and Q'column.
    fn split(&self, column: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (mut rest, mut shares) = (column.to_vec(), vec![0.0; self.q.len()]);
        // Twice is enough (Kahan; Parlett 1998): the second pass removes what rounding left of the first.
        for _ in 0..2 {
            for (q, sum) in self.q.iter().zip(&mut shares) {
                let share = dot(q, &rest);
                rest.iter_mut().zip(q).for_each(|(x, q)| *x -= share * q);
                *sum += share;
            }
        }
        (rest, shares)
    }

    /// What the covariates leave of a phenotype, and Q'y. Error: NULL_FIT.
    pub fn residual(&self, y: &[f64]) -> Result<(Vec<f64>, Vec<f64>)> {
        let (rest, shares) = self.split(y);
        let (left, length) = (norm(&rest), norm(y));
        if left.is_finite() && left > LOST * length {
            return Ok((rest, shares));
        }
        Err(Error::new(
            "NULL_FIT",
            "the covariates, the intercept among them, leave nothing of the phenotype but rounding: it varies too little beside its size (subtract the mean where the values are made), or it is a combination of the covariates",
        ))
    }

    /// R^-1 b: effects of W from those of Q.
    pub fn effects(&self, mut b: Vec<f64>) -> Vec<f64> {
        for i in (0..b.len()).rev() {
            b[i] = (b[i] - (i + 1..b.len()).map(|j| self.r[j][i] * b[j]).sum::<f64>()) / self.r[i][i];
        }
        b
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}
