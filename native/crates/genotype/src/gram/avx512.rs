//! VPOPCNTDQ kernel: 4 × 2 row pairs at a time, 16 counters in registers.

use std::arch::x86_64::*;
use std::ops::Range;

use super::Side;
use crate::planes::{BITS, Chunk};
use crate::tiles::TILE;

/// !a & (b ^ c)
const NEGATIVE: i32 = 0x06;

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq")]
pub(super) fn products(a: Side, b: Side, range: Range<usize>, diagonal: bool, out: &mut [i32]) {
    let bits = (range.len() * BITS) as i32;
    for i in (0..a.rows).step_by(4) {
        // Rows past the end repeat the last one and are not stored.
        let rows: [&[Chunk]; 4] = std::array::from_fn(|k| a.row((i + k).min(a.rows - 1), &range));
        let width = if diagonal { b.rows.min(i + 4) } else { b.rows };
        for j in (0..width).step_by(2) {
            let cols: [&[Chunk]; 2] = std::array::from_fn(|k| b.row((j + k).min(b.rows - 1), &range));
            // SAFETY: six rows of `range.len()` chunks each.
            let counts = unsafe { block(rows.map(|r| r.as_ptr()), cols.map(|c| c.as_ptr()), range.len()) };
            for (k, two) in counts.as_chunks::<2>().0.iter().enumerate().take(a.rows - i) {
                for (to, count) in out[(i + k) * TILE + j..][..2.min(b.rows - j)].iter_mut().zip(two) {
                    *to += bits - count;
                }
            }
        }
    }
}

/// popcount(z) + 2 popcount(n) of each of the eight pairs, row by row.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq")]
unsafe fn block(rows: [*const Chunk; 4], cols: [*const Chunk; 2], chunks: usize) -> [i32; 8] {
    let mut zeros = [_mm512_setzero_si512(); 8];
    let mut negatives = [_mm512_setzero_si512(); 8];
    for c in 0..chunks {
        // SAFETY: by the caller; chunks are aligned to their 64 bytes.
        unsafe {
            let a = rows.map(|r| planes(r.add(c)));
            for (j, col) in cols.iter().enumerate() {
                let (zero, minus) = planes(col.add(c));
                for (i, row) in a.iter().enumerate() {
                    let z = _mm512_or_si512(row.0, zero);
                    let n = _mm512_ternarylogic_epi64(z, row.1, minus, NEGATIVE);
                    let k = i * 2 + j;
                    zeros[k] = _mm512_add_epi64(zeros[k], _mm512_popcnt_epi64(z));
                    negatives[k] = _mm512_add_epi64(negatives[k], _mm512_popcnt_epi64(n));
                }
            }
        }
    }
    let mut s = [_mm512_setzero_si512(); 8];
    for k in 0..8 {
        s[k] = _mm512_add_epi64(zeros[k], _mm512_add_epi64(negatives[k], negatives[k]));
    }
    // Eight sums over eight lanes as a tree: pairs of lanes, then halves, then quarters.
    let pair = |a, b| _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
    let fold = |a, b| _mm512_add_epi64(_mm512_shuffle_i64x2(a, b, 0x88), _mm512_shuffle_i64x2(a, b, 0xdd));
    let low = fold(pair(s[0], s[1]), pair(s[2], s[3]));
    let high = fold(pair(s[4], s[5]), pair(s[6], s[7]));
    let mut out = [0; 8];
    // SAFETY: eight 32-bit integers.
    unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), _mm512_cvtepi64_epi32(fold(low, high))) };
    out
}

/// # Safety
/// `chunk` must be readable.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn planes(chunk: *const Chunk) -> (__m512i, __m512i) {
    // SAFETY: by the caller.
    unsafe {
        (_mm512_load_si512((&raw const (*chunk).zero).cast()), _mm512_load_si512((&raw const (*chunk).minus).cast()))
    }
}
