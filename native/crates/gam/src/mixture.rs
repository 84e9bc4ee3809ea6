//! Upper tail of a weighted sum of independent chi-square variables, weights of either sign, as a logarithm.
//!
//! P(Q > t) is the inversion integral of exp(K(s) - t s) / s. The contour crosses the real axis at the saddle point of the
//! integrand and bends to the right, so the integrand has no oscillation to cancel and far tails keep their digits.

use std::ops::{Add, Mul};

#[derive(Clone, Copy)]
struct Complex(f64, f64);

impl Add for Complex {
    type Output = Self;
    fn add(self, b: Self) -> Self {
        Complex(self.0 + b.0, self.1 + b.1)
    }
}

impl Mul for Complex {
    type Output = Self;
    fn mul(self, b: Self) -> Self {
        Complex(self.0 * b.0 - self.1 * b.1, self.0 * b.1 + self.1 * b.0)
    }
}

impl Complex {
    fn ln(self) -> Self {
        Complex(self.0.hypot(self.1).ln(), self.1.atan2(self.0))
    }

    fn scale(self, a: f64) -> Self {
        Complex(a * self.0, a * self.1)
    }
}

/// ln P(sum of weight × chi-square(df) > t) for `terms` (weight, df).
pub fn ln_upper_tail(terms: &[(f64, f64)], t: f64) -> f64 {
    let terms: Vec<(f64, f64)> = terms.iter().copied().filter(|(a, n)| *a != 0.0 && *n > 0.0).collect();
    let top = terms.iter().fold(0.0, |m: f64, x| m.max(x.0));
    if !t.is_finite() || terms.iter().any(|(a, n)| !a.is_finite() || !n.is_finite()) {
        return f64::NAN;
    }
    if top <= 0.0 {
        return if t < 0.0 { 0.0 } else { f64::NEG_INFINITY };
    }
    if t <= 0.0 && terms.iter().all(|(a, _)| *a > 0.0) {
        return 0.0;
    }
    // Saddle point of K(s) - t s - ln s on (0, 1 / (2 top)): its derivative rises from -inf to +inf.
    let slope = |s: f64| terms.iter().map(|(a, n)| n * a / (1.0 - 2.0 * a * s)).sum::<f64>() - t - 1.0 / s;
    let (mut low, mut high) = (0.0, 0.5 / top);
    for _ in 0..200 {
        let mid = 0.5 * (low + high);
        if mid <= low || mid >= high {
            break;
        }
        if slope(mid) < 0.0 { low = mid } else { high = mid }
    }
    let c = 0.5 * (low + high);
    let curvature = terms.iter().map(|(a, n)| 2.0 * n * (a / (1.0 - 2.0 * a * c)).powi(2)).sum::<f64>() + 1.0 / (c * c);
    let width = 1.0 / curvature.sqrt();
    let exponent = |s: Complex| {
        let k = terms.iter().fold(Complex(0.0, 0.0), |sum, (a, n)| {
            sum + Complex(1.0 - 2.0 * a * s.0, -2.0 * a * s.1).ln().scale(-0.5 * n)
        });
        k + s.scale(-t) + s.ln().scale(-1.0)
    };
    let base = exponent(Complex(c, 0.0)).0;
    const BEND: f64 = 0.25;
    const STEP: f64 = 1.0 / 64.0;
    let mut sum = 0.0;
    for i in 0..6400 {
        let u = i as f64 * STEP;
        let s = Complex(c + width * BEND * (u.cosh() - 1.0), width * u.sinh());
        let ds = Complex(width * BEND * u.sinh(), width * u.cosh());
        let e = exponent(s);
        let size = (e.0 - base).exp();
        let value = (Complex(size * e.1.cos(), size * e.1.sin()) * ds).1;
        sum += if i == 0 { 0.5 * value } else { value };
        if size * ds.0.hypot(ds.1) < 1e-20 * sum.abs() {
            break;
        }
    }
    (base + (sum * STEP / std::f64::consts::PI).ln()).min(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use x_stats::{ln_chisq_sf, ln_f_sf};

    #[test]
    fn chi_square_and_f_are_special_cases() {
        for df in [1.0, 2.0, 5.5, 40.0] {
            for x in [0.01, 1.0, 8.0, 120.0, 2000.0] {
                let (found, expected) = (ln_upper_tail(&[(1.0, df)], x), ln_chisq_sf(x, df));
                assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0), "{df} {x}: {found} {expected}");
                let res = 120.0;
                let (found, expected) = (ln_upper_tail(&[(1.0, df), (-x / res, res)], 0.0), ln_f_sf(x / df, df, res));
                assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0), "F {df} {x}: {found} {expected}");
            }
        }
    }

    #[test]
    fn equal_weights_in_pairs_are_a_mixture_of_exponentials() {
        // a chi2_2 + b chi2_2: survival (a e^(-x/2a) - b e^(-x/2b)) / (a - b).
        let (a, b) = (3.0, 0.4);
        for x in [0.5_f64, 5.0, 60.0] {
            let expected = ((a * (-x / (2.0 * a)).exp() - b * (-x / (2.0 * b)).exp()) / (a - b)).ln();
            assert!((ln_upper_tail(&[(a, 2.0), (b, 2.0)], x) - expected).abs() < 1e-10);
        }
    }
}
