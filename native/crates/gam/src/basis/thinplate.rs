//! Thin plate regression splines (Wood 2003): the radial basis over the distinct covariate points, cut to its largest
//! eigenvalues, with the polynomials that the penalty does not see.

use x_dense::SquareMatrix;
use x_random::Random;
use x_simd::{Error, Job, Result};

use super::{Columns, Plan, RawPenalty, matrix_json, matrix_read, too_few};
use crate::json::{Json, object};
use crate::mat::{Mat, complement_of};

pub struct ThinPlate {
    pub columns: Vec<usize>,
    order: usize,
    shift: Vec<f64>,
    shrink: bool,
    /// Centred points, one a row.
    points: Mat,
    /// Radial functions × coefficients of the wiggly part, scaled.
    radial: Mat,
    /// Scale of the polynomial columns.
    polynomial: Vec<f64>,
    powers: Vec<Vec<i32>>,
    /// Penalty of the wiggly part.
    inner: Mat,
}

/// More distinct points than this are sampled down.
const MOST: usize = 2000;

impl ThinPlate {
    pub fn learn(plan: &Plan, columns: &Columns) -> Result<ThinPlate> {
        let d = plan.columns.len();
        let order = match plan.m.first() {
            Some(&m) if m >= 1.0 && 2.0 * m > d as f64 => m as usize,
            Some(&m) if m > 0.0 => {
                return Err(Error::new("GAM_OPTIONS", format!("m = {m} is too small for {d} covariates")));
            }
            _ => d.div_ceil(2) + 1,
        };
        let powers = monomials(d, order);
        let null = powers.len();
        let k = plan.k.unwrap_or(null + [8, 27, 100][(d - 1).min(2)]);
        if k <= null {
            return Err(super::bad_knots(format!("k = {k} must exceed the {null} polynomials of the null space")));
        }
        let n = columns[plan.columns[0]].len();
        let shift: Vec<f64> = plan.columns.iter().map(|&c| columns[c].iter().sum::<f64>() / n as f64).collect();
        let points = match &plan.knots {
            Some(knots) if knots.len() == d && knots.iter().all(|k| k.len() == knots[0].len()) => {
                (0..knots[0].len()).map(|i| (0..d).map(|c| knots[c][i] - shift[c]).collect()).collect()
            }
            Some(_) => return Err(super::bad_knots("give as many knots for each covariate")),
            None => distinct_points(plan, columns, &shift),
        };
        if points.len() < k {
            return Err(too_few(plan, k, points.len()));
        }
        let points = Mat { rows: points.len(), cols: d, data: points.concat() };
        let u = points.rows;
        let mut out = ThinPlate {
            columns: plan.columns.clone(),
            order,
            shift,
            shrink: plan.bs == "ts",
            points,
            radial: Mat::zeros(u, 0),
            polynomial: vec![1.0; null],
            powers,
            inner: Mat::zeros(0, 0),
        };
        let (values, vectors) = leading(&out.points, &|a, b| out.distance_function(a, b), k)?;
        // T'U_k delta = 0. Any basis of the solutions would do; the covariance corrected for the smoothing parameters depends
        // on it, so it is the one others use: reflectors from the most negative eigenvalue on, largest eigenvalue first.
        let mut order: Vec<usize> = (0..k).collect();
        order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
        let u_k = Mat::from_fn(u, k, |i, j| vectors[(i, order[j])]);
        let t = Mat::from_fn(u, null, |i, j| out.monomial(out.points.row(i), j));
        let z = complement_of(&u_k.tmul(&t));
        let z = Mat::from_fn(k, k - null, |i, j| z[(i, k - null - 1 - j)]);
        out.radial = u_k.mul(&z);
        let d = Mat::from_fn(k, k, |i, j| if i == j { values[order[i]] } else { 0.0 });
        out.inner = d.congruence(&z);
        out.normalise(columns, n);
        Ok(out)
    }

    /// Columns of unit mean square over the data.
    fn normalise(&mut self, columns: &Columns, n: usize) {
        let width = self.width();
        let mut squares = vec![0.0; width];
        let mut row = vec![0.0; width];
        for i in 0..n {
            self.window(columns, i, &mut row);
            squares.iter_mut().zip(&row).for_each(|(s, x)| *s += x * x);
        }
        let scale: Vec<f64> = squares.iter().map(|s| 1.0 / (s / n as f64).sqrt()).collect();
        let wiggly = self.radial.cols;
        for i in 0..self.radial.rows {
            self.radial.row_mut(i).iter_mut().zip(&scale).for_each(|(x, s)| *x *= s);
        }
        self.inner = Mat::from_fn(wiggly, wiggly, |i, j| self.inner[(i, j)] * scale[i] * scale[j]);
        self.polynomial = scale[wiggly..].to_vec();
    }

    /// The radial function of the thin plate penalty of this order.
    fn distance_function(&self, a: &[f64], b: &[f64]) -> f64 {
        let (d, m) = (a.len() as i32, self.order as i32);
        let square: f64 = a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum();
        if square == 0.0 {
            return 0.0;
        }
        let factorial = |n: i32| (1..=n).map(f64::from).product::<f64>();
        let pi = std::f64::consts::PI;
        if d % 2 == 0 {
            let sign = if (m + 1 + d / 2) % 2 == 0 { 1.0 } else { -1.0 };
            let c = sign / (2f64.powi(2 * m - 1) * pi.powi(d / 2) * factorial(m - 1) * factorial(m - d / 2));
            c * square.powi(m - d / 2) * 0.5 * square.ln()
        } else {
            // Gamma(d/2 - m) by the recurrence up from Gamma(1/2).
            let mut gamma = pi.sqrt();
            let mut at = 0.5;
            let target = f64::from(d) / 2.0 - f64::from(m);
            while at > target {
                at -= 1.0;
                gamma /= at;
            }
            let c = gamma / (2f64.powi(2 * m) * pi.powf(f64::from(d) / 2.0) * factorial(m - 1));
            c * square.sqrt().powi(2 * m - d)
        }
    }

    fn monomial(&self, x: &[f64], j: usize) -> f64 {
        self.powers[j].iter().zip(x).map(|(p, x)| x.powi(*p)).product()
    }

    pub fn state(&self) -> Json {
        object([
            ("kind", "thinplate".into()),
            ("columns", self.columns.clone().into()),
            ("order", self.order.into()),
            ("shift", self.shift.clone().into()),
            ("shrink", self.shrink.into()),
            ("points", matrix_json(&self.points)),
            ("radial", matrix_json(&self.radial)),
            ("polynomial", self.polynomial.clone().into()),
            ("inner", matrix_json(&self.inner)),
        ])
    }

    pub fn restore(j: &Json) -> Result<ThinPlate> {
        let columns: Vec<usize> =
            j.get("columns").list("columns")?.iter().map(|c| c.index("column")).collect::<Result<_>>()?;
        let order = j.get("order").index("order")?;
        Ok(ThinPlate {
            powers: monomials(columns.len(), order),
            columns,
            order,
            shift: j.get("shift").nums("shift")?,
            shrink: j.get("shrink").flag(),
            points: matrix_read(j.get("points"))?,
            radial: matrix_read(j.get("radial"))?,
            polynomial: j.get("polynomial").nums("polynomial")?,
            inner: matrix_read(j.get("inner"))?,
        })
    }

    pub fn width(&self) -> usize {
        self.radial.cols + self.powers.len()
    }

    pub fn window(&self, columns: &Columns, i: usize, out: &mut [f64]) -> usize {
        let x: Vec<f64> = self.columns.iter().zip(&self.shift).map(|(&c, s)| columns[c][i] - s).collect();
        let wiggly = self.radial.cols;
        out[..wiggly].fill(0.0);
        for r in 0..self.points.rows {
            crate::mat::axpy(self.distance_function(&x, self.points.row(r)), self.radial.row(r), &mut out[..wiggly]);
        }
        for j in 0..self.powers.len() {
            out[wiggly + j] = self.monomial(&x, j) * self.polynomial[j];
        }
        0
    }

    pub fn penalties(&self) -> Result<Vec<RawPenalty>> {
        let (w, wiggly) = (self.width(), self.radial.cols);
        let mut s = Mat::zeros(w, w);
        s.add_block(0, 0, 1.0, &self.inner);
        s.symmetrise();
        if !self.shrink {
            return Ok(vec![(s, wiggly)]);
        }
        // ts: the zero eigenvalues become a tenth of the smallest other one.
        let (mut values, vectors) = s.eigen()?;
        let null = w - wiggly;
        let small = values[null] * 0.1;
        values[..null].fill(small);
        let mut full = Mat::from_fn(w, w, |i, j| vectors[(i, j)] * values[j]).mul(&vectors.t());
        full.symmetrise();
        Ok(vec![(full, w)])
    }
}

/// The `k` eigenvalues of largest size of a radial function over points, in that order, with their vectors as columns.
pub fn leading(points: &Mat, distance: &dyn Fn(&[f64], &[f64]) -> f64, k: usize) -> Result<(Vec<f64>, Mat)> {
    let u = points.rows;
    let mut e = SquareMatrix::zeros(u)?;
    for i in 0..u {
        for j in 0..=i {
            let x = distance(points.row(i), points.row(j));
            e.data_mut()[i * u + j] = x;
            e.data_mut()[j * u + i] = x;
        }
    }
    let eigen = x_dense::eigh(e, 1, &Job::default())?;
    let mut order: Vec<usize> = (0..u).collect();
    order.sort_by(|&a, &b| eigen.values[b].abs().total_cmp(&eigen.values[a].abs()));
    order.truncate(k);
    let values = order.iter().map(|&i| eigen.values[i]).collect();
    Ok((values, Mat::from_fn(u, k, |i, j| eigen.vectors.row(i)[order[j]])))
}

/// Exponents of the monomials of total degree below `order`, the first rising fastest.
pub fn monomials(d: usize, order: usize) -> Vec<Vec<i32>> {
    let mut out = Vec::new();
    let mut powers = vec![0; d];
    loop {
        out.push(powers.clone());
        // The first power rises fastest.
        let mut c = 0;
        loop {
            powers[c] += 1;
            if powers.iter().sum::<i32>() < order as i32 {
                break;
            }
            powers[c] = 0;
            c += 1;
            if c == d {
                return out;
            }
        }
    }
}

/// Distinct covariate points in ascending order, sampled down to `MOST`.
pub fn distinct_points(plan: &Plan, columns: &Columns, shift: &[f64]) -> Vec<Vec<f64>> {
    let n = columns[plan.columns[0]].len();
    let mut all: Vec<Vec<f64>> =
        (0..n).map(|i| plan.columns.iter().zip(shift).map(|(&c, s)| columns[c][i] - s).collect()).collect();
    let compare = |a: &Vec<f64>, b: &Vec<f64>| {
        a.iter().zip(b).map(|(x, y)| x.total_cmp(y)).find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    };
    all.sort_by(compare);
    all.dedup();
    if all.len() > MOST {
        Random::new(1, 0).shuffle(&mut all);
        all.truncate(MOST);
        all.sort_by(compare);
    }
    all
}
