//! The smoothing parameter criterion at one point, with exact gradient and Hessian by implicit differentiation
//! (Wood 2011; Wood, Pya & Säfken 2016). Everything happens in the rotated coefficients of `Prepared`.

use x_simd::{Error, Result};

use crate::mat::{Factor, Mat, dot};
use crate::passes::{Data, Weights, Working};
use crate::penalty::{Penalties, Prepared};
use crate::rows::{Layout, pair};

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    Reml,
    Ml,
    /// GCV, or UBRE when the scale is known.
    Gcv,
}

/// Sufficient sums of a gaussian model with identity link.
#[derive(Clone)]
pub struct Quadratic {
    pub gram: Mat,
    pub xty: Vec<f64>,
    pub yy: f64,
    /// What was taken off every response before these sums.
    pub level: f64,
    /// Rows of positive weight and the sum of the logarithms of their weights.
    pub rows: f64,
    pub log_weights: f64,
}

pub enum Source<'a> {
    Quadratic(&'a Quadratic),
    Data(&'a Data<'a>),
}

pub struct Model<'a> {
    pub source: Source<'a>,
    /// Of the unrotated coefficients.
    pub layout: &'a Layout,
    pub penalties: &'a Penalties,
    pub method: Method,
    /// `None` = estimated.
    pub scale: Option<f64>,
    /// Multiplies the degrees of freedom in GCV; in REML and ML n / gamma rows count in place of n.
    pub gamma: f64,
    /// Rows of positive weight.
    pub n: f64,
}

pub struct Evaluation {
    pub prepared: Prepared,
    pub theta: Vec<f64>,
    /// Rotated coefficients.
    pub beta: Vec<f64>,
    /// Sum of f: half the deviance, or the negative log likelihood.
    pub f: f64,
    pub penalty: f64,
    pub phi: f64,
    pub criterion: f64,
    /// By rho, then theta; empty when not asked for.
    pub gradient: Vec<f64>,
    pub hessian: Mat,
    /// Where the scale is profiled out: cross derivatives with log(phi) and the second derivative.
    pub scale_border: Option<(Vec<f64>, f64)>,
    /// d beta / d(rho, theta), rotated.
    pub directions: Vec<Vec<f64>>,
    /// Inverse of H and X'WX with observed weights.
    pub inverse: Mat,
    pub gram: Mat,
    /// Derivatives of `gram` by (rho, theta); empty where it is constant.
    pub gram_slopes: Vec<Mat>,
    pub inner: usize,
    /// Half the Newton decrement of the penalised likelihood: how far beta is from its optimum.
    pub decrement: f64,
    pub log_det_h: f64,
}

const LN_2PI: f64 = 1.837_877_066_409_345_6;
const MAX_INNER: usize = 100;

impl Model<'_> {
    fn saturated(&self, log_phi: f64) -> [f64; 3] {
        match &self.source {
            Source::Quadratic(q) => [0.5 * (q.log_weights - q.rows * (LN_2PI + log_phi)), -0.5 * q.rows, 0.0],
            Source::Data(d) => d.saturated(log_phi),
        }
    }

    pub fn working(
        &self,
        layout: &Layout,
        p: &Prepared,
        beta: &[f64],
        theta: &[f64],
        weights: Weights,
    ) -> Result<Working> {
        match &self.source {
            Source::Quadratic(q) => {
                let gram = p.rotate(&q.gram, true);
                let xty = p.to_rotated(&q.xty);
                let mut score = gram.mul_vec(beta);
                let fitted = dot(&score, beta);
                let f = 0.5 * (q.yy - 2.0 * dot(&xty, beta) + fitted);
                score.iter_mut().zip(&xty).for_each(|(s, x)| *s -= x);
                Ok(Working { f: f.max(0.0), score, gram })
            }
            Source::Data(d) => d.working(layout, beta, theta, weights),
        }
    }

    pub fn hessian_of(&self, p: &Prepared, gram: &Mat) -> Mat {
        let mut h = gram.clone();
        p.add_total(&mut h);
        h
    }

    /// P-IRLS from `start` (unrotated) or from the family's start values.
    fn inner(
        &self,
        layout: &Layout,
        p: &Prepared,
        theta: &[f64],
        start: Option<&[f64]>,
        tolerance: f64,
    ) -> Result<Inner> {
        let mut count = 0;
        let mut beta = match start {
            Some(b) => p.to_rotated(b),
            None => self.first(layout, p, theta)?,
        };
        let mut now = self.working(layout, p, &beta, theta, Weights::Observed)?;
        if !now.f.is_finite() && start.is_some() {
            beta = self.first(layout, p, theta)?;
            now = self.working(layout, p, &beta, theta, Weights::Observed)?;
        }
        if !now.f.is_finite() {
            (beta, now) = self.back(layout, p, theta, &beta)?;
        }
        let objective = |w: &Working, beta: &[f64]| w.f + 0.5 * dot(beta, &p.total_times(beta));
        let mut last = f64::INFINITY;
        loop {
            count += 1;
            let mut score = now.score.clone();
            score.iter_mut().zip(p.total_times(&beta)).for_each(|(s, x)| *s += x);
            let observed = Factor::new(&self.hessian_of(p, &now.gram));
            let definite = observed.is_some();
            let factor = match observed {
                Some(f) => f,
                None => self.fisher(layout, p, &beta, theta)?,
            };
            let mut step = score.clone();
            factor.solve(&mut step);
            let decrement = 0.5 * dot(&score, &step);
            let value = objective(&now, &beta);
            let stuck = decrement >= 0.5 * last && decrement < 1e-9 * (1.0 + value.abs());
            if definite && (decrement <= tolerance || stuck) {
                // A quadratic problem takes one solve; looking whether it was enough is none.
                let count = if matches!(self.source, Source::Quadratic(_)) { 1 } else { count };
                return Ok(Inner { beta, working: now, factor, count, decrement });
            }
            if count > MAX_INNER {
                return Err(self.inner_failure(&beta, decrement));
            }
            last = decrement;
            if matches!(self.source, Source::Quadratic(_)) && count > 3 {
                return Ok(Inner { beta, working: now, factor, count: 1, decrement });
            }
            let mut size = 1.0;
            loop {
                let next: Vec<f64> = beta.iter().zip(&step).map(|(b, s)| b - size * s).collect();
                let w = self.working(layout, p, &next, theta, Weights::Observed)?;
                let better = objective(&w, &next);
                if better.is_finite() && better <= value + 1e-12 * (1.0 + value.abs()) {
                    (beta, now) = (next, w);
                    break;
                }
                size *= 0.5;
                if size < 1e-9 {
                    if definite && decrement < 1e-7 * (1.0 + value.abs()) {
                        return Ok(Inner { beta, working: now, factor, count, decrement });
                    }
                    return Err(self.inner_failure(&beta, decrement));
                }
            }
        }
    }

    fn inner_failure(&self, beta: &[f64], decrement: f64) -> Error {
        let largest = beta.iter().fold(0.0, |m: f64, b| m.max(b.abs()));
        let (code, text) = if largest > 1e3 && self.scale == Some(1.0) {
            (
                "GAM_SEPARATED",
                "coefficients run to infinity: some combination of the terms separates the responses perfectly",
            )
        } else {
            ("GAM_INNER", "penalised iteratively reweighted least squares did not converge")
        };
        Error::new(code, text).with("decrement", decrement).with("largest", largest)
    }

    fn fisher(&self, layout: &Layout, p: &Prepared, beta: &[f64], theta: &[f64]) -> Result<Factor> {
        let w = self.working(layout, p, beta, theta, Weights::Fisher)?;
        Factor::new(&self.hessian_of(p, &w.gram)).ok_or_else(|| self.rank_error(p, &w.gram))
    }

    /// Which coefficient the data and the penalties leave free.
    pub fn rank_error(&self, p: &Prepared, gram: &Mat) -> Error {
        let h = self.hessian_of(p, gram);
        let n = h.rows;
        let column = (1..=n).find(|&k| Factor::new(&h.block(0..k, 0..k)).is_none()).unwrap_or(n) - 1;
        Error::new("GAM_RANK", format!("coefficient {} cannot be told apart from the others", column + 1))
            .with("column", column as f64)
    }

    /// The criterion at (rho, theta); `start` are unrotated coefficients. With `derivatives` also gradient and Hessian.
    pub fn evaluate(
        &self,
        rho: &[f64],
        theta: &[f64],
        start: Option<&[f64]>,
        derivatives: bool,
        tolerance: f64,
    ) -> Result<Evaluation> {
        let p = self.penalties.prepare(rho)?;
        let layout = self.layout.rotated(&p.rotation);
        let solved = self.inner(&layout, &p, theta, start, tolerance)?;
        let Inner { beta, working, factor, count, decrement } = solved;
        let penalty = dot(&beta, &p.total_times(&beta));
        let inverse = factor.inverse();
        let mut e = Evaluation {
            theta: theta.to_vec(),
            f: working.f,
            penalty,
            phi: self.scale.unwrap_or(1.0),
            criterion: f64::NAN,
            gradient: Vec::new(),
            hessian: Mat::zeros(0, 0),
            scale_border: None,
            directions: Vec::new(),
            gram: working.gram,
            gram_slopes: Vec::new(),
            inner: count,
            decrement,
            log_det_h: factor.log_det(),
            inverse,
            beta,
            prepared: p,
        };
        if self.method == Method::Gcv {
            self.gcv(&layout, &mut e, derivatives)?;
        } else {
            self.likelihood(&layout, &mut e, derivatives)?;
        }
        if !e.criterion.is_finite() {
            return Err(Error::new("GAM_INNER", "the criterion is not finite"));
        }
        Ok(e)
    }

    /// Minimises over log(phi): {[D + b'Sb] / (2 phi) - ls(phi)} / gamma - M/2 log(2 pi phi). Returns phi and the second
    /// derivative.
    fn scale(&self, total: f64, null: f64) -> (f64, f64) {
        let gamma = self.gamma;
        let mut s = (total.max(1e-300) / (self.n - gamma * null).max(1.0)).ln();
        let mut curvature = 1.0;
        for _ in 0..100 {
            let ls = self.saturated(s);
            let half = 0.5 * total * (-s).exp() / gamma;
            let g = -half - ls[1] / gamma - 0.5 * null;
            curvature = half - ls[2] / gamma;
            if g.abs() < 1e-13 * (1.0 + half.abs()) || curvature <= 0.0 {
                break;
            }
            let step = (-g / curvature).clamp(-2.0, 2.0);
            s += step;
            if step.abs() < 1e-15 {
                break;
            }
        }
        (s.exp(), curvature)
    }

    /// REML or ML from D + b'Sb, log|H| and log|S|+, with the scale and the criterion's second derivative by its logarithm
    /// (infinite where it is known).
    pub fn laplace(&self, total: f64, log_det: f64, log_det_s: f64) -> (f64, f64, f64) {
        let null = if self.method == Method::Reml { self.penalties.null_dimension as f64 } else { 0.0 };
        let (phi, curvature) = match self.scale {
            Some(phi) => (phi, f64::INFINITY),
            None => self.scale(total, null),
        };
        let criterion = (total / (2.0 * phi) - self.saturated(phi.ln())[0]) / self.gamma + 0.5 * log_det
            - 0.5 * log_det_s
            - 0.5 * null * (LN_2PI + phi.ln() - self.gamma.ln());
        (criterion, phi, curvature)
    }

    /// d beta / d rho_j and d beta / d theta.
    fn directions(&self, layout: &Layout, e: &Evaluation) -> Result<Vec<Vec<f64>>> {
        let p = &e.prepared;
        let mut out: Vec<Vec<f64>> = (0..p.lambda.len())
            .map(|j| {
                let s: Vec<f64> = p.times(j, &e.beta).iter().map(|x| -x * p.lambda[j]).collect();
                e.inverse.mul_vec(&s)
            })
            .collect();
        if let (Source::Data(d), false) = (&self.source, e.theta.is_empty()) {
            for s in d.theta_scores(layout, &e.beta, &e.theta)? {
                out.push(e.inverse.mul_vec(&s).iter().map(|x| -x).collect());
            }
        }
        Ok(out)
    }

    fn likelihood(&self, layout: &Layout, e: &mut Evaluation, derivatives: bool) -> Result<()> {
        let m = e.prepared.lambda.len();
        let nd = m + e.theta.len();
        // ML integrates over the penalised coefficients only.
        let reml = self.method == Method::Reml;
        let (log_det, inverse) = if reml { (e.log_det_h, None) } else { self.penalised(e)? };
        let (criterion, phi, curvature) = self.laplace(2.0 * e.f + e.penalty, log_det, e.prepared.log_det);
        (e.criterion, e.phi) = (criterion, phi);
        if !derivatives {
            return Ok(());
        }
        // What the likelihood is divided by.
        let phi = phi * self.gamma;
        e.directions = self.directions(layout, e)?;
        let p = &e.prepared;
        let inverse = inverse.as_ref().unwrap_or(&e.inverse);
        let third = match &self.source {
            Source::Data(d) => Some(d.third(layout, &e.beta, &e.theta, inverse, &e.directions)?),
            Source::Quadratic(_) => None,
        };
        // lambda_j S_j beta, and lambda_j b'S_j b / 2
        let pull: Vec<Vec<f64>> =
            (0..m).map(|j| p.times(j, &e.beta).iter().map(|x| x * p.lambda[j]).collect()).collect();
        let half: Vec<f64> = pull.iter().map(|s| 0.5 * dot(s, &e.beta)).collect();
        let own: Vec<f64> = (0..m).map(|j| p.trace(j, inverse)).collect();
        let mut gradient = vec![0.0; nd];
        let mut hessian = Mat::zeros(nd, nd);
        for d in 0..nd {
            let through = third.as_ref().map_or(0.0, |t| dot(&t.pull, &e.directions[d]));
            gradient[d] = 0.5 * through
                + if d < m {
                    half[d] / phi + 0.5 * own[d] - 0.5 * p.log_det_gradient[d]
                } else {
                    let t = third.as_ref().expect("theta comes with data");
                    t.theta_f[d - m] / phi + 0.5 * t.theta_trace[d - m]
                };
        }
        let slopes: Vec<Mat> = (0..nd)
            .map(|d| {
                let mut dh =
                    third.as_ref().map_or_else(|| Mat::zeros(layout.width, layout.width), |t| t.grams[d].clone());
                if d < m {
                    p.add_one(d, &mut dh);
                }
                dh
            })
            .collect();
        let products: Vec<Mat> = slopes.iter().map(|dh| inverse.mul(dh)).collect();
        let transposed: Vec<Mat> = products.iter().map(Mat::t).collect();
        for d in 0..nd {
            for g in 0..=d {
                let mut x = -0.5 * products[d].trace_with(&transposed[g]);
                if d == g && d < m {
                    x += half[d] / phi + 0.5 * own[d];
                }
                if d < m {
                    x += dot(&pull[d], &e.directions[g]) / phi;
                } else {
                    // Pairs with theta: its score does not pass through the penalty.
                    let t = third.as_ref().expect("theta comes with data");
                    x += t.theta_cross[(g, d - m)] / phi;
                }
                if let Some(t) = &third {
                    let at = pair(d, g);
                    x += 0.5 * t.traces[at];
                    // Second derivative of beta: H b_dg = -r.
                    let mut r = t.scores[at].clone();
                    if d == g && d < m {
                        crate::mat::axpy(1.0, &pull[d], &mut r);
                    }
                    for (a, b) in [(d, g), (g, d)] {
                        if a < m {
                            crate::mat::axpy(p.lambda[a], &p.times(a, &e.directions[b]), &mut r);
                        }
                    }
                    x -= 0.5 * dot(&t.pull, &e.inverse.mul_vec(&r));
                }
                if d < m {
                    x -= 0.5 * p.log_det_hessian[(d, g)];
                }
                hessian[(d, g)] = x;
                hessian[(g, d)] = x;
            }
        }
        if curvature.is_finite() {
            let cross = |d: usize| -> f64 {
                if d < m { -half[d] / phi } else { -third.as_ref().map_or(0.0, |t| t.theta_f[d - m]) / phi }
            };
            let border: Vec<f64> = (0..nd).map(cross).collect();
            for d in 0..nd {
                for g in 0..nd {
                    hessian[(d, g)] -= border[d] * border[g] / curvature;
                }
            }
            e.scale_border = Some((border, curvature));
        }
        e.gradient = gradient;
        e.hessian = hessian;
        e.gram_slopes = third.map_or(Vec::new(), |t| t.grams);
        Ok(())
    }

    /// log determinant of H over the penalised coefficients and its inverse, zero elsewhere.
    fn penalised(&self, e: &Evaluation) -> Result<(f64, Option<Mat>)> {
        let index: Vec<usize> = (0..e.beta.len()).filter(|&i| e.prepared.penalised[i]).collect();
        let h = self.hessian_of(&e.prepared, &e.gram);
        let sub = Mat::from_fn(index.len(), index.len(), |i, j| h[(index[i], index[j])]);
        let factor = Factor::new(&sub).ok_or_else(|| self.rank_error(&e.prepared, &e.gram))?;
        let small = factor.inverse();
        let mut full = Mat::zeros(e.beta.len(), e.beta.len());
        for (a, &i) in index.iter().enumerate() {
            for (b, &j) in index.iter().enumerate() {
                full[(i, j)] = small[(a, b)];
            }
        }
        Ok((factor.log_det(), Some(full)))
    }

    /// GCV n D / (n - gamma tr A)^2, or UBRE D / n + 2 gamma phi tr A / n - phi for a known scale.
    fn gcv(&self, layout: &Layout, e: &mut Evaluation, derivatives: bool) -> Result<()> {
        let (n, gamma) = (self.n, self.gamma);
        let deviance = 2.0 * e.f;
        // Degrees of freedom by Fisher weights, as edf are reported.
        let expected = match &self.source {
            Source::Data(d) if d.family.fisher_moves() => {
                let gram = d.working(layout, &e.beta, &e.theta, Weights::Fisher)?.gram;
                let factor = Factor::new(&self.hessian_of(&e.prepared, &gram))
                    .ok_or_else(|| self.rank_error(&e.prepared, &gram))?;
                Some((gram, factor.inverse()))
            }
            _ => None,
        };
        let (gram, inverse) = expected.as_ref().map_or((&e.gram, &e.inverse), |(g, i)| (g, i));
        let tau = inverse.trace_with(gram);
        let rest = n - gamma * tau;
        e.criterion = match self.scale {
            Some(phi) => deviance / n + 2.0 * gamma * phi * tau / n - phi,
            None => n * deviance / (rest * rest),
        };
        e.phi = self.scale.unwrap_or(deviance / (n - tau));
        if !derivatives {
            return Ok(());
        }
        let directions = self.directions(layout, e)?;
        let p = &e.prepared;
        let m = p.lambda.len();
        let slopes = match &self.source {
            Source::Data(d) if d.family.fisher_moves() => d.fisher_slopes(layout, &e.beta, &directions)?,
            Source::Data(d) => d.third(layout, &e.beta, &e.theta, inverse, &directions)?.grams,
            Source::Quadratic(_) => Vec::new(),
        };
        // tr(P G): d tau = tr(P dG) - tr(P dH P G).
        let pgp = inverse.mul(gram).mul(inverse);
        let pull = p.total_times(&e.beta);
        let gradient = (0..m)
            .map(|j| {
                let mut d_tau = -p.trace(j, &pgp);
                if let Some(slope) = slopes.get(j) {
                    d_tau += inverse.trace_with(slope) - pgp.trace_with(slope);
                }
                let d_dev = -2.0 * dot(&pull, &directions[j]);
                match self.scale {
                    Some(phi) => d_dev / n + 2.0 * gamma * phi * d_tau / n,
                    None => n * d_dev / (rest * rest) + 2.0 * gamma * n * deviance * d_tau / rest.powi(3),
                }
            })
            .collect();
        (e.gradient, e.directions) = (gradient, directions);
        Ok(())
    }
}

struct Inner {
    beta: Vec<f64>,
    working: Working,
    factor: Factor,
    count: usize,
    decrement: f64,
}
