//! Σ e e' of the rows of two sets of planes: ANDs, XORs and two popcounts a word pair, exact integers on every level.
//!
//! With z = zero | zero' and n = !z & (minus ^ minus'), the product is 0 on z, −1 on n and 1 elsewhere, so its sum is
//! bits − popcount(z) − 2 popcount(n). Padding bits are in z and add nothing.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod missing;
#[cfg(target_arch = "x86_64")]
mod missing_avx512;

use std::ops::Range;

use x_simd::Level;

use crate::planes::{BITS, Chunk};
use crate::tiles::TILE;
pub(crate) use missing::{missing_products, missing_sums};

/// One integer a row pair of a tile, `TILE` a row.
pub(crate) type Sums = Vec<i32>;

pub(crate) fn sums() -> Sums {
    vec![0; TILE * TILE]
}

/// Some rows of planes: `rows` of them, each of `chunks` chunks.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    pub data: &'a [Chunk],
    pub rows: usize,
    pub chunks: usize,
}

impl Side<'_> {
    pub fn row(&self, i: usize, range: &Range<usize>) -> &[Chunk] {
        &self.data[i * self.chunks..][range.clone()]
    }
}

/// Adds Σ e e' over the chunks in `range` to `out`. On a diagonal tile entries above the diagonal may be left out.
pub(crate) fn products(level: Level, a: Side, b: Side, range: Range<usize>, diagonal: bool, out: &mut [i32]) {
    assert!(out.len() == TILE * TILE && a.rows <= TILE && b.rows <= TILE);
    match level {
        // SAFETY: a level is only handed out where the processor has it.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { avx512::products(a, b, range, diagonal, out) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { avx2::products(a, b, range, diagonal, out) },
        _ => each(a, b, range, diagonal, out, portable),
    }
}

/// One row pair at a time.
#[inline(always)]
fn each(
    a: Side,
    b: Side,
    range: Range<usize>,
    diagonal: bool,
    out: &mut [i32],
    count: impl Fn(&[Chunk], &[Chunk]) -> u32,
) {
    let bits = (range.len() * BITS) as i32;
    for i in 0..a.rows {
        let row = a.row(i, &range);
        let width = if diagonal { i + 1 } else { b.rows };
        for j in 0..width {
            out[i * TILE + j] += bits - count(row, b.row(j, &range)) as i32;
        }
    }
}

/// popcount(z) + 2 popcount(n). On aarch64 the compiler vectorises this loop with CNT.
#[inline(always)]
fn portable(a: &[Chunk], b: &[Chunk]) -> u32 {
    let mut sum = 0;
    for (a, b) in a.iter().zip(b) {
        for w in 0..8 {
            let z = a.zero[w] | b.zero[w];
            let n = !z & (a.minus[w] ^ b.minus[w]);
            sum += z.count_ones() + 2 * n.count_ones();
        }
    }
    sum
}
