//! Shape constraints of P-splines as linear inequalities C b >= 0 on the coefficients: differences of B-spline coefficients
//! over knot distances are the coefficients of the derivative, and a spline with coefficients of one sign has that sign
//! (de Boor 1978; Pya & Wood 2015 build their reparametrisation on the same fact). And the quadratic programme they need.

use x_simd::{Error, Result};

use crate::mat::{Factor, Mat, dot};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// 1 increasing, -1 decreasing, 0 free.
    slope: i8,
    /// 1 convex, -1 concave, 0 free.
    bend: i8,
}

impl Shape {
    pub fn named(text: &str) -> Result<Shape> {
        let mut shape = Shape { slope: 0, bend: 0 };
        for word in text.split('-') {
            match word {
                "increasing" if shape.slope == 0 => shape.slope = 1,
                "decreasing" if shape.slope == 0 => shape.slope = -1,
                "convex" if shape.bend == 0 => shape.bend = 1,
                "concave" if shape.bend == 0 => shape.bend = -1,
                _ => return Err(Error::new("GAM_OPTIONS", format!("unknown shape \"{text}\""))),
            }
        }
        Ok(shape)
    }

    pub fn name(self) -> String {
        let slope = ["decreasing", "", "increasing"][(self.slope + 1) as usize];
        let bend = ["concave", "", "convex"][(self.bend + 1) as usize];
        [slope, bend].into_iter().filter(|w| !w.is_empty()).collect::<Vec<_>>().join("-")
    }

    /// Rows of C over the B-spline coefficients. A monotone spline that is also convex needs its slope looked at on one
    /// end only; the other rows would depend on each other.
    pub fn rows(self, knots: &[f64], degree: usize) -> Mat {
        let k = knots.len() - degree - 1;
        let derivative = |i: usize| -> Vec<f64> {
            let over = degree as f64 / (knots[i + degree + 1] - knots[i + 1]);
            (0..k)
                .map(|c| {
                    if c == i + 1 {
                        over
                    } else if c == i {
                        -over
                    } else {
                        0.0
                    }
                })
                .collect()
        };
        let mut rows: Vec<Vec<f64>> = Vec::new();
        let mut push = |sign: i8, row: Vec<f64>| rows.push(row.iter().map(|x| f64::from(sign) * x).collect());
        if self.bend != 0 {
            for i in 0..k - 2 {
                let (a, b) = (derivative(i), derivative(i + 1));
                push(self.bend, a.iter().zip(&b).map(|(a, b)| b - a).collect());
            }
        }
        match (self.slope, self.slope * self.bend) {
            (0, _) => {}
            // The smallest slope is at the left end of an increasing convex (or decreasing concave) function.
            (s, 1) => push(s, derivative(0)),
            (s, -1) => push(s, derivative(k - 2)),
            (s, _) => (0..k - 1).for_each(|i| push(s, derivative(i))),
        }
        Mat { rows: rows.len(), cols: k, data: rows.concat() }
    }
}

/// A constrained minimum: the point and the constraints that hold as equalities with a positive multiplier.
pub struct Corner {
    pub x: Vec<f64>,
    pub active: Vec<usize>,
}

/// Minimises (x - b)'H(x - b) / 2 subject to C x >= 0 in the dual: non-negative multipliers by an active set (Lawson &
/// Hanson 1974).
pub fn programme(h: &Factor, b: &[f64], c: &Mat) -> Result<Corner> {
    let m = c.rows;
    // Columns H^-1 c, each scaled so that its constraint has unit length in this metric.
    let mut solved = c.clone();
    let mut length = vec![0.0; m];
    for i in 0..m {
        h.solve(solved.row_mut(i));
        length[i] = dot(solved.row(i), c.row(i)).max(0.0).sqrt();
    }
    let unit = |i: usize| if length[i] > 0.0 { 1.0 / length[i] } else { 0.0 };
    let q = Mat::from_fn(m, m, |i, j| dot(solved.row(i), c.row(j)) * unit(i) * unit(j));
    let r: Vec<f64> = (0..m).map(|i| dot(c.row(i), b) * unit(i)).collect();
    let tolerance = 1e-12 * (1.0 + r.iter().fold(0.0, |t: f64, x| t.max(x.abs())));
    let mut active: Vec<usize> = Vec::new();
    let mut multiplier = vec![0.0; m];
    for _ in 0..20 * (m + 1) {
        let slack = |i: usize| r[i] + dot(q.row(i), &multiplier);
        let worst = (0..m).filter(|i| !active.contains(i)).min_by(|&a, &b| slack(a).total_cmp(&slack(b)));
        let Some(worst) = worst.filter(|&i| slack(i) < -tolerance) else {
            let mut x = b.to_vec();
            for &i in &active {
                crate::mat::axpy(multiplier[i] * unit(i), solved.row(i), &mut x);
            }
            active.sort_unstable();
            return Ok(Corner { x, active });
        };
        active.push(worst);
        loop {
            let n = active.len();
            let own = Mat::from_fn(n, n, |a, b| q[(active[a], active[b])] + if a == b { 1e-13 } else { 0.0 });
            let Some(factor) = Factor::new(&own) else { break };
            let mut z: Vec<f64> = active.iter().map(|&i| -r[i]).collect();
            factor.solve(&mut z);
            let blocked = active.iter().zip(&z).filter(|(_, z)| **z <= 0.0);
            let step = blocked.map(|(&i, z)| multiplier[i] / (multiplier[i] - z)).fold(1.0, f64::min);
            for (&i, z) in active.iter().zip(&z) {
                multiplier[i] += step * (z - multiplier[i]);
            }
            if z.iter().all(|z| *z > 0.0) {
                break;
            }
            active.retain(|&i| multiplier[i] > 1e-300 && multiplier[i] > 1e-14 * tolerance);
            (0..m).filter(|i| !active.contains(i)).for_each(|i| multiplier[i] = 0.0);
            if active.is_empty() {
                break;
            }
        }
    }
    Err(Error::new("GAM_INNER", "the shape constraints did not settle"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corner_obeys_the_optimality_conditions() {
        let n = 6;
        let a = Mat::from_fn(n, n, |i, j| ((i * 5 + j * 3) as f64).sin() + if i == j { 3.0 } else { 0.0 });
        let h = a.tmul(&a);
        let factor = Factor::new(&h).unwrap();
        let b: Vec<f64> = (0..n).map(|i| (i as f64 * 2.3).cos()).collect();
        let c = Shape::named("increasing").unwrap().rows(&(0..n + 4).map(|i| i as f64).collect::<Vec<_>>(), 3);
        let corner = programme(&factor, &b, &c).unwrap();
        let slack = c.mul_vec(&corner.x);
        assert!(slack.iter().all(|s| *s > -1e-10), "{slack:?}");
        // The gradient is a non-negative combination of the active constraints.
        let move_by: Vec<f64> = corner.x.iter().zip(&b).map(|(x, b)| x - b).collect();
        let gradient = h.mul_vec(&move_by);
        let k = corner.active.len();
        assert!(k > 0 && corner.active.iter().all(|&i| slack[i].abs() < 1e-10));
        let ca = Mat::from_fn(k, n, |i, j| c[(corner.active[i], j)]);
        let mut mu = ca.mul_vec(&gradient);
        Factor::new(&ca.mul(&ca.t())).unwrap().solve(&mut mu);
        assert!(mu.iter().all(|m| *m > 0.0));
        let back = ca.tmul_vec(&mu);
        assert!(back.iter().zip(&gradient).all(|(x, y)| (x - y).abs() < 1e-9));
        assert_eq!(Shape::named("decreasing-concave").unwrap().name(), "decreasing-concave");
        assert!(Shape::named("wavy").is_err());
    }
}
