//! Which eigenpairs of two joined halves need no work: a negligible coupling, or two eigenvalues so close that one
//! rotation removes the coupling of one of them (Dongarra & Sorensen 1987).

pub struct Rotation {
    pub i: usize,
    pub j: usize,
    pub c: f64,
    pub s: f64,
}

pub struct Deflation {
    pub rho: f64,
    /// Eigenvalues and couplings of the old columns, rotated pairs updated.
    pub values: Vec<f64>,
    pub weights: Vec<f64>,
    /// Columns that stay in the secular equation, by ascending value.
    pub kept: Vec<usize>,
    pub deflated: Vec<usize>,
    pub rotations: Vec<Rotation>,
    /// Bit 0: the column has entries in the first half's rows; bit 1: in the second's.
    halves: Vec<u8>,
}

impl Deflation {
    pub fn touches(&self, column: usize, half: usize) -> bool {
        self.halves[column] >> half & 1 == 1
    }
}

pub fn deflate(values: &[f64], weights: &[f64], half: usize, rho: f64) -> Deflation {
    let n = values.len();
    let mut p = Deflation {
        rho,
        values: values.to_vec(),
        weights: weights.to_vec(),
        kept: Vec::with_capacity(n),
        deflated: Vec::new(),
        rotations: Vec::new(),
        halves: (0..n).map(|i| if i < half { 1 } else { 2 }).collect(),
    };
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    let largest = |v: &[f64]| v.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    let tolerance = 8.0 * f64::EPSILON * largest(values).max(largest(weights));
    let mut open: Option<usize> = None;
    for &j in &order {
        if rho * p.weights[j].abs() <= tolerance {
            p.deflated.push(j);
            continue;
        }
        let Some(i) = open.replace(j) else { continue };
        let r = p.weights[i].hypot(p.weights[j]);
        let (c, s) = (p.weights[j] / r, -p.weights[i] / r);
        if ((p.values[j] - p.values[i]) * c * s).abs() > tolerance {
            p.kept.push(i);
            continue;
        }
        p.weights[j] = r;
        p.weights[i] = 0.0;
        let (a, b) = (p.values[i], p.values[j]);
        p.values[i] = a * c * c + b * s * s;
        p.values[j] = a * s * s + b * c * c;
        p.halves[i] |= p.halves[j];
        p.halves[j] = p.halves[i];
        p.rotations.push(Rotation { i, j, c, s });
        p.deflated.push(i);
    }
    p.kept.extend(open);
    p
}
