//! Predictions with standard errors, whole and by term.

use rayon::prelude::*;
use x_simd::{Error, Job, Result, try_zeroed};

use crate::design::Design;
use crate::family::Family;
use crate::mat::Mat;
use crate::rows::{BLOCK, Block, Rows, pair};

pub struct Prediction {
    /// rows × columns
    pub fit: Vec<f64>,
    /// Empty when no covariance was given.
    pub se: Vec<f64>,
}

fn covariance(design: &Design, v: &[f64]) -> Result<Option<Mat>> {
    let p = design.layout().width;
    match v.len() {
        0 => Ok(None),
        l if l == p * p => Ok(Some(Mat { rows: p, cols: p, data: v.to_vec() })),
        l => Err(Error::new("SHAPE", format!("a covariance of {p} coefficients has {} values, {l} given", p * p))),
    }
}

fn check_beta(design: &Design, beta: &[f64]) -> Result<()> {
    let p = design.layout().width;
    if beta.len() == p {
        return Ok(());
    }
    Err(Error::new("SHAPE", format!("{} coefficients for a model of {p}", beta.len())))
}

/// Linear predictors with the coefficients for which `keep` is false set to zero.
fn masked(design: &Design, beta: &[f64], v: Option<&Mat>, keep: &[bool], job: &Job) -> Result<Prediction> {
    let layout = design.layout();
    let (n, k) = (design.rows(), layout.predictors);
    let beta: Vec<f64> = beta.iter().zip(keep).map(|(b, k)| if *k { *b } else { 0.0 }).collect();
    let raw = layout.raw_vec(&beta);
    let kept = |v: &Mat| Mat::from_fn(v.rows, v.cols, |i, j| if keep[i] && keep[j] { v[(i, j)] } else { 0.0 });
    let cells = v.map(|v| layout.cells_of(&kept(v))).transpose()?;
    let mut fit = try_zeroed(n * k)?;
    let mut se = try_zeroed(if v.is_some() { n * k } else { 0 })?;
    let run = |from: usize, fit: &mut [f64], se: &mut [f64]| -> Result<()> {
        job.check()?;
        let rows = fit.len() / k;
        let mut block = Block::default();
        design.fill(from, rows, &mut block);
        let mut eta = vec![0.0; rows];
        for c in 0..k {
            layout.eta(&block, c, &raw, &mut eta);
            eta.iter().enumerate().for_each(|(i, e)| fit[i * k + c] = *e);
        }
        if let Some(v) = &cells {
            let mut h = vec![Vec::new(); k * (k + 1) / 2];
            layout.quadratic(&block, v, &mut h);
            for c in 0..k {
                h[pair(c, c)].iter().enumerate().for_each(|(i, x)| se[i * k + c] = x.max(0.0).sqrt());
            }
        }
        Ok(())
    };
    let size = BLOCK * k;
    if se.is_empty() {
        fit.par_chunks_mut(size).enumerate().try_for_each(|(b, fit)| run(b * BLOCK, fit, &mut []))?;
    } else {
        let both = fit.par_chunks_mut(size).zip(se.par_chunks_mut(size)).enumerate();
        both.try_for_each(|(b, (fit, se))| run(b * BLOCK, fit, se))?;
    }
    Ok(Prediction { fit, se })
}

/// n × predictors; `exclude` are indices of `terms`.
pub fn predict(
    design: &Design,
    beta: &[f64],
    v: &[f64],
    offset: &[f64],
    exclude: &[u32],
    job: &Job,
) -> Result<Prediction> {
    check_beta(design, beta)?;
    let v = covariance(design, v)?;
    let ranges = design.ranges();
    let mut keep = vec![true; beta.len()];
    for &t in exclude {
        let range = ranges.get(t as usize).ok_or_else(|| Error::new("GAM_OPTIONS", format!("no term number {t}")))?;
        keep[range.clone()].fill(false);
    }
    let mut out = masked(design, beta, v.as_ref(), &keep, job)?;
    if !offset.is_empty() {
        if offset.len() != out.fit.len() {
            return Err(Error::new("SHAPE", format!("offset: {} values for {}", offset.len(), out.fit.len())));
        }
        crate::mat::axpy(1.0, offset, &mut out.fit);
    }
    Ok(out)
}

/// Predictions on the response scale, n × outputs (the mean; class probabilities), standard errors by the delta method.
pub fn response(
    design: &Design,
    family: &dyn Family,
    theta: &[f64],
    beta: &[f64],
    v: &[f64],
    offset: &[f64],
    job: &Job,
) -> Result<Prediction> {
    let link = predict(design, beta, &[], offset, &[], job)?;
    let layout = design.layout();
    let (n, k) = (design.rows(), layout.predictors);
    if k != family.predictors() {
        return Err(Error::new("SHAPE", format!("{k} linear predictors for the family {}", family.name())));
    }
    let cells = covariance(design, v)?.map(|v| layout.cells_of(&v)).transpose()?;
    let mut out = Prediction { fit: Vec::new(), se: Vec::new() };
    let mut block = Block::default();
    let mut h = vec![Vec::new(); k * (k + 1) / 2];
    for from in (0..n).step_by(BLOCK) {
        job.check()?;
        let rows = BLOCK.min(n - from);
        if let Some(v) = &cells {
            design.fill(from, rows, &mut block);
            layout.quadratic(&block, v, &mut h);
        }
        for i in 0..rows {
            let eta = &link.fit[(from + i) * k..(from + i + 1) * k];
            let (before, mut slopes) = (out.fit.len(), Vec::new());
            family.responses(theta, eta, &mut out.fit, &mut slopes);
            if cells.is_none() {
                continue;
            }
            let outputs = out.fit.len() - before;
            match family.jacobian(theta, eta) {
                Some(j) => out.se.extend(j.chunks_exact(k).map(|row| {
                    let pairs = (0..k).flat_map(|a| (0..k).map(move |b| (a, b)));
                    pairs.map(|(a, b)| row[a] * row[b] * h[pair(a, b)][i]).sum::<f64>().max(0.0).sqrt()
                })),
                // One slope an output, by its own linear predictor or by the only one.
                None => out.se.extend((0..outputs).map(|c| {
                    let own = if k == 1 { 0 } else { c };
                    slopes[c].abs() * h[pair(own, own)][i].max(0.0).sqrt()
                })),
            }
        }
    }
    Ok(out)
}

/// Contributions by term, n × terms: parametric terms (columns of one term together, intercepts left out), then smooths.
pub fn by_term(design: &Design, beta: &[f64], v: &[f64], job: &Job) -> Result<Prediction> {
    check_beta(design, beta)?;
    let v = covariance(design, v)?;
    let mut groups: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut names: Vec<(usize, &str)> = Vec::new();
    for (p, k, at) in design.parametric_columns() {
        if p.column.is_none() {
            continue;
        }
        match names.iter().position(|n| *n == (k, p.term.as_str())) {
            Some(i) => groups[i].1.push(at),
            None => {
                names.push((k, &p.term));
                groups.push((k, vec![at]));
            }
        }
    }
    groups.extend(design.terms.iter().zip(design.ranges()).map(|(t, range)| (t.predictor, range.collect())));
    let (n, k) = (design.rows(), design.layout().predictors);
    let mut fit = try_zeroed(n * groups.len())?;
    let mut se = try_zeroed(if v.is_some() { n * groups.len() } else { 0 })?;
    for (g, (predictor, members)) in groups.iter().enumerate() {
        let mut keep = vec![false; beta.len()];
        members.iter().for_each(|&i| keep[i] = true);
        let one = masked(design, beta, v.as_ref(), &keep, job)?;
        for i in 0..n {
            fit[i * groups.len() + g] = one.fit[i * k + predictor];
            if v.is_some() {
                se[i * groups.len() + g] = one.se[i * k + predictor];
            }
        }
    }
    Ok(Prediction { fit, se })
}

/// `draws` × coefficients from N(beta, V): the factor of V is its eigen root, so V may be singular.
pub fn sample(beta: &[f64], v: &[f64], draws: usize, seed: u64, job: &Job) -> Result<Vec<f64>> {
    let p = beta.len();
    if v.len() != p * p {
        return Err(Error::new(
            "SHAPE",
            format!("a covariance of {p} coefficients has {} values, {} given", p * p, v.len()),
        ));
    }
    let (values, vectors) = Mat { rows: p, cols: p, data: v.to_vec() }.eigen()?;
    let root = Mat::from_fn(p, p, |i, j| vectors[(i, j)] * values[j].max(0.0).sqrt());
    let mut out = try_zeroed(draws * p)?;
    for (d, row) in out.chunks_exact_mut(p.max(1)).enumerate() {
        job.check()?;
        let mut random = x_random::Random::new(seed, d as u64);
        let z: Vec<f64> = (0..p).map(|_| random.normal()).collect();
        row.copy_from_slice(&root.mul_vec(&z));
        crate::mat::axpy(1.0, beta, row);
    }
    Ok(out)
}
