//! Vector kernels, one body compiled for each SIMD level. Every sum runs over eight fixed lanes, so AVX2, AVX-512 and
//! NEON give the same bits; only `Scalar` on x86 differs, having no fused multiply-add.

use x_simd::Level;

pub(crate) use x_simd::by_level;

pub const LANES: usize = 8;
pub type V = [f64; LANES];
pub const ZERO: V = [0.0; LANES];

#[inline(always)]
pub fn fma<const F: bool>(a: f64, b: f64, c: f64) -> f64 {
    if F { a.mul_add(b, c) } else { a * b + c }
}

#[inline(always)]
pub fn load(x: &[f64]) -> V {
    [x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]]
}

#[inline(always)]
pub fn vfma<const F: bool>(a: V, b: V, c: V) -> V {
    std::array::from_fn(|l| fma::<F>(a[l], b[l], c[l]))
}

#[inline(always)]
pub fn sum(v: V) -> f64 {
    ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]))
}

#[inline(always)]
fn dot_in<const F: bool>(x: &[f64], y: &[f64]) -> f64 {
    let y = &y[..x.len()];
    let mut acc = [ZERO; 4];
    let blocks = x.len() / 32;
    for b in 0..blocks {
        for (q, a) in acc.iter_mut().enumerate() {
            let at = b * 32 + q * 8;
            *a = vfma::<F>(load(&x[at..at + 8]), load(&y[at..at + 8]), *a);
        }
    }
    let mut at = blocks * 32;
    while at + 8 <= x.len() {
        acc[0] = vfma::<F>(load(&x[at..at + 8]), load(&y[at..at + 8]), acc[0]);
        at += 8;
    }
    let mut tail = 0.0;
    for i in at..x.len() {
        tail = fma::<F>(x[i], y[i], tail);
    }
    let a: V = std::array::from_fn(|l| (acc[0][l] + acc[1][l]) + (acc[2][l] + acc[3][l]));
    sum(a) + tail
}
by_level! {
    /// Sum of x[i] y[i].
    pub fn dot(x: &[f64], y: &[f64]) -> f64 = dot_in
}

#[inline(always)]
fn axpy_in<const F: bool>(a: f64, x: &[f64], y: &mut [f64]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = fma::<F>(a, x, *y);
    }
}
by_level! {
    /// y += a x.
    pub fn axpy(a: f64, x: &[f64], y: &mut [f64]) = axpy_in
}

#[inline(always)]
fn dots_in<const F: bool>(rows: &[f64], ld: usize, count: usize, x: &[f64], out: &mut [f64]) {
    let m = x.len();
    let full = m / 8 * 8;
    let mut r = 0;
    while r + 4 <= count {
        let a: [&[f64]; 4] = std::array::from_fn(|q| &rows[(r + q) * ld..][..m]);
        let mut acc = [ZERO; 4];
        let mut j = 0;
        while j < full {
            let xj = load(&x[j..j + 8]);
            for q in 0..4 {
                acc[q] = vfma::<F>(load(&a[q][j..j + 8]), xj, acc[q]);
            }
            j += 8;
        }
        for q in 0..4 {
            let mut tail = 0.0;
            for j in full..m {
                tail = fma::<F>(a[q][j], x[j], tail);
            }
            out[r + q] = sum(acc[q]) + tail;
        }
        r += 4;
    }
    while r < count {
        out[r] = dot_in::<F>(x, &rows[r * ld..][..m]);
        r += 1;
    }
}
by_level! {
    /// out[r] = rows[r] · x for `count` rows that lie `ld` apart.
    pub fn dots(rows: &[f64], ld: usize, count: usize, x: &[f64], out: &mut [f64]) = dots_in
}

#[inline(always)]
fn axpys_in<const F: bool>(rows: &[f64], ld: usize, count: usize, c: &[f64], y: &mut [f64]) {
    let m = y.len();
    let mut r = 0;
    while r + 4 <= count {
        let a: [&[f64]; 4] = std::array::from_fn(|q| &rows[(r + q) * ld..][..m]);
        for j in 0..m {
            let mut v = y[j];
            for q in 0..4 {
                v = fma::<F>(c[r + q], a[q][j], v);
            }
            y[j] = v;
        }
        r += 4;
    }
    while r < count {
        axpy_in::<F>(c[r], &rows[r * ld..][..m], y);
        r += 1;
    }
}
by_level! {
    /// y += sum of c[r] rows[r].
    pub fn axpys(rows: &[f64], ld: usize, count: usize, c: &[f64], y: &mut [f64]) = axpys_in
}

#[inline(always)]
fn symv_in<const F: bool>(a: &[f64], ld: usize, from: usize, to: usize, x: &[f64], y: &mut [f64]) {
    let mut i = from;
    while i + 4 <= to {
        let r: [&[f64]; 4] = std::array::from_fn(|q| &a[(i + q) * ld..][..i + q + 1]);
        let xi: [f64; 4] = std::array::from_fn(|q| x[i + q]);
        let full = i / 8 * 8;
        let mut acc = [ZERO; 4];
        let mut j = 0;
        while j < full {
            let xj = load(&x[j..j + 8]);
            let mut yj = load(&y[j..j + 8]);
            for q in 0..4 {
                let v = load(&r[q][j..j + 8]);
                yj = vfma::<F>(v, [xi[q]; 8], yj);
                acc[q] = vfma::<F>(v, xj, acc[q]);
            }
            y[j..j + 8].copy_from_slice(&yj);
            j += 8;
        }
        for q in 0..4 {
            let mut s = 0.0;
            for j in full..i + q {
                y[j] = fma::<F>(r[q][j], xi[q], y[j]);
                s = fma::<F>(r[q][j], x[j], s);
            }
            y[i + q] += fma::<F>(r[q][i + q], xi[q], sum(acc[q]) + s);
        }
        i += 4;
    }
    while i < to {
        let row = &a[i * ld..][..i + 1];
        axpy_in::<F>(x[i], &row[..i], &mut y[..i]);
        y[i] += fma::<F>(row[i], x[i], dot_in::<F>(&row[..i], &x[..i]));
        i += 1;
    }
}
by_level! {
    /// Adds to y what rows `from..to` of the lower triangle of a symmetric matrix contribute to A x.
    pub fn symv(a: &[f64], ld: usize, from: usize, to: usize, x: &[f64], y: &mut [f64]) = symv_in
}

/// The level of this process.
pub fn level() -> Level {
    Level::get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_with_fma_agree_bit_for_bit() {
        let n = 203;
        let x: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7).sin()).collect();
        let a: Vec<f64> = (0..n * n).map(|i| (i as f64 * 1.3).cos()).collect();
        let mut seen: Option<(u64, Vec<f64>)> = None;
        for l in Level::available().into_iter().filter(|&l| l != Level::Scalar) {
            let mut y = vec![0.0; n];
            symv(l, &a, n, 0, n, &x, &mut y);
            let d = dot(l, &x, &a[..n]).to_bits();
            if let Some((d0, y0)) = &seen {
                assert_eq!((*d0, y0), (d, &y));
            }
            seen = Some((d, y));
        }
        let mut y = vec![0.0; n];
        symv(Level::Scalar, &a, n, 0, n, &x, &mut y);
        for i in 0..n {
            let want: f64 = (0..n).map(|j| a[i.max(j) * n + i.min(j)] * x[j]).sum();
            assert!((y[i] - want).abs() < 1e-12, "{i}");
        }
    }
}
