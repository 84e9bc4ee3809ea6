//! The loops over people, written once for eight lanes and compiled for every instruction set: each sum has eight
//! accumulators and fused multiply-adds, so every level returns the same bits. Arrays are padded to whole lanes.

use std::f64::consts::LN_2;

use x_simd::Level;

pub use crate::lanes::LANES;
use crate::lanes::Lanes;

/// Rows whose panel products are taken in one pass.
pub const PANEL_ROWS: usize = 6;

/// Diagonals of H^-1, H^-1 K H^-1 and H^-1 K H^-1 K H^-1 for H = lambda K + I.
#[derive(Default)]
pub struct Weights {
    pub w: [Vec<f64>; 3],
}

#[derive(Clone, Copy)]
pub struct Kernels {
    /// Fills the weights of a lambda; returns tr(H^-1 K) and tr(H^-1 K H^-1 K).
    pub weights: fn(values: &[f64], lambda: f64, out: &mut Weights) -> [f64; 2],
    /// `out[r * 3 + k]` = sum of row r times weight k, for k below `count` (2 or 3).
    pub sums: fn(rows: &[f64], weights: &Weights, count: usize, out: &mut [f64]),
    /// ln |lambda K + I|.
    pub ln_det: fn(values: &[f64], lambda: f64) -> f64,
    /// Products of rows with a panel of `LANES` columns (`panel[i * LANES + k]`): `out[r * LANES + k]`.
    pub panel: fn(rows: &[f64], len: usize, panel: &[f64], out: &mut [f64]),
}

macro_rules! level {
    ($name:ident, $lanes:ty $(, $feature:literal)?) => {
        mod $name {
            use super::*;

            $(#[target_feature(enable = $feature)])?
            fn weights(values: &[f64], lambda: f64, out: &mut Weights) -> [f64; 2] {
                unsafe { super::weights::<$lanes>(values, lambda, out) }
            }
            $(#[target_feature(enable = $feature)])?
            fn sums(rows: &[f64], weights: &Weights, count: usize, out: &mut [f64]) {
                unsafe { super::sums::<$lanes>(rows, weights, count, out) }
            }
            $(#[target_feature(enable = $feature)])?
            fn ln_det(values: &[f64], lambda: f64) -> f64 {
                super::ln_det(values, lambda)
            }
            $(#[target_feature(enable = $feature)])?
            fn panel(rows: &[f64], len: usize, panel: &[f64], out: &mut [f64]) {
                unsafe { super::panel::<$lanes>(rows, len, panel, out) }
            }

            // SAFETY: `Kernels::new` picks this table only at a level whose features the processor has.
            #[allow(unused_unsafe)]
            pub const KERNELS: Kernels = Kernels {
                weights: |values, lambda, out| unsafe { weights(values, lambda, out) },
                sums: |rows, w, count, out| unsafe { sums(rows, w, count, out) },
                ln_det: |values, lambda| unsafe { ln_det(values, lambda) },
                panel: |rows, len, p, out| unsafe { panel(rows, len, p, out) },
            };
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

impl Kernels {
    pub fn new(level: Level) -> Self {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => avx512::KERNELS,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => avx2::KERNELS,
            #[cfg(target_arch = "aarch64")]
            Level::Neon => neon::KERNELS,
            _ => scalar::KERNELS,
        }
    }
}

/// The eight values from `at` on.
#[inline(always)]
unsafe fn load<V: Lanes>(x: &[f64], at: usize) -> V {
    unsafe { V::load(x[at..at + LANES].try_into().expect("LANES values")) }
}

#[inline(always)]
unsafe fn store<V: Lanes>(out: &mut [f64], at: usize, v: V) {
    out[at..at + LANES].copy_from_slice(&unsafe { v.store() });
}

/// Sum of the lanes, by a fixed tree.
#[inline(always)]
unsafe fn reduce<V: Lanes>(v: V) -> f64 {
    let l = unsafe { v.store() };
    ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]))
}

#[inline(always)]
unsafe fn weights<V: Lanes>(values: &[f64], lambda: f64, out: &mut Weights) -> [f64; 2] {
    unsafe {
        let (one, lambda) = (V::splat(1.0), V::splat(lambda));
        let (mut t1, mut t2) = (V::splat(0.0), V::splat(0.0));
        for at in (0..values.len()).step_by(LANES) {
            let d: V = load(values, at);
            let h = one.div(lambda.fma(d, one));
            let k = d.mul(h);
            let hk = h.mul(k);
            store(&mut out.w[0], at, h);
            store(&mut out.w[1], at, hk);
            store(&mut out.w[2], at, hk.mul(k));
            t1 = t1.add(k);
            t2 = k.fma(k, t2);
        }
        [reduce(t1), reduce(t2)]
    }
}

#[inline(always)]
unsafe fn sums<V: Lanes>(rows: &[f64], weights: &Weights, count: usize, out: &mut [f64]) {
    unsafe { if count == 2 { sums_of::<V, 2>(rows, weights, out) } else { sums_of::<V, 3>(rows, weights, out) } }
}

#[inline(always)]
unsafe fn sums_of<V: Lanes, const W: usize>(rows: &[f64], weights: &Weights, out: &mut [f64]) {
    let len = weights.w[0].len();
    let mut groups = rows.chunks_exact(3 * len);
    let mut outs = out.chunks_mut(9);
    for (group, out) in (&mut groups).zip(&mut outs) {
        unsafe { sums_block::<V, 3, W>(group, len, weights, out) };
    }
    for (row, out) in groups.remainder().chunks_exact(len).zip(outs.flat_map(|o| o.chunks_mut(3))) {
        unsafe { sums_block::<V, 1, W>(row, len, weights, out) };
    }
}

#[inline(always)]
unsafe fn sums_block<V: Lanes, const R: usize, const W: usize>(
    rows: &[f64],
    len: usize,
    weights: &Weights,
    out: &mut [f64],
) {
    unsafe {
        let mut acc = [[V::splat(0.0); W]; R];
        let rows: [&[f64]; R] = std::array::from_fn(|r| &rows[r * len..(r + 1) * len]);
        let weights: [&[f64]; W] = std::array::from_fn(|k| &weights.w[k][..len]);
        for at in (0..len).step_by(LANES) {
            let mut w = [V::splat(0.0); W];
            for (w, weights) in w.iter_mut().zip(&weights) {
                *w = load(weights, at);
            }
            for r in 0..R {
                let x: V = load(rows[r], at);
                for k in 0..W {
                    acc[r][k] = x.fma(w[k], acc[r][k]);
                }
            }
        }
        for r in 0..R {
            for k in 0..W {
                out[r * 3 + k] = reduce(acc[r][k]);
            }
        }
    }
}

/// Multiplies mantissas and adds exponents, so one logarithm serves hundreds of people.
#[inline(always)]
fn ln_det(values: &[f64], lambda: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    const ONE: u64 = 1023 << 52;
    let mut exponents = [0u64; LANES];
    let mut product = [1.0f64; LANES];
    // 512 mantissas below 2 stay below 2^512.
    for block in values.chunks(512 * LANES) {
        for d in block.chunks_exact(LANES) {
            for l in 0..LANES {
                let bits = lambda.mul_add(d[l], 1.0).to_bits();
                exponents[l] += (bits >> 52) - 1023;
                product[l] *= f64::from_bits((bits & MANTISSA) | ONE);
            }
        }
        for l in 0..LANES {
            let bits = product[l].to_bits();
            exponents[l] += (bits >> 52) - 1023;
            product[l] = f64::from_bits((bits & MANTISSA) | ONE);
        }
    }
    let exponent: u64 = exponents.iter().sum();
    exponent as f64 * LN_2 + product.iter().map(|p| p.ln()).sum::<f64>()
}

#[inline(always)]
unsafe fn panel<V: Lanes>(rows: &[f64], len: usize, panel: &[f64], out: &mut [f64]) {
    let mut groups = rows.chunks_exact(PANEL_ROWS * len);
    let mut outs = out.chunks_mut(PANEL_ROWS * LANES);
    for (group, out) in (&mut groups).zip(&mut outs) {
        unsafe { panel_block::<V, PANEL_ROWS>(group, len, panel, out) };
    }
    for (row, out) in groups.remainder().chunks_exact(len).zip(outs.flat_map(|o| o.chunks_mut(LANES))) {
        unsafe { panel_block::<V, 1>(row, len, panel, out) };
    }
}

#[inline(always)]
unsafe fn panel_block<V: Lanes, const R: usize>(rows: &[f64], len: usize, panel: &[f64], out: &mut [f64]) {
    unsafe {
        let mut acc = [V::splat(0.0); R];
        let rows: [&[f64]; R] = std::array::from_fn(|r| &rows[r * len..(r + 1) * len]);
        for (i, p) in panel.chunks_exact(LANES).take(len).enumerate() {
            let p: V = load(p, 0);
            for r in 0..R {
                acc[r] = V::splat(rows[r][i]).fma(p, acc[r]);
            }
        }
        for (r, acc) in acc.into_iter().enumerate() {
            store(out, r * LANES, acc);
        }
    }
}
