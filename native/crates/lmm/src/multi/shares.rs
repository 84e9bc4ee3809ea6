//! What the two covariance matrices say of the traits: shares of variance and correlations, with standard errors by the
//! delta method.

/// Shares of d traits; NaN where a variance is 0 or its standard error has no estimate.
#[derive(Debug, Clone, PartialEq)]
pub struct Shares {
    /// t Vg_ii / (t Vg_ii + Ve_ii), t the mean eigenvalue: what the kinship explains of a trait's variance.
    pub pve: Vec<f64>,
    pub pve_se: Vec<f64>,
    /// Vg_ij / sqrt(Vg_ii Vg_jj), d x d.
    pub rg: Vec<f64>,
    pub rg_se: Vec<f64>,
    /// The same of Ve.
    pub re: Vec<f64>,
    pub re_se: Vec<f64>,
}

impl Shares {
    /// `entry(power, i, j)` is entry (i, j) of Vg (power 1) or Ve (0) as a combination of the model's parameters,
    /// `deviation` the standard error of a combination.
    pub fn new(
        vg: &[f64],
        ve: &[f64],
        trace: f64,
        d: usize,
        entry: impl Fn(usize, usize, usize) -> Vec<f64>,
        deviation: impl Fn(&[f64]) -> f64,
    ) -> Self {
        let sum = |parts: &[(f64, Vec<f64>)]| -> Vec<f64> {
            (0..parts[0].1.len()).map(|k| parts.iter().map(|(by, weights)| by * weights[k]).sum()).collect()
        };
        let share = |i: usize| {
            let (g, e) = (trace * vg[i * d + i], ve[i * d + i]);
            let square = (g + e) * (g + e);
            let slope = sum(&[(trace * e / square, entry(1, i, i)), (-g / square, entry(0, i, i))]);
            (g / (g + e), deviation(&slope))
        };
        let correlation = |v: &[f64], power: usize, i: usize, j: usize| {
            if i == j {
                return (1.0, 0.0);
            }
            let (a, b) = (v[i * d + i], v[j * d + j]);
            let scale = (a * b).sqrt();
            let r = v[i * d + j] / scale;
            let slope = sum(&[
                (1.0 / scale, entry(power, i, j)),
                (-0.5 * r / a, entry(power, i, i)),
                (-0.5 * r / b, entry(power, j, j)),
            ]);
            (r, deviation(&slope))
        };
        let all = |v: &[f64], power: usize| (0..d * d).map(|at| correlation(v, power, at / d, at % d)).unzip();
        let (pve, pve_se) = (0..d).map(share).unzip();
        let (rg, rg_se) = all(vg, 1);
        let (re, re_se) = all(ve, 0);
        Self { pve, pve_se, rg, rg_se, re, re_se }
    }
}
