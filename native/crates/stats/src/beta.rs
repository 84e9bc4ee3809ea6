//! Incomplete beta function: tails of the beta, F and Student t distributions.
//!
//! The smaller tail comes from the classical continued fraction (Didonato & Morris 1992, ACM TOMS 708) behind a
//! saddle-point prefactor (Loader 2000), so that shapes of 1e6 lose no digits to cancelling log-gammas.

use crate::Tails;
use crate::gamma::gamma_tails;
use crate::ln_gamma::{ln_1p_minus, ln_gamma, ln_gamma_1p, ln_gamma_step, stirling_correction};
use crate::normal::half_tails;

const LN_2PI: f64 = 1.837_877_066_409_345_6;

/// ln P(X > x) of the beta distribution.
pub fn ln_beta_sf(x: f64, a: f64, b: f64) -> f64 {
    beta_tails_at(x, a, b).upper
}

/// ln P(X <= x) of the beta distribution.
pub fn ln_beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    beta_tails_at(x, a, b).lower
}

/// ln P(X > x) of Snedecor's F with `d1` and `d2` degrees of freedom (infinity allowed).
pub fn ln_f_sf(x: f64, d1: f64, d2: f64) -> f64 {
    f_tails(x, d1, d2).upper
}

/// ln P(X <= x) of Snedecor's F.
pub fn ln_f_cdf(x: f64, d1: f64, d2: f64) -> f64 {
    f_tails(x, d1, d2).lower
}

/// ln P(T > x) of Student's t (`df` may be infinite).
pub fn ln_t_sf(x: f64, df: f64) -> f64 {
    t_tails(x, df).upper
}

/// ln P(T <= x) of Student's t.
pub fn ln_t_cdf(x: f64, df: f64) -> f64 {
    t_tails(x, df).lower
}

fn beta_tails_at(x: f64, a: f64, b: f64) -> Tails {
    if x.is_nan() {
        return Tails::NAN;
    }
    if x <= 0.0 {
        return Tails::START;
    }
    if x >= 1.0 {
        return Tails::END;
    }
    beta_tails(&Point { x, y: 1.0 - x, ln_x: x.ln(), ln_y: (-x).ln_1p() }, a, b)
}

fn f_tails(x: f64, d1: f64, d2: f64) -> Tails {
    if x.is_nan() || !(d1 > 0.0 && d2 > 0.0) {
        return Tails::NAN;
    }
    if x <= 0.0 {
        return Tails::START;
    }
    if x == f64::INFINITY {
        return Tails::END;
    }
    if d2 == f64::INFINITY {
        return gamma_tails(d1 / 2.0, d1 / 2.0 * x);
    }
    if d1 == f64::INFINITY {
        return gamma_tails(d2 / 2.0, d2 / 2.0 / x).swap();
    }
    beta_tails(&Point::from_odds(d1 / d2 * x, d1.ln() - d2.ln() + x.ln()), d1 / 2.0, d2 / 2.0)
}

fn t_tails(x: f64, df: f64) -> Tails {
    if x.is_nan() || df.is_nan() || df <= 0.0 {
        return Tails::NAN;
    }
    let size = x.abs();
    let absolute = if df == f64::INFINITY {
        gamma_tails(0.5, 0.5 * size * size)
    } else if size == 0.0 {
        Tails::START
    } else if size == f64::INFINITY {
        Tails::END
    } else {
        // (x / sqrt(df))^2 overflows later than x^2 / df, the other way round loses a rounding error.
        let odds = if size < 1e150 { size * size / df } else { (size / df) * size };
        beta_tails(&Point::from_odds(odds, 2.0 * size.ln() - df.ln()), 0.5, df / 2.0)
    };
    half_tails(absolute, x > 0.0)
}

/// A point of (0, 1) and its distance from 1, both with full relative precision.
struct Point {
    x: f64,
    y: f64,
    ln_x: f64,
    ln_y: f64,
}

impl Point {
    /// From x / (1 - x), which may have over- or underflowed, and its logarithm, which has not.
    fn from_odds(odds: f64, ln_odds: f64) -> Self {
        if odds < 1.0 {
            let ln_y = -odds.ln_1p();
            Self { x: odds / (1.0 + odds), y: 1.0 / (1.0 + odds), ln_x: ln_odds + ln_y, ln_y }
        } else {
            let inverse = 1.0 / odds;
            let ln_x = -inverse.ln_1p();
            Self { x: 1.0 / (1.0 + inverse), y: inverse / (1.0 + inverse), ln_x, ln_y: ln_x - ln_odds }
        }
    }

    fn swap(&self) -> Self {
        Self { x: self.y, y: self.x, ln_x: self.ln_y, ln_y: self.ln_x }
    }
}

/// Logarithms of I_x(a, b) and 1 - I_x(a, b).
fn beta_tails(p: &Point, a: f64, b: f64) -> Tails {
    if !(a > 0.0 && b > 0.0 && a < f64::INFINITY && b < f64::INFINITY) {
        return Tails::NAN;
    }
    if p.x * (a + b + 2.0) < a + 1.0 {
        Tails::from_lower(ln_lower(p, a, b))
    } else {
        Tails::from_lower(ln_lower(&p.swap(), b, a)).swap()
    }
}

fn ln_lower(p: &Point, a: f64, b: f64) -> f64 {
    if a < 1.0 {
        return ln_small_shape(p, a, b);
    }
    // b x - a y, which is (a + b) x - a; its rounding error is repaired with fused multiply-adds (Kahan).
    let ay = a * p.y;
    let off = b.mul_add(p.x, -ay) - a.mul_add(p.y, -ay);
    ln_prefactor(p, off, a, b) + continued_fraction(p, off, a, b).ln()
}

/// ln(x^a y^b / B(a, b)).
fn ln_prefactor(p: &Point, off: f64, a: f64, b: f64) -> f64 {
    let n = a + b;
    let deviance = |shape: f64, e: f64, ln_point: f64| {
        // Where e rounds to -1 the logarithm is taken of the ratio n x / a itself.
        shape * if e < -0.5 { (n / shape).ln() + ln_point - e } else { ln_1p_minus(e) }
    };
    deviance(a, off / a, p.ln_x) + deviance(b, -off / b, p.ln_y) + stirling_correction(n)
        - stirling_correction(a)
        - stirling_correction(b)
        + 0.5 * ((a / n).ln() + b.ln() - LN_2PI)
}

/// ln I_x(a, b) for a < 1 in full *relative* precision, so that 1 - I keeps its digits when a is tiny:
/// I = x^a gamma(a + b) / (gamma(a + 1) gamma(b)) (1 + a sum (1 - b)(2 - b)…(n - b) x^n / (n! (a + n))).
fn ln_small_shape(p: &Point, a: f64, b: f64) -> f64 {
    let (mut sum, mut term, mut n) = (0.0, 1.0, 0.0);
    loop {
        n += 1.0;
        term *= (n - b) / n * p.x;
        let add = term / (a + n);
        sum += add;
        if add.abs() <= 1e-17 * f64::abs(sum) || add == 0.0 {
            break;
        }
    }
    let ln_gamma_1p_a = if a <= 0.5 { ln_gamma_1p(a) } else { ln_gamma(1.0 + a) };
    a * p.ln_x + ln_gamma_step(a, b) - ln_gamma_1p_a + (a * sum).ln_1p()
}

/// I_x(a, b) B(a, b) / (x^a y^b) for x < (a + 1) / (a + b + 2): the even part of the classical continued fraction
/// (Didonato & Morris, their (9)), which has no cancellation near x = 1; modified Lentz. `off` is b x - a y.
/// Takes about sqrt(a + b) steps at most.
fn continued_fraction(p: &Point, off: f64, a: f64, b: f64) -> f64 {
    let mut c = f64::INFINITY;
    let mut d = (a + 1.0) / (a * (1.0 - off));
    let mut h = d;
    let mut n = 0.0;
    loop {
        n += 1.0;
        let odd = a + 2.0 * n - 1.0;
        let alpha = (a + n - 1.0) / odd * ((a + b + n - 1.0) / odd) * n * (b - n) * p.x * p.x;
        let beta = n + n * (b - n) * p.x / odd + (a + n) / (odd + 2.0) * (1.0 - off + n * (1.0 + p.y));
        d = 1.0 / (alpha * d + beta);
        c = beta + alpha / c;
        let delta = c * d;
        h *= delta;
        if (delta - 1.0).abs() < 1e-16 || n > 1e8 {
            return h;
        }
    }
}
