//! Response distributions. A family gives, for a block of rows, f = half the deviance (or the negative log likelihood)
//! and its derivatives by the linear predictors and its own parameters theta; everything else is shared.

mod beta;
mod coxph;
mod gaulss;
mod glm;
mod link;
mod logit;
mod multinom;
mod negbin;
mod ordered;
#[cfg(test)]
mod tests;
mod tweedie;

use x_simd::{Error, Result};

use crate::json::Json;

pub use link::Link;

/// Derivatives of one block. Packed symmetric index sets over predictors; the theta parts are for one predictor.
#[derive(Default)]
pub struct Derivs {
    pub f: Vec<f64>,
    pub d1: Vec<Vec<f64>>,
    pub d2: Vec<Vec<f64>>,
    pub d3: Vec<Vec<f64>>,
    pub d4: Vec<Vec<f64>>,
    /// Expected second derivatives (Fisher weights).
    pub fisher: Vec<Vec<f64>>,
    /// Their derivative by the predictor, of families with `fisher_moves`.
    pub fisher1: Vec<f64>,
    /// theta[a][e]: once by theta_a and e times by the predictor, e = 0 … 3.
    pub theta: Vec<[Vec<f64>; 4]>,
    /// theta2[pair(a, b)][e]: by theta_a and theta_b, e = 0 … 2.
    pub theta2: Vec<[Vec<f64>; 3]>,
}

/// Packed index of a multiset of three or four predictors.
pub fn triple(mut k: [usize; 3]) -> usize {
    k.sort_unstable();
    let [c, b, a] = k;
    a * (a + 1) * (a + 2) / 6 + b * (b + 1) / 2 + c
}

pub fn quadruple(mut k: [usize; 4]) -> usize {
    k.sort_unstable();
    let [d, c, b, a] = k;
    a * (a + 1) * (a + 2) * (a + 3) / 24 + b * (b + 1) * (b + 2) / 6 + c * (c + 1) / 2 + d
}

impl Derivs {
    /// Makes room for `rows` rows of `k` predictors and `theta` parameters.
    pub fn reset(&mut self, rows: usize, k: usize, theta: usize, full: bool) {
        let size = |list: &mut Vec<Vec<f64>>, count: usize| {
            list.resize_with(count, Vec::new);
            list.iter_mut().for_each(|v| v.resize(rows, 0.0));
        };
        self.f.resize(rows, 0.0);
        size(&mut self.d1, k);
        size(&mut self.d2, k * (k + 1) / 2);
        size(&mut self.fisher, k * (k + 1) / 2);
        self.fisher1.resize(rows, 0.0);
        if full {
            size(&mut self.d3, k * (k + 1) * (k + 2) / 6);
            size(&mut self.d4, k * (k + 1) * (k + 2) * (k + 3) / 24);
            self.theta.resize_with(theta, Default::default);
            self.theta2.resize_with(theta * (theta + 1) / 2, Default::default);
            self.theta.iter_mut().flatten().for_each(|v| v.resize(rows, 0.0));
            self.theta2.iter_mut().flatten().for_each(|v| v.resize(rows, 0.0));
        }
    }
}

/// A block of responses.
#[derive(Clone, Copy)]
pub struct Response<'a> {
    pub y: &'a [f64],
    /// Prior weights, one a row.
    pub w: &'a [f64],
}

pub trait Family: Send + Sync {
    fn name(&self) -> &'static str;

    fn link_name(&self) -> &'static str;

    fn predictors(&self) -> usize {
        1
    }

    /// Start values of the estimated parameters, unbounded scale; empty when there is none.
    fn theta_start(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Parameters as users know them.
    fn theta_natural(&self, theta: &[f64]) -> Vec<f64> {
        theta.to_vec()
    }

    /// True when the scale is 1 by definition.
    fn scale_known(&self) -> bool;

    /// The dispersion, where it is one of the family's own parameters.
    fn dispersion(&self, _theta: &[f64]) -> Option<f64> {
        None
    }

    /// Place of the logarithm of that dispersion among the estimated parameters.
    fn dispersion_at(&self) -> Option<usize> {
        None
    }

    /// Fisher weights that are not the observed ones, with their derivative: what GCV counts its degrees of freedom by.
    fn fisher_moves(&self) -> bool {
        false
    }

    /// Edf and covariances use observed second derivatives (extended families) instead of Fisher weights.
    fn observed_covariance(&self) -> bool {
        false
    }

    /// What is wrong with a response of prior weight `w`, if anything.
    fn refuse(&self, y: f64, w: f64) -> Option<&'static str>;

    /// What is wrong with all of them together, if anything.
    fn refuse_all(&self, _r: Response) -> Option<String> {
        None
    }

    /// Start value of linear predictor `k`; `mean` is the weighted mean response.
    fn start(&self, y: f64, w: f64, mean: f64, k: usize) -> f64;

    /// `full`: orders three and four and the theta parts too. A predictor without a likelihood gives f = infinity.
    fn derive(&self, r: Response, theta: &[f64], eta: &[Vec<f64>], full: bool, out: &mut Derivs);

    /// Saturated log likelihood of the data with its first two derivatives by log(phi); zeros where f is the whole
    /// negative log likelihood.
    fn saturated(&self, r: Response, log_phi: f64) -> [f64; 3];

    /// Deviance of one row.
    fn deviance(&self, y: f64, w: f64, theta: &[f64], eta: &[f64]) -> f64;

    /// Log likelihood of the rows at scale `phi` from the deviance, as AIC uses it; quasi families have none (NaN).
    fn log_lik(&self, r: Response, theta: &[f64], eta: &[Vec<f64>], phi: f64) -> f64;

    /// Mean of a row and its derivative by the first predictor.
    fn mean(&self, theta: &[f64], eta: &[f64]) -> (f64, f64);

    /// Is a deviance residual positive? Where the response is not below its mean; of classes, where it is the likeliest.
    fn above(&self, y: f64, theta: &[f64], eta: &[f64]) -> bool {
        y >= self.mean(theta, eta).0
    }

    /// Predictions on the response scale with their derivatives by their own linear predictor (none where a prediction
    /// depends on several): the mean; for gaulss also 1 / standard deviation; for classes their probabilities.
    fn responses(&self, theta: &[f64], eta: &[f64], out: &mut Vec<f64>, slopes: &mut Vec<f64>) {
        let (mu, slope) = self.mean(theta, eta);
        out.push(mu);
        slopes.push(slope);
    }

    /// Derivatives of the responses by all linear predictors (outputs × predictors), for families whose responses depend
    /// on several.
    fn jacobian(&self, _theta: &[f64], _eta: &[f64]) -> Option<Vec<f64>> {
        None
    }

    /// Variance function at the mean.
    fn variance(&self, theta: &[f64], eta: &[f64]) -> f64;

    /// Variance function at a mean, of families whose scale is estimated from residuals.
    fn variance_of(&self, _mean: f64) -> f64 {
        1.0
    }

    /// Derivative of the variance function by the mean, for families whose scale is estimated from residuals.
    fn variance_slope(&self, _theta: &[f64], _eta: &[f64]) -> f64 {
        0.0
    }

    /// The likelihood is no sum over rows: `crate::cox` has its sums, rows come by descending response.
    fn partial(&self) -> bool {
        false
    }

    /// Identity link and constant variance: one pass over the data serves every smoothing parameter.
    fn quadratic(&self) -> bool {
        false
    }
}

fn options(text: impl Into<String>) -> Error {
    Error::new("GAM_OPTIONS", text)
}

/// The family that fit options name.
pub fn from_options(o: &Json) -> Result<Box<dyn Family>> {
    let name = o.get("family").text("family")?;
    let link = o.get("link").optional(|l| l.text("link").map(str::to_owned))?;
    let theta = o.get("theta").optional(|t| t.nums("theta"))?;
    let start = o.get("thetaStart").optional(|t| t.nums("thetaStart"))?;
    let pick = |default: Link, allowed: &[Link]| -> Result<Link> {
        let Some(text) = &link else { return Ok(default) };
        let found = Link::named(text).filter(|l| allowed.contains(l));
        found.ok_or_else(|| {
            let names: Vec<&str> = allowed.iter().map(Link::name).collect();
            options(format!("family {name} has no link \"{text}\"; it takes {}", names.join(", ")))
        })
    };
    let positive = |v: &Option<Vec<f64>>| -> Result<Option<f64>> {
        let Some(v) = v else { return Ok(None) };
        match v[..] {
            [t] if t > 0.0 => Ok(Some(t)),
            _ => Err(options(format!("the theta of {name} is one positive number"))),
        }
    };
    use Link::*;
    let family: Box<dyn Family> = match name {
        "gaussian" | "quasi" => {
            let quasi = [Identity, Log, Inverse, Logit, Sqrt];
            let link = pick(Identity, if name == "quasi" { &quasi } else { &quasi[..3] })?;
            Box::new(glm::Glm { distribution: glm::Distribution::Gaussian, link, quasi: name == "quasi" })
        }
        "binomial" | "quasibinomial" => {
            let link = pick(Logit, &[Logit, Probit, Cloglog, Cauchit, Log])?;
            Box::new(glm::Glm { distribution: glm::Distribution::Binomial, link, quasi: name == "quasibinomial" })
        }
        "poisson" | "quasipoisson" => {
            let link = pick(Log, &[Log, Identity, Sqrt])?;
            Box::new(glm::Glm { distribution: glm::Distribution::Poisson, link, quasi: name == "quasipoisson" })
        }
        "Gamma" => {
            let link = pick(Inverse, &[Inverse, Log, Identity])?;
            Box::new(glm::Glm { distribution: glm::Distribution::Gamma, link, quasi: false })
        }
        "inverse.gaussian" => {
            let link = pick(InverseSquare, &[InverseSquare, Inverse, Log, Identity])?;
            Box::new(glm::Glm { distribution: glm::Distribution::InverseGaussian, link, quasi: false })
        }
        "nb" => {
            let link = pick(Log, &[Log, Identity, Sqrt])?;
            Box::new(negbin::NegBin { link, fixed: positive(&theta)?, start: positive(&start)?.unwrap_or(1.0) })
        }
        "tw" => {
            let link = pick(Log, &[Log, Identity, Inverse, Sqrt])?;
            let good = |v: &[f64]| {
                v.len() <= 2 && v.iter().all(|x| *x > 0.0) && v.first().is_none_or(|p| *p > 1.0 && *p < 2.0)
            };
            let (fixed, start) = (theta.unwrap_or_default(), start.unwrap_or_default());
            if !good(&fixed) || !good(&start) {
                return Err(options(
                    "the theta of tw is a power between 1 and 2, and optionally a positive dispersion",
                ));
            }
            let start = start.first().copied().unwrap_or(1.5).clamp(1.02, 1.98);
            Box::new(tweedie::Tweedie { link, fixed, start })
        }
        "betar" => {
            let link = pick(Logit, &[Logit, Probit, Cloglog, Cauchit])?;
            let start = positive(&start)?.unwrap_or(1.0);
            Box::new(beta::Beta { link, fixed: positive(&theta)?, start })
        }
        "ocat" => {
            let classes = o.get("classes").index("classes")?;
            if classes < 3 {
                return Err(options("ocat needs at least three classes; two are binomial"));
            }
            let ascending = |v: &[f64]| v.len() == classes - 1 && v.windows(2).all(|w| w[0] < w[1]);
            if theta.as_ref().is_some_and(|v| !ascending(v)) {
                return Err(options(format!("the theta of ocat are its {} cut points, ascending", classes - 1)));
            }
            Box::new(ordered::Ordered { classes, fixed: theta })
        }
        "cox.ph" => Box::new(coxph::CoxPh),
        "gaulss" => Box::new(gaulss::Gaulss { b: positive(&theta)?.unwrap_or(0.01) }),
        "multinom" => {
            let classes = o.get("classes").index("classes")?;
            if classes < 2 {
                return Err(options("multinom needs at least two classes"));
            }
            Box::new(multinom::Multinom { classes })
        }
        other => return Err(options(format!("unknown family \"{other}\""))),
    };
    Ok(family)
}

/// The responses must suit the family and the weights must be finite and not negative.
pub fn check_response(family: &dyn Family, r: Response) -> Result<()> {
    for (i, (&y, &w)) in r.y.iter().zip(r.w).enumerate() {
        if !(w >= 0.0 && w.is_finite()) {
            let text = format!("prior weight {w} in row {}; weights are finite and not negative", i + 1);
            return Err(Error::new("GAM_WEIGHTS", text).with("row", i as f64));
        }
        let problem = if y.is_finite() { family.refuse(y, w) } else { Some("must be a finite number") };
        if let Some(what) = problem {
            let text = format!("response {y} in row {}: {what} (family {})", i + 1, family.name());
            return Err(Error::new("GAM_RESPONSE", text).with("row", i as f64).with("value", y));
        }
    }
    if !r.w.iter().any(|&w| w > 0.0) {
        return Err(Error::new("GAM_WEIGHTS", "every prior weight is zero"));
    }
    if let Some(text) = family.refuse_all(r) {
        return Err(Error::new("GAM_RESPONSE", text));
    }
    Ok(())
}
