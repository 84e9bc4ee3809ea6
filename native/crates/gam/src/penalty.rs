//! The penalty S = sum of lambda_j S_j: its log pseudo-determinant with derivatives, and for each lambda the rotation
//! of the coefficients in which it is numerically harmless.
//!
//! Penalties over one range of coefficients form a group. A group of one is diagonalised once. In a group of several the
//! dominant penalties are peeled off step by step (the similarity transform of Wood 2011, appendix B): what a dominant
//! penalty leaves unpenalised is exactly zero in its rotated form, so lambdas 1e20 apart do not touch each other.

use x_simd::Result;

use crate::mat::{Factor, Mat, dot};

/// One smoothing parameter: the same matrix may act on several ranges (levels of a factor smooth, linked smooths).
#[derive(Debug, Clone)]
pub struct Penalty {
    /// First coefficient and matrix.
    pub parts: Vec<(usize, Mat)>,
    pub rank: usize,
    pub label: String,
    /// What the raw penalty was divided by.
    pub scale: f64,
}

struct Group {
    from: usize,
    width: usize,
    /// Which rho, and its matrix restricted to the range space (rank × rank).
    members: Vec<(usize, Mat)>,
    /// Range space then null space of the sum, as columns; `None` when every member is diagonal.
    basis: Option<Mat>,
    rank: usize,
    /// All members are diagonal in the basis.
    diagonal: bool,
}

pub struct Penalties {
    pub count: usize,
    pub width: usize,
    groups: Vec<Group>,
    /// Dimension of the joint null space, unpenalised columns included.
    pub null_dimension: usize,
}

/// The penalties at one rho, in rotated coordinates.
pub struct Prepared {
    pub lambda: Vec<f64>,
    /// Orthogonal rotations: coefficients = Q · rotated.
    pub rotation: Vec<(usize, Mat)>,
    /// Rotated S_j (not yet times lambda).
    pub parts: Vec<Vec<(usize, Mat)>>,
    pub log_det: f64,
    pub log_det_gradient: Vec<f64>,
    pub log_det_hessian: Mat,
    /// True for each rotated coefficient that some penalty reaches.
    pub penalised: Vec<bool>,
}

impl Penalties {
    pub fn new(list: &[Penalty], width: usize) -> Result<Penalties> {
        let mut ranges: Vec<(usize, usize)> = Vec::new();
        for (from, m) in list.iter().flat_map(|p| &p.parts) {
            if !ranges.contains(&(*from, m.rows)) {
                ranges.push((*from, m.rows));
            }
        }
        let mut groups = Vec::new();
        let mut null_dimension = width;
        for (from, w) in ranges {
            let members: Vec<(usize, &Mat)> = list
                .iter()
                .enumerate()
                .flat_map(|(j, p)| p.parts.iter().map(move |part| (j, part)))
                .filter(|(_, part)| part.0 == from && part.1.rows == w)
                .map(|(j, part)| (j, &part.1))
                .collect();
            let group = Group::new(from, w, &members)?;
            null_dimension -= group.rank;
            groups.push(group);
        }
        Ok(Penalties { count: list.len(), width, groups, null_dimension })
    }

    pub fn prepare(&self, rho: &[f64]) -> Result<Prepared> {
        let lambda: Vec<f64> = rho.iter().map(|r| r.exp()).collect();
        let m = self.count;
        let mut out = Prepared {
            lambda,
            rotation: Vec::new(),
            parts: vec![Vec::new(); m],
            log_det: 0.0,
            log_det_gradient: vec![0.0; m],
            log_det_hessian: Mat::zeros(m, m),
            penalised: vec![false; self.width],
        };
        for g in &self.groups {
            g.prepare(&mut out)?;
        }
        Ok(out)
    }
}

impl Prepared {
    /// S_j x, to be multiplied by lambda_j.
    pub fn times(&self, j: usize, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; x.len()];
        for (from, m) in &self.parts[j] {
            for i in 0..m.rows {
                out[from + i] += dot(m.row(i), &x[*from..from + m.cols]);
            }
        }
        out
    }

    /// sum lambda_j S_j x
    pub fn total_times(&self, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; x.len()];
        for (parts, l) in self.parts.iter().zip(&self.lambda) {
            for (from, m) in parts {
                for i in 0..m.rows {
                    out[from + i] += l * dot(m.row(i), &x[*from..from + m.cols]);
                }
            }
        }
        out
    }

    pub fn add_total(&self, to: &mut Mat) {
        for j in 0..self.parts.len() {
            self.add_one(j, to);
        }
    }

    /// Adds lambda_j S_j.
    pub fn add_one(&self, j: usize, to: &mut Mat) {
        for (from, m) in &self.parts[j] {
            to.add_block(*from, *from, self.lambda[j], m);
        }
    }

    /// lambda_j tr(P S_j)
    pub fn trace(&self, j: usize, p: &Mat) -> f64 {
        let mut sum = 0.0;
        for (from, m) in &self.parts[j] {
            for i in 0..m.rows {
                sum += dot(m.row(i), &p.row(from + i)[*from..from + m.cols]);
            }
        }
        self.lambda[j] * sum
    }

    /// Coefficients of rotated ones.
    pub fn to_plain(&self, x: &[f64]) -> Vec<f64> {
        let mut out = x.to_vec();
        for (from, q) in &self.rotation {
            out[*from..from + q.rows].copy_from_slice(&q.mul_vec(&x[*from..from + q.rows]));
        }
        out
    }

    pub fn to_rotated(&self, x: &[f64]) -> Vec<f64> {
        let mut out = x.to_vec();
        for (from, q) in &self.rotation {
            out[*from..from + q.rows].copy_from_slice(&q.tmul_vec(&x[*from..from + q.rows]));
        }
        out
    }

    /// Q'M Q (`into` = true) or Q M Q'.
    pub fn rotate(&self, m: &Mat, into: bool) -> Mat {
        let mut out = m.clone();
        for (from, q) in &self.rotation {
            let (f, w) = (*from, q.rows);
            let columns = out.block(0..out.rows, f..f + w);
            let columns = if into { columns.mul(q) } else { columns.mul(&q.t()) };
            for i in 0..out.rows {
                out.row_mut(i)[f..f + w].copy_from_slice(columns.row(i));
            }
            let rows = out.block(f..f + w, 0..out.cols);
            let rows = if into { q.tmul(&rows) } else { q.mul(&rows) };
            for i in 0..w {
                out.row_mut(f + i).copy_from_slice(rows.row(i));
            }
        }
        out.symmetrise();
        out
    }
}

/// Rank of all penalties together on a range of coefficients.
pub fn joint_rank(list: &[Penalty], range: &std::ops::Range<usize>) -> usize {
    let shift = |p: &Penalty| Penalty {
        parts: p
            .parts
            .iter()
            .filter(|(from, _)| range.contains(from))
            .map(|(from, m)| (from - range.start, m.clone()))
            .collect(),
        ..p.clone()
    };
    let own: Vec<Penalty> = list.iter().map(shift).filter(|p| !p.parts.is_empty()).collect();
    Penalties::new(&own, range.len()).map_or(0, |p| range.len() - p.null_dimension)
}

fn is_diagonal(m: &Mat) -> bool {
    (0..m.rows).all(|i| (0..m.cols).all(|j| i == j || m[(i, j)] == 0.0))
}

/// Clears what is rounding error next to the largest entry.
fn clean(m: &mut Mat) {
    let small = 1e-13 * m.largest();
    m.data.iter_mut().filter(|x| x.abs() < small).for_each(|x| *x = 0.0);
}

impl Group {
    fn new(from: usize, width: usize, members: &[(usize, &Mat)]) -> Result<Group> {
        if members.iter().all(|(_, m)| is_diagonal(m)) {
            let members: Vec<(usize, Mat)> = members.iter().map(|(j, m)| (*j, (*m).clone())).collect();
            let rank = (0..width).filter(|&i| members.iter().any(|(_, m)| m[(i, i)] > 0.0)).count();
            return Ok(Group { from, width, members, basis: None, rank, diagonal: true });
        }
        let mut sum = Mat::zeros(width, width);
        for (_, m) in members {
            sum.add_scaled(1.0 / m.largest(), m);
        }
        let (values, vectors) = sum.eigen()?;
        let top = values[width - 1];
        let rank = values.iter().filter(|&&v| v > 1e-9 * top).count();
        // Largest eigenvalue first.
        let basis = Mat::from_fn(width, width, |i, j| vectors[(i, width - 1 - j)]);
        let range = basis.block(0..width, 0..rank);
        let mut reduced: Vec<(usize, Mat)> = Vec::new();
        for (j, m) in members {
            let mut r = m.congruence(&range);
            clean(&mut r);
            reduced.push((*j, r));
        }
        let diagonal = reduced.iter().all(|(_, m)| is_diagonal(m));
        Ok(Group { from, width, members: reduced, basis: Some(basis), rank, diagonal })
    }

    fn prepare(&self, out: &mut Prepared) -> Result<()> {
        if self.diagonal {
            self.prepare_diagonal(out);
            return Ok(());
        }
        let (q, mut matrices) = self.peel(&out.lambda)?;
        let mut total = Mat::zeros(self.rank, self.rank);
        for ((j, _), m) in self.members.iter().zip(&matrices) {
            total.add_scaled(out.lambda[*j], m);
        }
        let factor = Factor::new(&total)
            .ok_or_else(|| x_simd::Error::new("GAM_INNER", "the penalty matrix could not be factored"))?;
        out.log_det += factor.log_det();
        let inverse = factor.inverse();
        let scaled: Vec<Mat> = self
            .members
            .iter()
            .zip(&matrices)
            .map(|((j, _), m)| {
                let mut x = inverse.mul(m);
                x.data.iter_mut().for_each(|v| *v *= out.lambda[*j]);
                x
            })
            .collect();
        for (a, (j, _)) in self.members.iter().enumerate() {
            let t = scaled[a].trace();
            out.log_det_gradient[*j] += t;
            out.log_det_hessian[(*j, *j)] += t;
            for (b, (k, _)) in self.members.iter().enumerate() {
                out.log_det_hessian[(*j, *k)] -= scaled[a].t().trace_with(&scaled[b]);
            }
        }
        let basis = self.basis.as_ref().expect("a group that is not diagonal has a basis");
        let mut full = Mat::identity(self.width);
        for i in 0..self.rank {
            full[(i, i)] = 0.0;
        }
        full.add_block(0, 0, 1.0, &q);
        out.rotation.push((self.from, basis.mul(&full)));
        for ((j, _), m) in self.members.iter().zip(matrices.drain(..)) {
            out.parts[*j].push((self.from, m));
        }
        out.penalised[self.from..self.from + self.rank].fill(true);
        Ok(())
    }

    fn prepare_diagonal(&self, out: &mut Prepared) {
        let size = self.members[0].1.rows;
        for i in 0..size {
            let terms: Vec<f64> = self.members.iter().map(|(j, m)| out.lambda[*j] * m[(i, i)]).collect();
            let sum: f64 = terms.iter().sum();
            if sum <= 0.0 {
                continue;
            }
            out.penalised[self.from + i] = true;
            out.log_det += sum.ln();
            for (a, (j, _)) in self.members.iter().enumerate() {
                let share = terms[a] / sum;
                out.log_det_gradient[*j] += share;
                out.log_det_hessian[(*j, *j)] += share;
                for (b, (k, _)) in self.members.iter().enumerate() {
                    out.log_det_hessian[(*j, *k)] -= share * terms[b] / sum;
                }
            }
        }
        if let Some(basis) = &self.basis {
            out.rotation.push((self.from, basis.clone()));
        }
        for (j, m) in &self.members {
            out.parts[*j].push((self.from, m.clone()));
        }
    }

    /// Orthogonal Q of the range space and the members rotated by it, dominated parts cleared.
    fn peel(&self, lambda: &[f64]) -> Result<(Mat, Vec<Mat>)> {
        let r = self.rank;
        let mut q = Mat::identity(r);
        let mut matrices: Vec<Mat> = self.members.iter().map(|(_, m)| m.clone()).collect();
        let mut open: Vec<usize> = (0..matrices.len()).collect();
        let mut done = 0;
        let tolerance = f64::EPSILON.cbrt();
        while done < r && !open.is_empty() {
            let rest = r - done;
            let tails: Vec<Mat> = open.iter().map(|&a| matrices[a].block(done..r, done..r)).collect();
            let norms: Vec<f64> = tails.iter().map(|m| dot(&m.data, &m.data).sqrt()).collect();
            let size = |i: usize| norms[i] * lambda[self.members[open[i]].0];
            let largest = (0..open.len()).map(size).fold(0.0, f64::max);
            let dominant: Vec<usize> = (0..open.len()).filter(|&i| size(i) > tolerance * largest).collect();
            let mut sum = Mat::zeros(rest, rest);
            let mut weighted = Mat::zeros(rest, rest);
            for &i in &dominant {
                sum.add_scaled(1.0 / norms[i], &tails[i]);
                weighted.add_scaled(lambda[self.members[open[i]].0] / largest, &tails[i]);
            }
            let (values, _) = sum.eigen()?;
            let rank = values.iter().filter(|&&v| v > 1e-9 * values[rest - 1]).count();
            if rank == rest || dominant.len() == open.len() {
                break;
            }
            // Ranks of sums do not depend on the weights: the null space comes from the well-scaled sum.
            let (_, vectors) = sum.eigen()?;
            let null = vectors.block(0..rest, 0..rest - rank);
            let range = vectors.block(0..rest, rest - rank..rest);
            let (_, inner) = weighted.congruence(&range).eigen()?;
            let range = range.mul(&inner);
            let mut u = Mat::zeros(r, r);
            for i in 0..done {
                u[(i, i)] = 1.0;
            }
            u.add_block(done, done, 1.0, &range);
            u.add_block(done, done + rank, 1.0, &null);
            q = q.mul(&u);
            for m in &mut matrices {
                *m = m.congruence(&u);
            }
            for &i in &dominant {
                let m = &mut matrices[open[i]];
                for a in 0..r {
                    for b in 0..r {
                        if a >= done + rank || b >= done + rank {
                            m[(a, b)] = 0.0;
                        }
                    }
                }
            }
            open = (0..open.len()).filter(|i| !dominant.contains(i)).map(|i| open[i]).collect();
            done += rank;
        }
        Ok((q, matrices))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Vec<Penalty> {
        let d = |r: usize, a: f64| {
            let x = Mat::from_fn(r, 5, |i, j| ((i * 5 + j) as f64 * a).sin());
            Penalty { parts: vec![(1, x.tmul(&x))], rank: r, label: String::new(), scale: 1.0 }
        };
        vec![d(2, 1.3), d(2, 0.7), d(3, 2.9)]
    }

    #[test]
    fn log_determinant_and_derivatives() {
        let p = Penalties::new(&three(), 7).unwrap();
        assert_eq!(p.null_dimension, 2);
        let rho = [0.3, -1.0, 2.0];
        let at = p.prepare(&rho).unwrap();
        for j in 0..3 {
            let h = 1e-5;
            let shift = |d: f64| {
                let mut r = rho;
                r[j] += d;
                p.prepare(&r).unwrap()
            };
            let (up, down) = (shift(h), shift(-h));
            assert!(((up.log_det - down.log_det) / (2.0 * h) - at.log_det_gradient[j]).abs() < 1e-8);
            for k in 0..3 {
                let fd = (up.log_det_gradient[k] - down.log_det_gradient[k]) / (2.0 * h);
                assert!((fd - at.log_det_hessian[(j, k)]).abs() < 1e-8);
            }
        }
    }

    #[test]
    fn lambdas_far_apart_keep_the_determinant() {
        // For rho_0 -> infinity the gradient by rho_0 is the rank of S_0 and the rest does not feel it.
        let p = Penalties::new(&three(), 7).unwrap();
        let a = p.prepare(&[40.0, 0.0, 1.0]).unwrap();
        let b = p.prepare(&[60.0, 0.0, 1.0]).unwrap();
        assert!((a.log_det_gradient[0] - 2.0).abs() < 1e-10);
        assert!((b.log_det - a.log_det - 40.0).abs() < 1e-9);
    }
}
