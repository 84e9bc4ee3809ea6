//! Rotation of genotypes by the eigenvectors: decode, replace missing by the mean, multiply. Every entry is one sum over
//! people in ascending order, whatever the tile.

use x_dense::SquareMatrix;
use x_simd::{Result, try_zeroed};

use crate::kernels::{BLOCK_COLUMNS, BLOCK_ROWS, Block, Kernels};

/// People a pass: the packed panel of eigenvectors (64 KiB) stays in the second-level cache.
const PEOPLE: usize = 512;

/// Buffers of one thread for up to `rows` variants of `n` people.
pub struct RotateScratch {
    /// Person-major genotypes, `stride` values a person, and one row more: a block may begin inside a row.
    x: Vec<f64>,
    panel: Vec<f64>,
    stride: usize,
}

impl RotateScratch {
    pub fn new(n: usize, rows: usize) -> Result<Self> {
        let stride = rows.next_multiple_of(BLOCK_ROWS);
        Ok(Self { x: try_zeroed((n + 1) * stride)?, panel: try_zeroed(PEOPLE * BLOCK_COLUMNS)?, stride })
    }

    pub fn bytes(n: usize, rows: usize) -> u64 {
        8 * ((n as u64 + 1) * rows.next_multiple_of(BLOCK_ROWS) as u64 + (PEOPLE * BLOCK_COLUMNS) as u64)
    }
}

/// Packed variants of a file of more people than those analysed.
#[derive(Clone, Copy)]
pub struct Packed<'a> {
    pub bytes: &'a [u8],
    pub row_bytes: usize,
    /// People to take, in this order.
    pub keep: &'a [u32],
    pub rows: &'a [u32],
    /// What replaces a missing genotype, one value for each of `rows`.
    pub means: &'a [f64],
}

impl Packed<'_> {
    fn dosage(&self, row: u32, person: u32, mean: f64) -> f64 {
        let byte = self.bytes[row as usize * self.row_bytes + person as usize / 4];
        match byte >> (person % 4 * 2) & 3 {
            0 => 2.0,
            1 => mean,
            2 => 1.0,
            _ => 0.0,
        }
    }
}

/// `out[s * pad + j]` = sum over people i of genotype (s, i) times `vectors[i][j]`.
pub fn rotate(
    vectors: &SquareMatrix,
    packed: Packed,
    pad: usize,
    kernels: Kernels,
    scratch: &mut RotateScratch,
    out: &mut [f64],
) {
    let n = vectors.n();
    let Packed { rows, means, .. } = packed;
    let RotateScratch { x, panel, stride } = scratch;
    for (s, (&row, &mean)) in rows.iter().zip(means).enumerate() {
        for (to, &person) in x[s..].iter_mut().step_by(*stride).zip(packed.keep) {
            *to = packed.dosage(row, person, mean);
        }
    }
    for column in (0..n).step_by(BLOCK_COLUMNS) {
        let width = BLOCK_COLUMNS.min(n - column);
        for first in (0..n).step_by(PEOPLE) {
            let people = PEOPLE.min(n - first);
            for (i, to) in panel.chunks_exact_mut(BLOCK_COLUMNS).take(people).enumerate() {
                to[..width].copy_from_slice(&vectors.row(first + i)[column..column + width]);
            }
            for s in (0..rows.len()).step_by(BLOCK_ROWS) {
                let height = BLOCK_ROWS.min(rows.len() - s);
                let mut block: Block = [[0.0; BLOCK_COLUMNS]; BLOCK_ROWS];
                if first > 0 {
                    for (r, to) in block.iter_mut().enumerate().take(height) {
                        to[..width].copy_from_slice(&out[(s + r) * pad + column..][..width]);
                    }
                }
                (kernels.block)(&x[first * *stride + s..], *stride, &panel[..people * BLOCK_COLUMNS], &mut block);
                for (r, from) in block.iter().enumerate().take(height) {
                    out[(s + r) * pad + column..][..width].copy_from_slice(&from[..width]);
                }
            }
        }
    }
}
