//! The innermost loops: an `mr × nr` tile of the product from one packed panel of each side.

use super::Target;
use x_simd::Level;

const MAX_MR: usize = 8;
const MAX_NR: usize = 24;

/// Rows and columns of the register tile.
pub fn shape(level: Level) -> (usize, usize) {
    match level {
        Level::Avx512 => (8, 24),
        Level::Avx2 => (4, 12),
        Level::Neon | Level::Scalar => (4, 8),
    }
}

/// C (+)= alpha · packed A · packed B for one block.
///
/// # Safety
/// `c` must be valid for `m × n`; panels hold `kc` steps of every group of `mr` rows and `nr` columns.
#[allow(clippy::too_many_arguments)]
pub unsafe fn block(
    level: Level,
    m: usize,
    n: usize,
    kc: usize,
    alpha: f64,
    pa: &[f64],
    pb: &[f64],
    c: Target,
    add: bool,
) {
    let (mr, nr) = shape(level);
    assert!(pa.len() >= m.div_ceil(mr) * mr * kc && pb.len() >= n.div_ceil(nr) * nr * kc);
    for j in (0..n).step_by(nr) {
        let cols = nr.min(n - j);
        for i in (0..m).step_by(mr) {
            let rows = mr.min(m - i);
            // SAFETY: lengths were checked above, the tile lies inside c.
            unsafe {
                let a = pa.as_ptr().add(i * kc);
                let b = pb.as_ptr().add(j * kc);
                let to = c.offset(i, j);
                if rows == mr && cols == nr {
                    full(level, kc, alpha, a, b, to.at, to.ld, add);
                } else {
                    let mut edge = [0.0; MAX_MR * MAX_NR];
                    full(level, kc, alpha, a, b, edge.as_mut_ptr(), nr, false);
                    for r in 0..rows {
                        let row = std::slice::from_raw_parts_mut(to.at.add(r * to.ld), cols);
                        for (q, x) in row.iter_mut().enumerate() {
                            let v = edge[r * nr + q];
                            // `alpha` is ±1 everywhere, so this rounds like the full tile.
                            *x = if add { *x + v } else { v };
                        }
                    }
                }
            }
        }
    }
}

#[allow(clippy::too_many_arguments)]
unsafe fn full(level: Level, kc: usize, alpha: f64, a: *const f64, b: *const f64, c: *mut f64, ld: usize, add: bool) {
    // SAFETY: the caller's promise; levels are detected.
    unsafe {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => avx512(kc, alpha, a, b, c, ld, add),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => avx2(kc, alpha, a, b, c, ld, add),
            _ => generic::<{ cfg!(target_arch = "aarch64") }>(kc, alpha, a, b, c, ld, add),
        }
    }
}

macro_rules! x86_kernel {
    ($name:ident, $features:literal, $mr:literal, $w:literal, $zero:ident, $load:ident, $store:ident, $set:ident,
     $fma:ident, $mul:ident, $addf:ident) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = $features)]
        unsafe fn $name(kc: usize, alpha: f64, a: *const f64, b: *const f64, c: *mut f64, ld: usize, add: bool) {
            use std::arch::x86_64::*;
            // SAFETY: pointers are valid for the whole tile.
            unsafe {
                let mut acc = [[$zero(); 3]; $mr];
                let (mut a, mut b) = (a, b);
                for _ in 0..kc {
                    let (b0, b1, b2) = ($load(b), $load(b.add($w)), $load(b.add(2 * $w)));
                    for r in 0..$mr {
                        let x = $set(*a.add(r));
                        acc[r][0] = $fma(x, b0, acc[r][0]);
                        acc[r][1] = $fma(x, b1, acc[r][1]);
                        acc[r][2] = $fma(x, b2, acc[r][2]);
                    }
                    a = a.add($mr);
                    b = b.add(3 * $w);
                }
                let scale = $set(alpha);
                for (r, acc) in acc.iter().enumerate() {
                    for (q, &v) in acc.iter().enumerate() {
                        let to = c.add(r * ld + q * $w);
                        let v = $mul(scale, v);
                        $store(to, if add { $addf($load(to), v) } else { v });
                    }
                }
            }
        }
    };
}

x86_kernel!(
    avx512,
    "avx512f",
    8,
    8,
    _mm512_setzero_pd,
    _mm512_loadu_pd,
    _mm512_storeu_pd,
    _mm512_set1_pd,
    _mm512_fmadd_pd,
    _mm512_mul_pd,
    _mm512_add_pd
);
x86_kernel!(
    avx2,
    "avx2,fma",
    4,
    4,
    _mm256_setzero_pd,
    _mm256_loadu_pd,
    _mm256_storeu_pd,
    _mm256_set1_pd,
    _mm256_fmadd_pd,
    _mm256_mul_pd,
    _mm256_add_pd
);

unsafe fn generic<const F: bool>(
    kc: usize,
    alpha: f64,
    a: *const f64,
    b: *const f64,
    c: *mut f64,
    ld: usize,
    add: bool,
) {
    let mut acc = [[0.0; 8]; 4];
    for p in 0..kc {
        // SAFETY: panels hold kc steps.
        let (x, y) = unsafe { (&*(a.add(p * 4) as *const [f64; 4]), &*(b.add(p * 8) as *const [f64; 8])) };
        for r in 0..4 {
            for q in 0..8 {
                acc[r][q] = crate::lanes::fma::<F>(x[r], y[q], acc[r][q]);
            }
        }
    }
    for (r, acc) in acc.iter().enumerate() {
        for (q, &v) in acc.iter().enumerate() {
            // SAFETY: the tile is valid.
            unsafe {
                let to = c.add(r * ld + q);
                *to = if add { *to + alpha * v } else { alpha * v };
            }
        }
    }
}
