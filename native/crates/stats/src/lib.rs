//! Tail probabilities as natural logarithms, so that a p-value of 1e-10000 is a number like any other, and the exact
//! Hardy-Weinberg test. Both tails of every distribution are computed directly: the smaller one by a continued
//! fraction or a series, the larger one as `log1p(-smaller)`.

mod beta;
mod gamma;
mod hardy;
mod ln_gamma;
mod normal;

pub use beta::{ln_beta_cdf, ln_beta_sf, ln_f_cdf, ln_f_sf, ln_t_cdf, ln_t_sf};
pub use gamma::{ln_chisq_cdf, ln_chisq_sf};
pub use hardy::hardy_exact;
pub use ln_gamma::ln_gamma;
pub use normal::{ln_normal_cdf, ln_normal_sf};

/// Both tails as natural logarithms.
#[derive(Debug, Clone, Copy)]
struct Tails {
    lower: f64,
    upper: f64,
}

impl Tails {
    const NAN: Tails = Tails { lower: f64::NAN, upper: f64::NAN };
    /// All mass above the point, or none.
    const START: Tails = Tails { lower: f64::NEG_INFINITY, upper: 0.0 };
    const END: Tails = Tails { lower: 0.0, upper: f64::NEG_INFINITY };

    fn from_lower(ln: f64) -> Self {
        Self { lower: ln.min(0.0), upper: ln_complement(ln) }
    }

    fn from_upper(ln: f64) -> Self {
        Self::from_lower(ln).swap()
    }

    fn swap(self) -> Self {
        Self { lower: self.upper, upper: self.lower }
    }
}

/// `ln(1 - e^ln)`, for `ln <= 0` without cancellation at either end.
fn ln_complement(ln: f64) -> f64 {
    if ln >= 0.0 {
        f64::NEG_INFINITY
    } else if ln > -std::f64::consts::LN_2 {
        (-ln.exp_m1()).ln()
    } else {
        (-ln.exp()).ln_1p()
    }
}
