//! Eigenvectors of the tridiagonal matrix to those of the full one: blocks of reflectors in compact WY form
//! (Schreiber & Van Loan 1989), applied to fixed column strips that threads share out.

use rayon::prelude::*;
use x_simd::{Job, Result, try_zeroed};

use crate::gemm::{Target, View, tile};
use crate::lanes::{dot, level};

/// Reflectors applied together.
pub const BLOCK: usize = 96;
/// Columns of the strip that one task carries through all blocks.
pub const STRIP: usize = 480;

/// Z := Q Z for the reflectors that `tridiagonalise` left in `a`.
pub fn back_transform(a: &[f64], tau: &[f64], n: usize, z: &mut [f64], job: &Job) -> Result<()> {
    if n < 2 {
        return Ok(());
    }
    let mut v = try_zeroed(BLOCK * n)?;
    let target = Target { at: z.as_mut_ptr(), ld: n };
    let mut start = 1;
    while start < n {
        let end = (start + BLOCK).min(n);
        let (count, width) = (end - start, end - 1);
        if tau[start..end].iter().all(|&t| t == 0.0) {
            job.advance(count as u64);
            start = end;
            continue;
        }
        v.fill(0.0);
        for (r, i) in (start..end).enumerate() {
            v[r * width..r * width + i].copy_from_slice(&a[i * n..i * n + i]);
        }
        let t = triangle(&v, width, &tau[start..end]);
        let v = View::rows(&v, width);
        (0..n.div_ceil(STRIP)).into_par_iter().try_for_each(|s| {
            let (first, cols) = (s * STRIP, STRIP.min(n - s * STRIP));
            let z = target.offset(0, first);
            let mut x = try_zeroed(2 * count * cols)?;
            let (x, y) = x.split_at_mut(count * cols);
            let (to_x, to_y) = (Target { at: x.as_mut_ptr(), ld: cols }, Target { at: y.as_mut_ptr(), ld: cols });
            let zv = View { at: z.at, rs: n, cs: 1 };
            // SAFETY: strips are disjoint; all shapes lie inside their buffers.
            unsafe {
                tile(level(), (count, cols, width), 1.0, v, &zv, to_x, false, job)?;
                tile(
                    level(),
                    (count, cols, count),
                    1.0,
                    View::rows(&t, count),
                    &View::rows(x, cols),
                    to_y,
                    false,
                    job,
                )?;
                tile(level(), (width, cols, count), -1.0, v.transposed(), &View::rows(y, cols), z, true, job)?;
            }
            Ok(())
        })?;
        job.advance(count as u64);
        start = end;
    }
    Ok(())
}

/// T with H(last) ··· H(first) = I - V' T V; lower triangular, because the first row is applied first.
fn triangle(v: &[f64], width: usize, tau: &[f64]) -> Vec<f64> {
    let count = tau.len();
    let mut t = vec![0.0; count * count];
    for i in 0..count {
        let vi = &v[i * width..][..width];
        let mut c = vec![0.0; i];
        for (j, c) in c.iter_mut().enumerate() {
            *c = -tau[i] * dot(level(), vi, &v[j * width..][..width]);
        }
        for j in 0..i {
            t[i * count + j] = (j..i).map(|q| c[q] * t[q * count + j]).sum();
        }
        t[i * count + i] = tau[i];
    }
    t
}
