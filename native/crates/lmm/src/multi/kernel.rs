//! The one loop over people that costs time: sums of products of rows with weight columns, compiled for every
//! instruction set. Each sum has eight accumulators and fused multiply-adds, so every level returns the same bits.

use x_simd::Level;

use crate::lanes::{LANES, Lanes};

/// `out[r * columns + k]` = Σ rows[r] columns[k]; both are laid out in rows of `len`, a multiple of `LANES`.
pub type Cross = fn(rows: &[f64], columns: &[f64], len: usize, out: &mut [f64]);

macro_rules! level {
    ($name:ident, $lanes:ty $(, $feature:literal)?) => {
        mod $name {
            use super::*;

            $(#[target_feature(enable = $feature)])?
            fn inner(rows: &[f64], columns: &[f64], len: usize, out: &mut [f64]) {
                // SAFETY: this function runs only where its instruction set is.
                unsafe { super::cross::<$lanes>(rows, columns, len, out) }
            }

            // SAFETY: `kernel` picks this function only at a level whose features the processor has.
            #[allow(unused_unsafe)]
            pub const CROSS: Cross = |rows, columns, len, out| unsafe { inner(rows, columns, len, out) };
        }
    };
}

level!(scalar, [f64; LANES]);
#[cfg(target_arch = "aarch64")]
level!(neon, crate::lanes::Neon);
#[cfg(target_arch = "x86_64")]
level!(avx2, crate::lanes::Avx2, "avx2,fma");
#[cfg(target_arch = "x86_64")]
level!(avx512, crate::lanes::Avx512, "avx2,fma,avx512f,avx512dq,avx512vl");

pub fn kernel(level: Level) -> Cross {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => avx512::CROSS,
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => avx2::CROSS,
        #[cfg(target_arch = "aarch64")]
        Level::Neon => neon::CROSS,
        _ => scalar::CROSS,
    }
}

#[inline(always)]
unsafe fn cross<V: Lanes>(rows: &[f64], columns: &[f64], len: usize, out: &mut [f64]) {
    let count = columns.len() / len;
    for (r, rows) in rows.chunks(3 * len).enumerate() {
        for (k, columns) in columns.chunks(2 * len).enumerate() {
            let out = &mut out[3 * r * count + 2 * k..];
            // SAFETY: as the caller's.
            unsafe {
                match (rows.len() / len, columns.len() / len) {
                    (3, 2) => block::<V, 3, 2>(rows, columns, len, count, out),
                    (3, _) => block::<V, 3, 1>(rows, columns, len, count, out),
                    (2, 2) => block::<V, 2, 2>(rows, columns, len, count, out),
                    (2, _) => block::<V, 2, 1>(rows, columns, len, count, out),
                    (_, 2) => block::<V, 1, 2>(rows, columns, len, count, out),
                    _ => block::<V, 1, 1>(rows, columns, len, count, out),
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn block<V: Lanes, const R: usize, const K: usize>(
    rows: &[f64],
    columns: &[f64],
    len: usize,
    count: usize,
    out: &mut [f64],
) {
    // SAFETY: as the caller's.
    unsafe {
        let mut acc = [[V::splat(0.0); K]; R];
        let rows: [&[f64]; R] = std::array::from_fn(|r| &rows[r * len..(r + 1) * len]);
        let columns: [&[f64]; K] = std::array::from_fn(|k| &columns[k * len..(k + 1) * len]);
        for at in (0..len).step_by(LANES) {
            let mut w = [V::splat(0.0); K];
            for (w, column) in w.iter_mut().zip(&columns) {
                *w = V::load(column[at..at + LANES].try_into().expect("LANES values"));
            }
            for (row, acc) in rows.iter().zip(&mut acc) {
                let x = V::load(row[at..at + LANES].try_into().expect("LANES values"));
                for (acc, w) in acc.iter_mut().zip(&w) {
                    *acc = x.fma(*w, *acc);
                }
            }
        }
        for (r, acc) in acc.iter().enumerate() {
            for (k, acc) in acc.iter().enumerate() {
                let l = acc.store();
                out[r * count + k] = ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]));
            }
        }
    }
}
