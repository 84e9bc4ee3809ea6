//! Side constraints of nested smooths: in s(x) + s(z) + te(x, z) the tensor product holds the other two. Columns of the
//! smooth of more covariates that depend on those of fewer are taken out (Wood 2017, section 5.6.3).

use x_simd::Result;

use crate::basis::{Basis, Columns};
use crate::mat::{Mat, axpy, dot};
use crate::term::Term;

/// Dependence is looked for in at most this many rows, evenly spaced.
const ROWS: usize = 10_000;

/// Takes dependent columns out of the terms of one model. `intercept`: which predictors have a constant column.
pub fn constrain(terms: &mut [Term], intercept: &[bool], columns: &Columns, rows: usize) -> Result<()> {
    let variables: Vec<Vec<usize>> = terms.iter().map(distinct).collect();
    let mut order: Vec<usize> = (0..terms.len()).filter(|&t| variables[t].len() > 1 && may_nest(&terms[t])).collect();
    order.sort_by_key(|&t| variables[t].len());
    for t in order {
        let inside = |s: usize| {
            let (a, b) = (&terms[s], &terms[t]);
            a.predictor == b.predictor
                && a.by == b.by
                && !exempt(a)
                && variables[s].len() < variables[t].len()
                && variables[s].iter().all(|v| variables[t].contains(v))
        };
        let lower: Vec<&Term> = (0..terms.len()).filter(|&s| inside(s)).map(|s| &terms[s]).collect();
        if lower.is_empty() {
            continue;
        }
        let gone = dependent(&terms[t], &lower, intercept[terms[t].predictor], columns, rows);
        terms[t].drop_columns(&gone);
    }
    Ok(())
}

/// Random effects and smooths of factor levels (re, fs) take no part.
fn exempt(t: &Term) -> bool {
    matches!(t.basis, Basis::Random(_) | Basis::FactorSmooth(_))
}

/// A ti holds no smooth of fewer covariates, unless a random margin lets the others through.
fn may_nest(t: &Term) -> bool {
    !exempt(t) && (t.kind != "ti" || t.basis.is_random())
}

fn distinct(t: &Term) -> Vec<usize> {
    let mut out = Vec::new();
    t.basis.covariates(&mut out);
    out.sort_unstable();
    out.dedup();
    out
}

/// Columns of a term over the rows looked at, one vector each.
fn matrix(t: &Term, columns: &Columns, picked: &[usize]) -> Vec<Vec<f64>> {
    let lift = t.lift();
    let mut out = vec![vec![0.0; picked.len()]; t.width()];
    let mut row = vec![0.0; t.width()];
    for (r, &i) in picked.iter().enumerate() {
        t.basis.dense(columns, i, lift.as_ref(), &mut row);
        let by = t.by.map_or(1.0, |b| b.value(columns, i));
        row.iter().zip(&mut out).for_each(|(x, c)| c[r] = x * by);
    }
    out
}

/// Takes the parts along orthonormal `q` out of `x`, twice against rounding.
fn project(x: &mut [f64], q: &[Vec<f64>]) {
    for _ in 0..2 {
        for v in q {
            let c = dot(v, x);
            axpy(-c, v, x);
        }
    }
}

fn norm(x: &[f64]) -> f64 {
    dot(x, x).sqrt()
}

/// The columns that a QR decomposition with pivoting leaves for last, without a length of their own.
fn dependent(t: &Term, lower: &[&Term], intercept: bool, columns: &Columns, rows: usize) -> Vec<usize> {
    let step = rows.div_ceil(ROWS).max(1);
    let picked: Vec<usize> = (0..rows).step_by(step).collect();
    let mut q: Vec<Vec<f64>> = Vec::new();
    let ones = intercept.then(|| vec![1.0; picked.len()]);
    for mut x in ones.into_iter().chain(lower.iter().flat_map(|s| matrix(s, columns, &picked))) {
        let before = norm(&x);
        project(&mut x, &q);
        let size = norm(&x);
        if size > 1e-10 * before {
            x.iter_mut().for_each(|v| *v /= size);
            q.push(x);
        }
    }
    let mut rest: Vec<(usize, Vec<f64>)> = matrix(t, columns, &picked).into_iter().enumerate().collect();
    rest.iter_mut().for_each(|(_, x)| project(x, &q));
    let mut first = None;
    while !rest.is_empty() {
        let at = (0..rest.len()).max_by(|&a, &b| norm(&rest[a].1).total_cmp(&norm(&rest[b].1))).expect("not empty");
        let (column, mut x) = rest.remove(at);
        let size = norm(&x);
        if size < first.unwrap_or(size) * f64::EPSILON.sqrt() || size == 0.0 {
            rest.push((column, x));
            break;
        }
        first.get_or_insert(size);
        x.iter_mut().for_each(|v| *v /= size);
        let one = [x];
        rest.iter_mut().for_each(|(_, y)| project(y, &one));
    }
    let mut gone: Vec<usize> = rest.into_iter().map(|(c, _)| c).collect();
    gone.sort_unstable();
    gone
}

/// A matrix without some of its columns.
pub fn without(m: &Mat, gone: &[usize]) -> Mat {
    let kept: Vec<usize> = (0..m.cols).filter(|c| !gone.contains(c)).collect();
    Mat::from_fn(m.rows, kept.len(), |i, j| m[(i, kept[j])])
}
