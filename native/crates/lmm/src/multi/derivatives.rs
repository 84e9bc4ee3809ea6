//! First and second derivatives of the likelihood at a point, in its frame: in the entries of a symmetric change S of
//! Vg = diag(ratios) and T of Ve = I. With V_j the derivative of the covariance and P the projection (block diagonal
//! over the frame's traits):
//! REML: dl = ½ (y'P V_j P y - tr P V_j), d²l = ½ tr P V_j P V_k - y'P V_j P V_k P y; MLE has H^-1 for P in the traces.

use super::point::{Model, Point, Scratch};
use crate::elimination::Likelihood;

/// Entry (a, b), a <= b, of S (`power` 1: its weight is the eigenvalue) or of T (`power` 0).
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    pub a: usize,
    pub b: usize,
    pub power: usize,
}

impl Parameter {
    /// Those of Vg, then those of Ve.
    pub fn all(d: usize) -> Vec<Self> {
        let pairs = move || (0..d).flat_map(move |a| (a..d).map(move |b| (a, b)));
        [1, 0].into_iter().flat_map(|power| pairs().map(move |(a, b)| Self { a, b, power })).collect()
    }

    /// (trait, source): trait's part of V_j P y is the source's residual times the weight.
    fn parts(&self) -> impl Iterator<Item = (usize, usize)> {
        let twice = (self.a != self.b).then_some((self.b, self.a));
        [(self.a, self.b)].into_iter().chain(twice)
    }
}

/// Where the sums of one kind of rows begin.
struct Layout {
    rr: usize,
    xr: usize,
    w: usize,
    xxw: usize,
    xxww: usize,
    end: usize,
}

pub struct Derivatives {
    pub gradient: Vec<f64>,
    /// Empty unless asked for.
    pub hessian: Vec<f64>,
}

impl Model<'_> {
    /// Derivatives at the point that `scratch` was last evaluated for.
    pub fn derivatives(
        &self,
        point: &Point,
        parameters: &[Parameter],
        second: bool,
        scratch: &mut Scratch,
    ) -> Derivatives {
        let (data, m) = (self.data, self.m());
        let (d, len) = (data.d, data.len);
        let reml = self.kind == Likelihood::Reml;
        let mm = m * (m + 1) / 2;
        let dd = d * (d + 1) / 2;
        let layout = Layout {
            rr: 0,
            xr: dd,
            w: dd + m * d,
            xxw: dd + m * d + d,
            xxww: dd + m * d + d + d * mm,
            end: dd + m * d + d + if reml { 2 * d * mm } else { 0 },
        };
        self.residuals(point, scratch);
        self.fill_rows(&layout, scratch);
        let Scratch { weights, rows, sums, more, .. } = scratch;
        let rows = &rows[..layout.end * len];
        let columns = 3 * d;
        (data.cross)(rows, weights, len, sums);
        // Sums without a trait's weight: Σ δ^k r_a r_b and Σ δ^k w_a.
        (data.cross)(rows, &data.plain, len, more);
        let sums = Sums { d, m, mm, layout, columns, sums, more, inverse: &point.inverse };
        let gradient = parameters.iter().map(|j| sums.slope(j, reml)).collect();
        let hessian = if second { sums.hessian(parameters, reml) } else { Vec::new() };
        Derivatives { gradient, hessian }
    }

    /// P y of each trait of the frame.
    fn residuals(&self, point: &Point, scratch: &mut Scratch) {
        let (data, m, d, len) = (self.data, self.m(), self.data.d, self.data.len);
        for t in 0..d {
            let out = &mut scratch.residuals[t * len..(t + 1) * len];
            out.fill(0.0);
            let mut add = |column: &[f64], by: f64| {
                out.iter_mut().zip(column).for_each(|(to, v)| *to += by * v);
            };
            (0..d).for_each(|a| add(&data.y[a], point.frame.p[t * d + a]));
            (0..m).for_each(|p| add(self.column(p), -point.b[t * m + p]));
            let weights = &scratch.weights[3 * t * len..][..len];
            out.iter_mut().zip(weights).for_each(|(to, w)| *to *= w);
        }
    }

    fn fill_rows(&self, layout: &Layout, scratch: &mut Scratch) {
        let (d, len, m) = (self.data.d, self.data.len, self.m());
        let Scratch { weights, rows, residuals, .. } = scratch;
        let r = |t: usize| &residuals[t * len..(t + 1) * len];
        let w = |t: usize| &weights[3 * t * len..][..len];
        let x = |p: usize| self.column(p);
        let mut rows = rows.chunks_exact_mut(len);
        let mut put = |f: &mut dyn FnMut(&mut [f64])| f(rows.next().expect("a row of the layout"));
        let product = |to: &mut [f64], a: &[f64], b: &[f64]| {
            for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
                *to = a * b;
            }
        };
        for a in 0..d {
            (a..d).for_each(|b| put(&mut |to| product(to, r(a), r(b))));
        }
        for s in 0..d {
            (0..m).for_each(|p| put(&mut |to| product(to, x(p), r(s))));
        }
        (0..d).for_each(|t| put(&mut |to| to.copy_from_slice(w(t))));
        if layout.end == layout.xxw {
            return;
        }
        for twice in [false, true] {
            for t in 0..d {
                for p in 0..m {
                    for q in p..m {
                        put(&mut |to| {
                            product(to, x(p), x(q));
                            to.iter_mut().zip(w(t)).for_each(|(to, w)| *to *= if twice { w * w } else { *w });
                        });
                    }
                }
            }
        }
    }
}

/// All sums over people that the derivatives need.
struct Sums<'a> {
    d: usize,
    m: usize,
    mm: usize,
    layout: Layout,
    columns: usize,
    sums: &'a [f64],
    more: &'a [f64],
    inverse: &'a [f64],
}

impl Sums<'_> {
    /// Σ row × w_t δ^power.
    fn at(&self, row: usize, t: usize, power: usize) -> f64 {
        self.sums[row * self.columns + 3 * t + power]
    }

    /// Row of the pair of traits among those of `rr`.
    fn pair(&self, a: usize, b: usize) -> usize {
        let (a, b) = (a.min(b), a.max(b));
        a * self.d - a * (a + 1) / 2 + b
    }

    /// X' (row's weights) (w_t δ^power) X from the triangle of rows at `first`.
    fn square(&self, first: usize, t: usize, power: usize) -> Vec<f64> {
        let m = self.m;
        let mut out = vec![0.0; m * m];
        let mut row = first;
        for p in 0..m {
            for q in p..m {
                out[p * m + q] = self.at(row, t, power);
                out[q * m + p] = out[p * m + q];
                row += 1;
            }
        }
        out
    }

    fn once(&self, a: usize, b: usize, power: usize) -> Vec<f64> {
        self.square(self.layout.xxw + a * self.mm, b, power)
    }

    /// With a's weights squared.
    fn twice(&self, a: usize, b: usize, power: usize) -> Vec<f64> {
        self.square(self.layout.xxww + a * self.mm, b, power)
    }

    fn inverse(&self, t: usize) -> &[f64] {
        &self.inverse[t * self.m * self.m..][..self.m * self.m]
    }

    fn slope(&self, j: &Parameter, reml: bool) -> f64 {
        let quadratic = self.more[2 * (self.layout.rr + self.pair(j.a, j.b)) + j.power];
        if j.a != j.b {
            return quadratic;
        }
        let mut trace = self.more[2 * (self.layout.w + j.a) + j.power];
        if reml {
            trace -= trace_of(self.inverse(j.a), &self.once(j.a, j.a, j.power));
        }
        0.5 * (quadratic - trace)
    }

    fn hessian(&self, parameters: &[Parameter], reml: bool) -> Vec<f64> {
        let (d, count) = (self.d, parameters.len());
        // y'P-forms of one trait: (source, power) by (source, power).
        let side = 2 * d;
        let forms: Vec<Vec<f64>> = (0..d).map(|t| self.forms(t)).collect();
        let mut out = vec![0.0; count * count];
        for (at, j) in parameters.iter().enumerate() {
            for (other, k) in parameters.iter().enumerate().take(at + 1) {
                let mut value = 0.0;
                for (t, s) in j.parts() {
                    for (u, v) in k.parts() {
                        if t == u {
                            value -= forms[t][(2 * s + j.power) * side + 2 * v + k.power];
                        }
                    }
                }
                if (j.a, j.b) == (k.a, k.b) {
                    let trace = self.trace(j.a, j.b, j.power, k.power, reml);
                    value += if j.a == j.b { 0.5 * trace } else { trace };
                }
                out[at * count + other] = value;
                out[other * count + at] = value;
            }
        }
        out
    }

    /// r_s' δ^j P_t δ^k r_v for all sources s, v and powers j, k.
    fn forms(&self, t: usize) -> Vec<f64> {
        let (d, m) = (self.d, self.m);
        let side = 2 * d;
        let inverse = self.inverse(t);
        let q: Vec<Vec<f64>> =
            (0..side).map(|at| (0..m).map(|p| self.at(self.layout.xr + at / 2 * m + p, t, at % 2)).collect()).collect();
        let solved: Vec<Vec<f64>> =
            q.iter().map(|q| (0..m).map(|i| (0..m).map(|j| inverse[i * m + j] * q[j]).sum()).collect()).collect();
        let mut out = vec![0.0; side * side];
        for i in 0..side {
            for j in 0..=i {
                let plain = self.at(self.layout.rr + self.pair(i / 2, j / 2), t, i % 2 + j % 2);
                let value = plain - q[i].iter().zip(&solved[j]).map(|(a, b)| a * b).sum::<f64>();
                out[i * side + j] = value;
                out[j * side + i] = value;
            }
        }
        out
    }

    /// tr(P_a δ^j P_b δ^k), or with H^-1 for P.
    fn trace(&self, a: usize, b: usize, j: usize, k: usize, reml: bool) -> f64 {
        let mut sum = self.at(self.layout.w + a, b, j + k);
        if reml {
            sum -= trace_of(self.inverse(a), &self.twice(a, b, j + k));
            sum -= trace_of(self.inverse(b), &self.twice(b, a, j + k));
            let (left, right) = (self.once(a, b, j), self.once(a, b, k));
            let m = self.m;
            sum += trace_of(
                &super::small::multiply(self.inverse(a), &left, m),
                &super::small::transpose(&super::small::multiply(self.inverse(b), &right, m), m),
            );
        }
        sum
    }
}

/// tr(A B') = Σ a_ij b_ij.
fn trace_of(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
