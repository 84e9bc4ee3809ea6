//! The loops over people. Plain Rust that LLVM vectorises once per instruction set; lanes and fused multiply-adds are
//! written out, so every level returns the same bits (without an FMA unit `mul_add` is slow but equal).

use std::f64::consts::LN_2;

use x_simd::Level;

/// Independent accumulators of one sum: two AVX2 vectors, one AVX-512 vector. Arrays are padded to a multiple of this.
pub const LANES: usize = 8;
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
    /// `out[r][k] += sum_i x[i * stride + r] * panel[i * width + k]`, see `rotate`.
    pub block: fn(x: &[f64], stride: usize, panel: &[f64], out: &mut Block),
}

/// Variants x eigenvectors of one register block of the rotation.
pub const BLOCK_ROWS: usize = 6;
pub const BLOCK_COLUMNS: usize = 16;
pub type Block = [[f64; BLOCK_COLUMNS]; BLOCK_ROWS];

macro_rules! level {
    ($name:ident $(, $feature:literal)?) => {
        mod $name {
            use super::*;

            $(#[target_feature(enable = $feature)])?
            fn weights(values: &[f64], lambda: f64, out: &mut Weights) -> [f64; 2] {
                super::weights(values, lambda, out)
            }
            $(#[target_feature(enable = $feature)])?
            fn sums(rows: &[f64], weights: &Weights, count: usize, out: &mut [f64]) {
                super::sums(rows, weights, count, out)
            }
            $(#[target_feature(enable = $feature)])?
            fn ln_det(values: &[f64], lambda: f64) -> f64 {
                super::ln_det(values, lambda)
            }
            $(#[target_feature(enable = $feature)])?
            fn panel(rows: &[f64], len: usize, panel: &[f64], out: &mut [f64]) {
                super::panel(rows, len, panel, out)
            }
            $(#[target_feature(enable = $feature)])?
            fn block(x: &[f64], stride: usize, panel: &[f64], out: &mut Block) {
                super::block(x, stride, panel, out)
            }

            // SAFETY: `Kernels::new` picks this table only at a level whose features the processor has.
            #[allow(unused_unsafe)]
            pub const KERNELS: Kernels = Kernels {
                weights: |values, lambda, out| unsafe { weights(values, lambda, out) },
                sums: |rows, w, count, out| unsafe { sums(rows, w, count, out) },
                ln_det: |values, lambda| unsafe { ln_det(values, lambda) },
                panel: |rows, len, p, out| unsafe { panel(rows, len, p, out) },
                block: |x, stride, p, out| unsafe { block(x, stride, p, out) },
            };
        }
    };
}

// The baseline is NEON on aarch64.
level!(baseline);
#[cfg(target_arch = "x86_64")]
level!(avx2, "avx2,fma");
#[cfg(target_arch = "x86_64")]
level!(avx512, "avx2,fma,avx512f,avx512dq,avx512vl");

impl Kernels {
    pub fn new(level: Level) -> Self {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => avx512::KERNELS,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => avx2::KERNELS,
            _ => baseline::KERNELS,
        }
    }
}

type Lanes = [f64; LANES];

#[inline(always)]
fn lanes(x: &[f64]) -> &Lanes {
    x.try_into().expect("a chunk of LANES values")
}

/// Fixed tree.
#[inline(always)]
fn reduce(l: Lanes) -> f64 {
    ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]))
}

#[inline(always)]
fn weights(values: &[f64], lambda: f64, out: &mut Weights) -> [f64; 2] {
    let (mut t1, mut t2) = ([0.0; LANES], [0.0; LANES]);
    let [w0, w1, w2] = &mut out.w;
    let chunks = w0.chunks_exact_mut(LANES).zip(w1.chunks_exact_mut(LANES)).zip(w2.chunks_exact_mut(LANES));
    for (d, ((w0, w1), w2)) in values.chunks_exact(LANES).zip(chunks) {
        for l in 0..LANES {
            let h = 1.0 / lambda.mul_add(d[l], 1.0);
            let k = d[l] * h;
            w0[l] = h;
            w1[l] = h * k;
            w2[l] = h * k * k;
            t1[l] += k;
            t2[l] = k.mul_add(k, t2[l]);
        }
    }
    [reduce(t1), reduce(t2)]
}

#[inline(always)]
fn sums(rows: &[f64], weights: &Weights, count: usize, out: &mut [f64]) {
    if count == 2 { sums_of::<2>(rows, weights, out) } else { sums_of::<3>(rows, weights, out) }
}

#[inline(always)]
fn sums_of<const W: usize>(rows: &[f64], weights: &Weights, out: &mut [f64]) {
    let len = weights.w[0].len();
    let mut groups = rows.chunks_exact(3 * len);
    let mut outs = out.chunks_mut(9);
    for (group, out) in (&mut groups).zip(&mut outs) {
        sums_block::<3, W>(group, len, weights, out);
    }
    for (row, out) in groups.remainder().chunks_exact(len).zip(outs.flat_map(|o| o.chunks_mut(3))) {
        sums_block::<1, W>(row, len, weights, out);
    }
}

#[inline(always)]
fn sums_block<const R: usize, const W: usize>(rows: &[f64], len: usize, weights: &Weights, out: &mut [f64]) {
    let mut acc = [[[0.0; LANES]; W]; R];
    let rows: [&[f64]; R] = std::array::from_fn(|r| &rows[r * len..(r + 1) * len]);
    let weights: [&[f64]; W] = std::array::from_fn(|k| &weights.w[k][..len]);
    for at in (0..len / LANES).map(|i| i * LANES) {
        let w: [Lanes; W] = std::array::from_fn(|k| *lanes(&weights[k][at..at + LANES]));
        for r in 0..R {
            let x = lanes(&rows[r][at..at + LANES]);
            for k in 0..W {
                for l in 0..LANES {
                    acc[r][k][l] = x[l].mul_add(w[k][l], acc[r][k][l]);
                }
            }
        }
    }
    for r in 0..R {
        for k in 0..W {
            out[r * 3 + k] = reduce(acc[r][k]);
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
    exponent as f64 * LN_2 + reduce(product.map(f64::ln))
}

#[inline(always)]
fn panel(rows: &[f64], len: usize, panel: &[f64], out: &mut [f64]) {
    let mut groups = rows.chunks_exact(PANEL_ROWS * len);
    let mut outs = out.chunks_mut(PANEL_ROWS * LANES);
    for (group, out) in (&mut groups).zip(&mut outs) {
        panel_block::<PANEL_ROWS>(group, len, panel, out);
    }
    for (row, out) in groups.remainder().chunks_exact(len).zip(outs.flat_map(|o| o.chunks_mut(LANES))) {
        panel_block::<1>(row, len, panel, out);
    }
}

#[inline(always)]
fn panel_block<const R: usize>(rows: &[f64], len: usize, panel: &[f64], out: &mut [f64]) {
    let mut acc = [[0.0; LANES]; R];
    let rows: [&[f64]; R] = std::array::from_fn(|r| &rows[r * len..(r + 1) * len]);
    for (i, p) in panel.chunks_exact(LANES).take(len).enumerate() {
        let p = *lanes(p);
        for r in 0..R {
            let x = rows[r][i];
            for l in 0..LANES {
                acc[r][l] = x.mul_add(p[l], acc[r][l]);
            }
        }
    }
    for r in 0..R {
        out[r * LANES..(r + 1) * LANES].copy_from_slice(&acc[r]);
    }
}

#[inline(always)]
fn block(x: &[f64], stride: usize, panel: &[f64], out: &mut Block) {
    let mut acc = *out;
    for (x, p) in x.chunks_exact(stride).zip(panel.chunks_exact(BLOCK_COLUMNS)) {
        let x: &[f64; BLOCK_ROWS] = x[..BLOCK_ROWS].try_into().expect("a row of the block");
        let p: &[f64; BLOCK_COLUMNS] = p.try_into().expect("a row of the panel");
        for r in 0..BLOCK_ROWS {
            for k in 0..BLOCK_COLUMNS {
                acc[r][k] = x[r].mul_add(p[k], acc[r][k]);
            }
        }
    }
    *out = acc;
}
