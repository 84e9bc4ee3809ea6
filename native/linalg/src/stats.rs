//! Exports of the `stats` crate: natural logarithms of upper (Sf) and lower (Cdf) tails.

use napi::bindgen_prelude::Float64Array;
use napi_derive::napi;

/// ln P(X > x) of Snedecor's F.
#[napi(catch_unwind)]
pub fn ln_f_sf(x: f64, d1: f64, d2: f64) -> f64 {
    x_stats::ln_f_sf(x, d1, d2)
}

/// ln P(X <= x) of Snedecor's F.
#[napi(catch_unwind)]
pub fn ln_f_cdf(x: f64, d1: f64, d2: f64) -> f64 {
    x_stats::ln_f_cdf(x, d1, d2)
}

/// ln P(X > x) of the chi-square distribution.
#[napi(catch_unwind)]
pub fn ln_chisq_sf(x: f64, df: f64) -> f64 {
    x_stats::ln_chisq_sf(x, df)
}

/// ln P(X <= x) of the chi-square distribution.
#[napi(catch_unwind)]
pub fn ln_chisq_cdf(x: f64, df: f64) -> f64 {
    x_stats::ln_chisq_cdf(x, df)
}

/// ln P(Z > x) of the standard normal distribution.
#[napi(catch_unwind)]
pub fn ln_normal_sf(x: f64) -> f64 {
    x_stats::ln_normal_sf(x)
}

/// ln P(Z <= x) of the standard normal distribution.
#[napi(catch_unwind)]
pub fn ln_normal_cdf(x: f64) -> f64 {
    x_stats::ln_normal_cdf(x)
}

/// ln P(T > x) of Student's t.
#[napi(catch_unwind)]
pub fn ln_t_sf(x: f64, df: f64) -> f64 {
    x_stats::ln_t_sf(x, df)
}

/// ln P(T <= x) of Student's t.
#[napi(catch_unwind)]
pub fn ln_t_cdf(x: f64, df: f64) -> f64 {
    x_stats::ln_t_cdf(x, df)
}

/// ln P(X > x) of the beta distribution.
#[napi(catch_unwind)]
pub fn ln_beta_sf(x: f64, a: f64, b: f64) -> f64 {
    x_stats::ln_beta_sf(x, a, b)
}

/// ln P(X <= x) of the beta distribution.
#[napi(catch_unwind)]
pub fn ln_beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    x_stats::ln_beta_cdf(x, a, b)
}

/// Exact Hardy-Weinberg p-value of each row of `countGenotypes`: hom A1, het, hom A2, missing.
#[napi(catch_unwind)]
pub fn hardy_exact(counts: &[u32]) -> Float64Array {
    let p = |c: &[u32]| x_stats::hardy_exact(c[1].into(), c[0].into(), c[2].into());
    Float64Array::new(counts.chunks_exact(4).map(p).collect())
}
