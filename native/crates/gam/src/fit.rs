//! One fit from rows, penalties and responses to coefficients, covariances and effective degrees of freedom.

use x_simd::{Error, Job, Result};

use crate::corrected::{PRIOR, PRIOR_GENERAL, corrected};
use crate::criterion::{Evaluation, Method, Model, Quadratic, Source};
use crate::family::{Family, Response, check_response};
use crate::mat::{Factor, Mat, axpy, dot};
pub use crate::options::Options;
use crate::outer::{Certificate, Control};
use crate::passes::{Data, Weights};
use crate::penalty::{Penalties, Penalty};
use crate::probe::Probe;
use crate::residuals::Residuals;
use crate::rows::{Layout, Rows, pass};
use crate::unit::in_units;

pub struct Fit {
    pub beta: Vec<f64>,
    pub rho: Vec<f64>,
    pub theta: Vec<f64>,
    /// The same on their unbounded scale.
    pub parameters: Vec<f64>,
    pub gradient: Vec<f64>,
    pub hessian: Mat,
    pub vp: Mat,
    pub ve: Mat,
    pub vc: Mat,
    pub edf: Vec<f64>,
    pub edf1: Vec<f64>,
    pub edf2: Vec<f64>,
    /// n × predictors; empty for a fit from cross-products.
    pub eta: Vec<f64>,
    /// Of a partial likelihood: see `cox::baseline`; else empty.
    pub baseline: Vec<f64>,
    /// Active shape constraints.
    pub active: usize,
    /// X'WX behind edf and covariances.
    pub gram: Mat,
    pub criterion: f64,
    pub deviance: f64,
    pub null_deviance: f64,
    /// Fletcher's estimate, or the known scale.
    pub scale: f64,
    pub reml_scale: f64,
    pub scale_estimated: bool,
    /// What `gram` and the penalties are relative to: the scale, or 1 where f holds it.
    pub unit: f64,
    pub log_lik: f64,
    pub aic: f64,
    pub bic: f64,
    pub n: f64,
    pub residual_df: f64,
    pub r_sq_adj: f64,
    pub certificate: Certificate,
    pub outer: usize,
    pub evaluations: usize,
    pub inner: usize,
    pub trace: Vec<(f64, Vec<f64>)>,
    /// Where asked for.
    pub probe: Option<Probe>,
    /// One a smooth, where asked for.
    pub tests: Vec<crate::termtest::TermTest>,
}

/// Sums of a gaussian model with identity link. `level` is taken off the responses first: sums of squares about a mean that
/// is far from zero would hold little else.
pub fn quadratic_sums(
    rows: &dyn Rows,
    y: &[f64],
    w: &[f64],
    offset: &[f64],
    level: f64,
    job: &Job,
) -> Result<Quadratic> {
    let layout = rows.layout();
    let width = layout.raw_width;
    let (gram, xty, yy) = pass(
        rows,
        job,
        || Ok((layout.empty_gram()?, vec![0.0; width], 0.0)),
        || (vec![Vec::new()], Vec::new()),
        |(gram, xty, yy), (weights, wz): &mut (Vec<Vec<f64>>, Vec<f64>), block, from| {
            let range = from..from + block.rows;
            weights[0].clear();
            weights[0].extend_from_slice(&w[range.clone()]);
            wz.clear();
            for i in range {
                let z = y[i] - offset.get(i).copied().unwrap_or(0.0) - level;
                wz.push(w[i] * z);
                *yy += w[i] * z * z;
            }
            layout.add_gram(block, weights, gram);
            layout.add_tmul(block, 0, wz, xty);
            Ok(())
        },
        |t, p| {
            axpy(1.0, &p.0, &mut t.0);
            axpy(1.0, &p.1, &mut t.1);
            t.2 += p.2;
        },
    )?;
    let used = w.iter().filter(|w| **w > 0.0);
    Ok(Quadratic {
        gram: layout.fold_gram(&gram),
        xty: layout.fold_vec(&xty),
        yy,
        level,
        rows: used.clone().count() as f64,
        log_weights: used.map(|w| w.ln()).sum(),
    })
}

/// The mean response, where the model has an intercept to take it up.
pub fn level(layout: &Layout, y: &[f64], w: &[f64], offset: &[f64]) -> f64 {
    if layout.intercept.is_none() {
        return 0.0;
    }
    let z = |i: usize| y[i] - offset.get(i).copied().unwrap_or(0.0);
    let total: f64 = w.iter().sum();
    (0..y.len()).map(|i| w[i] * z(i)).sum::<f64>() / total
}

fn check_shapes(rows: &dyn Rows, family: &dyn Family, y: &[f64], w: &[f64], offset: &[f64]) -> Result<()> {
    let (n, k) = (rows.rows(), family.predictors());
    let bad = |what: &str, found: usize, expected: usize| {
        Err(Error::new("SHAPE", format!("{what}: {found} values for {expected}")).with("expected", expected as f64))
    };
    if y.len() != n {
        return bad("response", y.len(), n);
    }
    if w.len() != n {
        return bad("weights", w.len(), n);
    }
    if !offset.is_empty() && offset.len() != n * k {
        return bad("offset", offset.len(), n * k);
    }
    if let Some(i) = offset.iter().position(|o| !o.is_finite()) {
        return Err(Error::new("GAM_NOT_FINITE", format!("offset of row {} is not finite", i / k + 1))
            .with("row", (i / k) as f64));
    }
    if rows.layout().predictors != k {
        let text =
            format!("family {} has {k} linear predictors, the model {}", family.name(), rows.layout().predictors);
        return Err(Error::new("GAM_OPTIONS", text));
    }
    Ok(())
}

fn check_control(control: &Control, penalties: usize, theta: usize, width: usize) -> Result<()> {
    let wrong = |what: &str, found: usize, expected: usize| {
        Err(Error::new("GAM_OPTIONS", format!("start {what}: {found} values for {expected}")))
    };
    match (&control.rho, &control.beta) {
        (Some(r), _) if r.len() != penalties => wrong("rho", r.len(), penalties),
        (_, Some(b)) if b.len() != width => wrong("beta", b.len(), width),
        _ if !(control.third.is_empty() || control.third.len() == (penalties + theta).pow(3)) => {
            wrong("third", control.third.len(), (penalties + theta).pow(3))
        }
        _ => Ok(()),
    }
}

#[allow(clippy::too_many_arguments)]
pub fn fit(
    rows: &dyn Rows,
    penalties: &[Penalty],
    family: &dyn Family,
    y: &[f64],
    w: &[f64],
    offset: &[f64],
    options: &Options,
    job: &Job,
) -> Result<Fit> {
    check_shapes(rows, family, y, w, offset)?;
    check_response(family, Response { y, w })?;
    let data = Data { rows, family, y, w, offset, job };
    // The weights of a partial likelihood say event or censored.
    let used = w.iter().filter(|w| **w > 0.0 || family.partial()).count() as f64;
    if family.quadratic() {
        let level = level(rows.layout(), y, w, offset);
        let sums = quadratic_sums(rows, y, w, offset, level, job)?;
        let source = Source::Quadratic(&sums);
        run(rows.layout(), penalties, source, Some(&data), family, options, used)
    } else {
        run(rows.layout(), penalties, Source::Data(&data), Some(&data), family, options, used)
    }
}

/// A gaussian fit from cross-products alone.
pub fn fit_quadratic(
    layout: &Layout,
    penalties: &[Penalty],
    family: &dyn Family,
    sums: &Quadratic,
    options: &Options,
) -> Result<Fit> {
    run(layout, penalties, Source::Quadratic(sums), None, family, options, sums.rows)
}

fn run(
    layout: &Layout,
    list: &[Penalty],
    source: Source,
    data: Option<&Data>,
    family: &dyn Family,
    options: &Options,
    n: f64,
) -> Result<Fit> {
    let penalties = Penalties::new(list, layout.width)?;
    let theta = family.theta_start();
    check_control(&options.control, penalties.count, theta.len(), layout.width)?;
    if n < penalties.null_dimension as f64 {
        let text = format!("{n} rows cannot determine {} unpenalised coefficients", penalties.null_dimension);
        return Err(Error::new("GAM_FEW_ROWS", text)
            .with("rows", n)
            .with("coefficients", penalties.null_dimension as f64));
    }
    let scale = options.scale.or(if family.scale_known() { Some(1.0) } else { None });
    let model = Model { source, layout, penalties: &penalties, method: options.method, scale, gamma: options.gamma, n };
    let best = in_units(&model, list, family, &theta, &options.control)?;
    let mut out = finish(&model, data, family, options, &best.evaluation, scale)?;
    out.rho = best.rho;
    out.certificate = best.certificate;
    (out.outer, out.evaluations, out.inner, out.trace) = (best.outer, best.evaluations, best.inner, best.trace);
    out.probe = best.probe;
    Ok(out)
}

fn finish(
    model: &Model,
    data: Option<&Data>,
    family: &dyn Family,
    options: &Options,
    e: &Evaluation,
    scale: Option<f64>,
) -> Result<Fit> {
    let p = &e.prepared;
    let width = model.layout.width;
    let beta = p.to_plain(&e.beta);
    // Fisher weights, except where the family is extended.
    let (gram, inverse) = match data {
        Some(d) if !family.observed_covariance() && !family.quadratic() => {
            let layout = model.layout.rotated(&p.rotation);
            let gram = d.working(&layout, &e.beta, &e.theta, Weights::Fisher)?.gram;
            let mut h = gram.clone();
            p.add_total(&mut h);
            let factor = Factor::new(&h).ok_or_else(|| model.rank_error(p, &gram))?;
            (gram, factor.inverse())
        }
        _ => (e.gram.clone(), e.inverse.clone()),
    };
    let influence = unrotate(p, &inverse.mul(&gram));
    let edf: Vec<f64> = (0..width).map(|i| influence[(i, i)]).collect();
    let edf1: Vec<f64> = (0..width)
        .map(|i| 2.0 * edf[i] - (0..width).map(|j| influence[(i, j)] * influence[(j, i)]).sum::<f64>())
        .collect();
    let total: f64 = edf.iter().sum();
    let residuals = data.map(|d| Residuals::of(d, model.layout, &beta, &e.theta)).transpose()?;
    let (deviance, pearson, bias, eta) = match residuals {
        Some(r) => (r.deviance, r.pearson, r.bias / model.n, r.eta),
        None => (2.0 * e.f, 2.0 * e.f, 0.0, Vec::new()),
    };
    // Pearson's estimate without the part that its correlation with the residuals adds (Fletcher 2012, Biometrika 99).
    let phi = scale.unwrap_or(pearson / (model.n - total) / (1.0 + bias.max(-0.9)));
    if let Some(d) = data {
        check_separation(d, model.layout, &p.rotate(&inverse, false), &eta)?;
    }
    let plain_inverse = p.rotate(&inverse, false);
    let plain_gram = p.rotate(&gram, false);
    let scaled = |m: &Mat| Mat { rows: m.rows, cols: m.cols, data: m.data.iter().map(|x| x * phi).collect() };
    let empty = Mat::zeros(0, 0);
    let (vp, ve) = if options.covariances || options.tests {
        (scaled(&plain_inverse), scaled(&plain_gram.congruence(&plain_inverse)))
    } else {
        (empty.clone(), empty.clone())
    };
    let (vc, edf2) =
        if options.covariances && !options.control.fixed && !e.directions.is_empty() && options.method != Method::Gcv {
            let general = family.predictors() > 1 || family.partial();
            let prior = if general { PRIOR_GENERAL } else { PRIOR };
            let vc = corrected(e, &inverse, &gram, phi, prior, family.dispersion_at())?;
            let mut edf2: Vec<f64> = (0..width).map(|i| dot(vc.row(i), plain_gram.row(i)) / phi).collect();
            // More than edf1 is no correction any more.
            if edf2.iter().sum::<f64>() >= edf1.iter().sum::<f64>() {
                edf2.clone_from(&edf1);
            }
            (vc, edf2)
        } else {
            (vp.clone(), edf.clone())
        };
    let mut out = Fit {
        beta,
        rho: Vec::new(),
        theta: family.theta_natural(&e.theta),
        parameters: e.theta.clone(),
        gradient: e.gradient.clone(),
        hessian: e.hessian.clone(),
        vp,
        ve,
        vc,
        edf,
        edf1,
        edf2,
        eta,
        baseline: Vec::new(),
        active: 0,
        gram: plain_gram,
        criterion: e.criterion,
        deviance,
        null_deviance: f64::NAN,
        scale: phi,
        reml_scale: e.phi,
        scale_estimated: scale.is_none(),
        unit: phi,
        log_lik: f64::NAN,
        aic: f64::NAN,
        bic: f64::NAN,
        n: model.n,
        residual_df: model.n - total,
        r_sq_adj: f64::NAN,
        certificate: Certificate::default(),
        outer: 0,
        evaluations: 0,
        inner: 0,
        trace: Vec::new(),
        probe: None,
        tests: Vec::new(),
    };
    if let Some(d) = data.filter(|_| family.partial()) {
        out.baseline = crate::cox::baseline(d, model.layout, &out.beta)?;
    }
    if let Some(d) = data {
        crate::overall::fill(&mut out, d, &e.theta, options.method);
    }
    Ok(out)
}

/// A probability of 0 or 1 whose linear predictor has no bound on its standard error comes from separated responses.
fn check_separation(d: &Data, layout: &Layout, v: &Mat, eta: &[f64]) -> Result<()> {
    if d.family.name() != "binomial" || d.rows.rows() == 0 {
        return Ok(());
    }
    let certain = |i: usize| {
        let mu = d.family.mean(&[], &eta[i..=i]).0;
        mu.min(1.0 - mu)
    };
    let used = (0..eta.len()).filter(|&i| d.w[i] > 0.0);
    let Some(row) = used.min_by(|&a, &b| certain(a).total_cmp(&certain(b))) else { return Ok(()) };
    if certain(row) > 1e-7 {
        return Ok(());
    }
    let x = layout.dense(d.rows, row, 1);
    let se = dot(&v.mul_vec(x.row(0)), x.row(0)).max(0.0).sqrt();
    if se < 100.0 {
        return Ok(());
    }
    let text = "coefficients run to infinity: some combination of the terms separates the responses perfectly";
    Err(Error::new("GAM_SEPARATED", text).with("row", row as f64).with("se", se))
}

/// Q M Q' for a matrix that is not symmetric.
fn unrotate(p: &crate::penalty::Prepared, m: &Mat) -> Mat {
    let mut out = m.clone();
    for (from, q) in &p.rotation {
        let (f, w) = (*from, q.rows);
        let columns = out.block(0..out.rows, f..f + w).mul(&q.t());
        for i in 0..out.rows {
            out.row_mut(i)[f..f + w].copy_from_slice(columns.row(i));
        }
        let rows = q.mul(&out.block(f..f + w, 0..out.cols));
        for i in 0..w {
            out.row_mut(f + i).copy_from_slice(rows.row(i));
        }
    }
    out
}
