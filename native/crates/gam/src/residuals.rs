//! Linear predictors at the final coefficients, and the sums over rows that follow from them.

use x_simd::{Job, Result};

use crate::passes::Data;
use crate::rows::{BLOCK, Layout, Rows};

/// Sums and linear predictors at the final coefficients.
pub struct Residuals {
    pub deviance: f64,
    pub pearson: f64,
    /// Sum of V'(mu) (y - mu) / V(mu).
    pub bias: f64,
    pub eta: Vec<f64>,
}

impl Residuals {
    pub fn of(d: &Data, layout: &Layout, beta: &[f64], theta: &[f64]) -> Result<Residuals> {
        let eta = linear_predictors(d.rows, layout, beta, d.offset, d.predictors(), d.job)?;
        let k = d.predictors();
        let mut out = Residuals { deviance: 0.0, pearson: 0.0, bias: 0.0, eta };
        if d.family.partial() {
            out.deviance = crate::cox::deviance(d.y, d.w, &out.eta);
            return Ok(out);
        }
        for (i, eta) in out.eta.chunks_exact(k).enumerate().filter(|(i, _)| d.w[*i] > 0.0) {
            out.deviance += d.family.deviance(d.y[i], d.w[i], theta, eta);
            let r = d.y[i] - d.family.mean(theta, eta).0;
            let v = d.family.variance(theta, eta);
            out.pearson += d.w[i] * r * r / v;
            out.bias += d.family.variance_slope(theta, eta) * r / v;
        }
        Ok(out)
    }
}

/// n × predictors.
pub fn linear_predictors(
    rows: &dyn Rows,
    layout: &Layout,
    beta: &[f64],
    offset: &[f64],
    k: usize,
    job: &Job,
) -> Result<Vec<f64>> {
    use rayon::prelude::*;
    let raw = layout.raw_vec(beta);
    let mut out = x_simd::try_zeroed(rows.rows() * k)?;
    let run = |(b, out): (usize, &mut [f64])| -> Result<()> {
        job.check()?;
        let (from, count) = (b * BLOCK, out.len() / k);
        let mut block = Default::default();
        rows.fill(from, count, &mut block);
        let mut eta = vec![0.0; count];
        for c in 0..k {
            layout.eta(&block, c, &raw, &mut eta);
            for (i, e) in eta.iter().enumerate() {
                out[i * k + c] = e + if offset.is_empty() { 0.0 } else { offset[(from + i) * k + c] };
            }
        }
        Ok(())
    };
    if rayon::current_num_threads() > 1 {
        out.par_chunks_mut(BLOCK * k).enumerate().try_for_each(run)?;
    } else {
        out.chunks_mut(BLOCK * k).enumerate().try_for_each(run)?;
    }
    Ok(out)
}
