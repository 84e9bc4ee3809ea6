//! Covariance of the coefficients with the uncertainty of the smoothing parameters.

use x_simd::Result;

use crate::criterion::Evaluation;
use crate::mat::{Factor, Mat};

/// Precision of the prior on log smoothing parameters: mgcv's for exponential families and their extensions, and its for
/// families of general likelihood (several predictors, partial likelihood). Found from its covariances.
pub const PRIOR: f64 = 0.1;
pub const PRIOR_GENERAL: f64 = 0.02;

/// Vp with the uncertainty of the smoothing parameters (Wood, Pya & Säfken 2016, section 4): the shift of beta with the
/// inverse Hessian of the criterion, and the change of the covariance's Cholesky root with that Hessian plus a weak prior of
/// precision `prior` on the log smoothing parameters. `dispersion`: place of a log dispersion among the family's parameters;
/// the smoothing parameters of that prior are then relative to it.
pub fn corrected(
    e: &Evaluation,
    inverse: &Mat,
    gram: &Mat,
    phi: f64,
    prior: f64,
    dispersion: Option<usize>,
) -> Result<Mat> {
    let p = &e.prepared;
    let nd = e.hessian.rows;
    let width = e.beta.len();
    let mut out = Mat { rows: width, cols: width, data: inverse.data.iter().map(|x| x * phi).collect() };
    if nd == 0 {
        return Ok(p.rotate(&out, false));
    }
    let v = inverse_of(&e.hessian, 0.0, nd)?;
    let j = Mat { rows: nd, cols: width, data: e.directions.concat() };
    out.add_scaled(1.0, &v.congruence(&j));
    let mut out = p.rotate(&out, false);
    let full = match &e.scale_border {
        None => e.hessian.clone(),
        Some((border, curvature)) => Mat::from_fn(nd + 1, nd + 1, |i, j| match (i < nd, j < nd) {
            (true, true) => e.hessian[(i, j)] + border[i] * border[j] / curvature,
            (true, false) => border[i],
            (false, true) => border[j],
            _ => *curvature,
        }),
    };
    let full = match dispersion {
        None => full,
        Some(at) => {
            let m = p.lambda.len();
            let change = Mat::from_fn(full.rows, full.rows, |i, j| {
                if i == j {
                    1.0
                } else if j == m + at && i < m {
                    -1.0
                } else {
                    0.0
                }
            });
            full.congruence(&change)
        }
    };
    let v = inverse_of(&full, prior, nd)?;
    let mut h = gram.clone();
    p.add_total(&mut h);
    // In the plain coefficients: the root depends on their order.
    let Some(factor) = Factor::new(&p.rotate(&h, false)) else { return Ok(out) };
    let root = factor.upper_inverse();
    let mut slopes = vec![Mat::zeros(width, width); nd];
    // The weights count as constant here, and so do the family's own parameters.
    for (j, slope) in slopes.iter_mut().enumerate().take(p.lambda.len()) {
        let mut dh = Mat::zeros(width, width);
        p.add_one(j, &mut dh);
        let mut m = p.rotate(&dh, false).congruence(&root);
        for i in 0..width {
            m[(i, i)] *= 0.5;
            m.row_mut(i)[..i].fill(0.0);
        }
        *slope = root.mul(&m);
    }
    for a in 0..nd {
        let mut weighted = Mat::zeros(width, width);
        for (b, s) in slopes.iter().enumerate() {
            weighted.add_scaled(phi * v[(a, b)], s);
        }
        out.add_scaled(1.0, &slopes[a].mul(&weighted.t()));
    }
    out.symmetrise();
    Ok(out)
}

/// (H + ridge)^-1 without the directions of no or negative curvature, its leading `size` rows and columns.
fn inverse_of(h: &Mat, ridge: f64, size: usize) -> Result<Mat> {
    let (values, vectors) = h.eigen()?;
    let mut v = Mat::zeros(size, size);
    for (k, d) in values.iter().enumerate() {
        let d = d.max(0.0) + ridge;
        if d <= 0.0 {
            continue;
        }
        for i in 0..size {
            for j in 0..size {
                v[(i, j)] += vectors[(i, k)] * vectors[(j, k)] / d;
            }
        }
    }
    Ok(v)
}
