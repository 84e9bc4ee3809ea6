//! Small dense algebra of one likelihood evaluation. The columns are (W, x, y) or (W, y); eliminating all but y from
//! their weighted cross products gives every P-quantity of Zhou & Stephens (2012, supplement 1.2) at once:
//! P = H^-1 - H^-1 W (W' H^-1 W)^-1 W' H^-1.

/// What is left of y is never less than this share of its weighted sum of squares: below is rounding, which would make
/// likelihoods infinite and p values 1.
const LEAST: f64 = 1e-13;

/// Cross products Z' D Z of the `m` columns for the weights D of [`crate::kernels::Weights`], row-major, symmetric.
pub struct Cross {
    pub m: usize,
    pub a: [Vec<f64>; 3],
    /// tr(H^-1 K), tr(H^-1 K H^-1 K).
    pub trace: [f64; 2],
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Likelihood {
    Reml,
    Mle,
}

impl Cross {
    pub fn new(m: usize) -> Self {
        Self { m, a: std::array::from_fn(|_| vec![0.0; m * m]), trace: [0.0; 2] }
    }

    pub fn set(&mut self, k: usize, i: usize, j: usize, value: f64) {
        self.a[k][i * self.m + j] = value;
        self.a[k][j * self.m + i] = value;
    }

    /// Pivot of a column: its weighted sum of squares given the columns before it.
    pub fn pivot(&self, i: usize) -> f64 {
        self.a[0][i * self.m + i]
    }

    /// Entry (i, j), i < j, of the eliminated first matrix: pivot i times the factor of column j.
    pub fn entry(&self, i: usize, j: usize) -> f64 {
        self.a[0][i * self.m + j]
    }

    /// y' P y given all columns.
    pub fn y_py(&self) -> f64 {
        self.pivot(self.m - 1)
    }

    /// Makes the first matrix upper triangular with its pivots on the diagonal, and applies the same change of basis
    /// to the next `others` matrices (congruence L^-1 A L^-T).
    pub fn eliminate(&mut self, others: usize) {
        let m = self.m;
        let [a0, rest @ ..] = &mut self.a;
        let least = LEAST * a0[m * m - 1];
        for j in 0..m - 1 {
            let pivot = a0[j * m + j];
            for i in j + 1..m {
                let factor = a0[j * m + i] / pivot;
                for k in i..m {
                    a0[i * m + k] -= factor * a0[j * m + k];
                }
                for a in rest.iter_mut().take(others) {
                    for k in 0..m {
                        a[i * m + k] -= factor * a[j * m + k];
                    }
                    for k in 0..m {
                        a[k * m + i] -= factor * a[k * m + j];
                    }
                }
            }
        }
        // A NaN stays one.
        if a0[m * m - 1] < least {
            a0[m * m - 1] = least;
        }
    }

    /// First derivative of the log-likelihood in lambda; needs one eliminated other matrix.
    pub fn slope(&self, kind: Likelihood, n: usize) -> f64 {
        let (m, q, a1) = (self.m, self.m - 1, &self.a[1]);
        let y = a1[q * m + q] / self.y_py();
        match kind {
            Likelihood::Reml => {
                let projected: f64 = (0..q).map(|i| a1[i * m + i] / self.pivot(i)).sum();
                0.5 * ((n - q) as f64 * y - (self.trace[0] - projected))
            }
            Likelihood::Mle => 0.5 * (n as f64 * y - self.trace[0]),
        }
    }

    /// Second derivative; needs both other matrices.
    pub fn curvature(&self, kind: Likelihood, n: usize) -> f64 {
        let (m, q, [_, a1, a2]) = (self.m, self.m - 1, &self.a);
        let y_py = self.y_py();
        let y1 = a1[q * m + q] / y_py;
        let y2 = (a2[q * m + q] - (0..q).map(|i| a1[i * m + q] * a1[i * m + q] / self.pivot(i)).sum::<f64>()) / y_py;
        let y = 2.0 * y2 - y1 * y1;
        match kind {
            Likelihood::Reml => {
                let mut trace = self.trace[1];
                for i in 0..q {
                    trace -= 2.0 * a2[i * m + i] / self.pivot(i);
                    for j in 0..q {
                        trace += a1[i * m + j] * a1[i * m + j] / (self.pivot(i) * self.pivot(j));
                    }
                }
                0.5 * (trace - (n - q) as f64 * y)
            }
            Likelihood::Mle => 0.5 * (self.trace[1] - n as f64 * y),
        }
    }

    /// Sum of the logarithms of all pivots but y's: ln |W' D W|.
    pub fn ln_det(&self) -> f64 {
        (0..self.m - 1).map(|i| self.pivot(i).ln()).sum()
    }

    /// Log-likelihood, given ln |H| and the unweighted ln |W'W|.
    pub fn loglik(&self, kind: Likelihood, n: usize, ln_det_h: f64, ln_det_ww: f64) -> f64 {
        let df = match kind {
            Likelihood::Reml => (n - (self.m - 1)) as f64,
            Likelihood::Mle => n as f64,
        };
        // GEMMA raises an exact 0 so that a perfect fit has a likelihood.
        let y_py = if self.y_py() == 0.0 { 1e-8 } else { self.y_py() };
        let constant = 0.5 * df * (df.ln() - std::f64::consts::TAU.ln() - 1.0);
        let design = match kind {
            Likelihood::Reml => self.ln_det() - ln_det_ww,
            Likelihood::Mle => 0.0,
        };
        constant - 0.5 * (ln_det_h + design) - 0.5 * df * y_py.ln()
    }
}
