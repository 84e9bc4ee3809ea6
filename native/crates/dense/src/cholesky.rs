//! Blocked Cholesky factorisation and triangular solves.

use rayon::prelude::*;
use x_simd::{Error, Job, Result, with_pool};

use crate::SquareMatrix;
use crate::gemm::{Target, View, lower_update};
use crate::lanes::{axpy, dot, level};

const BLOCK: usize = 96;

/// A = L L': L replaces the lower triangle, zeros the upper one. `CHOLESKY_NOT_PD` names the first bad pivot.
pub fn cholesky(a: &mut SquareMatrix, threads: usize, job: &Job) -> Result<()> {
    let n = a.n();
    job.start(n as u64);
    with_pool(threads, || {
        let a = a.data_mut();
        for k in (0..n).step_by(BLOCK) {
            job.check()?;
            let end = (k + BLOCK).min(n);
            let (top, below) = a.split_at_mut(end * n);
            factor_block(top, n, k, end)?;
            below.par_chunks_exact_mut(n).for_each(|row| {
                for j in k..end {
                    let s = dot(level(), &row[k..j], &top[j * n + k..j * n + j]);
                    row[j] = (row[j] - s) / top[j * n + j];
                }
            });
            let rest = n - end;
            if rest > 0 {
                let at = a.as_mut_ptr();
                // SAFETY: reads columns k..end, writes columns from end on, of the rows from end on.
                unsafe {
                    let l = View { at: at.add(end * n + k), rs: n, cs: 1 };
                    let to = Target { at: at.add(end * n + end), ld: n };
                    lower_update(rest, end - k, l, l.transposed(), to, job)?;
                }
            }
            job.advance((end - k) as u64);
        }
        for i in 0..n {
            a[i * n + i + 1..(i + 1) * n].fill(0.0);
        }
        Ok(())
    })
}

fn factor_block(a: &mut [f64], n: usize, from: usize, end: usize) -> Result<()> {
    for j in from..end {
        let (above, row) = a.split_at_mut(j * n);
        for q in from..j {
            let s = dot(level(), &row[from..q], &above[q * n + from..q * n + q]);
            row[q] = (row[q] - s) / above[q * n + q];
        }
        let pivot = row[j] - dot(level(), &row[from..j], &row[from..j]);
        if !(pivot > 0.0 && pivot.is_finite()) {
            let text = format!("the matrix is not positive definite: pivot {} is {pivot:e}", j + 1);
            return Err(Error::new("CHOLESKY_NOT_PD", text).with("pivot", (j + 1) as f64).with("value", pivot));
        }
        row[j] = pivot.sqrt();
    }
    Ok(())
}

/// Replaces each of `c` columns (n values each, one after the other) by L⁻¹ of it.
pub fn solve_lower(l: &SquareMatrix, columns: &mut [f64], c: usize, threads: usize, job: &Job) -> Result<()> {
    each(l, columns, c, threads, job, |x| {
        for i in 0..x.len() {
            let row = l.row(i);
            x[i] = (x[i] - dot(level(), &row[..i], &x[..i])) / row[i];
        }
    })
}

/// As `solve_lower`, with L'⁻¹.
pub fn solve_lower_transposed(
    l: &SquareMatrix,
    columns: &mut [f64],
    c: usize,
    threads: usize,
    job: &Job,
) -> Result<()> {
    each(l, columns, c, threads, job, |x| {
        for i in (0..x.len()).rev() {
            let row = l.row(i);
            x[i] /= row[i];
            let (head, tail) = x.split_at_mut(i);
            axpy(level(), -tail[0], &row[..i], head);
        }
    })
}

fn each(
    l: &SquareMatrix,
    columns: &mut [f64],
    c: usize,
    threads: usize,
    job: &Job,
    solve: impl Fn(&mut [f64]) + Sync,
) -> Result<()> {
    let n = l.n();
    if c.checked_mul(n) != Some(columns.len()) {
        let text = format!("{c} columns of {n} values do not have {} values", columns.len());
        return Err(Error::new("SHAPE", text).with("n", n as f64).with("columns", c as f64));
    }
    if let Some(i) = (0..n).find(|&i| l.row(i)[i] == 0.0 || !l.row(i)[i].is_finite()) {
        let text = format!("the triangular matrix has {} on its diagonal, row {}", l.row(i)[i], i + 1);
        return Err(Error::new("SOLVE_SINGULAR", text).with("row", (i + 1) as f64));
    }
    job.start(c as u64);
    with_pool(threads, || {
        columns.par_chunks_exact_mut(n.max(1)).try_for_each(|x| {
            job.check()?;
            solve(x);
            job.advance(1);
            Ok(())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positive(n: usize) -> SquareMatrix {
        let mut m = SquareMatrix::zeros(n).unwrap();
        for i in 0..n {
            for j in 0..n {
                m.data_mut()[i * n + j] = (-((i as f64 - j as f64).abs()) / 7.0).exp() + if i == j { 0.5 } else { 0.0 };
            }
        }
        m
    }

    #[test]
    fn factor_reconstructs_and_solves_for_any_thread_count() {
        for n in [0, 1, 2, 95, 96, 97, 300] {
            let a = positive(n);
            let mut bits = None;
            for threads in [1, 2, 3] {
                let mut l = a.clone();
                cholesky(&mut l, threads, &Job::default()).unwrap();
                for i in 0..n {
                    for j in 0..=i {
                        let v: f64 = (0..=j).map(|q| l.row(i)[q] * l.row(j)[q]).sum();
                        assert!((v - a.row(i)[j]).abs() < 1e-12);
                    }
                }
                assert_eq!(bits.get_or_insert_with(|| l.clone()), &l);
                let b: Vec<f64> = (0..2 * n).map(|i| (i as f64).sin()).collect();
                let mut x = b.clone();
                solve_lower(&l, &mut x, 2, threads, &Job::default()).unwrap();
                solve_lower_transposed(&l, &mut x, 2, threads, &Job::default()).unwrap();
                for c in 0..2 {
                    for i in 0..n {
                        let v: f64 = (0..n).map(|j| a.row(i)[j] * x[c * n + j]).sum();
                        assert!((v - b[c * n + i]).abs() < 1e-10);
                    }
                }
            }
        }
    }

    #[test]
    fn a_bad_pivot_is_named() {
        let mut a = positive(120);
        a.data_mut()[110 * 120 + 110] = -1.0;
        let e = cholesky(&mut a, 1, &Job::default()).unwrap_err();
        assert_eq!((e.code, e.details[0]), ("CHOLESKY_NOT_PD", ("pivot", 111.0)));
    }
}
