//! Blocked Householder reduction of the lower triangle to tridiagonal form (Golub & Van Loan §8.3.1; blocking of
//! Dongarra, Sorensen & Hammarling 1989), from the last row up so that every vector is a contiguous row.
//!
//! Afterwards row `i` holds reflector `i` in its columns `0..i` (the entry `i - 1` is 1): `A = Q T Q'` with
//! `Q = H(n-1) ··· H(1)` and `H(i) = I - tau[i] v v'`.

use rayon::prelude::*;
use x_simd::{Job, Level, Result, try_zeroed};

use crate::gemm::{Target, View, lower_update};
use crate::lanes::{axpy, axpys, dot, dots, level, symv};

/// Rows of a panel.
pub const PANEL: usize = 32;
/// Most parts of one symmetric product: each has a sum of its own, added in order.
pub const PARTS: usize = 16;
/// Rows that make a part worth a task.
const ROWS_PER_PART: usize = 192;

pub struct Tridiagonal {
    pub diagonal: Vec<f64>,
    /// `off[i]` couples `i` and `i + 1`.
    pub off: Vec<f64>,
    pub tau: Vec<f64>,
}

pub fn tridiagonalise(a: &mut [f64], n: usize, job: &Job) -> Result<Tridiagonal> {
    let mut t = Tridiagonal { diagonal: try_zeroed(n)?, off: try_zeroed(n)?, tau: try_zeroed(n)? };
    // Row r of `vw` is a reflector for r < PANEL, its companion w after that; newest first, as `a` has them.
    let mut vw: Vec<f64> = try_zeroed(2 * PANEL * n)?;
    let mut parts: Vec<f64> = try_zeroed(PARTS * n)?;
    let mut c = [0.0; 2 * PANEL];
    let level = level();
    let mut end = n;
    while end > 0 {
        let start = end.saturating_sub(PANEL);
        for i in (start..end).rev() {
            job.check()?;
            let done = end - 1 - i;
            let (v, w) = vw.split_at_mut(PANEL * n);
            let first = PANEL - done;
            let row = &mut a[i * n..i * n + i + 1];
            for q in 0..done {
                c[q] = -w[(first + q) * n + i];
                c[PANEL + q] = -v[(first + q) * n + i];
            }
            axpys(level, &v[first * n..], n, done, &c[..done], row);
            axpys(level, &w[first * n..], n, done, &c[PANEL..PANEL + done], row);
            t.diagonal[i] = row[i];
            if i == 0 {
                break;
            }
            let (beta, tau) = reflector(level, &mut row[..i]);
            t.off[i - 1] = beta;
            t.tau[i] = tau;
            let slot = first - 1;
            if tau == 0.0 {
                // The row is already reduced (zero, diagonal or block matrices): H(i) = I.
                v[slot * n..slot * n + i].fill(0.0);
                w[slot * n..slot * n + i].fill(0.0);
                continue;
            }
            v[slot * n..slot * n + i].copy_from_slice(&row[..i]);
            let (x, w_new) = (&v[slot * n..slot * n + i], slot * n);
            symmetric_product(level, a, n, x, &mut parts);
            // (A - V W' - W V') x, with the panel's earlier columns not yet applied to A.
            let y = &mut parts[..i];
            let cv = &mut [0.0; PANEL];
            let cw = &mut [0.0; PANEL];
            dots(level, &w[first * n..], n, done, x, cv);
            dots(level, &v[first * n..], n, done, x, cw);
            cv.iter_mut().chain(cw.iter_mut()).for_each(|c| *c = -*c);
            axpys(level, &v[first * n..], n, done, cv, y);
            axpys(level, &w[first * n..], n, done, cw, y);
            y.iter_mut().for_each(|y| *y *= tau);
            let half = -0.5 * tau * dot(level, y, x);
            axpy(level, half, x, y);
            w[w_new..w_new + i].copy_from_slice(y);
        }
        // A -= V'W + W'V on what is left, as one product of depth 2 · PANEL.
        let used = end - start.max(1);
        if start > 0 {
            let first = PANEL - used;
            let (v, w) = vw.split_at(PANEL * n);
            let (v, w) = (View::rows(&v[first * n..], n), View::rows(&w[first * n..], n));
            let to = Target { at: a.as_mut_ptr(), ld: n };
            // SAFETY: the leading start × start block of `a` and `used` rows of v and w exist.
            unsafe {
                lower_update(start, used, v.transposed(), w, to, job)?;
                lower_update(start, used, w.transposed(), v, to, job)?;
            }
        }
        job.advance(2 * (end - start) as u64);
        end = start;
    }
    Ok(t)
}

/// Turns `x` into the reflector that maps it onto its last entry: v overwrites x, returns (beta, tau).
fn reflector(level: Level, x: &mut [f64]) -> (f64, f64) {
    let last = x.len() - 1;
    let alpha = x[last];
    let rest = dot(level, &x[..last], &x[..last]).sqrt();
    if rest == 0.0 {
        x[..last].fill(0.0);
        x[last] = 1.0;
        return (alpha, 0.0);
    }
    let beta = -alpha.signum() * alpha.hypot(rest);
    let scale = 1.0 / (alpha - beta);
    x[..last].iter_mut().for_each(|x| *x *= scale);
    x[last] = 1.0;
    (beta, (beta - alpha) / beta)
}

/// Row where part `p` of `parts` starts: equal areas of the triangle.
fn boundary(rows: usize, p: usize, parts: usize) -> usize {
    if p == parts { rows } else { ((rows as f64) * (p as f64 / parts as f64).sqrt()) as usize / 4 * 4 }
}

/// The product of the leading `x.len()` rows with x goes to the first row of `parts`. The partition depends on the
/// size only, so the bits do not depend on the threads.
pub fn symmetric_product(level: Level, a: &[f64], ld: usize, x: &[f64], parts: &mut [f64]) {
    let i = x.len();
    let count = (i / ROWS_PER_PART).clamp(1, PARTS);
    let part = |p: usize, y: &mut [f64]| {
        let (from, to) = (boundary(i, p, count), boundary(i, p + 1, count));
        y[..to].fill(0.0);
        symv(level, a, ld, from, to, x, y);
    };
    if count == 1 {
        part(0, parts);
        return;
    }
    let stride = parts.len() / PARTS;
    if rayon::current_num_threads() == 1 {
        parts.chunks_exact_mut(stride).take(count).enumerate().for_each(|(p, y)| part(p, y));
    } else {
        parts.par_chunks_exact_mut(stride).take(count).enumerate().for_each(|(p, y)| part(p, y));
    }
    // The last part spans all rows: sum the others into it, then move it to the front.
    let (head, last) = parts.split_at_mut((count - 1) * stride);
    for p in 0..count - 1 {
        let to = boundary(i, p + 1, count);
        axpy(level, 1.0, &head[p * stride..][..to], &mut last[..to]);
    }
    head[..i].copy_from_slice(&last[..i]);
}
