//! Concurvity and the basis dimension check.

use x_random::Random;
use x_simd::{Error, Job, Result};

use crate::design::Design;
use crate::fit::quadratic_sums;
use crate::json::{Json, object};
use crate::mat::{Factor, Mat, dot};
use crate::rows::Rows;

/// How much of the parametric part and of each smooth the other terms can reproduce, by three measures between 0 and 1: the worst function of its
/// space, the fitted function, the space on average.
pub fn concurvity(design: &Design, beta: &[f64], job: &Job) -> Result<Json> {
    let width = design.layout().width;
    if beta.len() != width {
        return Err(Error::new("SHAPE", format!("{} coefficients for a model of {width}", beta.len())));
    }
    let ones = vec![1.0; design.rows()];
    let gram = quadratic_sums(design, &ones, &ones, &[], 0.0, job)?.gram;
    let smooth: Vec<usize> = design.ranges().into_iter().flatten().collect();
    let parametric: Vec<usize> = (0..width).filter(|i| !smooth.contains(i)).collect();
    let terms =
        design.terms.iter().zip(design.ranges()).map(|(t, range)| (t.label.as_str(), range.collect::<Vec<_>>()));
    let mut out = Vec::new();
    for (label, own) in std::iter::once(("para", parametric)).chain(terms).filter(|(_, own)| !own.is_empty()) {
        let rest: Vec<usize> = (0..width).filter(|i| !own.contains(i)).collect();
        let pick = |a: &[usize], b: &[usize]| Mat::from_fn(a.len(), b.len(), |i, j| gram[(a[i], b[j])]);
        let (b, cross) = (pick(&own, &own), pick(&rest, &own));
        let mut all = pick(&rest, &rest);
        let ridge = 1e-12 * all.trace() / rest.len().max(1) as f64;
        (0..rest.len()).for_each(|i| all[(i, i)] += ridge);
        let Some(factor) = Factor::new(&all) else { continue };
        let mut solved = cross.t();
        (0..solved.rows).for_each(|i| factor.solve(solved.row_mut(i)));
        let a = solved.mul(&cross);
        let coefficients: Vec<f64> = own.iter().map(|&i| beta[i]).collect();
        let worst = match Factor::new(&b) {
            Some(f) => {
                let mut m = a.congruence(&f.upper_inverse());
                m.symmetrise();
                m.eigen()?.0.last().copied().unwrap_or(f64::NAN)
            }
            None => f64::NAN,
        };
        let length = |m: &Mat| dot(&m.mul_vec(&coefficients), &coefficients);
        out.push(object([
            ("label", label.into()),
            ("worst", worst.clamp(0.0, 1.0).into()),
            ("observed", (length(&a) / length(&b)).into()),
            ("estimate", (a.trace() / b.trace()).into()),
        ]));
    }
    Ok(Json::Arr(out))
}

/// More rows than this are sampled down.
const MOST: usize = 5000;

/// Residuals of neighbours in a smooth's covariates against residuals in random order (k-index near 1, p not small, when
/// the basis is large enough). Terms without numeric covariates have none.
pub fn basis_check(
    design: &Design,
    edf: &[f64],
    residuals: &[f64],
    seed: u64,
    draws: usize,
    job: &Job,
) -> Result<Json> {
    let n = design.rows();
    if residuals.len() != n || edf.len() != design.layout().width {
        return Err(Error::new("SHAPE", "residuals need one value a row, edf one a coefficient"));
    }
    let mut random = Random::new(seed, 0);
    let mut rows: Vec<usize> = (0..n).collect();
    if n > MOST {
        random.shuffle(&mut rows);
        rows.truncate(MOST);
        rows.sort_unstable();
    }
    let mut out = Vec::new();
    for (term, range) in design.terms.iter().zip(design.ranges()) {
        job.check()?;
        let mut columns = Vec::new();
        if !term.basis.is_random() {
            term.basis.numeric_columns(&mut columns);
        }
        let sum: f64 = edf[range.clone()].iter().sum();
        let (mut index, mut p) = (f64::NAN, f64::NAN);
        if !columns.is_empty() && rows.len() > 2 {
            let pairs = neighbours(design, &columns, &rows);
            let roughness =
                |r: &[f64]| pairs.iter().map(|&(a, b)| (r[a] - r[b]).powi(2)).sum::<f64>() / (2.0 * pairs.len() as f64);
            let own: Vec<f64> = rows.iter().map(|&i| residuals[i]).collect();
            let observed = roughness(&own);
            let own_square = dot(&own, &own);
            let mut mixed = own;
            let mut all = Vec::with_capacity(draws);
            for _ in 0..draws {
                job.check()?;
                random.shuffle(&mut mixed);
                all.push(roughness(&mixed));
            }
            index = observed / (own_square / rows.len() as f64);
            p = all.iter().filter(|v| **v < observed).count() as f64 / draws as f64;
        }
        out.push(object([
            ("label", term.label.as_str().into()),
            ("kPrime", range.len().into()),
            ("edf", sum.into()),
            ("kIndex", index.into()),
            ("p", p.into()),
        ]));
    }
    Ok(Json::Arr(out))
}

/// Pairs of positions in `rows` that lie next to each other: consecutive in one covariate, the nearest in several.
fn neighbours(design: &Design, columns: &[usize], rows: &[usize]) -> Vec<(usize, usize)> {
    if let [c] = columns {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by(|&a, &b| design.value(*c, rows[a]).total_cmp(&design.value(*c, rows[b])));
        return order.windows(2).map(|w| (w[0], w[1])).collect();
    }
    let scale: Vec<f64> = columns
        .iter()
        .map(|&c| {
            let values: Vec<f64> = rows.iter().map(|&i| design.value(c, i)).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt().max(1e-300)
        })
        .collect();
    let distance = |a: usize, b: usize| -> f64 {
        columns
            .iter()
            .zip(&scale)
            .map(|(&c, s)| ((design.value(c, rows[a]) - design.value(c, rows[b])) / s).powi(2))
            .sum()
    };
    let nearest =
        |a: usize| (0..rows.len()).filter(|&b| b != a).min_by(|&x, &y| distance(a, x).total_cmp(&distance(a, y)));
    (0..rows.len()).filter_map(|a| nearest(a).map(|b| (a, b))).collect()
}
