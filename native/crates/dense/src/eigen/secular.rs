//! Roots of the secular equation 1/rho + sum z_i^2 / (d_i - x) = 0 (Li 1993, "middle way", inside a bracket) and the
//! z of which they are the exact roots (Gu & Eisenstat 1994), which makes the eigenvectors orthogonal.

use crate::lanes::{LANES, ZERO, by_level, load};

/// A root as `d[origin] + offset`: the offset keeps its full relative precision next to a pole.
#[derive(Clone, Copy, Default)]
pub struct Root {
    pub origin: usize,
    pub offset: f64,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    psi: f64,
    dpsi: f64,
    phi: f64,
    dphi: f64,
}

#[inline(always)]
fn half_in<const F: bool>(d: &[f64], z2: &[f64], origin: f64, offset: f64) -> (f64, f64) {
    let _ = F;
    let (mut s, mut ds) = (ZERO, ZERO);
    let full = d.len() / LANES * LANES;
    let mut i = 0;
    while i < full {
        let (di, zi) = (load(&d[i..i + LANES]), load(&z2[i..i + LANES]));
        for l in 0..LANES {
            let r = 1.0 / ((di[l] - origin) - offset);
            let t = zi[l] * r;
            s[l] += t;
            ds[l] += t * r;
        }
        i += LANES;
    }
    let (mut a, mut b) = (crate::lanes::sum(s), crate::lanes::sum(ds));
    for i in full..d.len() {
        let r = 1.0 / ((d[i] - origin) - offset);
        let t = z2[i] * r;
        a += t;
        b += t * r;
    }
    (a, b)
}
by_level! {
    fn half(d: &[f64], z2: &[f64], origin: f64, offset: f64) -> (f64, f64) = half_in
}

fn evaluate(d: &[f64], z2: &[f64], j: usize, origin: f64, offset: f64) -> Sums {
    let level = crate::lanes::level();
    let (psi, dpsi) = half(level, &d[..=j], &z2[..=j], origin, offset);
    let (phi, dphi) = half(level, &d[j + 1..], &z2[j + 1..], origin, offset);
    Sums { psi, dpsi, phi, dphi }
}

/// Root `j` of the equation: between `d[j]` and `d[j + 1]`, the last one above all poles. `d` ascends strictly.
pub fn root(d: &[f64], z2: &[f64], rho: f64, j: usize) -> Root {
    let inverse = 1.0 / rho;
    let last = j + 1 == d.len();
    let width = if last { rho * z2.iter().sum::<f64>() } else { d[j + 1] - d[j] };
    let middle = evaluate(d, z2, j, d[j], 0.5 * width);
    let at_middle = inverse + middle.psi + middle.phi;
    let left = last || at_middle >= 0.0;
    let origin = if left { j } else { j + 1 };
    // The bracket, relative to the origin; the function rises through the root.
    let (mut lo, mut hi) = match (last, at_middle >= 0.0) {
        (_, true) => (0.0, 0.5 * width),
        (true, false) => (0.5 * width, width * (1.0 + 4.0 * f64::EPSILON)),
        (false, false) => (-0.5 * width, 0.0),
    };
    let mut x = start(z2, j, width, at_middle, left, last).clamp(lo, hi);
    if !(x > lo && x < hi) {
        x = 0.5 * (lo + hi);
    }
    for step in 0..400 {
        let s = evaluate(d, z2, j, d[origin], x);
        let w = inverse + s.psi + s.phi;
        let noise = 8.0 * (s.phi - s.psi) + 2.0 * inverse + x.abs() * (s.dpsi + s.dphi);
        if w == 0.0 || w.abs() <= f64::EPSILON * noise {
            break;
        }
        if w > 0.0 {
            hi = x
        } else {
            lo = x
        }
        if hi - lo <= 2.0 * f64::EPSILON * lo.abs().min(hi.abs()) {
            break;
        }
        let mut next = x + middle_way(d, j, d[origin], x, w, s, last);
        // Slow steps and steps out of the bracket are replaced by halving it (its logarithm, far from the pole).
        if !(next > lo && next < hi) || step % 8 == 7 {
            let (near, far) = if lo.abs() < hi.abs() { (lo, hi) } else { (hi, lo) };
            next = if near != 0.0 && far / near > 4.0 {
                (near.abs().sqrt() * far.abs().sqrt()).copysign(far)
            } else if near == 0.0 && step >= 8 {
                far * 1e-3
            } else {
                0.5 * (lo + hi)
            };
        }
        if next == x {
            break;
        }
        x = next;
    }
    Root { origin, offset: x }
}

/// First guess: the two poles around the root kept, everything else taken as constant from the middle.
fn start(z2: &[f64], j: usize, width: f64, at_middle: f64, left: bool, last: bool) -> f64 {
    if last {
        return 0.5 * width;
    }
    let (a2, b2) = (z2[j], z2[j + 1]);
    let c = at_middle + (a2 - b2) / (0.5 * width);
    if left {
        let (a, b) = (c * width + a2 + b2, a2 * width);
        let r = (a * a - 4.0 * b * c).abs().sqrt();
        if a > 0.0 { 2.0 * b / (a + r) } else { (a - r) / (2.0 * c) }
    } else {
        let (a, b) = (c * width - a2 - b2, b2 * width);
        let r = (a * a + 4.0 * b * c).abs().sqrt();
        if a < 0.0 { 2.0 * b / (a - r) } else { -(a + r) / (2.0 * c) }
    }
}

fn middle_way(d: &[f64], j: usize, origin: f64, x: f64, w: f64, s: Sums, last: bool) -> f64 {
    let p = (d[j] - origin) - x;
    if last {
        let c = w - p * s.dpsi;
        return if c > 0.0 { p + p * p * s.dpsi / c } else { f64::NAN };
    }
    let q = (d[j + 1] - origin) - x;
    let c = w - p * s.dpsi - q * s.dphi;
    let a = (p + q) * w - p * q * (s.dpsi + s.dphi);
    let b = p * q * w;
    let r = (a * a - 4.0 * b * c).abs().sqrt();
    if c == 0.0 {
        b / a
    } else if a <= 0.0 {
        (a - r) / (2.0 * c)
    } else {
        2.0 * b / (a + r)
    }
}

#[inline(always)]
fn repaired_in<const F: bool>(d: &[f64], origins: &[f64], offsets: &[f64], i0: usize, out: &mut [f64]) {
    let _ = F;
    let m = out.len();
    let mut di = ZERO;
    di[..m].copy_from_slice(&d[i0..i0 + m]);
    let mut p = [1.0; LANES];
    for k in 0..d.len() {
        for l in 0..LANES {
            let num = (origins[k] - di[l]) + offsets[k];
            let den = if k == i0 + l { 1.0 } else { d[k] - di[l] };
            p[l] *= num / den;
        }
    }
    for (out, p) in out.iter_mut().zip(p) {
        *out = p.abs().sqrt();
    }
}
by_level! {
    /// |z| of entries `i0..` for which the roots are exact: at most `LANES` of them.
    pub fn repaired(d: &[f64], origins: &[f64], offsets: &[f64], i0: usize, out: &mut [f64]) = repaired_in
}
