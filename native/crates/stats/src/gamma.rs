//! Incomplete gamma function: tails of the chi-square distribution.

use crate::Tails;
use crate::ln_gamma::{ln_1p_minus, ln_gamma_1p, stirling_correction};

const LN_2PI: f64 = 1.837_877_066_409_345_6;
/// Relative size at which a further term no longer changes a sum.
const TINY: f64 = 1e-17;

/// ln P(X > x) of the chi-square distribution with `df` degrees of freedom.
pub fn ln_chisq_sf(x: f64, df: f64) -> f64 {
    gamma_tails(df / 2.0, x / 2.0).upper
}

/// ln P(X <= x) of the chi-square distribution with `df` degrees of freedom.
pub fn ln_chisq_cdf(x: f64, df: f64) -> f64 {
    gamma_tails(df / 2.0, x / 2.0).lower
}

/// Logarithms of the regularised incomplete gamma functions P(a, x) and Q(a, x).
pub(crate) fn gamma_tails(a: f64, x: f64) -> Tails {
    if a.is_nan() || x.is_nan() || a <= 0.0 || a == f64::INFINITY {
        return Tails::NAN;
    }
    if x <= 0.0 {
        return Tails::START;
    }
    if x == f64::INFINITY {
        return Tails::END;
    }
    if x < a + 1.0 {
        let ln = if a < 1.0 { ln_small_shape(a, x) } else { ln_density(a, x) + series(a, x).ln() };
        Tails::from_lower(ln)
    } else {
        Tails::from_upper(ln_density(a, x) + a.ln() + continued_fraction(a, x).ln())
    }
}

/// ln(x^a e^-x / gamma(a + 1)), Loader's saddle-point form: no large terms cancel.
fn ln_density(a: f64, x: f64) -> f64 {
    let e = (x - a) / a;
    // Far below the mode e rounds to -1; there the logarithm is taken of the ratio itself.
    let deviance = if e < -0.5 { (x / a).ln() - e } else { ln_1p_minus(e) };
    a * deviance - stirling_correction(a) - 0.5 * (LN_2PI + a.ln())
}

/// 1 + x / (a + 1) + x^2 / ((a + 1) (a + 2)) + …
fn series(a: f64, x: f64) -> f64 {
    let (mut sum, mut term, mut n) = (1.0, 1.0, a);
    while term > TINY * sum {
        n += 1.0;
        term *= x / n;
        sum += term;
    }
    sum
}

/// ln P(a, x) for a < 1, x < 2 in full *relative* precision, so that Q = -expm1(ln P) keeps its digits when a is tiny:
/// P = x^a / gamma(a + 1) (1 + a sum (-x)^n / (n! (a + n))).
fn ln_small_shape(a: f64, x: f64) -> f64 {
    let (mut sum, mut term, mut n) = (0.0, 1.0, 0.0);
    loop {
        n += 1.0;
        term *= -x / n;
        let add = term / (a + n);
        sum += add;
        if add.abs() <= TINY * f64::abs(sum) || add == 0.0 {
            break;
        }
    }
    let ln_gamma_1p_a = if a <= 0.5 { ln_gamma_1p(a) } else { crate::ln_gamma(1.0 + a) };
    a * x.ln() - ln_gamma_1p_a + (a * sum).ln_1p()
}

/// Q(a, x) gamma(a) / (x^a e^-x) for x >= a + 1 (Legendre's continued fraction, modified Lentz).
fn continued_fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let mut c = f64::INFINITY;
    let mut d = 1.0 / b;
    let mut h = d;
    let mut n = 0.0;
    loop {
        n += 1.0;
        let numerator = -n * (n - a);
        b += 2.0;
        d = 1.0 / (numerator * d + b);
        c = b + numerator / c;
        let delta = c * d;
        h *= delta;
        if (delta - 1.0).abs() < 1e-16 || n > 1e8 {
            return h;
        }
    }
}
