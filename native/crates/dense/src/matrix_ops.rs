//! Whole-matrix operations on a kinship matrix: centring, people taken out, inspection, projection.

use rayon::prelude::*;
use x_simd::{Error, Job, Result, try_zeroed, with_pool};

use crate::gemm::{Target, View, gemm_into};
use crate::{SquareMatrix, lanes};

/// Side of the tiles in which an entry is compared with its mirror image.
const SIDE: usize = 64;

/// J K J with J = I - 11'/n. K is taken as symmetric (its row means serve both sides), so the result is too.
pub fn center(k: &mut SquareMatrix, threads: usize, job: &Job) -> Result<()> {
    let n = k.n();
    job.start(2 * n as u64);
    if n == 0 {
        return Ok(());
    }
    with_pool(threads, || {
        let ones = vec![1.0; n];
        let means: Vec<f64> = k
            .data()
            .par_chunks_exact(n)
            .map(|row| {
                job.check()?;
                job.advance(1);
                Ok(lanes::dot(lanes::level(), row, &ones) / n as f64)
            })
            .collect::<Result<_>>()?;
        let all = means.iter().sum::<f64>() / n as f64;
        k.data_mut().par_chunks_exact_mut(n).enumerate().try_for_each(|(i, row)| {
            job.check()?;
            for (x, &m) in row.iter_mut().zip(&means) {
                *x = *x - (means[i] + m) + all;
            }
            job.advance(1);
            Ok(())
        })
    })
}

/// Rows and columns `keep`, in that order.
pub fn submatrix(k: &SquareMatrix, keep: &[u32], threads: usize, job: &Job) -> Result<SquareMatrix> {
    if let Some(at) = keep.iter().position(|&i| i as usize >= k.n()) {
        let text = format!("index {} at position {at} lies outside a matrix of {} rows", keep[at], k.n());
        return Err(Error::new("SHAPE", text).with("index", f64::from(keep[at])).with("n", k.n() as f64));
    }
    let mut out = SquareMatrix::zeros(keep.len())?;
    job.start(keep.len() as u64);
    with_pool(threads, || {
        out.data_mut().par_chunks_exact_mut(keep.len().max(1)).zip(keep).try_for_each(|(to, &i)| {
            job.check()?;
            let from = k.row(i as usize);
            for (to, &j) in to.iter_mut().zip(keep) {
                *to = from[j as usize];
            }
            job.advance(1);
            Ok(())
        })
    })?;
    Ok(out)
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inspection {
    /// The first entry, row by row, that is NaN or infinite.
    pub not_finite: Option<(usize, usize)>,
    /// The largest |k[i][j] - k[j][i]| and where (i > j).
    pub asymmetry: f64,
    pub asymmetry_at: (usize, usize),
    pub zero: bool,
    pub trace: f64,
}

pub fn inspect(k: &SquareMatrix, threads: usize, job: &Job) -> Result<Inspection> {
    let n = k.n();
    job.start(n as u64);
    let strips: Vec<Inspection> = with_pool(threads, || {
        (0..n.div_ceil(SIDE))
            .into_par_iter()
            .map(|s| {
                job.check()?;
                job.advance(SIDE.min(n - s * SIDE) as u64);
                Ok(inspect_strip(k, s * SIDE..(s * SIDE + SIDE).min(n)))
            })
            .collect()
    })?;
    let mut all = Inspection { not_finite: None, asymmetry: 0.0, asymmetry_at: (0, 0), zero: true, trace: 0.0 };
    for s in strips {
        all.not_finite = all.not_finite.or(s.not_finite);
        all.zero &= s.zero;
        all.trace += s.trace;
        if s.asymmetry > all.asymmetry {
            (all.asymmetry, all.asymmetry_at) = (s.asymmetry, s.asymmetry_at);
        }
    }
    Ok(all)
}

fn inspect_strip(k: &SquareMatrix, rows: std::ops::Range<usize>) -> Inspection {
    let mut s = Inspection { not_finite: None, asymmetry: 0.0, asymmetry_at: (0, 0), zero: true, trace: 0.0 };
    for i in rows.clone() {
        let row = k.row(i);
        if s.not_finite.is_none() {
            s.not_finite = row.iter().position(|x| !x.is_finite()).map(|j| (i, j));
        }
        s.zero &= row.iter().all(|&x| x == 0.0);
        s.trace += row[i];
    }
    for j0 in (0..rows.end).step_by(SIDE) {
        for i in rows.clone() {
            for j in j0..(j0 + SIDE).min(i) {
                let diff = (k.row(i)[j] - k.row(j)[i]).abs();
                if diff > s.asymmetry {
                    (s.asymmetry, s.asymmetry_at) = (diff, (i, j));
                }
            }
        }
    }
    s
}

/// U'Y for `c` columns of n values each, one after the other; the result has the same layout.
pub fn project(u: &SquareMatrix, columns: &[f64], c: usize, threads: usize, job: &Job) -> Result<Vec<f64>> {
    let n = u.n();
    if c.checked_mul(n) != Some(columns.len()) {
        let text = format!("{c} columns of {n} values need {} values, {} given", c * n, columns.len());
        return Err(Error::new("SHAPE", text).with("n", n as f64).with("columns", c as f64));
    }
    let mut out = try_zeroed(columns.len())?;
    job.start((c.div_ceil(480) * n.div_ceil(480)) as u64);
    let (a, b, to) = (View::rows(columns, n), View::rows(u.data(), n), Target { at: out.as_mut_ptr(), ld: n });
    // SAFETY: the shapes were checked. Y' U, row by row, is U'Y column by column.
    with_pool(threads, || unsafe { gemm_into((c, n, n), a, b, to, job) })?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(n: usize) -> SquareMatrix {
        let mut m = SquareMatrix::zeros(n).unwrap();
        for t in 0..n * n {
            let (i, j) = (t / n, t % n);
            m.data_mut()[t] = ((i.max(j) * 31 + i.min(j)) as f64).sin();
        }
        m
    }

    #[test]
    fn centred_rows_sum_to_zero_and_stay_symmetric() {
        let mut m = example(150);
        center(&mut m, 2, &Job::default()).unwrap();
        for i in 0..150 {
            assert!(m.row(i).iter().sum::<f64>().abs() < 1e-12);
        }
        assert_eq!(inspect(&m, 2, &Job::default()).unwrap().asymmetry, 0.0);
        center(&mut SquareMatrix::zeros(0).unwrap(), 1, &Job::default()).unwrap();
    }

    #[test]
    fn inspection_finds_the_first_nan_and_the_worst_pair() {
        let mut m = example(130);
        m.data_mut()[100 * 130 + 5] += 0.5;
        let found = inspect(&m, 3, &Job::default()).unwrap();
        assert_eq!((found.asymmetry_at, found.not_finite, found.zero), ((100, 5), None, false));
        assert!((found.asymmetry - 0.5).abs() < 1e-12);
        m.data_mut()[129] = f64::INFINITY;
        m.data_mut()[70 * 130] = f64::NAN;
        assert_eq!(inspect(&m, 3, &Job::default()).unwrap().not_finite, Some((0, 129)));
        assert!(inspect(&SquareMatrix::zeros(4).unwrap(), 1, &Job::default()).unwrap().zero);
    }

    #[test]
    fn submatrix_keeps_the_given_order_and_checks_indices() {
        let m = example(6);
        let s = submatrix(&m, &[4, 0], 2, &Job::default()).unwrap();
        assert_eq!(s.data(), [m.row(4)[4], m.row(4)[0], m.row(0)[4], m.row(0)[0]]);
        assert_eq!(submatrix(&m, &[6], 1, &Job::default()).unwrap_err().code, "SHAPE");
        assert_eq!(submatrix(&m, &[], 1, &Job::default()).unwrap().n(), 0);
    }

    #[test]
    fn projection_is_the_same_for_any_threads_and_company() {
        let u = example(203);
        let y: Vec<f64> = (0..3 * 203).map(|i| (i as f64).cos()).collect();
        let all = project(&u, &y, 3, 1, &Job::default()).unwrap();
        assert_eq!(all, project(&u, &y, 3, 3, &Job::default()).unwrap());
        assert_eq!(&all[203..406], project(&u, &y[203..406], 1, 2, &Job::default()).unwrap());
        let want: f64 = (0..203).map(|i| u.row(i)[17] * y[i]).sum();
        assert!((all[17] - want).abs() < 1e-12);
        assert_eq!(project(&u, &y, 2, 1, &Job::default()).unwrap_err().code, "SHAPE");
    }
}
