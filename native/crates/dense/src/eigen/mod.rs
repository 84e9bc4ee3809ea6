//! Symmetric eigendecomposition in the storage of its input: Householder tridiagonalisation, divide and conquer,
//! back-transformation. Each decomposition is checked against random probes before it is handed out.

mod back;
mod check;
mod deflate;
mod divide;
mod merge;
mod ql;
mod secular;
#[cfg(test)]
mod tests;
mod tridiag;

use x_simd::{Error, Job, Result, with_pool};

use crate::SquareMatrix;
use check::Probes;

pub use check::check_eigen;

pub struct Eigen {
    /// Ascending, as computed.
    pub values: Vec<f64>,
    /// Row = person, column = eigenvector.
    pub vectors: SquareMatrix,
    /// Largest ‖(K - UΛU')z‖ / ‖K‖ over random z of ±1: an estimate of ‖K - UΛU'‖_F / ‖K‖₂.
    pub residual: f64,
    /// Largest ‖U'Uz - z‖ over the same z: an estimate of ‖U'U - I‖_F.
    pub orthogonality: f64,
}

/// Both measures of a decomposition must stay below this.
pub const CHECK_LIMIT: f64 = 1e-10;

/// Peak bytes of `eigh` on `threads` threads, its input's storage included: 16 n² for K and U, and workspace that
/// grows with n only. `u64::MAX` when that does not fit.
pub fn eigh_bytes(n: u64, threads: u64) -> u64 {
    let panels = 2 * tridiag::PANEL + tridiag::PARTS + back::BLOCK + 40;
    // A merge sets up to ROWS × n entries aside for each block of rows; the back-transformation works on two strips.
    let row_block = (8 * merge::ROWS as u64).saturating_mul(n);
    let strips = 16 * (back::BLOCK * back::STRIP) as u64;
    let thread = row_block.max(strips).saturating_add(8 * crate::gemm::PACK_LEN as u64);
    n.saturating_mul(n)
        .saturating_mul(16)
        .saturating_add(n.saturating_mul(8 * panels as u64))
        .saturating_add(thread.saturating_mul(threads.max(1)))
}

/// Eigendecomposition of the symmetric matrix whose lower triangle is `k`'s; consumes its storage.
///
/// `KIN_NAN` for a value that is not finite, `EIGEN_CHECK` for a result that fails its check.
pub fn eigh(k: SquareMatrix, threads: usize, job: &Job) -> Result<Eigen> {
    with_pool(threads, || decompose(k, job))
}

fn decompose(mut k: SquareMatrix, job: &Job) -> Result<Eigen> {
    let n = k.n();
    job.start(4 * n as u64);
    let largest = finite(&k)?;
    let mut u = SquareMatrix::zeros(n)?;
    // Squares of entries must neither overflow nor vanish; powers of two scale without rounding.
    let scale =
        if largest == 0.0 || (1e-100..1e100).contains(&largest) { 1.0 } else { 2f64.powi(-(largest.log2() as i32)) };
    if scale != 1.0 {
        k.data_mut().iter_mut().for_each(|x| *x *= scale);
    }
    let probes = Probes::take(&k, job)?;
    let mut t = tridiag::tridiagonalise(k.data_mut(), n, job)?;
    let largest = t.diagonal.iter().chain(&t.off).fold(0.0, |m: f64, x| m.max(x.abs()));
    let unit = if largest > 0.0 { largest } else { 1.0 };
    t.diagonal.iter_mut().chain(t.off.iter_mut()).for_each(|x| *x /= unit);
    divide::divide(&mut t.diagonal, &t.off, u.data_mut(), job)?;
    back::back_transform(k.data(), &t.tau, n, u.data_mut(), job)?;
    drop(k);
    let mut values = t.diagonal;
    values.iter_mut().for_each(|v| *v *= unit);
    let (residual, orthogonality) = probes.compare(&values, &u, job)?;
    if !(residual <= CHECK_LIMIT && orthogonality <= CHECK_LIMIT) {
        return Err(Error::new(
            "EIGEN_CHECK",
            format!("the eigendecomposition failed its check: residual {residual:e}, orthogonality {orthogonality:e}"),
        )
        .with("residual", residual)
        .with("orthogonality", orthogonality));
    }
    values.iter_mut().for_each(|v| *v /= scale);
    job.advance((4 * n as u64).saturating_sub(job.done()));
    Ok(Eigen { values, vectors: u, residual, orthogonality })
}

/// The largest absolute value, or where the first value that is not finite lies.
fn finite(k: &SquareMatrix) -> Result<f64> {
    let mut largest = 0.0f64;
    for i in 0..k.n() {
        let row = k.row(i);
        if !row.iter().fold(0.0, |s: f64, x| s + x * 0.0).is_finite() {
            let j = row.iter().position(|x| !x.is_finite()).unwrap_or(0);
            let text = format!("the matrix has {} in row {}, column {}", row[j], i + 1, j + 1);
            return Err(Error::new("KIN_NAN", text).with("row", (i + 1) as f64).with("column", (j + 1) as f64));
        }
        largest = row.iter().fold(largest, |m, x| m.max(x.abs()));
    }
    Ok(largest)
}
