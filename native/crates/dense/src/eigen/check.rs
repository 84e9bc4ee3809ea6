//! O(n²) checks of a decomposition with a few fixed vectors of ±1.

use rayon::prelude::*;
use x_simd::{Error, Job, Result, try_zeroed, with_pool};

use super::tridiag::{PARTS, symmetric_product};
use crate::SquareMatrix;
use crate::lanes::{axpy, dot, level};

const COUNT: usize = 3;
/// Columns of U that one task sums over all rows.
const COLUMNS: usize = 512;

pub struct Probes {
    z: Vec<Vec<f64>>,
    kz: Vec<Vec<f64>>,
}

impl Probes {
    /// K z from the lower triangle, the half that is decomposed.
    pub fn take(k: &SquareMatrix, job: &Job) -> Result<Self> {
        let n = k.n();
        let z = signs(n)?;
        let mut parts = try_zeroed(PARTS * n)?;
        let mut kz = Vec::new();
        for z in &z {
            job.check()?;
            if n > 0 {
                symmetric_product(level(), k.data(), n, z, &mut parts);
            }
            kz.push(parts[..n].to_vec());
        }
        Ok(Self { z, kz })
    }

    /// (residual, orthogonality).
    pub fn compare(&self, values: &[f64], u: &SquareMatrix, job: &Job) -> Result<(f64, f64)> {
        let norm = values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        let (mut residual, mut orthogonality) = (0.0f64, 0.0f64);
        for (z, kz) in self.z.iter().zip(&self.kz) {
            job.check()?;
            let mut x = transposed_product(u, z);
            x.iter_mut().zip(values).for_each(|(x, v)| *x *= v);
            let off = distance(&product(u, &x), kz);
            // `max` would drop a NaN.
            residual = if off.is_nan() { off } else { residual.max(off / if norm > 0.0 { norm } else { 1.0 }) };
            orthogonality = worse(orthogonality, distance(&transposed_product(u, &product(u, z)), z));
        }
        Ok((residual, orthogonality))
    }
}

/// ‖U'U - I‖ estimated as in `eigh`, for vectors that come from a file, whose few digits the caller's limit must allow.
pub fn check_eigen(values: &[f64], u: &SquareMatrix, threads: usize, job: &Job) -> Result<f64> {
    if values.len() != u.n() {
        let text = format!("{} eigenvalues do not fit {} eigenvectors", values.len(), u.n());
        return Err(Error::new("SHAPE", text).with("values", values.len() as f64).with("vectors", u.n() as f64));
    }
    job.start(COUNT as u64);
    with_pool(threads, || {
        let mut worst = 0.0;
        for z in signs(u.n())? {
            job.check()?;
            worst = worse(worst, distance(&transposed_product(u, &product(u, &z)), &z));
            job.advance(1);
        }
        Ok(worst)
    })
}

fn worse(a: f64, b: f64) -> f64 {
    if b.is_nan() { b } else { a.max(b) }
}

fn distance(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt()
}

fn product(u: &SquareMatrix, x: &[f64]) -> Vec<f64> {
    (0..u.n()).into_par_iter().with_min_len(64).map(|i| dot(level(), u.row(i), x)).collect()
}

/// U'x: each entry summed over rows in order.
pub fn transposed_product(u: &SquareMatrix, x: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; u.n()];
    y.par_chunks_mut(COLUMNS).enumerate().for_each(|(b, y)| {
        for (i, &x) in x.iter().enumerate() {
            axpy(level(), x, &u.row(i)[b * COLUMNS..][..y.len()], y);
        }
    });
    y
}

/// Fixed pseudo-random signs (SplitMix64).
fn signs(n: usize) -> Result<Vec<Vec<f64>>> {
    let mut out = Vec::new();
    let mut state = 0x5eed_u64;
    for _ in 0..COUNT {
        let mut z = try_zeroed(n)?;
        for z in &mut z {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut x = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *z = if (x ^ (x >> 31)) & 1 == 1 { 1.0 } else { -1.0 };
        }
        out.push(z);
    }
    Ok(out)
}
