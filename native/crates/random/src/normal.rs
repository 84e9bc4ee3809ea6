//! Normal quantiles that have the same bits in every language: only + − × ÷ and square roots, which IEEE 754 defines
//! exactly, in this order. `packages/core/src/normal.ts` is the same text in TypeScript.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2};

// Wichura (1988), "The percentage points of the normal distribution", Applied Statistics 37, algorithm AS 241 (PPND16):
// three ratios of polynomials, lowest power first; relative error about 1e-16.
const CENTRE_OVER: [f64; 8] = [
    3.3871328727963665,
    133.14166789178438,
    1971.5909503065513,
    13731.69376550946,
    45921.95393154987,
    67265.7709270087,
    33430.57558358813,
    2509.0809287301227,
];
const CENTRE_UNDER: [f64; 8] = [
    1.0,
    42.31333070160091,
    687.1870074920579,
    5394.196021424751,
    21213.794301586597,
    39307.89580009271,
    28729.085735721943,
    5226.495278852854,
];
const TAIL_OVER: [f64; 8] = [
    1.4234371107496835,
    4.630337846156546,
    5.769497221460691,
    3.6478483247632045,
    1.2704582524523684,
    0.2417807251774506,
    0.022723844989269184,
    0.0007745450142783414,
];
const TAIL_UNDER: [f64; 8] = [
    1.0,
    2.053191626637759,
    1.6763848301838038,
    0.6897673349851,
    0.14810397642748008,
    0.015198666563616457,
    0.0005475938084995345,
    1.0507500716444169e-09,
];
const FAR_OVER: [f64; 8] = [
    6.657904643501103,
    5.463784911164114,
    1.7848265399172913,
    0.29656057182850487,
    0.026532189526576124,
    0.0012426609473880784,
    2.7115555687434876e-05,
    2.0103343992922881e-07,
];
const FAR_UNDER: [f64; 8] = [
    1.0,
    0.599832206555888,
    0.1369298809227358,
    0.014875361290850615,
    0.0007868691311456133,
    1.8463183175100548e-05,
    1.421511758316446e-07,
    2.0442631033899397e-15,
];

/// The x with Φ(x) = p, for p from 2^-1022 to 1/2.
pub fn lower_normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q >= -0.425 {
        let r = 0.180625 - q * q;
        return (q * polynomial(&CENTRE_OVER, r)) / polynomial(&CENTRE_UNDER, r);
    }
    let r = (-natural_log(p)).sqrt();
    if r <= 5.0 {
        return -(polynomial(&TAIL_OVER, r - 1.6) / polynomial(&TAIL_UNDER, r - 1.6));
    }
    -(polynomial(&FAR_OVER, r - 5.0) / polynomial(&FAR_UNDER, r - 5.0))
}

fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// ln x of a normal positive double: x = m · 2^e with m in [√½, √2), ln m = 2 artanh((m − 1) / (m + 1)) by its power
/// series. The C library's `log` may differ between machines in the last bit.
pub fn natural_log(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut e = (bits >> 52) as f64 - 1022.0;
    let mut m = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3fe0_0000_0000_0000);
    if m < FRAC_1_SQRT_2 {
        m *= 2.0;
        e -= 1.0;
    }
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    let mut series = 0.0;
    for k in (1..=23).rev().step_by(2) {
        series = series * z + 1.0 / f64::from(k);
    }
    e * LN_2 + 2.0 * s * series
}
