//! VPOPCNTDQ kernel of the products with missing calls: 2 × 2 row pairs, five counters each.

use std::arch::x86_64::*;
use std::ops::Range;

use super::{Side, Sums};
use crate::planes::Chunk;
use crate::tiles::TILE;

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq")]
pub(super) fn tile(a: Side, b: Side, range: Range<usize>, out: &mut [Sums; 3]) {
    for i in (0..a.rows).step_by(2) {
        // Rows past the end repeat the last one and are not stored.
        let rows: [&[Chunk]; 2] = std::array::from_fn(|k| a.row((i + k).min(a.rows - 1), &range));
        for j in (0..b.rows).step_by(2) {
            let cols: [&[Chunk]; 2] = std::array::from_fn(|k| b.row((j + k).min(b.rows - 1), &range));
            let found = block(rows, cols);
            for (k, found) in found.iter().enumerate() {
                if i + k / 2 < a.rows && j + k % 2 < b.rows {
                    for (to, x) in out.iter_mut().zip(found) {
                        to[(i + k / 2) * TILE + j + k % 2] += *x as i32;
                    }
                }
            }
        }
    }
}

/// Σ m e', Σ e m' and Σ m m' of the four pairs, row by row.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq")]
fn block(rows: [&[Chunk]; 2], cols: [&[Chunk]; 2]) -> [[i64; 3]; 4] {
    let mut counts = [[_mm512_setzero_si512(); 5]; 4];
    let chunks = rows[0].len();
    assert!(rows[1].len() == chunks && cols[0].len() == chunks && cols[1].len() == chunks);
    for c in 0..chunks {
        let a = [load(&rows[0][c]), load(&rows[1][c])];
        let b = [load(&cols[0][c]), load(&cols[1][c])];
        for (k, counts) in counts.iter_mut().enumerate() {
            let ((za, sa, ma), (zb, sb, mb)) = (a[k / 2], b[k % 2]);
            let me = _mm512_andnot_si512(zb, ma);
            let em = _mm512_andnot_si512(za, mb);
            let words = [me, _mm512_and_si512(me, sb), em, _mm512_and_si512(em, sa), _mm512_and_si512(ma, mb)];
            for (count, word) in counts.iter_mut().zip(words) {
                *count = _mm512_add_epi64(*count, _mm512_popcnt_epi64(word));
            }
        }
    }
    counts.map(|[me, me_minus, em, em_minus, mm]| {
        let signed = |all, minus| _mm512_reduce_add_epi64(_mm512_sub_epi64(all, _mm512_add_epi64(minus, minus)));
        [signed(me, me_minus), signed(em, em_minus), _mm512_reduce_add_epi64(mm)]
    })
}

/// Planes `zero`, `minus` and missing.
#[inline]
#[target_feature(enable = "avx512f")]
fn load(chunk: &Chunk) -> (__m512i, __m512i, __m512i) {
    // SAFETY: planes are 64 bytes, aligned to 64.
    let (zero, minus) =
        unsafe { (_mm512_load_si512(chunk.zero.as_ptr().cast()), _mm512_load_si512(chunk.minus.as_ptr().cast())) };
    (zero, minus, _mm512_and_si512(zero, minus))
}
