//! Radial bases about the distinct covariate points, cut to their largest eigenvalues as thin plate regression splines
//! are (Wood 2003): Duchon splines (ds; Duchon 1977) and Gaussian processes (gp; Kammann & Wand 2003).

use x_simd::{Error, Result};

use super::thinplate::{distinct_points, leading, monomials};
use super::{Columns, Plan, RawPenalty, matrix_json, matrix_read, too_few};
use crate::json::{Json, malformed, object};
use crate::mat::{Mat, axpy, complement_of};

/// What the distance of two points is worth.
#[derive(Clone, Copy)]
enum Kernel {
    /// r^exponent, times ln r where the exponent is even, with the sign that makes it conditionally positive definite.
    Duchon { exponent: f64 },
    /// Correlation function 1 … 5 of mgcv's `m`.
    Correlation { kind: usize, range: f64, power: f64 },
}

pub struct Radial {
    pub columns: Vec<usize>,
    kernel: Kernel,
    shift: Vec<f64>,
    /// A power of two that covariates far from 1 are measured in: columns of x and of x³ would differ too much in size to
    /// tell a penalty's null space from rounding.
    unit: f64,
    points: Mat,
    /// Radial functions × coefficients of the wiggly part.
    radial: Mat,
    /// Polynomials of total degree below this are free; 0 = none but the constant of a stationary process.
    order: usize,
    powers: Vec<Vec<i32>>,
    /// Penalty of the wiggly part.
    inner: Mat,
}

/// Covariates whose largest distance from their mean lies between this and its inverse are taken as they are.
const ORDINARY: f64 = 8.0;

fn unit_of(points: &Mat) -> f64 {
    let largest = points.largest();
    if largest > 0.0 && !(1.0 / ORDINARY..=ORDINARY).contains(&largest) { largest.log2().round().exp2() } else { 1.0 }
}

impl Kernel {
    /// What the functions of covariates in another unit are divided by.
    fn size(&self, unit: f64) -> f64 {
        match *self {
            Kernel::Duchon { exponent } => unit.powf(exponent),
            Kernel::Correlation { .. } => 1.0,
        }
    }

    fn at(&self, a: &[f64], b: &[f64]) -> f64 {
        let r = a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt();
        match *self {
            Kernel::Duchon { exponent } => {
                if r == 0.0 {
                    return 0.0;
                }
                let half = exponent / 2.0;
                if half.fract() == 0.0 {
                    let sign = if half as i64 % 2 == 0 { -1.0 } else { 1.0 };
                    sign * r.powf(exponent) * r.ln()
                } else {
                    let sign = if half.ceil() as i64 % 2 == 0 { 1.0 } else { -1.0 };
                    sign * r.powf(exponent)
                }
            }
            Kernel::Correlation { kind, range, power } => {
                let x = r / range;
                match kind {
                    1 => {
                        if x <= 1.0 {
                            1.0 - 1.5 * x + 0.5 * x * x * x
                        } else {
                            0.0
                        }
                    }
                    2 => (-x.powf(power)).exp(),
                    3 => (-x).exp() * (1.0 + x),
                    4 => (-x).exp() * (1.0 + x + x * x / 3.0),
                    _ => (-x).exp() * (1.0 + x + 0.4 * x * x + x * x * x / 15.0),
                }
            }
        }
    }

    fn numbers(&self) -> Vec<f64> {
        match *self {
            Kernel::Duchon { exponent } => vec![exponent],
            Kernel::Correlation { kind, range, power } => vec![kind as f64, range, power],
        }
    }

    fn read(v: &[f64]) -> Result<Kernel> {
        match *v {
            [exponent] => Ok(Kernel::Duchon { exponent }),
            [kind, range, power] => Ok(Kernel::Correlation { kind: kind as usize, range, power }),
            _ => Err(malformed("a kernel has one or three numbers")),
        }
    }
}

impl Radial {
    pub fn learn(plan: &Plan, columns: &Columns) -> Result<Radial> {
        let d = plan.columns.len();
        let duchon = plan.bs == "ds";
        let bad = |text: String| Err(Error::new("GAM_OPTIONS", text));
        let (order, exponent) = if duchon {
            let m = plan.m.first().copied().filter(|m| *m > 0.0).unwrap_or(2.0);
            let s = plan.m.get(1).copied().unwrap_or(0.0);
            let half = d as f64 / 2.0;
            if m.fract() != 0.0 || (2.0 * s).fract() != 0.0 || s <= -half || s >= half || m + s <= half {
                return bad(format!(
                    "bs=\"ds\", m = ({m}, {s}): m is whole, s a multiple of 1/2 within ±{half}, m + s above {half}"
                ));
            }
            (m as usize, 2.0 * (m + s) - d as f64)
        } else {
            let kind = plan.m.first().copied().unwrap_or(3.0);
            if kind.fract() != 0.0 || !(1.0..=5.0).contains(&kind.abs()) {
                return bad(format!("bs=\"gp\": m = {kind}; the correlation function is 1 … 5 (negative: no trend)"));
            }
            (if kind > 0.0 { 2 } else { 1 }, 0.0)
        };
        let powers = monomials(d, order);
        let null = powers.len();
        // A process without a trend has as many functions as one with it.
        let free = if duchon { null } else { d + 1 };
        let k = plan.k.unwrap_or(free + [10, 30, 100][(d - 1).min(2)]);
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
        let kernel = if duchon {
            Kernel::Duchon { exponent }
        } else {
            let given = plan.m.get(1).copied().filter(|r| *r > 0.0);
            let power = plan.m.get(2).copied().unwrap_or(1.0);
            if !(power > 0.0 && power <= 2.0) {
                return bad(format!("bs=\"gp\": the power {power} lies outside 0 … 2"));
            }
            let kind = plan.m.first().map_or(3, |m| m.abs() as usize);
            Kernel::Correlation { kind, range: given.unwrap_or_else(|| widest(&points)), power }
        };
        let wiggly = k - null;
        let mut out = Radial {
            columns: plan.columns.clone(),
            kernel,
            shift,
            unit: unit_of(&points),
            points,
            radial: Mat::zeros(0, 0),
            order,
            powers,
            inner: Mat::zeros(0, 0),
        };
        let distance = |a: &[f64], b: &[f64]| kernel.at(a, b);
        if duchon {
            // The wiggly coefficients are orthogonal to the polynomials over the points.
            let (values, vectors) = leading(&out.points, &distance, k)?;
            let t = Mat::from_fn(out.points.rows, null, |i, j| out.monomial(out.points.row(i), j));
            let z = complement_of(&vectors.tmul(&t));
            out.radial = vectors.mul(&z);
            out.inner = Mat::from_fn(k, k, |i, j| if i == j { values[i] } else { 0.0 }).congruence(&z);
        } else {
            let (values, vectors) = leading(&out.points, &distance, wiggly)?;
            out.radial = vectors;
            out.inner = Mat::from_fn(wiggly, wiggly, |i, j| if i == j { values[i] } else { 0.0 });
        }
        let size = kernel.size(out.unit);
        out.radial.data.iter_mut().for_each(|x| *x /= size);
        out.inner.data.iter_mut().for_each(|x| *x /= size * size);
        Ok(out)
    }

    /// How many times larger each function is in the covariates' own unit; none where that is the one in use.
    pub fn sizes(&self) -> Option<Vec<f64>> {
        let wiggly = std::iter::repeat_n(self.kernel.size(self.unit), self.radial.cols);
        let free = self.powers.iter().map(|p| self.unit.powi(p.iter().sum()));
        (self.unit != 1.0).then(|| wiggly.chain(free).collect())
    }

    fn monomial(&self, x: &[f64], j: usize) -> f64 {
        self.powers[j].iter().zip(x).map(|(p, x)| x.powi(*p)).product()
    }

    pub fn state(&self) -> Json {
        object([
            ("kind", "radial".into()),
            ("columns", self.columns.clone().into()),
            ("kernel", self.kernel.numbers().into()),
            ("order", self.order.into()),
            ("shift", self.shift.clone().into()),
            ("unit", self.unit.into()),
            ("points", matrix_json(&self.points)),
            ("radial", matrix_json(&self.radial)),
            ("inner", matrix_json(&self.inner)),
        ])
    }

    pub fn restore(j: &Json) -> Result<Radial> {
        let columns: Vec<usize> =
            j.get("columns").list("columns")?.iter().map(|c| c.index("column")).collect::<Result<_>>()?;
        let order = j.get("order").index("order")?;
        Ok(Radial {
            powers: monomials(columns.len(), order),
            columns,
            kernel: Kernel::read(&j.get("kernel").nums("kernel")?)?,
            order,
            shift: j.get("shift").nums("shift")?,
            unit: j.get("unit").optional(|u| u.num("unit"))?.unwrap_or(1.0),
            points: matrix_read(j.get("points"))?,
            radial: matrix_read(j.get("radial"))?,
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
            axpy(self.kernel.at(&x, self.points.row(r)), self.radial.row(r), &mut out[..wiggly]);
        }
        for j in 0..self.powers.len() {
            out[wiggly + j] = self.monomial(&x, j) / self.unit.powi(self.powers[j].iter().sum());
        }
        0
    }

    pub fn penalties(&self) -> Vec<RawPenalty> {
        let (w, wiggly) = (self.width(), self.radial.cols);
        let mut s = Mat::zeros(w, w);
        s.add_block(0, 0, 1.0, &self.inner);
        s.symmetrise();
        vec![(s, wiggly)]
    }
}

/// Largest distance between two points.
fn widest(points: &Mat) -> f64 {
    let mut most = 0.0_f64;
    for i in 0..points.rows {
        for j in 0..i {
            most = most.max(points.row(i).iter().zip(points.row(j)).map(|(a, b)| (a - b) * (a - b)).sum());
        }
    }
    most.sqrt()
}
