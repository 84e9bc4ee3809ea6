//! Binomial responses with the logit link, the model that carries large data: all rows of a block at once.

use x_simd::{Level, by_level};

use super::{Derivs, Response};
use crate::kernels::{exp, fma, ln_1p};

/// Probability, its complement and e = exp(-|eta|).
#[inline(always)]
fn probabilities<const F: bool>(eta: f64) -> (f64, f64, f64) {
    let e = exp::<F>((-eta.abs()).max(-708.0));
    let small = e / (1.0 + e);
    let large = 1.0 - small;
    if eta > 0.0 { (large, small, e) } else { (small, large, e) }
}

#[inline(always)]
fn first_in<const F: bool>(y: &[f64], w: &[f64], eta: &[f64], f: &mut [f64], d1: &mut [f64], d2: &mut [f64]) {
    let n = y.len();
    let (w, eta, f, d1, d2) = (&w[..n], &eta[..n], &mut f[..n], &mut d1[..n], &mut d2[..n]);
    for i in 0..n {
        let (p, q, e) = probabilities::<F>(eta[i]);
        // -y eta + ln(1 + e^eta), from the side that does not cancel.
        let side = if eta[i] > 0.0 { 1.0 - y[i] } else { -y[i] };
        f[i] = w[i] * fma::<F>(side, eta[i], ln_1p::<F>(e));
        d1[i] = w[i] * (p - y[i]);
        d2[i] = w[i] * (p * q);
    }
}
by_level! {
    fn first(y: &[f64], w: &[f64], eta: &[f64], f: &mut [f64], d1: &mut [f64], d2: &mut [f64]) = first_in
}

#[inline(always)]
fn higher_in<const F: bool>(w: &[f64], eta: &[f64], d3: &mut [f64], d4: &mut [f64]) {
    let n = w.len();
    let (eta, d3, d4) = (&eta[..n], &mut d3[..n], &mut d4[..n]);
    for i in 0..n {
        let (p, q, _) = probabilities::<F>(eta[i]);
        let v = w[i] * (p * q);
        d3[i] = v * (q - p);
        d4[i] = v * (1.0 - 6.0 * (p * q));
    }
}
by_level! {
    fn higher(w: &[f64], eta: &[f64], d3: &mut [f64], d4: &mut [f64]) = higher_in
}

pub fn derive(r: Response, eta: &[f64], full: bool, out: &mut Derivs) {
    let level = Level::get();
    first(level, r.y, r.w, eta, &mut out.f, &mut out.d1[0], &mut out.d2[0]);
    for ((f, &y), w) in out.f.iter_mut().zip(r.y).zip(r.w) {
        if y != 0.0 && y != 1.0 {
            *f += w * (y * y.ln() + (1.0 - y) * (1.0 - y).ln());
        }
    }
    let (d2, fisher) = (&out.d2[0], &mut out.fisher[0]);
    fisher.copy_from_slice(d2);
    if full {
        higher(level, r.w, eta, &mut out.d3[0], &mut out.d4[0]);
    }
}
