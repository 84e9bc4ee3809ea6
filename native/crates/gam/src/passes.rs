//! The passes over the data: working sums of P-IRLS, and the sums that the derivatives of the criterion need.

use x_simd::{Job, Level, Result};

use crate::family::{Derivs, Family, Response, quadruple, triple};
use crate::kernels::{add_product, sum_of_four};
use crate::mat::{Mat, dot};
use crate::rows::{Layout, Rows, pair, pass};

pub struct Data<'a> {
    pub rows: &'a dyn Rows,
    pub family: &'a dyn Family,
    pub y: &'a [f64],
    pub w: &'a [f64],
    /// n × predictors, or empty.
    pub offset: &'a [f64],
    pub job: &'a Job,
}

/// Sums at one value of the coefficients.
pub struct Working {
    /// Sum of f; infinite when a linear predictor has no likelihood.
    pub f: f64,
    /// X'f'
    pub score: Vec<f64>,
    /// X'f''X
    pub gram: Mat,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Weights {
    Observed,
    Fisher,
}

#[derive(Default)]
struct Scratch {
    eta: Vec<Vec<f64>>,
    derivs: Derivs,
}

impl Data<'_> {
    pub fn n(&self) -> usize {
        self.y.len()
    }

    pub fn predictors(&self) -> usize {
        self.family.predictors()
    }

    fn response(&self, from: usize, rows: usize) -> Response<'_> {
        Response { y: &self.y[from..from + rows], w: &self.w[from..from + rows] }
    }

    pub fn add_offset(&self, eta: &mut [Vec<f64>], from: usize) {
        if self.offset.is_empty() {
            return;
        }
        let k = self.predictors();
        for (c, eta) in eta.iter_mut().enumerate() {
            for (i, e) in eta.iter_mut().enumerate() {
                *e += self.offset[(from + i) * k + c];
            }
        }
    }

    fn eta(&self, layout: &Layout, block: &crate::rows::Block, from: usize, raw: &[f64], eta: &mut Vec<Vec<f64>>) {
        eta.resize_with(self.predictors(), Vec::new);
        for (k, eta) in eta.iter_mut().enumerate() {
            eta.resize(block.rows, 0.0);
            layout.eta(block, k, raw, eta);
        }
        self.add_offset(eta, from);
    }

    /// Sums at coefficients `beta` of `layout`.
    pub fn working(&self, layout: &Layout, beta: &[f64], theta: &[f64], weights: Weights) -> Result<Working> {
        if self.family.partial() {
            return crate::cox::working(self, layout, beta);
        }
        let raw = layout.raw_vec(beta);
        self.sums(layout, theta, weights, &|block, from, s: &mut Scratch| {
            self.eta(layout, block, from, &raw, &mut s.eta);
            self.family.derive(self.response(from, block.rows), theta, &s.eta, false, &mut s.derivs);
        })
    }

    /// Sums of the first least squares problem: the score becomes X'(f' - f'' eta) at the start values of the family,
    /// so that the solution of H beta = -score is the first iterate.
    /// `level`: at the mean response instead, with a score that makes the first iterate the constant model.
    pub fn starting(&self, layout: &Layout, theta: &[f64], level: bool) -> Result<Working> {
        if self.family.partial() {
            return crate::cox::working(self, layout, &vec![0.0; layout.width]);
        }
        let total: f64 = self.w.iter().sum();
        let mean = dot(self.y, self.w) / total;
        let k = self.predictors();
        self.sums(layout, theta, Weights::Fisher, &|block, from, s: &mut Scratch| {
            let r = self.response(from, block.rows);
            s.eta = (0..k)
                .map(|c| {
                    let at = |y: f64| if level { mean } else { y };
                    r.y.iter().zip(r.w).map(|(&y, &w)| self.family.start(at(y), w, mean, c)).collect()
                })
                .collect();
            self.family.derive(r, theta, &s.eta, false, &mut s.derivs);
            if level {
                s.derivs.d1.iter_mut().for_each(|d| d.fill(0.0));
            }
            for (c, eta) in s.eta.iter().enumerate() {
                for (i, e) in eta.iter().enumerate() {
                    let o = if self.offset.is_empty() { 0.0 } else { self.offset[(from + i) * k + c] };
                    for d in 0..k {
                        s.derivs.d1[d][i] -= s.derivs.fisher[pair(c, d)][i] * (e - o);
                    }
                }
            }
        })
    }

    fn sums(
        &self,
        layout: &Layout,
        _theta: &[f64],
        weights: Weights,
        prepare: &(dyn Fn(&crate::rows::Block, usize, &mut Scratch) + Sync),
    ) -> Result<Working> {
        let width = layout.raw_width;
        let (f, score, gram) = pass(
            self.rows,
            self.job,
            || Ok((0.0, vec![0.0; width], layout.empty_gram()?)),
            Scratch::default,
            |(f, score, gram), s, block, from| {
                prepare(block, from, s);
                // Rows of weight zero carry no likelihood, whatever their response.
                *f += s.derivs.f.iter().zip(&self.w[from..]).filter(|(_, w)| **w > 0.0).map(|(f, _)| f).sum::<f64>();
                for (k, d) in s.derivs.d1.iter().enumerate() {
                    layout.add_tmul(block, k, d, score);
                }
                let w = if weights == Weights::Observed { &s.derivs.d2 } else { &s.derivs.fisher };
                layout.add_gram(block, w, gram);
                Ok(())
            },
            |total, part| {
                total.0 += part.0;
                crate::mat::axpy(1.0, &part.1, &mut total.1);
                crate::mat::axpy(1.0, &part.2, &mut total.2);
            },
        )?;
        Ok(Working { f, score: layout.fold_vec(&score), gram: layout.fold_gram(&gram) })
    }

    /// Saturated log likelihood with derivatives by log(phi).
    pub fn saturated(&self, log_phi: f64) -> [f64; 3] {
        self.family.saturated(Response { y: self.y, w: self.w }, log_phi)
    }
}

/// What the derivatives of log|H| need beside the working sums. Directions: the smoothing parameters first, then theta.
pub struct Third {
    /// X'(h f''')
    pub pull: Vec<f64>,
    /// X'(df''/d direction)X without the penalty's own part
    pub grams: Vec<Mat>,
    /// X' of the second derivative of f' along directions (d, e), packed
    pub scores: Vec<Vec<f64>>,
    /// sum h d2f''/d(d)d(e), packed, without the part through the second derivative of beta
    pub traces: Vec<f64>,
    /// theta: sum f_a, sum h f''_a; packed pairs (direction, theta) of sum f_ab + f'_a eta_b
    pub theta_f: Vec<f64>,
    pub theta_trace: Vec<f64>,
    pub theta_cross: Mat,
}

impl Data<'_> {
    /// X'f'_a for each parameter a of the family.
    pub fn theta_scores(&self, layout: &Layout, beta: &[f64], theta: &[f64]) -> Result<Vec<Vec<f64>>> {
        let raw = layout.raw_vec(beta);
        let width = layout.raw_width;
        let sums = pass(
            self.rows,
            self.job,
            || Ok(vec![vec![0.0; width]; theta.len()]),
            Scratch::default,
            |sums, s, block, from| {
                self.eta(layout, block, from, &raw, &mut s.eta);
                self.family.derive(self.response(from, block.rows), theta, &s.eta, true, &mut s.derivs);
                for (sum, t) in sums.iter_mut().zip(&s.derivs.theta) {
                    layout.add_tmul(block, 0, &t[1], sum);
                }
                Ok(())
            },
            |total, part| total.iter_mut().zip(&part).for_each(|(t, p)| crate::mat::axpy(1.0, p, t)),
        )?;
        Ok(sums.iter().map(|s| layout.fold_vec(s)).collect())
    }

    /// X'(d fisher weight / d direction)X for each direction, of a family with `fisher_moves`.
    pub fn fisher_slopes(&self, layout: &Layout, beta: &[f64], directions: &[Vec<f64>]) -> Result<Vec<Mat>> {
        let raw = layout.raw_vec(beta);
        let raw_d: Vec<Vec<f64>> = directions.iter().map(|d| layout.raw_vec(d)).collect();
        let level = Level::get();
        let sums = pass(
            self.rows,
            self.job,
            || raw_d.iter().map(|_| layout.empty_gram()).collect::<Result<Vec<_>>>(),
            || (Scratch::default(), vec![vec![Vec::new()]; raw_d.len()]),
            |sums, (s, weights), block, from| {
                self.eta(layout, block, from, &raw, &mut s.eta);
                self.family.derive(self.response(from, block.rows), &[], &s.eta, false, &mut s.derivs);
                let mut eta_d = vec![0.0; block.rows];
                for (to, raw) in weights.iter_mut().zip(&raw_d) {
                    layout.eta(block, 0, raw, &mut eta_d);
                    to[0].clear();
                    to[0].resize(block.rows, 0.0);
                    add_product(level, &mut to[0], &s.derivs.fisher1, &eta_d);
                }
                layout.add_grams(block, weights, sums);
                Ok(())
            },
            |total, part| total.iter_mut().zip(&part).for_each(|(t, p)| crate::mat::axpy(1.0, p, t)),
        )?;
        Ok(sums.iter().map(|s| layout.fold_gram(s)).collect())
    }

    /// `directions`: derivatives of beta (coefficients of `layout`); the last theta.len() belong to theta.
    pub fn third(
        &self,
        layout: &Layout,
        beta: &[f64],
        theta: &[f64],
        p: &Mat,
        directions: &[Vec<f64>],
    ) -> Result<Third> {
        if self.family.partial() {
            return crate::cox::third(self, layout, beta, p, directions);
        }
        let (k, nd, nt) = (self.predictors(), directions.len(), theta.len());
        let m = nd - nt;
        let raw = layout.raw_vec(beta);
        let level = Level::get();
        let cells_p = layout.cells_of(p)?;
        let raw_d: Vec<Vec<f64>> = directions.iter().map(|d| layout.raw_vec(d)).collect();
        let width = layout.raw_width;
        let packed = nd * (nd + 1) / 2;
        struct Sums {
            pull: Vec<f64>,
            grams: Vec<Vec<f64>>,
            scores: Vec<Vec<f64>>,
            traces: Vec<f64>,
            theta_f: Vec<f64>,
            theta_trace: Vec<f64>,
            theta_cross: Mat,
        }
        #[derive(Default)]
        struct Work {
            s: Scratch,
            h: Vec<Vec<f64>>,
            eta_d: Vec<Vec<Vec<f64>>>,
            /// By direction and pair of predictors.
            weights: Vec<Vec<Vec<f64>>>,
            row: Vec<f64>,
        }
        let make = || {
            Ok(Sums {
                pull: vec![0.0; width],
                grams: (0..nd).map(|_| layout.empty_gram()).collect::<Result<_>>()?,
                scores: vec![vec![0.0; width]; packed],
                traces: vec![0.0; packed],
                theta_f: vec![0.0; nt],
                theta_trace: vec![0.0; nt],
                theta_cross: Mat::zeros(nd, nt),
            })
        };
        let pairs = k * (k + 1) / 2;
        let sums = pass(
            self.rows,
            self.job,
            make,
            Work::default,
            |sums, work, block, from| {
                let n = block.rows;
                let s = &mut work.s;
                self.eta(layout, block, from, &raw, &mut s.eta);
                self.family.derive(self.response(from, n), theta, &s.eta, true, &mut s.derivs);
                let d = &s.derivs;
                work.h.resize_with(pairs, Vec::new);
                layout.quadratic(block, &cells_p, &mut work.h);
                // Off-diagonal pairs of predictors count twice from here on.
                for a in 0..k {
                    for b in 0..a {
                        work.h[pair(a, b)].iter_mut().for_each(|x| *x *= 2.0);
                    }
                }
                let h = &work.h;
                work.eta_d.resize_with(nd, Vec::new);
                for (to, raw) in work.eta_d.iter_mut().zip(&raw_d) {
                    to.resize_with(k, Vec::new);
                    for (c, to) in to.iter_mut().enumerate() {
                        to.resize(n, 0.0);
                        layout.eta(block, c, raw, to);
                    }
                }
                let eta_d = &work.eta_d;
                let row = &mut work.row;
                row.resize(n, 0.0);
                for c in 0..k {
                    row.fill(0.0);
                    for a in 0..k {
                        for b in 0..=a {
                            add_product(level, row, &h[pair(a, b)], &d.d3[triple([a, b, c])]);
                        }
                    }
                    layout.add_tmul(block, c, row, &mut sums.pull);
                }
                work.weights.resize_with(nd, || vec![Vec::new(); pairs]);
                for e in 0..nd {
                    for a in 0..k {
                        for b in 0..=a {
                            let to = &mut work.weights[e][pair(a, b)];
                            to.clear();
                            to.resize(n, 0.0);
                            for c in 0..k {
                                add_product(level, to, &d.d3[triple([a, b, c])], &eta_d[e][c]);
                            }
                        }
                    }
                    if e >= m {
                        crate::mat::axpy(1.0, &d.theta[e - m][2], &mut work.weights[e][0]);
                    }
                    for g in 0..=e {
                        let at = pair(e, g);
                        if g >= m {
                            row.clone_from(&d.theta2[pair(e - m, g - m)][1]);
                            add_product(level, row, &d.theta[g - m][2], &eta_d[e][0]);
                            layout.add_tmul(block, 0, row, &mut sums.scores[at]);
                        }
                        let mut trace = 0.0;
                        for a in 0..k {
                            for b in 0..=a {
                                let h = &h[pair(a, b)];
                                for c in 0..k {
                                    for f in 0..k {
                                        let d4 = &d.d4[quadruple([a, b, c, f])];
                                        trace += sum_of_four(level, d4, &eta_d[e][c], &eta_d[g][f], h);
                                    }
                                }
                                if e < m {
                                    continue;
                                }
                                row.fill(0.0);
                                add_product(level, row, &d.theta[e - m][3], &eta_d[g][0]);
                                if g >= m {
                                    add_product(level, row, &d.theta[g - m][3], &eta_d[e][0]);
                                    crate::mat::axpy(1.0, &d.theta2[pair(e - m, g - m)][2], row);
                                }
                                trace += dot(row, h);
                            }
                        }
                        sums.traces[at] += trace;
                    }
                }
                layout.add_grams(block, &work.weights, &mut sums.grams);
                for t in 0..nt {
                    sums.theta_f[t] += d.theta[t][0].iter().sum::<f64>();
                    sums.theta_trace[t] += dot(&d.theta[t][2], &h[0]);
                    for e in 0..nd {
                        let mut x = dot(&d.theta[t][1], &eta_d[e][0]);
                        if e >= m {
                            x += d.theta2[pair(e - m, t)][0].iter().sum::<f64>();
                        }
                        sums.theta_cross[(e, t)] += x;
                    }
                }
                Ok(())
            },
            |t, p| {
                use crate::mat::axpy;
                axpy(1.0, &p.pull, &mut t.pull);
                t.grams.iter_mut().zip(&p.grams).for_each(|(t, p)| axpy(1.0, p, t));
                t.scores.iter_mut().zip(&p.scores).for_each(|(t, p)| axpy(1.0, p, t));
                axpy(1.0, &p.traces, &mut t.traces);
                axpy(1.0, &p.theta_f, &mut t.theta_f);
                axpy(1.0, &p.theta_trace, &mut t.theta_trace);
                axpy(1.0, &p.theta_cross.data, &mut t.theta_cross.data);
            },
        )?;
        let grams: Vec<Mat> = sums.grams.iter().map(|g| layout.fold_gram(g)).collect();
        // The weights of direction e, applied to direction g; what theta adds was summed beside.
        let mut scores: Vec<Vec<f64>> = sums.scores.iter().map(|s| layout.fold_vec(s)).collect();
        for e in 0..nd {
            for g in 0..=e {
                crate::mat::axpy(1.0, &grams[e].mul_vec(&directions[g]), &mut scores[pair(e, g)]);
            }
        }
        Ok(Third {
            pull: layout.fold_vec(&sums.pull),
            grams,
            scores,
            traces: sums.traces,
            theta_f: sums.theta_f,
            theta_trace: sums.theta_trace,
            theta_cross: sums.theta_cross,
        })
    }
}
