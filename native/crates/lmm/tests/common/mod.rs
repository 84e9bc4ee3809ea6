//! The study of golden/make_small.py, with a small eigensolver so that no eigenvectors need to be stored.

use x_dense::SquareMatrix;
use x_lmm::{Association, Options, Study};

pub struct Case {
    pub packed: Vec<u8>,
    pub samples: usize,
    pub keep: Vec<u32>,
    pub y: Vec<f64>,
    /// Two columns.
    pub w: Vec<f64>,
    pub values: Vec<f64>,
    pub vectors: SquareMatrix,
}

impl Case {
    pub fn load() -> Self {
        let people: Vec<Vec<&str>> =
            include_str!("../golden/people.tsv").lines().map(|l| l.split('\t').collect()).collect();
        let kept: Vec<usize> = (0..people.len()).filter(|&i| people[i][0] != "NA").collect();
        let column = |k: usize| -> Vec<f64> { kept.iter().map(|&i| people[i][k].parse().unwrap()).collect() };
        let kinship: Vec<Vec<f64>> = include_str!("../golden/kinship.lower.txt")
            .lines()
            .map(|line| line.split('\t').map(|cell| cell.parse().unwrap()).collect())
            .collect();
        let n = kept.len();
        let mut k: Vec<f64> =
            kept.iter().flat_map(|&i| kept.iter().map(|&j| kinship[i.max(j)][i.min(j)]).collect::<Vec<_>>()).collect();
        let means: Vec<f64> = k.chunks_exact(n).map(|row| row.iter().sum::<f64>() / n as f64).collect();
        let mean = means.iter().sum::<f64>() / n as f64;
        for (i, row) in k.chunks_exact_mut(n).enumerate() {
            row.iter_mut().enumerate().for_each(|(j, v)| *v += mean - means[i] - means[j]);
        }
        let (values, vectors) = jacobi(&k, n);
        Self {
            packed: include_bytes!("../golden/small.bed")[3..].to_vec(),
            samples: people.len(),
            keep: kept.iter().map(|&i| i as u32).collect(),
            y: column(0),
            w: [column(1), column(2)].concat(),
            values,
            vectors,
        }
    }

    pub fn study(&self) -> Study<'_> {
        let Self { values, keep, y, w, .. } = self;
        Study { values, keep, samples_in_file: self.samples, y, w, c: 2 }
    }

    pub fn association(&self) -> Association {
        Association::new(&self.vectors, &self.study(), Options::default()).unwrap()
    }

    /// U' of each column.
    pub fn project(&self, columns: &[f64]) -> Vec<f64> {
        let n = self.y.len();
        let entry = |column: &[f64], j: usize| (0..n).map(|i| self.vectors.row(i)[j] * column[i]).sum();
        columns.chunks_exact(n).flat_map(|column| (0..n).map(|j| entry(column, j)).collect::<Vec<f64>>()).collect()
    }

    /// Dosages of the analysed people, missing ones replaced.
    pub fn dosages(&self, row: u32, missing: f64) -> Vec<f64> {
        let row = &self.packed[row as usize * self.samples.div_ceil(4)..];
        let code = |person: u32| (row[person as usize / 4] >> (person % 4 * 2) & 3) as usize;
        self.keep.iter().map(|&person| [2.0, missing, 1.0, 0.0][code(person)]).collect()
    }

    /// Mean over the analysed people with a call.
    pub fn means(&self, rows: &[u32]) -> Vec<f64> {
        rows.iter()
            .map(|&row| {
                let called: Vec<f64> = self.dosages(row, f64::NAN).into_iter().filter(|x| !x.is_nan()).collect();
                called.iter().sum::<f64>() / called.len() as f64
            })
            .collect()
    }
}

/// Cyclic Jacobi: eigenvalues ascending, eigenvectors in columns.
pub fn jacobi(matrix: &[f64], n: usize) -> (Vec<f64>, SquareMatrix) {
    let mut a = matrix.to_vec();
    let mut v: Vec<f64> = (0..n * n).map(|at| if at / n == at % n { 1.0 } else { 0.0 }).collect();
    for _ in 0..14 {
        for p in 0..n {
            for q in p + 1..n {
                if a[p * n + q].abs() < 1e-300 {
                    continue;
                }
                let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * a[p * n + q]);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                for k in 0..n {
                    let (x, y) = (a[k * n + p], a[k * n + q]);
                    (a[k * n + p], a[k * n + q]) = (c * x - s * y, s * x + c * y);
                }
                for k in 0..n {
                    let (x, y) = (a[p * n + k], a[q * n + k]);
                    (a[p * n + k], a[q * n + k]) = (c * x - s * y, s * x + c * y);
                    let (x, y) = (v[k * n + p], v[k * n + q]);
                    (v[k * n + p], v[k * n + q]) = (c * x - s * y, s * x + c * y);
                }
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[i * n + i].total_cmp(&a[j * n + j]));
    let mut vectors = SquareMatrix::zeros(n).unwrap();
    for (to, &from) in order.iter().enumerate() {
        for k in 0..n {
            vectors.data_mut()[k * n + to] = v[k * n + from];
        }
    }
    (order.iter().map(|&i| a[i * n + i]).collect(), vectors)
}
