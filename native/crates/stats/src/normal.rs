//! Tails of the standard normal distribution, through the incomplete gamma function of shape 1/2.

use std::f64::consts::LN_2;

use crate::Tails;
use crate::gamma::gamma_tails;

/// ln P(Z > x).
pub fn ln_normal_sf(x: f64) -> f64 {
    // x / sqrt(2) squared would lose digits: halve the square instead.
    half_tails(gamma_tails(0.5, 0.5 * x * x), x > 0.0).upper
}

/// ln P(Z <= x).
pub fn ln_normal_cdf(x: f64) -> f64 {
    ln_normal_sf(-x)
}

/// Tails of a symmetric variable from those of its absolute value (or square).
pub(crate) fn half_tails(absolute: Tails, positive: bool) -> Tails {
    let outer = absolute.upper - LN_2;
    // P(X <= |x|) = 1 - outer = (1 + P(|X| <= |x|)) / 2: whichever keeps its digits.
    let inner = if outer < -1.0 { (-outer.exp()).ln_1p() } else { absolute.lower.exp().ln_1p() - LN_2 };
    if positive { Tails { lower: inner, upper: outer } } else { Tails { lower: outer, upper: inner } }
}
