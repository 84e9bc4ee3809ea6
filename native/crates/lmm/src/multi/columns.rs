//! What the tests of variants against all traits return.

use super::association::MultiTests;
use super::point::Effect;

/// One entry a tested row; columns of tests that did not run are empty. NaN throughout for a variant that is a
/// combination of the covariates.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MultiColumns {
    /// `beta[row * d + trait]`, at the estimates of the first test that ran (Wald, LRT, score).
    pub beta: Vec<f64>,
    /// Covariance of these effects: lower triangle by rows, d (d + 1) / 2 a row.
    pub v_beta: Vec<f64>,
    pub logl_reml: Vec<f64>,
    pub logl_mle: Vec<f64>,
    pub p_wald: Vec<f64>,
    pub p_lrt: Vec<f64>,
    pub p_score: Vec<f64>,
    /// Finite where p underflows to 0.
    pub neg_log10_p_wald: Vec<f64>,
    pub neg_log10_p_lrt: Vec<f64>,
    pub neg_log10_p_score: Vec<f64>,
    /// Rows without an effect.
    pub degenerate: u64,
    /// Rows whose search ended without reaching its precision.
    pub unconverged: u64,
    /// Newton steps of all rows.
    pub steps: u64,
}

/// What one variant's tests found.
#[derive(Default)]
pub struct Found {
    pub effect: Option<Effect>,
    pub logl_reml: f64,
    pub logl_mle: f64,
    pub statistics: [f64; 3],
    pub converged: bool,
    pub steps: usize,
}

impl MultiColumns {
    /// Adds a variant; `None` is one that is a combination of the covariates.
    pub(super) fn push(&mut self, found: Option<Found>, tests: MultiTests, d: usize) {
        let Some(found) = found else {
            let none =
                Effect { beta: vec![f64::NAN; d], variance: vec![f64::NAN; d * (d + 1) / 2], statistic: f64::NAN };
            let nan = f64::NAN;
            let row =
                Found { effect: Some(none), logl_reml: nan, logl_mle: nan, statistics: [nan; 3], ..Found::default() };
            self.degenerate += 1;
            self.row(row, tests, d);
            return;
        };
        self.unconverged += u64::from(!found.converged);
        self.row(found, tests, d);
    }

    fn row(&mut self, found: Found, tests: MultiTests, d: usize) {
        self.steps += found.steps as u64;
        if let Some(effect) = found.effect {
            self.beta.extend(effect.beta);
            self.v_beta.extend(effect.variance);
        }
        let columns = [
            (tests.wald, &mut self.p_wald, &mut self.neg_log10_p_wald),
            (tests.lrt, &mut self.p_lrt, &mut self.neg_log10_p_lrt),
            (tests.score, &mut self.p_score, &mut self.neg_log10_p_score),
        ];
        for ((wanted, p, neg_log10), statistic) in columns.into_iter().zip(found.statistics) {
            if wanted {
                let ln_p = x_stats::ln_chisq_sf(statistic, d as f64);
                p.push(ln_p.exp());
                neg_log10.push(-ln_p / std::f64::consts::LN_10);
            }
        }
        if tests.wald {
            self.logl_reml.push(found.logl_reml);
        }
        if tests.lrt {
            self.logl_mle.push(found.logl_mle);
        }
    }
}
