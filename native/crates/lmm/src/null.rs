//! The model without any variant: the numbers of GEMMA's log file.

use x_simd::{Error, Level, Result};

use crate::curve::{Curve, Products, Scratch};
use crate::design::Design;
use crate::elimination::{Cross, Likelihood};
use crate::kernels::{Kernels, LANES};
use crate::options::{Options, clamp_eigenvalues};
use crate::root::Function;
use crate::search::{Fit, search};

/// The null model; everything but `lambda_mle` and `loglik_mle` is at the REML lambda.
#[derive(Debug, Clone, PartialEq)]
pub struct Null {
    pub lambda_reml: f64,
    pub lambda_mle: f64,
    pub loglik_reml: f64,
    pub loglik_mle: f64,
    /// Share of the phenotype's variance that the kinship explains, and its standard error (NaN at a bound of lambda
    /// where the likelihood is not concave).
    pub pve: f64,
    pub pve_se: f64,
    pub vg: f64,
    pub ve: f64,
    pub beta: Vec<f64>,
    pub beta_se: Vec<f64>,
}

/// Fits y = W a + u + e from eigenvalues, rotated phenotype U'y and rotated covariates U'W (`c` columns, one after
/// another). Errors: DF, COVAR_RANK (`column`), SHAPE, LAMBDA_RANGE, NULL_FIT.
pub fn fit_null(values: &[f64], uty: &[f64], utw: &[f64], c: usize, options: &Options) -> Result<Null> {
    fit_null_of(values.len(), values, uty, utw, c, options)
}

/// The same for `n` people whose columns have fewer coordinates than that: those left out are 0 in all of them.
pub(crate) fn fit_null_of(
    n: usize,
    values: &[f64],
    uty: &[f64],
    utw: &[f64],
    c: usize,
    options: &Options,
) -> Result<Null> {
    let width = values.len();
    check_columns(width, uty, utw, c)?;
    options.check()?;
    let design = Design::new(utw, width, c, n)?;
    let (rest, fitted) = design.residual(uty)?;
    let kernels = Kernels::new(Level::get());
    let padded = pad(&clamp_eigenvalues(values));
    let columns: Vec<Vec<f64>> = design.q.iter().chain([&rest]).map(|column| pad(column)).collect();
    let pairs: Vec<(usize, usize)> = (0..=c).flat_map(|i| (i..=c).map(move |j| (i, j))).collect();
    let rows: Vec<f64> = pairs.iter().flat_map(|&(i, j)| product(&columns[i], &columns[j])).collect();
    let mut scratch = Scratch::new(c + 1, padded.len())?;
    let mut curve = Curve {
        kind: Likelihood::Mle,
        n,
        values: &padded,
        products: [Products { rows: &rows, pairs: &pairs }, Products { rows: &[], pairs: &[] }],
        ln_det_ww: unweighted_ln_det(&columns, c),
        kernels,
        evaluations: 0,
        scratch: &mut scratch,
    };
    let mle = fit(&mut curve, options);
    curve.kind = Likelihood::Reml;
    let reml = fit(&mut curve, options);
    let (_, curvature) = curve.value_and_slope(reml.lambda);
    if !(mle.loglik.is_finite() && reml.loglik.is_finite()) {
        return Err(Error::new(
            "NULL_FIT",
            "the null model has no finite likelihood: the phenotype varies too little beside its mean (subtract the mean), or the kinship is not one",
        ));
    }
    let cross = &curve.scratch.cross;
    let trace = padded.iter().sum::<f64>() / n as f64;
    let share = trace * reml.lambda + 1.0;
    let ve = cross.y_py() / (n - c) as f64;
    let (beta, variance) = coefficients(cross, &design, &fitted);
    Ok(Null {
        lambda_reml: reml.lambda,
        lambda_mle: mle.lambda,
        loglik_reml: reml.loglik,
        loglik_mle: mle.loglik,
        pve: trace * reml.lambda / share,
        pve_se: trace / (share * share) * (-1.0 / curvature).sqrt(),
        vg: reml.lambda * ve,
        ve,
        beta,
        beta_se: variance.iter().map(|v| (v * ve).sqrt()).collect(),
    })
}

fn fit(curve: &mut Curve, options: &Options) -> Fit {
    let points = options.points();
    let slopes: Vec<f64> = points.iter().map(|&l| curve.value(l)).collect();
    let ends = [points[0], points[points.len() - 1]].map(|l| {
        curve.value(l);
        Fit::new(l, curve.loglik(l), &curve.scratch.cross)
    });
    search(curve, &points, &slopes, ends)
}

/// Solves for the covariates' effects from the eliminated triangle, and the diagonal of (W' H^-1 W)^-1. `fitted`: what
/// Q had of the phenotype before.
fn coefficients(cross: &Cross, design: &Design, fitted: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let c = cross.m - 1;
    // Entry (i, j) of the unit upper triangle L'.
    let upper = |i: usize, j: usize| cross.entry(i, j) / cross.pivot(i);
    // R^-1 L'^-1 b.
    let solve = |mut b: Vec<f64>, more: &[f64]| {
        for i in (0..c).rev() {
            b[i] -= (i + 1..c).map(|j| upper(i, j) * b[j]).sum::<f64>();
        }
        b.iter_mut().zip(more).for_each(|(b, more)| *b += more);
        design.effects(b)
    };
    let beta = solve((0..c).map(|i| upper(i, c)).collect(), fitted);
    let mut variance = vec![0.0; c];
    for at in 0..c {
        let unit = (0..c).map(|i| f64::from(u8::from(i == at))).collect();
        for (sum, x) in variance.iter_mut().zip(solve(unit, &[])) {
            *sum += x * x / cross.pivot(at);
        }
    }
    (beta, variance)
}

pub fn check_columns(n: usize, y: &[f64], w: &[f64], c: usize) -> Result<()> {
    if y.len() != n || Some(w.len()) != n.checked_mul(c) {
        let (y, w) = (y.len(), w.len());
        return Err(Error::new(
            "SHAPE",
            format!("{n} people and {c} covariates, but {y} phenotypes and {w} covariates' values"),
        ));
    }
    match y.iter().chain(w).position(|v| !v.is_finite()) {
        Some(at) => {
            Err(Error::new("NOT_FINITE", "phenotype and covariates must be finite numbers here")
                .with("index", at as f64))
        }
        None => Ok(()),
    }
}

pub fn pad(x: &[f64]) -> Vec<f64> {
    let mut padded = x.to_vec();
    padded.resize(x.len().next_multiple_of(LANES), 0.0);
    padded
}

pub fn product(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}

/// ln |W'W|.
fn unweighted_ln_det(columns: &[Vec<f64>], c: usize) -> f64 {
    let mut cross = Cross::new(c + 1);
    for i in 0..=c {
        for j in i..=c {
            cross.set(0, i, j, product(&columns[i], &columns[j]).iter().sum());
        }
    }
    cross.eliminate(0);
    cross.ln_det()
}
