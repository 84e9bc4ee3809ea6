//! The discretised mode (Wood, Li, Shaddick & Augustin 2017): the covariates of a smooth are rounded to a grid, its basis
//! is evaluated once a grid point, and a row keeps the number of its point. Rounding moves a covariate by at most half a
//! grid step; a covariate with fewer distinct values than the grid keeps them exactly.

use x_simd::{Job, Result, try_zeroed};

use crate::design::unmodified;
use crate::kernels::SPLINE;
use crate::term::Term;

/// Values and places of a term at the points of its grid.
pub struct Grid {
    /// Point of each row.
    pub index: Vec<u32>,
    pub place: Vec<u32>,
    /// points × window
    pub values: Vec<f64>,
}

/// Grid points a covariate, for smooths of one, two and more covariates.
const POINTS: [usize; 3] = [1000, 100, 25];
/// A smooth with more combinations than this is not rounded.
const MOST: usize = 1 << 20;

/// Rounds one covariate: the point of each row and the value of each point.
fn round(x: &[f64], points: usize) -> (Vec<u32>, Vec<f64>) {
    let mut few: Vec<f64> = Vec::new();
    for v in x {
        if let Err(at) = few.binary_search_by(|f| f.total_cmp(v)) {
            few.insert(at, *v);
            if few.len() > points {
                break;
            }
        }
    }
    if few.len() <= points {
        let index = x.iter().map(|v| few.binary_search_by(|f| f.total_cmp(v)).unwrap_or(0) as u32);
        return (index.collect(), few);
    }
    let (low, high) = x.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
    let step = (high - low) / (points - 1) as f64;
    let index = x.iter().map(|v| (((v - low) / step).round() as usize).min(points - 1) as u32).collect();
    let value = |i: usize| if i == points - 1 { high } else { low + step * i as f64 };
    (index, (0..points).map(value).collect())
}

impl Grid {
    /// `None` for terms that gain nothing: random effects, and smooths of more covariates than a grid can hold.
    pub fn new(term: &Term, columns: &[Vec<f64>], rows: usize, job: &Job) -> Result<Option<Grid>> {
        if term.basis.is_random() {
            return Ok(None);
        }
        let mut covariates = Vec::new();
        term.basis.numeric_columns(&mut covariates);
        covariates.sort_unstable();
        covariates.dedup();
        let points = POINTS[covariates.len().clamp(1, 3) - 1];
        let mut index = vec![0u32; rows];
        let mut total = 1;
        let mut rounded = Vec::new();
        for &c in &covariates {
            job.check()?;
            let (own, values) = round(&columns[c], points);
            if total * values.len() > MOST {
                return Ok(None);
            }
            index.iter_mut().zip(&own).for_each(|(i, o)| *i += total as u32 * o);
            rounded.push((c, total, values.clone()));
            total *= values.len();
        }
        // Only the combinations that occur.
        let mut number = vec![u32::MAX; total];
        let mut used = Vec::new();
        for i in &mut index {
            let n = &mut number[*i as usize];
            if *n == u32::MAX {
                *n = used.len() as u32;
                used.push(*i as usize);
            }
            *i = *n;
        }
        let mut at_points = vec![Vec::new(); columns.len()];
        for (c, stride, values) in rounded {
            at_points[c] = used.iter().map(|u| values[u / stride % values.len()]).collect();
        }
        let (_, window) = term.basis.sparse();
        let mut place = vec![0; used.len()];
        let mut values = try_zeroed(used.len() * window)?;
        unmodified(term, &at_points, 0, &mut place, &mut values);
        Ok(Some(Grid { index, place, values }))
    }

    /// The windows of rows `from ..`, before `by`.
    pub fn fill(&self, from: usize, window: usize, place: &mut [u32], out: &mut [f64]) {
        if window == SPLINE {
            let (values, out) = (self.values.as_chunks::<SPLINE>().0, out.as_chunks_mut::<SPLINE>().0);
            for ((place, out), &i) in place.iter_mut().zip(out).zip(&self.index[from..]) {
                (*place, *out) = (self.place[i as usize], values[i as usize]);
            }
            return;
        }
        for ((place, out), &i) in place.iter_mut().zip(out.chunks_exact_mut(window)).zip(&self.index[from..]) {
            let i = i as usize;
            *place = self.place[i];
            out.copy_from_slice(&self.values[i * window..(i + 1) * window]);
        }
    }
}
