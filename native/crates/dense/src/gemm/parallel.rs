//! Products over fixed output tiles: threads share tiles, never an entry.

use rayon::prelude::*;
use x_simd::{Error, Job, Result, try_zeroed, with_pool};

use super::{Target, View, tile};
use crate::lanes::level;

/// Side of an output tile: a multiple of every register tile.
const TILE: usize = 480;

/// C = A B, row-major: `a` is m × k, `b` is k × n.
#[allow(clippy::too_many_arguments)]
pub fn gemm(m: usize, n: usize, k: usize, a: &[f64], b: &[f64], c: &mut [f64], threads: usize, job: &Job) -> Result<()> {
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
    let tiles = m.div_ceil(TILE);
    job.start((tiles * (tiles + 1) / 2) as u64);
    let (a, to) = (View::rows(a, k), Target { at: c.as_mut_ptr(), ld: m });
    with_pool(threads, || {
        // SAFETY: the lengths were checked.
        unsafe { lower(m, k, 1.0, a, a.transposed(), to, false, job)? };
        mirror(m, c);
        Ok(())
    })
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
    // Smaller than TILE so that little above the diagonal is computed.
    const SIDE: usize = 192;
    let tiles = m.div_ceil(SIDE);
    // One row of tiles a task, in strips of at most TILE columns up to the diagonal.
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
    const SIDE: usize = 64;
    for i0 in (0..m).step_by(SIDE) {
        for j0 in (0..=i0).step_by(SIDE) {
            for i in i0..(i0 + SIDE).min(m) {
                for j in j0..(j0 + SIDE).min(i) {
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

/// A zeroed `rows × cols` buffer of a size that came from outside.
pub fn buffer(rows: usize, cols: usize) -> Result<Vec<f64>> {
    let len = rows.checked_mul(cols);
    try_zeroed(len.ok_or_else(|| Error::new("ALLOC", format!("{rows} x {cols} values have no address space")))?)
}
