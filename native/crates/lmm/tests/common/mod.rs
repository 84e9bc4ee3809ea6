//! The study of golden/make_small.py.
// Every test binary compiles its own copy and uses what it needs.
#![allow(dead_code)]

use x_dense::{Eigen, SquareMatrix, center, eigh};
use x_lmm::{Association, NullPoint, Options, Study, Tests, Trait, fit_null};
use x_simd::Job;

pub struct Case {
    pub packed: Vec<u8>,
    pub samples: usize,
    pub keep: Vec<u32>,
    pub y: Vec<f64>,
    /// Two columns.
    pub w: Vec<f64>,
    pub environment: Vec<f64>,
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
        let mut k = SquareMatrix::zeros(kept.len()).unwrap();
        for (to, &i) in kept.iter().enumerate() {
            let row: Vec<f64> = kept.iter().map(|&j| kinship[i.max(j)][i.min(j)]).collect();
            k.set_tile(to, 1, 0, row.len(), &row).unwrap();
        }
        let job = Job::default();
        center(&mut k, 1, &job).unwrap();
        let Eigen { values, vectors, .. } = eigh(k, 1, &job).unwrap();
        Self {
            packed: include_bytes!("../golden/small.bed")[3..].to_vec(),
            samples: people.len(),
            keep: kept.iter().map(|&i| i as u32).collect(),
            y: column(0),
            w: [column(1), column(2)].concat(),
            environment: column(3),
            values,
            vectors,
        }
    }

    /// The null model's maximum, then what `with` makes of the study.
    pub fn with<T>(&self, tests: Tests, with: impl FnOnce(&Study) -> T) -> T {
        self.with_trait(&self.y, &self.w, tests, with)
    }

    /// The same for another phenotype and two other covariates.
    pub fn with_trait<T>(&self, y: &[f64], w: &[f64], tests: Tests, with: impl FnOnce(&Study) -> T) -> T {
        let Self { values, keep, .. } = self;
        let null = fit_null(values, &self.project(y), &self.project(w), 2, &Options::default()).unwrap();
        let null = NullPoint { lambda: null.lambda_mle, loglik: null.loglik_mle };
        let traits = [Trait { y, null }];
        let samples_in_file = self.samples;
        with(&Study { values, keep, samples_in_file, traits: &traits, w, c: 2, environment: None, tests })
    }

    pub fn association(&self) -> Association {
        self.with(Tests::ALL, |study| Association::new(&self.vectors, study, Options::default()).unwrap())
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
