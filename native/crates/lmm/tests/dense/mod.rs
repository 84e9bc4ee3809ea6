//! Two traits and a diagonal kinship, from the definition: one person's covariance is δ Vg + Ve, everything else is
//! generalised least squares with (traits x columns) effects. No frame, no shared products, no derivatives.

pub struct Model<'a> {
    values: &'a [f64],
    y: &'a [Vec<f64>; 2],
    columns: Vec<Vec<f64>>,
}

/// A function of the entries of Vg and Ve.
pub type Share<'a> = &'a dyn Fn(&[f64]) -> f64;

pub struct Best {
    pub loglik: f64,
    pub vg: [f64; 4],
    pub ve: [f64; 4],
}

/// Solution of A x = b for several b by elimination with pivots; also ln |A|.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<Vec<f64>>) -> (Vec<Vec<f64>>, f64) {
    let n = a.len();
    let mut ln_det = 0.0;
    for k in 0..n {
        let pivot = (k..n).max_by(|&i, &j| a[i][k].abs().total_cmp(&a[j][k].abs())).unwrap();
        a.swap(k, pivot);
        b.swap(k, pivot);
        ln_det += a[k][k].abs().ln();
        for i in 0..n {
            if i != k {
                let by = a[i][k] / a[k][k];
                let (row, other) = (a[k].clone(), b[k].clone());
                a[i].iter_mut().zip(&row).for_each(|(x, r)| *x -= by * r);
                b[i].iter_mut().zip(&other).for_each(|(x, r)| *x -= by * r);
            }
        }
    }
    for k in 0..n {
        let by = a[k][k];
        b[k].iter_mut().for_each(|x| *x /= by);
    }
    (b, ln_det)
}

struct Fit {
    /// Effects, trait by trait; their covariance.
    b: Vec<f64>,
    covariance: Vec<Vec<f64>>,
    /// ln |V|, ln |X'V^-1 X|, (y - Xb)'V^-1 (y - Xb).
    ln_det_v: f64,
    ln_det_x: f64,
    rest: f64,
}

impl<'a> Model<'a> {
    pub fn new(values: &'a [f64], y: &'a [Vec<f64>; 2], columns: Vec<Vec<f64>>) -> Self {
        Self { values, y, columns }
    }

    /// `None` where a person's covariance is not positive definite.
    fn fit(&self, vg: &[f64; 4], ve: &[f64; 4]) -> Option<Fit> {
        let m = self.columns.len();
        let size = 2 * m;
        let mut xx = vec![vec![0.0; size]; size];
        let mut xy = vec![vec![0.0]; size];
        let (mut yy, mut ln_det_v) = (0.0, 0.0);
        for (i, delta) in self.values.iter().enumerate() {
            let delta = if *delta < 1e-10 { 0.0 } else { *delta };
            let v: Vec<f64> = (0..4).map(|k| delta * vg[k] + ve[k]).collect();
            let det = v[0] * v[3] - v[1] * v[2];
            if det <= 0.0 || v[0] <= 0.0 {
                return None;
            }
            ln_det_v += det.ln();
            let inverse = [v[3] / det, -v[1] / det, -v[2] / det, v[0] / det];
            for t in 0..2 {
                for s in 0..2 {
                    let w = inverse[2 * t + s];
                    yy += w * self.y[t][i] * self.y[s][i];
                    for p in 0..m {
                        xy[t * m + p][0] += w * self.columns[p][i] * self.y[s][i];
                        for q in 0..m {
                            xx[t * m + p][s * m + q] += w * self.columns[p][i] * self.columns[q][i];
                        }
                    }
                }
            }
        }
        let mut right = vec![vec![0.0; size + 1]; size];
        for k in 0..size {
            right[k][k] = 1.0;
            right[k][size] = xy[k][0];
        }
        let (solved, ln_det_x) = solve(xx, right);
        let b: Vec<f64> = solved.iter().map(|row| row[size]).collect();
        let covariance = solved.into_iter().map(|row| row[..size].to_vec()).collect();
        let rest = yy - b.iter().zip(&xy).map(|(b, xy)| b * xy[0]).sum::<f64>();
        Some(Fit { b, covariance, ln_det_v, ln_det_x, rest })
    }

    fn loglik(&self, vg: &[f64; 4], ve: &[f64; 4], reml: bool) -> f64 {
        let Some(fit) = self.fit(vg, ve) else { return f64::NEG_INFINITY };
        let (n, m) = (self.values.len() as f64, self.columns.len() as f64);
        let tau = std::f64::consts::TAU.ln();
        if !reml {
            return -0.5 * (2.0 * n * tau + fit.ln_det_v + fit.rest);
        }
        let plain = |p: &[f64], q: &[f64]| p.iter().zip(q).map(|(a, b)| a * b).sum::<f64>();
        let gram = self.columns.iter().map(|p| self.columns.iter().map(|q| plain(p, q)).collect()).collect();
        let (_, ln_det_xx) = solve(gram, vec![vec![0.0]; self.columns.len()]);
        -0.5 * (2.0 * (n - m) * tau + fit.ln_det_v + fit.ln_det_x - 2.0 * ln_det_xx + fit.rest)
    }

    /// From a start to where no change of a single entry of the Cholesky factors of Vg and Ve raises the likelihood.
    pub fn climb(&self, vg: &[f64], ve: &[f64], reml: bool) -> Best {
        let factor = |v: &[f64]| {
            let a = v[0].max(1e-12).sqrt();
            [a, v[1] / a, (v[3] - v[1] * v[1] / (a * a)).max(1e-12).sqrt()]
        };
        let square = |l: &[f64]| [l[0] * l[0], l[0] * l[1], l[0] * l[1], l[1] * l[1] + l[2] * l[2]];
        let mut at: Vec<f64> = factor(vg).into_iter().chain(factor(ve)).collect();
        let value = |at: &[f64]| self.loglik(&square(&at[..3]), &square(&at[3..]), reml);
        let mut best = value(&at);
        // A direction beside the entries: the way the last round went (Powell), which follows a narrow ridge.
        let mut scale = 1e-2;
        while scale > 1e-9 {
            let before = (best, at.clone());
            for k in 0..=at.len() {
                let way: Vec<f64> = (0..at.len())
                    .map(|j| match k < at.len() {
                        true => f64::from(u8::from(j == k)) * at[[0, 0, 2, 3, 3, 5][j]].abs().max(1e-3) * scale,
                        false => at[j] - before.1[j],
                    })
                    .collect();
                for sign in [1.0, -1.0] {
                    let mut by = sign;
                    loop {
                        let next: Vec<f64> = at.iter().zip(&way).map(|(a, w)| a + by * w).collect();
                        let found = value(&next);
                        if found <= best {
                            break;
                        }
                        (best, at) = (found, next);
                        by *= 2.0;
                    }
                }
            }
            if best - before.0 < 1e-12 * best.abs() {
                scale *= 0.5;
            }
        }
        Best { loglik: best, vg: square(&at[..3]), ve: square(&at[3..]) }
    }

    /// Standard errors of functions of the entries (Vg: 00, 01, 11; Ve: the same) at a maximum, all by differences.
    pub fn errors(&self, at: &[f64], reml: bool, functions: &[Share]) -> Vec<f64> {
        let count = at.len();
        let step: Vec<f64> = at.iter().map(|v| 1e-3 * v.abs()).collect();
        let moved = |steps: &[(usize, f64)]| {
            let mut v = at.to_vec();
            steps.iter().for_each(|&(k, by)| v[k] += by * step[k]);
            v
        };
        let value = |v: &[f64]| self.loglik(&[v[0], v[1], v[1], v[2]], &[v[3], v[4], v[4], v[5]], reml);
        let information = (0..count).map(|j| {
            let second = |k: usize| {
                let corner = |a: f64, b: f64| value(&moved(&[(j, a), (k, b)]));
                let twice = corner(1.0, 1.0) - corner(1.0, -1.0) - corner(-1.0, 1.0) + corner(-1.0, -1.0);
                -twice / (4.0 * step[j] * step[k])
            };
            (0..count).map(second).collect()
        });
        let unit = (0..count).map(|i| (0..count).map(|j| f64::from(u8::from(i == j))).collect()).collect();
        let (covariance, _) = solve(information.collect(), unit);
        let error = |f: &Share| {
            let slope: Vec<f64> =
                (0..count).map(|k| (f(&moved(&[(k, 1.0)])) - f(&moved(&[(k, -1.0)]))) / (2.0 * step[k])).collect();
            let row = |i: usize| slope.iter().zip(&covariance[i]).map(|(s, c)| s * c).sum::<f64>();
            slope.iter().enumerate().map(|(i, s)| s * row(i)).sum::<f64>().sqrt()
        };
        functions.iter().map(error).collect()
    }

    /// The last column's effects on both traits, their covariance, and b'V^-1 b.
    pub fn effect(&self, vg: &[f64], ve: &[f64]) -> ([f64; 2], [[f64; 2]; 2], f64) {
        let fit = self.fit(vg.try_into().unwrap(), ve.try_into().unwrap()).unwrap();
        let m = self.columns.len();
        let at = [m - 1, 2 * m - 1];
        let b = at.map(|t| fit.b[t]);
        let v = at.map(|t| at.map(|s| fit.covariance[t][s]));
        let det = v[0][0] * v[1][1] - v[0][1] * v[1][0];
        let statistic = (b[0] * b[0] * v[1][1] - 2.0 * b[0] * b[1] * v[0][1] + b[1] * b[1] * v[0][0]) / det;
        (b, v, statistic)
    }
}
