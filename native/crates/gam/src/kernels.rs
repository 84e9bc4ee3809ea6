//! Row kernels, each body compiled for every SIMD level. A piece of the model matrix has `window` values a row, which
//! belong to one of its places; what is summed lies side by side, one cell a place (or a pair of places), so that two
//! rows write either the same cell or cells that do not touch.

use x_simd::by_level;

/// Splines of degree three have four values a row.
pub const SPLINE: usize = 4;

#[inline(always)]
pub fn fma<const F: bool>(a: f64, b: f64, c: f64) -> f64 {
    if F { a.mul_add(b, c) } else { a * b + c }
}

/// out += x · coefficients of the row's place.
#[inline(always)]
fn eta_spline_in<const F: bool>(x: &[f64], place: &[u32], raw: &[f64], out: &mut [f64]) {
    let (x, raw) = (x.as_chunks::<SPLINE>().0, raw.as_chunks::<SPLINE>().0);
    for ((out, x), &j) in out.iter_mut().zip(x).zip(place) {
        let b = &raw[j as usize];
        *out += fma::<F>(x[0], b[0], x[1] * b[1]) + fma::<F>(x[2], b[2], x[3] * b[3]);
    }
}
by_level! {
    pub fn eta_spline(x: &[f64], place: &[u32], raw: &[f64], out: &mut [f64]) = eta_spline_in
}

#[inline(always)]
fn eta_any_in<const F: bool>(x: &[f64], width: usize, place: &[u32], raw: &[f64], out: &mut [f64]) {
    for ((out, x), &j) in out.iter_mut().zip(x.chunks_exact(width)).zip(place) {
        let b = &raw[j as usize * width..][..width];
        let (xs, bs) = (x.as_chunks::<4>(), b.as_chunks::<4>());
        let mut lanes = [0.0; 4];
        for (x, b) in xs.0.iter().zip(bs.0) {
            for l in 0..4 {
                lanes[l] = fma::<F>(x[l], b[l], lanes[l]);
            }
        }
        let mut tail = 0.0;
        for (x, b) in xs.1.iter().zip(bs.1) {
            tail = fma::<F>(*x, *b, tail);
        }
        *out += (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + tail;
    }
}
by_level! {
    pub fn eta_any(x: &[f64], width: usize, place: &[u32], raw: &[f64], out: &mut [f64]) = eta_any_in
}

/// Cell of the row's place += v x.
#[inline(always)]
fn scatter_spline_in<const F: bool>(x: &[f64], place: &[u32], v: &[f64], out: &mut [f64]) {
    let (x, out) = (x.as_chunks::<SPLINE>().0, out.as_chunks_mut::<SPLINE>().0);
    for ((x, &j), &v) in x.iter().zip(place).zip(v) {
        let to = &mut out[j as usize];
        for l in 0..SPLINE {
            to[l] = fma::<F>(v, x[l], to[l]);
        }
    }
}
by_level! {
    pub fn scatter_spline(x: &[f64], place: &[u32], v: &[f64], out: &mut [f64]) = scatter_spline_in
}

#[inline(always)]
fn scatter_any_in<const F: bool>(x: &[f64], width: usize, place: &[u32], v: &[f64], out: &mut [f64]) {
    for ((x, &j), &v) in x.chunks_exact(width).zip(place).zip(v) {
        for (to, x) in out[j as usize * width..][..width].iter_mut().zip(x) {
            *to = fma::<F>(v, *x, *to);
        }
    }
}
by_level! {
    pub fn scatter_any(x: &[f64], width: usize, place: &[u32], v: &[f64], out: &mut [f64]) = scatter_any_in
}

/// Cell of the row's pair of places += w s t'. `columns` places of t, or 0 for a piece with itself.
#[inline(always)]
fn outer_splines_in<const F: bool>(
    w: &[f64],
    s: &[f64],
    s_place: &[u32],
    t: &[f64],
    t_place: &[u32],
    columns: usize,
    out: &mut [f64],
) {
    let (s, t) = (s.as_chunks::<SPLINE>().0, t.as_chunks::<SPLINE>().0);
    let out = out.as_chunks_mut::<{ SPLINE * SPLINE }>().0;
    let rows = w.iter().zip(s.iter().zip(s_place)).zip(t.iter().zip(t_place));
    for ((&w, (s, &i)), (t, &j)) in rows {
        let to = &mut out[if columns == 0 { i as usize } else { i as usize * columns + j as usize }];
        let a = s.map(|x| w * x);
        for l in 0..SPLINE * SPLINE {
            to[l] = fma::<F>(a[l / SPLINE], t[l % SPLINE], to[l]);
        }
    }
}
by_level! {
    pub fn outer_splines(
        w: &[f64], s: &[f64], s_place: &[u32], t: &[f64], t_place: &[u32], columns: usize, out: &mut [f64],
    ) = outer_splines_in
}

/// `outer_splines` with one set of weights for each of several sums: a row's products are taken once.
#[inline(always)]
fn outer_splines_each_in<const F: bool>(
    weights: &[&[f64]],
    s: (&[f64], &[u32]),
    t: (&[f64], &[u32]),
    columns: usize,
    outs: &mut [&mut [[f64; SPLINE * SPLINE]]],
) {
    let (a, b) = (s.0.as_chunks::<SPLINE>().0, t.0.as_chunks::<SPLINE>().0);
    for (row, ((x, &i), (y, &j))) in a.iter().zip(s.1).zip(b.iter().zip(t.1)).enumerate() {
        let cell = if columns == 0 { i as usize } else { i as usize * columns + j as usize };
        let mut products = [0.0; SPLINE * SPLINE];
        for l in 0..SPLINE * SPLINE {
            products[l] = x[l / SPLINE] * y[l % SPLINE];
        }
        for (w, out) in weights.iter().zip(outs.iter_mut()) {
            let (w, to) = (w[row], &mut out[cell]);
            for l in 0..SPLINE * SPLINE {
                to[l] = fma::<F>(w, products[l], to[l]);
            }
        }
    }
}
by_level! {
    pub fn outer_splines_each(
        weights: &[&[f64]], s: (&[f64], &[u32]), t: (&[f64], &[u32]), columns: usize,
        outs: &mut [&mut [[f64; SPLINE * SPLINE]]],
    ) = outer_splines_each_in
}

/// Windows of any width.
#[inline(always)]
fn outer_any_in<const F: bool>(
    w: &[f64],
    s: (&[f64], usize, &[u32]),
    t: (&[f64], usize, &[u32]),
    columns: usize,
    out: &mut [f64],
) {
    let ((s, a, s_place), (t, b, t_place)) = (s, t);
    let rows = w.iter().zip(s.chunks_exact(a).zip(s_place)).zip(t.chunks_exact(b).zip(t_place));
    for ((&w, (s, &i)), (t, &j)) in rows {
        let cell = if columns == 0 { i as usize } else { i as usize * columns + j as usize };
        let to = &mut out[cell * a * b..][..a * b];
        for (x, to) in s.iter().zip(to.chunks_exact_mut(b)) {
            let c = w * x;
            if c != 0.0 {
                for (to, t) in to.iter_mut().zip(t) {
                    *to = fma::<F>(c, *t, *to);
                }
            }
        }
    }
}
by_level! {
    pub fn outer_any(
        w: &[f64], s: (&[f64], usize, &[u32]), t: (&[f64], usize, &[u32]), columns: usize, out: &mut [f64],
    ) = outer_any_in
}

/// Both pieces have one place only: four rows at a time, so that each sum is read and written once for the four.
#[inline(always)]
fn outer_dense_in<const F: bool>(w: &[f64], s: &[f64], a: usize, t: &[f64], b: usize, out: &mut [f64]) {
    let rows = w.len();
    let four = rows / 4 * 4;
    for i in (0..four).step_by(4) {
        let x: [&[f64]; 4] = std::array::from_fn(|q| &s[(i + q) * a..][..a]);
        let y: [&[f64]; 4] = std::array::from_fn(|q| &t[(i + q) * b..][..b]);
        for (k, to) in out.chunks_exact_mut(b).take(a).enumerate() {
            let c: [f64; 4] = std::array::from_fn(|q| w[i + q] * x[q][k]);
            for l in 0..b {
                let low = fma::<F>(c[0], y[0][l], c[1] * y[1][l]);
                let high = fma::<F>(c[2], y[2][l], c[3] * y[3][l]);
                to[l] += low + high;
            }
        }
    }
    for i in four..rows {
        for (x, to) in s[i * a..][..a].iter().zip(out.chunks_exact_mut(b)) {
            for (to, y) in to.iter_mut().zip(&t[i * b..][..b]) {
                *to = fma::<F>(w[i] * x, *y, *to);
            }
        }
    }
}
by_level! {
    pub fn outer_dense(w: &[f64], s: &[f64], a: usize, t: &[f64], b: usize, out: &mut [f64]) = outer_dense_in
}

/// h += factor s' P t with the cell of P that belongs to the row's places.
#[inline(always)]
fn bilinear_splines_in<const F: bool>(
    s: (&[f64], &[u32]),
    t: (&[f64], &[u32]),
    columns: usize,
    factor: f64,
    p: &[f64],
    h: &mut [f64],
) {
    let p = p.as_chunks::<{ SPLINE * SPLINE }>().0;
    let (a, b) = (s.0.as_chunks::<SPLINE>().0, t.0.as_chunks::<SPLINE>().0);
    let rows = h.iter_mut().zip(a.iter().zip(s.1)).zip(b.iter().zip(t.1));
    for ((h, (x, &i)), (y, &j)) in rows {
        let p = &p[if columns == 0 { i as usize } else { i as usize * columns + j as usize }];
        let mut sums = [0.0; SPLINE];
        for a in 0..SPLINE {
            for b in 0..SPLINE {
                sums[b] = fma::<F>(x[a], p[a * SPLINE + b], sums[b]);
            }
        }
        let low = fma::<F>(sums[0], y[0], sums[1] * y[1]);
        let high = fma::<F>(sums[2], y[2], sums[3] * y[3]);
        *h = fma::<F>(factor, low + high, *h);
    }
}
by_level! {
    pub fn bilinear_splines(
        s: (&[f64], &[u32]), t: (&[f64], &[u32]), columns: usize, factor: f64, p: &[f64], h: &mut [f64],
    ) = bilinear_splines_in
}

#[inline(always)]
fn bilinear_any_in<const F: bool>(
    s: (&[f64], usize, &[u32]),
    t: (&[f64], usize, &[u32]),
    columns: usize,
    factor: f64,
    p: &[f64],
    h: &mut [f64],
) {
    let ((s, a, s_place), (t, b, t_place)) = (s, t);
    let rows = h.iter_mut().zip(s.chunks_exact(a).zip(s_place)).zip(t.chunks_exact(b).zip(t_place));
    for ((h, (x, &i)), (y, &j)) in rows {
        let cell = if columns == 0 { i as usize } else { i as usize * columns + j as usize };
        let mut sum = 0.0;
        for (x, p) in x.iter().zip(p[cell * a * b..][..a * b].chunks_exact(b)) {
            if *x != 0.0 {
                let mut inner = 0.0;
                for (p, y) in p.iter().zip(y) {
                    inner = fma::<F>(*p, *y, inner);
                }
                sum = fma::<F>(*x, inner, sum);
            }
        }
        *h = fma::<F>(factor, sum, *h);
    }
}
by_level! {
    pub fn bilinear_any(
        s: (&[f64], usize, &[u32]), t: (&[f64], usize, &[u32]), columns: usize, factor: f64, p: &[f64], h: &mut [f64],
    ) = bilinear_any_in
}

/// to += a b, element by element.
#[inline(always)]
fn add_product_in<const F: bool>(to: &mut [f64], a: &[f64], b: &[f64]) {
    for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
        *to = fma::<F>(*a, *b, *to);
    }
}
by_level! {
    pub fn add_product(to: &mut [f64], a: &[f64], b: &[f64]) = add_product_in
}

/// Sum of a b in eight lanes.
#[inline(always)]
fn sum_of_products_in<const F: bool>(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut lanes = [0.0; 8];
    for (a, b) in a.0.iter().zip(b.0) {
        for l in 0..8 {
            lanes[l] = fma::<F>(a[l], b[l], lanes[l]);
        }
    }
    let tail: f64 = a.1.iter().zip(b.1).map(|(a, b)| a * b).sum();
    ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7])) + tail
}
by_level! {
    pub fn sum_of_products(a: &[f64], b: &[f64]) -> f64 = sum_of_products_in
}

/// out += a x
#[inline(always)]
fn add_scaled_in<const F: bool>(a: f64, x: &[f64], out: &mut [f64]) {
    for (out, x) in out.iter_mut().zip(x) {
        *out = fma::<F>(a, *x, *out);
    }
}
by_level! {
    pub fn add_scaled(a: f64, x: &[f64], out: &mut [f64]) = add_scaled_in
}

/// Sum of a b c d, element by element, in eight lanes.
#[inline(always)]
fn sum_of_four_in<const F: bool>(a: &[f64], b: &[f64], c: &[f64], d: &[f64]) -> f64 {
    let n = a.len();
    let mut lanes = [0.0; 8];
    let full = n / 8 * 8;
    for i in (0..full).step_by(8) {
        let (a, b, c, d) = (&a[i..i + 8], &b[i..i + 8], &c[i..i + 8], &d[i..i + 8]);
        for l in 0..8 {
            lanes[l] = fma::<F>(a[l] * b[l], c[l] * d[l], lanes[l]);
        }
    }
    let tail: f64 = (full..n).map(|i| a[i] * b[i] * (c[i] * d[i])).sum();
    ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7])) + tail
}
by_level! {
    pub fn sum_of_four(a: &[f64], b: &[f64], c: &[f64], d: &[f64]) -> f64 = sum_of_four_in
}

/// Largest row sum of absolute values of window · lift (raw × width); `at` = first sparse column of each row.
#[inline(always)]
fn largest_row_in<const F: bool>(x: &[f64], window: usize, at: &[u32], lift: &[f64], row: &mut [f64]) -> f64 {
    let width = row.len();
    let mut largest = 0.0_f64;
    for (x, &j) in x.chunks_exact(window).zip(at) {
        row.fill(0.0);
        for (x, l) in x.iter().zip(lift[j as usize * width..].chunks_exact(width)) {
            for (to, l) in row.iter_mut().zip(l) {
                *to = fma::<F>(*x, *l, *to);
            }
        }
        largest = largest.max(row.iter().map(|x| x.abs()).sum());
    }
    largest
}
by_level! {
    pub fn largest_row(x: &[f64], window: usize, at: &[u32], lift: &[f64], row: &mut [f64]) -> f64 = largest_row_in
}

/// Value and second-derivative weights of a cubic spline at both ends of the knot interval (ends, length, 1 / length).
#[inline(always)]
pub fn cubic_row<const F: bool>(x: f64, [a, b, h, over]: [f64; 4]) -> [f64; SPLINE] {
    let (l, r) = (b - x, x - a);
    let (p, q) = (l * over, r * over);
    [p, l * fma::<F>(l, p, -h) * (1.0 / 6.0), q, r * fma::<F>(r, q, -h) * (1.0 / 6.0)]
}

/// The rows of a cubic regression spline; `at` is twice the knot interval. Rows outside the knots get no use of it.
#[inline(always)]
fn cubic_rows_in<const F: bool>(x: &[f64], knots: &[f64], intervals: &[[f64; 4]], at: &mut [u32], out: &mut [f64]) {
    at.fill(0);
    for k in &knots[1..knots.len() - 1] {
        for (at, x) in at.iter_mut().zip(x) {
            *at += u32::from(*k < *x);
        }
    }
    for ((x, at), out) in x.iter().zip(at).zip(out.as_chunks_mut::<SPLINE>().0) {
        *out = cubic_row::<F>(*x, intervals[*at as usize]);
        *at *= 2;
    }
}
by_level! {
    pub fn cubic_rows(
        x: &[f64], knots: &[f64], intervals: &[[f64; 4]], at: &mut [u32], out: &mut [f64],
    ) = cubic_rows_in
}

/// e^x to the last bit but one, branch-free, for -708 <= x <= 709.
#[inline(always)]
pub fn exp<const F: bool>(x: f64) -> f64 {
    /// Adding and taking away 1.5 · 2^52 rounds to a whole number.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let shifted = fma::<F>(x, std::f64::consts::LOG2_E, ROUND);
    let k = shifted - ROUND;
    let r = fma::<F>(-k, LN2_LOW, fma::<F>(-k, LN2_HIGH, x));
    let mut p = 1.0 / 6_227_020_800.0;
    for c in [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        p = fma::<F>(p, r, c);
    }
    p * f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52)
}

/// ln(1 + e) for 0 <= e <= 1: 2 atanh(e / (2 + e)) by its series.
#[inline(always)]
pub fn ln_1p<const F: bool>(e: f64) -> f64 {
    let z = e / (2.0 + e);
    let q = z * z;
    let mut p = 0.0;
    for k in (0..18).rev() {
        p = fma::<F>(p, q, 1.0 / (2 * k + 1) as f64);
    }
    2.0 * z * p
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_and_logarithm_are_exact_to_rounding() {
        for i in 0..200_000 {
            let x = -708.0 + i as f64 * 0.007_08;
            let (want, got) = (x.exp(), exp::<true>(x));
            assert!((got - want).abs() <= 4e-16 * want, "{x} {got} {want}");
            assert!((exp::<false>(x) - want).abs() <= 6e-16 * want, "{x}");
            let e = i as f64 / 200_000.0;
            assert!((ln_1p::<true>(e) - e.ln_1p()).abs() <= 5e-16 * e.ln_1p(), "{e}");
            assert!((ln_1p::<false>(e) - e.ln_1p()).abs() <= 5e-16 * e.ln_1p(), "{e}");
        }
        assert_eq!(exp::<true>(0.0), 1.0);
        assert_eq!(ln_1p::<true>(1e-300), 1e-300);
    }
}
