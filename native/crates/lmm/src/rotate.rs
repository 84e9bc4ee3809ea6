//! Rotation of genotypes by the eigenvectors: decode, replace missing by the mean, multiply. Every entry is one sum over
//! people in ascending order, whatever the batch.

use rayon::prelude::*;
use x_simd::{Job, Result, try_zeroed, with_pool};

use crate::kernels::{BLOCK_COLUMNS, BLOCK_ROWS, Block, Kernels};

/// People a pass: the packed panel of eigenvectors (32 KiB) stays in the first-level cache.
const PEOPLE: usize = 256;
/// Variants a task: each panel is packed once for all of them.
const TILE: usize = 96;

#[allow(clippy::too_many_arguments)]
/// `out[s * n + j]` = sum over people i of genotype (s, i) times `u[i * n + j]` for the `rows` of packed variants of
/// exactly these `n` people; `means[s]` replaces missing genotypes.
pub fn rotate(
    (u, n): (&[f64], usize),
    packed: &[u8],
    rows: &[u32],
    means: &[f64],
    out: &mut [f64],
    threads: usize,
    kernels: Kernels,
    job: &Job,
) -> Result<()> {
    with_pool(threads, || {
        let tiles = out.par_chunks_mut(TILE * n).zip(rows.par_chunks(TILE)).zip(means.par_chunks(TILE));
        tiles.try_for_each(|((out, rows), means)| {
            let stride = rows.len().next_multiple_of(BLOCK_ROWS);
            // Person-major, with one more row at the end: a block of variants begins inside a row.
            let mut x: Vec<f64> = try_zeroed((n + 1) * stride)?;
            for (s, (&row, &mean)) in rows.iter().zip(means).enumerate() {
                let bytes = &packed[row as usize * n.div_ceil(4)..];
                for (person, to) in x[s..].iter_mut().step_by(stride).take(n).enumerate() {
                    *to = [2.0, mean, 1.0, 0.0][(bytes[person / 4] >> (person % 4 * 2) & 3) as usize];
                }
            }
            multiply((u, n), &x, stride, rows.len(), out, kernels, job)
        })
    })
}

/// What one thread of `rotate` takes.
pub fn rotate_bytes(n: usize) -> u64 {
    8 * ((n + 1) * TILE + PEOPLE * BLOCK_COLUMNS) as u64
}

fn multiply(
    (u, n): (&[f64], usize),
    x: &[f64],
    stride: usize,
    count: usize,
    out: &mut [f64],
    kernels: Kernels,
    job: &Job,
) -> Result<()> {
    let mut panel = vec![0.0; PEOPLE * BLOCK_COLUMNS];
    for column in (0..n).step_by(BLOCK_COLUMNS) {
        job.check()?;
        let width = BLOCK_COLUMNS.min(n - column);
        for first in (0..n).step_by(PEOPLE) {
            let people = PEOPLE.min(n - first);
            for (i, to) in panel.chunks_exact_mut(BLOCK_COLUMNS).take(people).enumerate() {
                to[..width].copy_from_slice(&u[(first + i) * n + column..][..width]);
            }
            for s in (0..count).step_by(BLOCK_ROWS) {
                let height = BLOCK_ROWS.min(count - s);
                let mut block: Block = [[0.0; BLOCK_COLUMNS]; BLOCK_ROWS];
                if first > 0 {
                    for (r, to) in block.iter_mut().enumerate().take(height) {
                        to[..width].copy_from_slice(&out[(s + r) * n + column..][..width]);
                    }
                }
                (kernels.block)(&x[first * stride + s..], stride, &panel[..people * BLOCK_COLUMNS], &mut block);
                for (r, from) in block.iter().enumerate().take(height) {
                    out[(s + r) * n + column..][..width].copy_from_slice(&from[..width]);
                }
            }
        }
    }
    Ok(())
}

/// Packed rows of the kept people only, in the order of `keep`.
pub fn subset(packed: &[u8], samples: usize, rows: &[u32], keep: &[u32]) -> Result<Vec<u8>> {
    let (from, to) = (samples.div_ceil(4), keep.len().div_ceil(4));
    let mut out: Vec<u8> = try_zeroed(rows.len() * to)?;
    for (&row, out) in rows.iter().zip(out.chunks_exact_mut(to)) {
        let row = &packed[row as usize * from..][..from];
        for (i, &person) in keep.iter().enumerate() {
            out[i / 4] |= (row[person as usize / 4] >> (person % 4 * 2) & 3) << (i % 4 * 2);
        }
    }
    Ok(out)
}
