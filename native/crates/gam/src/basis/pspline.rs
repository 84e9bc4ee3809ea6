//! B-splines: with a difference penalty on equally spaced knots (ps; Eilers & Marx 1996), also cyclic (cp), or with
//! integrated squared derivatives as penalties (bs).

use x_simd::Result;

use super::{Columns, Plan, RawPenalty, bad_knots, distinct, too_large};
use crate::json::{Json, object};
use crate::mat::Mat;

pub struct PSpline {
    pub column: usize,
    pub degree: usize,
    /// All knots, those outside the range included.
    pub knots: Vec<f64>,
    order: usize,
    cyclic: bool,
    /// Orders of the penalised derivatives of a bs smooth; empty = a difference penalty.
    derivatives: Vec<usize>,
}

impl PSpline {
    pub fn learn(plan: &Plan, columns: &Columns) -> Result<PSpline> {
        let x = plan.one_column(columns)?;
        let k = plan.k.unwrap_or(10);
        // m[0] = 2 is a cubic spline of ps; bs counts the degree itself.
        let derivative = plan.bs == "bs";
        let first = plan.m.first().copied().unwrap_or(if derivative { 3.0 } else { 2.0 });
        let degree = first as usize + usize::from(!derivative);
        let derivatives: Vec<usize> = match (derivative, &plan.m[..]) {
            (false, _) => Vec::new(),
            (true, [] | [_]) => vec![degree.saturating_sub(1)],
            (true, [_, rest @ ..]) => rest.iter().map(|m| *m as usize).collect(),
        };
        if derivatives.iter().any(|d| *d > degree) {
            return Err(x_simd::Error::new(
                "GAM_OPTIONS",
                format!("bs=\"bs\": no derivative above the degree {degree}"),
            ));
        }
        let order = match derivatives.first() {
            Some(d) => *d,
            None => plan.m.get(1).copied().unwrap_or(first) as usize,
        };
        let cyclic = plan.bs == "cp";
        let unique = distinct(x);
        let intervals = if cyclic { k } else { k.saturating_sub(degree) };
        if intervals < 1 || (!cyclic && order >= k) || k < degree + usize::from(cyclic) {
            return Err(bad_knots(format!(
                "k = {k} is too small for a P-spline of degree {degree}, penalty order {order}"
            )));
        }
        if unique.len() < k - usize::from(cyclic && plan.knots.is_some()) {
            return Err(too_large(k, unique.len()));
        }
        let (mut low, mut high) = (unique[0], unique[unique.len() - 1]);
        let mut full = None;
        match plan.knots.as_ref().map(|k| k[0].as_slice()) {
            Some([a, b]) => (low, high) = (a.min(*b), a.max(*b)),
            Some(all) if !cyclic && all.len() == k + degree + 1 => full = Some(all.to_vec()),
            Some(other) => {
                return Err(bad_knots(format!(
                    "{} knots given; give the two ends or all {}",
                    other.len(),
                    k + degree + 1
                )));
            }
            None if !cyclic => {
                let widen = 0.001 * (high - low);
                (low, high) = (low - widen, high + widen);
            }
            None => {}
        }
        let knots = full.unwrap_or_else(|| {
            let step = (high - low) / intervals as f64;
            let count = intervals + 1 + 2 * degree;
            (0..count).map(|i| low + (i as f64 - degree as f64) * step).collect()
        });
        Self::new(plan.columns[0], degree, knots, order, cyclic, derivatives)
    }

    fn new(
        column: usize,
        degree: usize,
        knots: Vec<f64>,
        order: usize,
        cyclic: bool,
        derivatives: Vec<usize>,
    ) -> Result<PSpline> {
        if knots.len() < 2 * degree + 2 || knots.windows(2).any(|w| !(w[1] > w[0] && (w[1] - w[0]).is_finite())) {
            return Err(bad_knots("knots must be finite, distinct and ascending"));
        }
        Ok(PSpline { column, degree, knots, order, cyclic, derivatives })
    }

    pub fn state(&self) -> Json {
        object([
            ("kind", "pspline".into()),
            ("column", self.column.into()),
            ("degree", self.degree.into()),
            ("knots", self.knots.clone().into()),
            ("order", self.order.into()),
            ("cyclic", self.cyclic.into()),
            ("derivatives", Json::Arr(self.derivatives.iter().map(|d| (*d).into()).collect())),
        ])
    }

    pub fn restore(j: &Json) -> Result<PSpline> {
        Self::new(
            j.get("column").index("column")?,
            j.get("degree").index("degree")?,
            j.get("knots").nums("knots")?,
            j.get("order").index("order")?,
            j.get("cyclic").flag(),
            match j.get("derivatives") {
                Json::Null => Vec::new(),
                list => list.list("derivatives")?.iter().map(|d| d.index("derivative")).collect::<Result<_>>()?,
            },
        )
    }

    pub fn basis_functions(&self) -> usize {
        self.knots.len() - self.degree - 1
    }

    pub fn width(&self) -> usize {
        self.basis_functions() - if self.cyclic { self.degree } else { 0 }
    }

    /// Cyclic: the last functions are the first ones again.
    pub fn lift(&self) -> Option<Mat> {
        let w = self.width();
        self.cyclic.then(|| Mat::from_fn(self.basis_functions(), w, |i, j| if i % w == j { 1.0 } else { 0.0 }))
    }

    /// Straight lines beyond the range (wrapped when cyclic).
    pub fn window(&self, x: f64, out: &mut [f64]) -> usize {
        let d = self.degree;
        let (low, high) = (self.knots[d], self.knots[self.knots.len() - 1 - d]);
        let mut x = x;
        if self.cyclic && (x < low || x > high) {
            x = low + (x - low).rem_euclid(high - low);
        }
        if x < low || x > high {
            let end = if x < low { low } else { high };
            let j = self.interval(end);
            self.values(end, j, d, out);
            let mut lower = vec![0.0; d + 1];
            self.values(end, j, d - 1, &mut lower);
            // Slope of a B-spline: differences of the splines one degree lower.
            for i in 0..=d {
                let left = if i > 0 { lower[i - 1] / (self.knots[j + i] - self.knots[j + i - d]) } else { 0.0 };
                let right = if i < d { lower[i] / (self.knots[j + i + 1] - self.knots[j + i + 1 - d]) } else { 0.0 };
                out[i] += d as f64 * (left - right) * (x - end);
            }
            return j - d;
        }
        let j = self.interval(x);
        self.values(x, j, d, out);
        j - d
    }

    /// The knot interval of x, within the range.
    fn interval(&self, x: f64) -> usize {
        let inner = &self.knots[self.degree + 1..self.knots.len() - 1 - self.degree];
        self.degree + inner.partition_point(|k| *k <= x)
    }

    /// The `degree` + 1 B-splines of that degree that are not zero in interval `j` (de Boor's recursion).
    fn values(&self, x: f64, j: usize, degree: usize, out: &mut [f64]) {
        out[0] = 1.0;
        for d in 1..=degree {
            let mut saved = 0.0;
            for r in 0..d {
                let (right, left) = (self.knots[j + r + 1], self.knots[j + 1 + r - d]);
                let t = out[r] / (right - left);
                out[r] = saved + (right - x) * t;
                saved = (x - left) * t;
            }
            out[d] = saved;
        }
    }

    pub fn penalties(&self) -> Vec<RawPenalty> {
        if self.derivatives.is_empty() {
            return vec![self.difference_penalty()];
        }
        self.derivatives.iter().map(|d| self.derivative_penalty(*d)).collect()
    }

    /// Integral over the range of the squared derivative of order `r`, by Gauss's rule in each knot interval.
    fn derivative_penalty(&self, r: usize) -> RawPenalty {
        let (w, lower) = (self.basis_functions(), self.degree - r);
        // Coefficients of the derivative in the B-splines of the lower degree.
        let mut d = Mat::identity(w);
        for step in 0..r {
            let degree = self.degree - step;
            // Splines that vanish on the range drop out at either end: function i of this degree starts at knot i + step.
            d = Mat::from_fn(d.rows - 1, w, |i, j| {
                let at = i + step + 1;
                degree as f64 * (d[(i + 1, j)] - d[(i, j)]) / (self.knots[at + degree] - self.knots[at])
            });
        }
        let (nodes, weights) = gauss(lower + 1);
        let mut gram = Mat::zeros(d.rows, d.rows);
        let mut values = vec![0.0; lower + 1];
        for j in self.degree..self.knots.len() - 1 - self.degree {
            let (a, b) = (self.knots[j], self.knots[j + 1]);
            for (x, weight) in nodes.iter().zip(&weights) {
                self.values(0.5 * (a + b) + 0.5 * (b - a) * x, j, lower, &mut values);
                for p in 0..=lower {
                    for q in 0..=lower {
                        let from = j - self.degree;
                        gram[(from + p, from + q)] += 0.5 * (b - a) * weight * values[p] * values[q];
                    }
                }
            }
        }
        let mut s = gram.congruence(&d);
        s.symmetrise();
        (s, w - r)
    }

    fn difference_penalty(&self) -> RawPenalty {
        let w = self.width();
        if self.cyclic {
            let mut d = Mat::identity(w);
            for _ in 0..self.order {
                d = Mat::from_fn(w, w, |i, j| d[((i + 1) % w, j)] - d[(i, j)]);
            }
            return (d.tmul(&d), if self.order > 0 { w - 1 } else { w });
        }
        let mut d = Mat::identity(w);
        for _ in 0..self.order {
            d = Mat::from_fn(d.rows - 1, w, |i, j| d[(i + 1, j)] - d[(i, j)]);
        }
        (d.tmul(&d), w - self.order)
    }
}

/// Nodes and weights of Gauss–Legendre quadrature on -1 … 1.
fn gauss(n: usize) -> (Vec<f64>, Vec<f64>) {
    let node = |i: usize| {
        let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (mut before, mut p) = (0.0, 1.0);
            for k in 0..n {
                let k = k as f64;
                (before, p) = (p, ((2.0 * k + 1.0) * x * p - k * before) / (k + 1.0));
            }
            slope = n as f64 * (x * p - before) / (x * x - 1.0);
            let step = p / slope;
            x -= step;
            if step.abs() < 1e-16 {
                break;
            }
        }
        (x, 2.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..n).map(node).unzip()
}
