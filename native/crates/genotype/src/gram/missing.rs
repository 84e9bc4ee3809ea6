//! The further products of row pairs with missing calls: Σ m e', Σ e m' and Σ m m'.

use std::ops::Range;

use x_simd::Level;

use super::{Side, Sums, sums};
use crate::planes::Chunk;
use crate::tiles::TILE;

/// Of a tile: `[Σ m e', Σ e m', Σ m m']`, m = 1 where the call is missing.
pub(crate) fn missing_products(level: Level, a: Side, b: Side, range: Range<usize>, out: &mut [Sums; 3]) {
    match level {
        // SAFETY: a level is only handed out where the processor has it.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { super::missing_avx512::tile(a, b, range, out) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { avx2(a, b, range, out) },
        _ => tile(a, b, range, out),
    }
}

pub(crate) fn missing_sums() -> [Sums; 3] {
    [sums(), sums(), sums()]
}

#[inline(always)]
fn tile(a: Side, b: Side, range: Range<usize>, out: &mut [Sums; 3]) {
    for i in 0..a.rows {
        for j in 0..b.rows {
            let found = pair(a.row(i, &range), b.row(j, &range));
            for (to, x) in out.iter_mut().zip(found) {
                to[i * TILE + j] += x as i32;
            }
        }
    }
}

/// The compiler turns `count_ones` into what each level offers.
#[inline(always)]
fn pair(a: &[Chunk], b: &[Chunk]) -> [i64; 3] {
    let mut out = [0; 3];
    let count = |x: u64| i64::from(x.count_ones());
    for (a, b) in a.iter().zip(b) {
        for w in 0..8 {
            let (ma, mb) = (a.zero[w] & a.minus[w], b.zero[w] & b.minus[w]);
            let (ea, eb) = (!a.zero[w], !b.zero[w]);
            out[0] += count(ma & eb & !b.minus[w]) - count(ma & eb & b.minus[w]);
            out[1] += count(mb & ea & !a.minus[w]) - count(mb & ea & a.minus[w]);
            out[2] += count(ma & mb);
        }
    }
    out
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn avx2(a: Side, b: Side, range: Range<usize>, out: &mut [Sums; 3]) {
    tile(a, b, range, out);
}
