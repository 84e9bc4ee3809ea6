//! Products over fixed output tiles: threads share tiles, never an entry.

use rayon::prelude::*;
use x_simd::{Error, Job, Result, with_pool};

use super::{Target, View, tile};
use crate::lanes::level;

/// Side of an output tile: a multiple of every register tile.
const TILE: usize = 480;
/// Rows of a strip of a symmetric product: fewer, so that little above the diagonal is computed.
const SIDE: usize = 192;

/// C = A B, row-major: `a` is m × k, `b` is k × n.
#[allow(clippy::too_many_arguments)]
pub fn gemm(
    m: usize,
    n: usize,
    k: usize,
    a: &[f64],
    b: &[f64],
    c: &mut [f64],
    threads: usize,
    job: &Job,
) -> Result<()> {
    expect(a.len(), m, k)?;
    expect(b.len(), k, n)?;
    expect(c.len(), m, n)?;
    job.start((m.div_ceil(TILE) * n.div_ceil(TILE)) as u64);
    let (a, b, to) = (View::rows(a, k), View::rows(b, n), Target { at: c.as_mut_ptr(), ld: n });
    // SAFETY: the lengths were checked.
    with_pool(threads, || unsafe { gemm_into((m, n, k), a, b, to, job) })
}

/// C = A A' with `a` m × k row-major: both triangles are filled.
pub fn syrk(m: usize, k: usize, a: &[f64], c: &mut [f64], threads: usize, job: &Job) -> Result<()> {
    expect(a.len(), m, k)?;
    expect(c.len(), m, m)?;
    job.start(m.div_ceil(SIDE) as u64);
    let (a, to) = (View::rows(a, k), Target { at: c.as_mut_ptr(), ld: m });
    with_pool(threads, || {
        // SAFETY: the lengths were checked.
        unsafe { lower(m, k, 1.0, a, a.transposed(), to, false, job)? };
        mirror(m, c);
        Ok(())
    })
}

/// C += A'A with `a` k × m row-major: the lower triangle, and what else falls into its tiles.
pub fn syrk_add(m: usize, k: usize, a: &[f64], c: &mut [f64], threads: usize, job: &Job) -> Result<()> {
    expect(a.len(), k, m)?;
    expect(c.len(), m, m)?;
    let (a, to) = (View::rows(a, m), Target { at: c.as_mut_ptr(), ld: m });
    job.check()?;
    // SAFETY: the lengths were checked. The caller's progress goes on, so the tiles count for nobody.
    with_pool(threads, || unsafe { lower(m, k, 1.0, a.transposed(), a, to, true, &Job::default()) })
}

/// Tiles of C = A B inside the caller's pool.
///
/// # Safety
/// The views and the target must cover their shapes, and nothing else may touch the target.
pub unsafe fn gemm_into((m, n, k): (usize, usize, usize), a: View, b: View, c: Target, job: &Job) -> Result<()> {
    let across = n.div_ceil(TILE);
    (0..m.div_ceil(TILE) * across).into_par_iter().try_for_each(|t| {
        let (i, j) = (t / across * TILE, t % across * TILE);
        let shape = (TILE.min(m - i), TILE.min(n - j), k);
        // SAFETY: tiles are disjoint.
        unsafe { tile(level(), shape, 1.0, a.offset(i, 0), &b.offset(0, j), c.offset(i, j), false, job)? };
        job.advance(1);
        Ok(())
    })
}

/// Lower triangle (and what else falls into its tiles) of C -= A B, inside the caller's pool.
///
/// # Safety
/// As `gemm_into`.
pub unsafe fn lower_update(m: usize, k: usize, a: View, b: View, c: Target, job: &Job) -> Result<()> {
    let quiet = Job::default();
    job.check()?;
    // SAFETY: passed on.
    unsafe { lower(m, k, -1.0, a, b, c, true, &quiet) }
}

#[allow(clippy::too_many_arguments)]
unsafe fn lower(m: usize, k: usize, alpha: f64, a: View, b: View, c: Target, add: bool, job: &Job) -> Result<()> {
    let tiles = m.div_ceil(SIDE);
    // One strip of rows a task, up to its last diagonal entry; the longest first.
    (0..tiles).into_par_iter().rev().try_for_each(|t| {
        let i = t * SIDE;
        let rows = SIDE.min(m - i);
        // SAFETY: rows of tiles are disjoint.
        unsafe { tile(level(), (rows, i + rows, k), alpha, a.offset(i, 0), &b, c.offset(i, 0), add, job)? };
        job.advance(1);
        Ok(())
    })
}

/// Copies the lower triangle onto the upper one, by tiles.
pub fn mirror(m: usize, c: &mut [f64]) {
    const STEP: usize = 64;
    for i0 in (0..m).step_by(STEP) {
        for j0 in (0..=i0).step_by(STEP) {
            for i in i0..(i0 + STEP).min(m) {
                for j in j0..(j0 + STEP).min(i) {
                    c[j * m + i] = c[i * m + j];
                }
            }
        }
    }
}

fn expect(len: usize, rows: usize, cols: usize) -> Result<()> {
    if rows.checked_mul(cols) == Some(len) {
        return Ok(());
    }
    Err(Error::new("SHAPE", format!("a {rows} x {cols} matrix does not have {len} values"))
        .with("rows", rows as f64)
        .with("cols", cols as f64)
        .with("length", len as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use x_simd::Level;

    fn values(len: usize, seed: f64) -> Vec<f64> {
        (0..len).map(|i| (i as f64 * seed).sin()).collect()
    }

    #[test]
    fn products_match_the_definition_on_every_level() {
        for (m, n, k) in [(0, 3, 2), (3, 2, 0), (1, 1, 1), (7, 25, 193), (9, 49, 400), (100, 70, 33)] {
            let (a, b) = (values(m * k, 0.7), values(k * n, 1.3));
            let mut fused: Option<Vec<f64>> = None;
            for l in Level::available() {
                let mut c = vec![f64::NAN; m * n];
                let to = Target { at: c.as_mut_ptr(), ld: n };
                // SAFETY: the vectors have those shapes.
                unsafe {
                    tile(l, (m, n, k), 1.0, View::rows(&a, k), &View::rows(&b, n), to, false, &Job::default()).unwrap()
                };
                for i in 0..m {
                    for j in 0..n {
                        let want: f64 = (0..k).map(|p| a[i * k + p] * b[p * n + j]).sum();
                        assert!((c[i * n + j] - want).abs() < 1e-12, "{l:?} {m} {n} {k}");
                    }
                }
                if l != Level::Scalar {
                    assert_eq!(fused.get_or_insert_with(|| c.clone()), &c, "{l:?}");
                }
            }
        }
    }

    #[test]
    fn threads_do_not_change_bits_and_syrk_is_symmetric() {
        let (m, k) = (1000, 130);
        let a = values(m * k, 0.3);
        let run = |threads| {
            let mut c = vec![0.0; m * m];
            syrk(m, k, &a, &mut c, threads, &Job::default()).unwrap();
            let mut g = vec![0.0; m * k];
            gemm(m, k, m, &c, &a, &mut g, threads, &Job::default()).unwrap();
            (c, g)
        };
        let one = run(1);
        assert!(one == run(2) && one == run(3));
        assert!((0..m).all(|i| (0..i).all(|j| one.0[i * m + j] == one.0[j * m + i])));
        assert_eq!(gemm(2, 2, 2, &[0.0; 3], &[0.0; 4], &mut [0.0; 4], 1, &Job::default()).unwrap_err().code, "SHAPE");
    }
}
