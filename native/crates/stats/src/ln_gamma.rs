//! Logarithm of the gamma function and the two small pieces the tails need in full relative precision: the
//! correction of Stirling's formula and `ln(1 + x) - x` (Loader 2000, "Fast and accurate computation of binomial
//! probabilities").

const HALF_LN_2PI: f64 = 0.918_938_533_204_672_8;
/// 1 - Euler's constant.
const ONE_MINUS_EULER: f64 = 0.422_784_335_098_467_13;

/// zeta(k) - 1 for k = 2, 3, …
const ZETA_MINUS_ONE: [f64; 40] = [
    0.644_934_066_848_226_4,
    0.202_056_903_159_594_3,
    0.082_323_233_711_138_19,
    0.036_927_755_143_369_93,
    0.017_343_061_984_449_14,
    8.349_277_381_922_827e-3,
    4.077_356_197_944_34e-3,
    2.008_392_826_082_214_3e-3,
    9.945_751_278_180_853e-4,
    4.941_886_041_194_645e-4,
    2.460_865_533_080_483e-4,
    1.227_133_475_784_891_5e-4,
    6.124_813_505_870_483e-5,
    3.058_823_630_702_049e-5,
    1.528_225_940_865_187e-5,
    7.637_197_637_899_763e-6,
    3.817_293_264_999_84e-6,
    1.908_212_716_553_939e-6,
    9.539_620_338_727_962e-7,
    4.769_329_867_878_064e-7,
    2.384_505_027_277_33e-7,
    1.192_199_259_653_110_6e-7,
    5.960_818_905_125_948e-8,
    2.980_350_351_465_228e-8,
    1.490_155_482_836_504_3e-8,
    7.450_711_789_835_43e-9,
    3.725_334_024_788_457e-9,
    1.862_659_723_513_049e-9,
    9.313_274_324_196_682e-10,
    4.656_629_065_033_784e-10,
    2.328_311_833_676_505_3e-10,
    1.164_155_017_270_052e-10,
    5.820_772_087_902_701e-11,
    2.910_385_044_497_1e-11,
    1.455_192_189_104_198_5e-11,
    7.275_959_835_057_482e-12,
    3.637_979_547_378_651e-12,
    1.818_989_650_307_066e-12,
    9.094_947_840_263_888e-13,
    4.547_473_783_042_154e-13,
];

/// ln |gamma(x)| for x > 0; infinity at 0, NaN below.
pub fn ln_gamma(x: f64) -> f64 {
    if x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 || x == f64::INFINITY {
        return f64::INFINITY;
    }
    if x < 0.5 {
        return ln_gamma_1p(x) - x.ln();
    }
    if x <= 1.5 {
        return ln_gamma_1p(x - 1.0);
    }
    if x <= 2.5 {
        return ln_gamma_2p(x - 2.0);
    }
    if x < 10.0 {
        // gamma(x) = (x - 1) (x - 2) … gamma(x - k), with x - k in (1.5, 2.5].
        let mut z = x;
        let mut product = 1.0;
        while z > 2.5 {
            z -= 1.0;
            product *= z;
        }
        return product.ln() + ln_gamma_2p(z - 2.0);
    }
    (x - 0.5) * x.ln() - x + HALF_LN_2PI + stirling_correction(x)
}

/// ln gamma(1 + z) for -0.5 <= z <= 0.5, in full relative precision at 0.
pub(crate) fn ln_gamma_1p(z: f64) -> f64 {
    ln_gamma_2p(z) - z.ln_1p()
}

/// ln gamma(2 + z) for |z| <= 0.5: the Taylor series whose coefficients are zeta(k) - 1 (Abramowitz & Stegun 6.1.33).
fn ln_gamma_2p(z: f64) -> f64 {
    let mut sum = 0.0;
    for (i, zeta) in ZETA_MINUS_ONE.iter().enumerate().rev() {
        let k = (i + 2) as f64;
        let sign = if i % 2 == 0 { 1.0 } else { -1.0 };
        sum = sum * z + sign * zeta / k;
    }
    z * (ONE_MINUS_EULER + z * sum)
}

/// What Stirling's formula misses: ln gamma(x) - ((x - 1/2) ln x - x + ln(2 pi) / 2).
pub(crate) fn stirling_correction(x: f64) -> f64 {
    if x < 10.0 {
        return ln_gamma(x) - ((x - 0.5) * x.ln() - x + HALF_LN_2PI);
    }
    const TERMS: [f64; 8] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
        -3617.0 / 122_400.0,
    ];
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    inverse * TERMS.iter().rev().fold(0.0, |sum, term| sum * square + term)
}

/// ln gamma(a + b) - ln gamma(b) for 0 <= a <= 1, with an error relative to the difference itself.
pub(crate) fn ln_gamma_step(a: f64, b: f64) -> f64 {
    let mut b = b;
    let mut sum = 0.0;
    while b < 10.0 {
        sum -= (a / b).ln_1p();
        b += 1.0;
    }
    sum + (b - 0.5) * (a / b).ln_1p() + a * ((a + b).ln() - 1.0) + stirling_correction(a + b) - stirling_correction(b)
}

/// ln(1 + x) - x for x > -1, without the cancellation at 0.
pub(crate) fn ln_1p_minus(x: f64) -> f64 {
    if !(-0.4..=0.4).contains(&x) {
        return x.ln_1p() - x;
    }
    // ln(1 + x) = 2 artanh(r) with r = x / (2 + x), and x = 2 r / (1 - r): the first terms are subtracted by hand.
    let r = x / (2.0 + x);
    let square = r * r;
    let mut sum = 0.0;
    for k in (1..16).rev() {
        sum = sum * square + 1.0 / (2 * k + 1) as f64;
    }
    r * (2.0 * square * sum - x)
}
