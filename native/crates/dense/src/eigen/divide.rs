//! Divide and conquer for the tridiagonal eigenproblem (Cuppen 1981): tear the matrix in two, solve both, join.

use x_simd::{Job, Result};

use super::merge::merge;
use super::ql::ql;
use crate::gemm::Target;

/// Blocks up to this order are solved by QL.
pub const LEAF: usize = 32;

/// Eigenvalues of the tridiagonal (d, off) ascending into `d`, vectors as columns of the zeroed n × n `z`.
pub fn divide(d: &mut [f64], off: &[f64], z: &mut [f64], job: &Job) -> Result<()> {
    let n = d.len();
    if n == 0 {
        return Ok(());
    }
    solve(d, off, Target { at: z.as_mut_ptr(), ld: n }, n, job)
}

fn solve(d: &mut [f64], off: &[f64], z: Target, whole: usize, job: &Job) -> Result<()> {
    let n = d.len();
    if n <= LEAF {
        job.check()?;
        let mut q = vec![0.0; n * n];
        ql(d, &off[..n - 1], &mut q)?;
        for (i, row) in q.chunks_exact(n).enumerate() {
            // SAFETY: this task owns the n × n block at z.
            unsafe { std::slice::from_raw_parts_mut(z.at.add(i * z.ld), n) }.copy_from_slice(row);
        }
        return Ok(());
    }
    let half = n / 2;
    let coupling = off[half - 1];
    d[half - 1] -= coupling.abs();
    d[half] -= coupling.abs();
    let (first, second) = d.split_at_mut(half);
    let (a, b) = rayon::join(
        || solve(first, &off[..half - 1], z, whole, job),
        || solve(second, &off[half..n - 1], z.offset(half, half), whole, job),
    );
    a.and(b)?;
    merge(d, half, coupling, z, job)?;
    if n == whole {
        job.advance(n as u64);
    }
    Ok(())
}
