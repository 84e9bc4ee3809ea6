//! Fits under shape constraints. At given smoothing parameters the penalised likelihood has one constrained minimum: a
//! Newton step is a quadratic programme. The constraints that are active there leave a linear space of coefficients, and
//! over that space the smoothing parameters are chosen as ever. Both alternate until the active constraints stay; edf,
//! covariances and tests are those of the space, given the active constraints.

use std::ops::Range;

use x_simd::{Error, Job, Result};

use crate::design::Design;
use crate::family::{Family, Response, check_response};
use crate::fit::{Fit, Options, fit};
use crate::mat::{Factor, Mat, dot};
use crate::outer::Certificate;
use crate::passes::{Data, Weights, Working};
use crate::penalty::{Penalties, Penalty, Prepared};
use crate::rows::{Block, Layout, Rows};
use crate::shape::{Corner, programme};
use crate::unit::{penalties_in, unit_of_rows};

/// Rounds of active constraints and smoothing parameters.
const ROUNDS: usize = 60;
const MAX_NEWTON: usize = 100;

/// A design whose coefficients are restricted to the columns of Z.
struct Face<'a> {
    design: &'a Design,
    layout: Layout,
    penalties: Vec<Penalty>,
    /// Coefficients × coefficients of the face, orthonormal.
    z: Mat,
    /// Which of the design's penalties still reach the face.
    kept: Vec<usize>,
}

impl Rows for Face<'_> {
    fn rows(&self) -> usize {
        self.design.rows()
    }
    fn layout(&self) -> &Layout {
        &self.layout
    }
    fn fill(&self, from: usize, rows: usize, block: &mut Block) {
        self.design.fill(from, rows, block);
    }
}

/// Orthonormal basis of the vectors that the rows of `c` take to zero.
fn null_space(c: &Mat) -> Result<Mat> {
    if c.rows == 0 {
        return Ok(Mat::identity(c.cols));
    }
    let scaled = Mat::from_fn(c.rows, c.cols, |i, j| c[(i, j)] / dot(c.row(i), c.row(i)).sqrt());
    let (values, vectors) = scaled.tmul(&scaled).eigen()?;
    let free = values.iter().filter(|v| **v < 1e-10).count();
    Ok(vectors.block(0..c.cols, 0..free))
}

impl<'a> Face<'a> {
    fn new(design: &'a Design, constraints: &[(Range<usize>, Mat)], active: &[usize]) -> Result<Face<'a>> {
        let old = design.layout();
        let mut layout = Layout::new(old.predictors);
        let mut blocks: Vec<(usize, usize, Mat)> = Vec::new();
        for piece in &old.pieces {
            let range = piece.from..piece.from + piece.width;
            // A shape never holds the parametric columns.
            if let Some(i) = old.intercept.filter(|i| range.contains(i)) {
                layout.intercept = Some(layout.width + i - piece.from);
            }
            let mut first = 0;
            let mut rows: Vec<f64> = Vec::new();
            for (own, c) in constraints {
                for &i in active.iter().filter(|&&i| (first..first + c.rows).contains(&i)) {
                    if own.start == range.start {
                        rows.extend_from_slice(c.row(i - first));
                    }
                }
                first += c.rows;
            }
            if rows.is_empty() {
                blocks.push((piece.from, layout.width, Mat::identity(piece.width)));
                layout.push(piece.places, piece.window, piece.width, piece.predictor, piece.lift.clone());
                continue;
            }
            let z = null_space(&Mat { rows: rows.len() / piece.width, cols: piece.width, data: rows })?;
            let lift = piece.lift.as_ref().map_or_else(|| z.clone(), |l| l.mul(&z));
            blocks.push((piece.from, layout.width, z));
            let width = lift.cols;
            layout.push(piece.places, piece.window, width, piece.predictor, Some(lift));
        }
        let mut z = Mat::zeros(old.width, layout.width);
        blocks.iter().for_each(|(from, to, block)| z.add_block(*from, *to, 1.0, block));
        let (mut penalties, mut kept) = (Vec::new(), Vec::new());
        for (j, p) in design.penalties.iter().enumerate() {
            let mut parts = Vec::new();
            for (from, s) in &p.parts {
                let (_, to, block) = blocks.iter().find(|b| b.0 == *from).expect("a penalty belongs to a piece");
                let reduced = s.congruence(block);
                if reduced.rows > 0 && reduced.largest() > 1e-10 * s.largest() {
                    parts.push((*to, reduced));
                }
            }
            if !parts.is_empty() {
                penalties.push(Penalty { parts, ..p.clone() });
                kept.push(j);
            }
        }
        Ok(Face { design, layout, penalties, z, kept })
    }
}

/// Fits a design some of whose terms have shapes.
#[allow(clippy::too_many_arguments)]
pub fn fit_shaped(
    design: &Design,
    family: &dyn Family,
    y: &[f64],
    w: &[f64],
    offset: &[f64],
    options: &Options,
    job: &Job,
) -> Result<Fit> {
    let constraints = design.constraints();
    let width = design.layout().width;
    let count: usize = constraints.iter().map(|(_, c)| c.rows).sum();
    let mut all = Mat::zeros(count, width);
    let mut at = 0;
    for (range, c) in &constraints {
        all.add_block(at, range.start, 1.0, c);
        at += c.rows;
    }
    // In the unit of the responses, as the search is.
    let unit = unit_of_rows(y, w, family);
    let weights: Vec<f64> = w.iter().map(|w| w / unit).collect();
    let data = Data { rows: design, family, y, w: &weights, offset, job };
    let penalties = penalties_in(&design.penalties, unit);
    let m = design.penalties.len();
    let mut rho: Vec<f64> = options.control.rho.clone().unwrap_or_else(|| vec![f64::NAN; m]);
    // Not from the free fit: it need not exist (separated responses) where the constrained one does.
    let theta = family.theta_start();
    let layout = design.layout();
    let start = Solver { data: &data, penalties: &penalties, layout, constraints: &all, parameters: &theta };
    let mut active = start.solve(&rho)?.active;
    let mut seen: Vec<Vec<usize>> = Vec::new();
    let mut joined = false;
    let mut work = (0, 0, 0);
    let mut trace = Vec::new();
    check_response(family, Response { y, w })?;
    for _ in 0..ROUNDS {
        let face = Face::new(design, &constraints, &active)?;
        let mut own = options.clone();
        own.control.beta = None;
        own.control.rho = Some(face.kept.iter().map(|&j| rho[j]).collect());
        let mut fitted = fit(&face, &face.penalties, family, y, w, offset, &own, job)?;
        face.kept.iter().zip(&fitted.rho).for_each(|(&j, r)| rho[j] = *r);
        work = (work.0 + fitted.outer, work.1 + fitted.evaluations, work.2 + fitted.inner);
        if trace.is_empty() {
            trace = whole_trace(&fitted, &face, &rho);
        }
        let corner = Solver { parameters: &fitted.parameters, ..start }.solve(&rho)?;
        let distance = corner.x.iter().zip(face.z.mul_vec(&fitted.beta)).map(|(a, b)| (a - b).abs());
        let size = corner.x.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        let same = corner.active == active || distance.fold(0.0, f64::max) < 1e-8 * size;
        let circling = !same && joined && seen.contains(&corner.active);
        if circling {
            // The smoothing parameters of the face on which all of the circle holds; the fit is the constrained one there.
            let face = Face::new(design, &constraints, &corner.active)?;
            own.control.rho = Some(face.kept.iter().map(|&j| if rho[j].is_finite() { rho[j] } else { 0.0 }).collect());
            own.control.fixed = true;
            let mut last = fit(&face, &face.penalties, family, y, w, offset, &own, job)?;
            last.certificate = Certificate { infinite: Vec::new(), at_box: Vec::new(), ..fitted.certificate };
            (last.outer, last.evaluations, last.inner) = (work.0, work.1 + last.evaluations, work.2 + last.inner);
            last.trace = trace;
            return Ok(expand(last, &face, m, &rho, corner.active.len()));
        }
        if same {
            (fitted.outer, fitted.evaluations, fitted.inner) = work;
            fitted.trace = trace;
            return Ok(expand(fitted, &face, m, &rho, active.len()));
        }
        seen.push(std::mem::replace(&mut active, corner.active));
        if let Some(first) = seen.iter().position(|s| *s == active) {
            // Going round in a circle: what was active anywhere on it stays so.
            active = seen[first..].concat();
            active.sort_unstable();
            active.dedup();
            joined = true;
        }
    }
    Err(Error::new("GAM_NOT_CONVERGED", "active shape constraints and smoothing parameters did not settle together"))
}

/// The trace of a face's fit with the smoothing parameters that do not reach it where they were.
fn whole_trace(fit: &Fit, face: &Face, rho: &[f64]) -> Vec<(f64, Vec<f64>)> {
    let whole = |(criterion, point): &(f64, Vec<f64>)| {
        let mut all: Vec<f64> = rho.iter().map(|r| if r.is_finite() { *r } else { 0.0 }).collect();
        face.kept.iter().zip(point).for_each(|(&j, r)| all[j] = *r);
        (*criterion, all)
    };
    fit.trace.iter().map(whole).collect()
}

/// The constrained minimum at given smoothing parameters.
#[derive(Clone, Copy)]
struct Solver<'a> {
    data: &'a Data<'a>,
    penalties: &'a [Penalty],
    layout: &'a Layout,
    constraints: &'a Mat,
    /// Of the family.
    parameters: &'a [f64],
}

impl Solver<'_> {
    /// In the rotated coefficients of the penalties, where large smoothing parameters do no harm.
    fn solve(&self, rho: &[f64]) -> Result<Corner> {
        let plain = self.layout;
        // A parameter that nothing has determined yet does no harm at 1.
        let known: Vec<f64> = rho.iter().map(|r| if r.is_finite() { *r } else { 0.0 }).collect();
        let p = Penalties::new(self.penalties, plain.width)?.prepare(&known)?;
        let layout = plain.rotated(&p.rotation);
        let rows: Vec<Vec<f64>> = (0..self.constraints.rows).map(|i| p.to_rotated(self.constraints.row(i))).collect();
        let c = Mat { rows: rows.len(), cols: plain.width, data: rows.concat() };
        let working = |x: &[f64]| self.data.working(&layout, x, self.parameters, Weights::Observed);
        let objective = |w: &Working, x: &[f64]| w.f + 0.5 * dot(x, &p.total_times(x));
        let first = self.data.starting(&layout, self.parameters, false)?;
        let mut corner = self.step(&first, &p, &layout, &c, &vec![0.0; plain.width])?;
        let mut now = working(&corner.x)?;
        let finish = |corner: Corner| Ok(Corner { x: p.to_plain(&corner.x), ..corner });
        let failure = || Error::new("GAM_INNER", "the fit under shape constraints did not converge");
        for _ in 0..MAX_NEWTON {
            let value = objective(&now, &corner.x);
            let next = self.step(&now, &p, &layout, &c, &corner.x)?;
            let direction: Vec<f64> = next.x.iter().zip(&corner.x).map(|(a, b)| a - b).collect();
            let mut gradient = p.total_times(&corner.x);
            crate::mat::axpy(1.0, &now.score, &mut gradient);
            let decrement = -0.5 * dot(&gradient, &direction);
            let mut size = 1.0;
            loop {
                let mut x = corner.x.clone();
                crate::mat::axpy(size, &direction, &mut x);
                let w = working(&x)?;
                let better = objective(&w, &x);
                if better.is_finite() && better <= value + 1e-12 * (1.0 + value.abs()) {
                    (corner, now) = (Corner { x, active: next.active }, w);
                    break;
                }
                size *= 0.5;
                if size < 1e-9 {
                    let rounding = decrement < 1e-7 * (1.0 + value.abs());
                    return if rounding { finish(Corner { active: next.active, ..corner }) } else { Err(failure()) };
                }
            }
            if decrement < 1e-11 * (1.0 + value.abs()) {
                return finish(corner);
            }
        }
        Err(failure())
    }

    fn step(&self, w: &Working, p: &Prepared, layout: &Layout, c: &Mat, x: &[f64]) -> Result<Corner> {
        let factored = |gram: &Mat| {
            let mut h = gram.clone();
            p.add_total(&mut h);
            Factor::new(&h)
        };
        let factor = match factored(&w.gram) {
            Some(f) => f,
            None => {
                let fisher = self.data.working(layout, x, self.parameters, Weights::Fisher)?;
                let text = "some coefficient cannot be told apart from the others";
                factored(&fisher.gram).ok_or_else(|| Error::new("GAM_RANK", text))?
            }
        };
        let mut step = p.total_times(x);
        crate::mat::axpy(1.0, &w.score, &mut step);
        factor.solve(&mut step);
        let free: Vec<f64> = x.iter().zip(&step).map(|(x, s)| x - s).collect();
        programme(&factor, &free, c)
    }
}

/// The fit of a face in the coefficients of the whole design.
fn expand(fit: Fit, face: &Face, penalties: usize, rho: &[f64], active: usize) -> Fit {
    let z = &face.z;
    let both = |m: &Mat| if m.rows == 0 { m.clone() } else { z.mul(m).mul(&z.t()) };
    // Shares of a coefficient of the face; their sum over a term is that of the face.
    let shares =
        |v: &[f64]| -> Vec<f64> { (0..z.rows).map(|i| z.row(i).iter().zip(v).map(|(z, v)| z * z * v).sum()).collect() };
    let mut gradient = vec![0.0; penalties];
    let mut hessian = Mat::zeros(penalties, penalties);
    for (a, &i) in face.kept.iter().enumerate() {
        gradient[i] = fit.gradient.get(a).copied().unwrap_or(0.0);
        for (b, &j) in face.kept.iter().enumerate() {
            if fit.hessian.rows > a.max(b) {
                hessian[(i, j)] = fit.hessian[(a, b)];
            }
        }
    }
    let mut certificate = fit.certificate.clone();
    for list in [&mut certificate.infinite, &mut certificate.at_box] {
        list.iter_mut().for_each(|j| *j = face.kept[*j]);
    }
    // A penalty that does not reach the face is flat.
    certificate.infinite.extend((0..penalties).filter(|j| !face.kept.contains(j)));
    Fit {
        beta: z.mul_vec(&fit.beta),
        rho: rho.iter().map(|r| if r.is_finite() { *r } else { 0.0 }).collect(),
        gradient,
        hessian,
        certificate,
        vp: both(&fit.vp),
        ve: both(&fit.ve),
        vc: both(&fit.vc),
        gram: both(&fit.gram),
        edf: shares(&fit.edf),
        edf1: shares(&fit.edf1),
        edf2: shares(&fit.edf2),
        active,
        ..fit
    }
}
