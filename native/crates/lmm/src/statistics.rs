//! The tests and their columns: from the quadratic forms at one lambda to GEMMA's statistics (Zhou & Stephens 2012,
//! supplement 1).

use crate::search::Fit;

/// Which tests to run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tests {
    pub wald: bool,
    pub lrt: bool,
    pub score: bool,
}

impl Tests {
    pub const WALD: Self = Self { wald: true, lrt: false, score: false };
    pub const LRT: Self = Self { wald: false, lrt: true, score: false };
    pub const SCORE: Self = Self { wald: false, lrt: false, score: true };
    pub const ALL: Self = Self { wald: true, lrt: true, score: true };

    /// Each variant gets a lambda of its own.
    pub(crate) fn search(self) -> bool {
        self.wald || self.lrt
    }

    /// Something is taken at the null model's lambda: the score test, and effects where no Wald test gives them.
    pub(crate) fn at_null(self) -> bool {
        self.score || !self.wald
    }
}

/// Maximum of the full likelihood without a variant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NullPoint {
    pub lambda: f64,
    pub loglik: f64,
}

/// What the searches found for one variant.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fits {
    pub reml: Option<Fit>,
    pub mle: Option<Fit>,
    /// At the null model's lambda.
    pub null: Option<Fit>,
    /// Full log-likelihood without the tested column.
    pub loglik_h0: f64,
}

/// Columns of one phenotype's results, one entry a tested row; those of tests that did not run stay empty. NaN
/// throughout for a variant that is a combination of the covariates (constant ones included).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns {
    /// Effect and its standard error: at the REML lambda of the Wald test, else at the null model's MLE lambda.
    pub beta: Vec<f64>,
    pub se: Vec<f64>,
    /// Log-likelihood of the model with the variant: full where the likelihood ratio test runs, else restricted.
    pub logl_h1: Vec<f64>,
    pub l_remle: Vec<f64>,
    pub l_mle: Vec<f64>,
    pub p_wald: Vec<f64>,
    pub p_lrt: Vec<f64>,
    pub p_score: Vec<f64>,
    /// These stay finite where p underflows to 0.
    pub neg_log10_p_wald: Vec<f64>,
    pub neg_log10_p_lrt: Vec<f64>,
    pub neg_log10_p_score: Vec<f64>,
    /// Rows with a NaN.
    pub degenerate: u64,
}

impl Columns {
    /// Adds a row for `n` people and `df` residual degrees of freedom; `None`: no estimate.
    pub(crate) fn push(&mut self, tests: Tests, fits: Option<&Fits>, n: usize, df: f64) {
        let nan = Fits { loglik_h0: f64::NAN, ..Fits::default() };
        let Fits { reml, mle, null, loglik_h0 } = *fits.unwrap_or(&nan);
        let of = |fit: Option<Fit>, value: &dyn Fn(&Fit) -> f64| fit.as_ref().map_or(f64::NAN, value);
        let effect = if tests.wald { reml } else { null };
        let mut bad = false;
        let mut put = |column: &mut Vec<f64>, value: f64| {
            bad |= value.is_nan();
            column.push(value);
        };
        put(&mut self.beta, of(effect, &|fit| fit.xy / fit.xx));
        put(&mut self.se, of(effect, &|fit| (fit.yy / (df * fit.xx)).sqrt()));
        if tests.search() {
            put(&mut self.logl_h1, of(if tests.lrt { mle } else { reml }, &|fit| fit.loglik));
        }
        let mut put_p = |p: &mut Vec<f64>, neg_log10: &mut Vec<f64>, ln_p: f64| {
            put(p, ln_p.exp());
            // Not the minus of a 0.
            put(neg_log10, 0.0 - ln_p / std::f64::consts::LN_10);
        };
        if tests.wald {
            self.l_remle.push(of(reml, &|fit| fit.lambda));
            // F = (P_yy - Px_yy) tau with tau = df / Px_yy, and P_yy - Px_yy = xy^2 / xx.
            let ln_p = of(reml, &|fit| x_stats::ln_f_sf(fit.xy * (fit.xy / fit.xx) * df / fit.yy, 1.0, df));
            put_p(&mut self.p_wald, &mut self.neg_log10_p_wald, ln_p);
        }
        if tests.lrt {
            self.l_mle.push(of(mle, &|fit| fit.lambda));
            let ln_p = of(mle, &|fit| x_stats::ln_chisq_sf(2.0 * (fit.loglik - loglik_h0), 1.0));
            put_p(&mut self.p_lrt, &mut self.neg_log10_p_lrt, ln_p);
        }
        if tests.score {
            // F = n P_xy^2 / (P_yy P_xx).
            let ln_p = of(null, &|fit| {
                let explained = fit.xy * (fit.xy / fit.xx);
                x_stats::ln_f_sf(n as f64 * explained / (fit.yy + explained), 1.0, df)
            });
            put_p(&mut self.p_score, &mut self.neg_log10_p_score, ln_p);
        }
        self.degenerate += u64::from(bad);
    }
}
