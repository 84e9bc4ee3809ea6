//! The unit of the response. A search knows only lengths near 1: what is small is small beside the likelihood of a row. So
//! a fit whose scale is estimated runs on a likelihood in which a response that only varies about its mean has a mean
//! deviance near 1, and on penalties divided likewise. Smoothing parameters and coefficients are the same; likelihood, scale
//! and second derivatives are put back afterwards. The unit is a power of four, so that nothing is rounded on the way,
//! square roots included.

use x_simd::Result;

use crate::criterion::{Evaluation, Method, Model, Quadratic, Source};
use crate::family::Family;
use crate::mat::Mat;
use crate::outer::{Control, Optimum, optimise};
use crate::passes::Data;
use crate::penalty::{Penalties, Penalty};

/// Powers of four up to this one are no unit worth a change.
const ORDINARY: f64 = 3.0;

/// The power of four next to `x`; 1 for what is of ordinary size or has none.
fn power_of_four(x: f64) -> f64 {
    let exponent = (0.5 * x.log2()).round();
    if exponent.is_finite() && exponent.abs() > ORDINARY { (2.0 * exponent.clamp(-500.0, 500.0)).exp2() } else { 1.0 }
}

fn scaled(m: &Mat, by: f64) -> Mat {
    Mat { rows: m.rows, cols: m.cols, data: m.data.iter().map(|x| x * by).collect() }
}

fn unit_of(source: &Source, family: &dyn Family) -> f64 {
    match source {
        Source::Quadratic(q) => power_of_four(q.yy / q.rows),
        Source::Data(d) => unit_of_rows(d.y, d.w, family),
    }
}

/// What a row's deviance is measured in: the mean squared distance from the mean response over the variance that the family
/// gives it. 1 where the scale is known or one of the family's own parameters.
pub fn unit_of_rows(y: &[f64], w: &[f64], family: &dyn Family) -> f64 {
    if family.scale_known() || family.dispersion_at().is_some() {
        return 1.0;
    }
    let (mut total, mut sum, mut rows) = (0.0, 0.0, 0.0);
    for (y, w) in y.iter().zip(w).filter(|(_, w)| **w > 0.0) {
        total += w;
        sum += w * y;
        rows += 1.0;
    }
    let mean = sum / total;
    let squares: f64 = y.iter().zip(w).map(|(y, w)| w * (y - mean) * (y - mean)).sum();
    power_of_four(squares / rows / family.variance_of(mean))
}

/// Penalties of a likelihood measured in `unit`.
pub fn penalties_in(list: &[Penalty], unit: f64) -> Vec<Penalty> {
    let parts = |p: &Penalty| p.parts.iter().map(|(from, s)| (*from, scaled(s, 1.0 / unit))).collect();
    list.iter().map(|p| Penalty { parts: parts(p), ..p.clone() }).collect()
}

/// The search of `model`, whose penalties are `list`, in the unit of its responses.
pub fn in_units(
    model: &Model,
    list: &[Penalty],
    family: &dyn Family,
    theta: &[f64],
    control: &Control,
) -> Result<Optimum> {
    let unit = unit_of(&model.source, family);
    let inside = Penalties::new(&penalties_in(list, unit), model.layout.width)?;
    let scale = model.scale.map(|s| s / unit);
    // The criterion of GCV is in the unit, that of a likelihood is not.
    let size = if model.method == Method::Gcv { unit } else { 1.0 };
    let level = if let Source::Quadratic(q) = &model.source { q.level } else { 0.0 };
    let mut control = control.clone();
    if let (Some(beta), Some(i)) = (&mut control.beta, model.layout.intercept) {
        beta[i] -= level;
    }
    control.third.iter_mut().for_each(|t| *t /= size);
    let (sums, weights, data);
    let source = match &model.source {
        Source::Quadratic(q) => {
            sums = Quadratic {
                gram: scaled(&q.gram, 1.0 / unit),
                xty: q.xty.iter().map(|x| x / unit).collect(),
                yy: q.yy / unit,
                log_weights: q.log_weights - q.rows * unit.ln(),
                ..**q
            };
            Source::Quadratic(&sums)
        }
        Source::Data(d) if unit == 1.0 => Source::Data(d),
        Source::Data(d) => {
            weights = d.w.iter().map(|w| w / unit).collect::<Vec<f64>>();
            data = Data { w: &weights, ..**d };
            Source::Data(&data)
        }
    };
    let model = Model { source, penalties: &inside, scale, ..*model };
    let mut best = optimise(&model, theta, &control)?;
    best.trace.iter_mut().for_each(|(criterion, _)| *criterion *= size);
    if let Some(probe) = &mut best.probe {
        probe.third.iter_mut().for_each(|t| *t *= size);
    }
    let e = &mut best.evaluation;
    put_back(e, unit, size);
    e.prepared = Penalties::new(list, model.layout.width)?.prepare(&best.rho)?;
    if let Some(i) = model.layout.intercept {
        let mut beta = e.prepared.to_plain(&e.beta);
        beta[i] += level;
        e.beta = e.prepared.to_rotated(&beta);
    }
    Ok(best)
}

fn put_back(e: &mut Evaluation, unit: f64, size: f64) {
    for x in [&mut e.f, &mut e.penalty, &mut e.phi, &mut e.decrement] {
        *x *= unit;
    }
    e.criterion *= size;
    e.gradient.iter_mut().for_each(|g| *g *= size);
    e.hessian = scaled(&e.hessian, size);
    e.inverse = scaled(&e.inverse, 1.0 / unit);
    e.gram = scaled(&e.gram, unit);
    e.gram_slopes.iter_mut().for_each(|g| *g = scaled(g, unit));
    e.log_det_h += e.beta.len() as f64 * unit.ln();
}
