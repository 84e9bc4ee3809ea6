//! Random forests (Breiman 2001) and extremely randomised trees (Geurts, Ernst & Wehenkel 2006).

use rayon::prelude::*;
use x_random::Random;
use x_simd::{Error, Job, Result, with_pool};

use crate::tree::Tree;

#[derive(Debug, Clone, Copy)]
pub struct ForestOptions {
    pub trees: usize,
    /// Features looked at for a split.
    pub features: usize,
    pub min_leaf: usize,
    /// Does each tree get rows drawn with repetition?
    pub bootstrap: bool,
    /// One random threshold a feature instead of the best one.
    pub random_thresholds: bool,
    pub seed: u64,
}

/// What trees are grown on.
pub struct Data<'a> {
    /// Row by row.
    pub x: &'a [f64],
    pub p: usize,
    /// Targets, or the numbers of classes.
    pub y: &'a [f64],
    /// 0 for regression.
    pub classes: usize,
    /// Numbers in a leaf.
    pub outputs: usize,
}

impl Data<'_> {
    pub fn at(&self, row: u32, feature: usize) -> f64 {
        self.x[row as usize * self.p + feature]
    }
}

pub struct Forest {
    /// One number a test row, or the share of every class.
    pub predictions: Vec<f64>,
    /// Impurity that each feature took away, summing to 1.
    pub importances: Vec<f64>,
}

/// Grows trees on `x` (rows × `p`) and predicts `test`. Tree t draws from stream t of the seed, and trees are added up in
/// order: the same bits for any number of threads.
#[allow(clippy::too_many_arguments)]
pub fn forest(
    x: &[f64],
    p: usize,
    y: &[f64],
    classes: usize,
    test: &[f64],
    options: &ForestOptions,
    threads: usize,
    job: &Job,
) -> Result<Forest> {
    let n = y.len();
    let class_of = |v: &f64| *v >= 0.0 && *v < classes as f64 && v.fract() == 0.0;
    if n == 0 || p == 0 || x.len() != n * p || test.len() % p != 0 || (classes > 0 && !y.iter().all(class_of)) {
        return Err(Error::new("SHAPE", format!("{} numbers are no {n} rows of {p} features", x.len())));
    }
    let outputs = classes.max(1);
    let data = Data { x, p, y, classes, outputs };
    let options =
        ForestOptions { features: options.features.clamp(1, p), min_leaf: options.min_leaf.max(1), ..*options };
    job.start(options.trees as u64);
    let trees: Vec<(Vec<f64>, Vec<f64>)> = with_pool(threads, || {
        (1..=options.trees as u64)
            .into_par_iter()
            .map(|t| {
                job.check()?;
                let mut random = Random::new(options.seed, t);
                let mut rows: Vec<u32> =
                    (0..n as u32).map(|r| if options.bootstrap { random.int(n as u64) as u32 } else { r }).collect();
                let mut importance = vec![0.0; p];
                let tree = Tree::grow(&data, &options, random, &mut rows, &mut importance);
                let predicted =
                    test.chunks_exact(p).flat_map(|row| tree.predict(row, outputs).iter().copied()).collect();
                job.advance(1);
                Ok((predicted, importance))
            })
            .collect::<Result<_>>()
    })?;
    let mut all = Forest { predictions: vec![0.0; test.len() / p * outputs], importances: vec![0.0; p] };
    for (predicted, importance) in &trees {
        all.predictions.iter_mut().zip(predicted).for_each(|(to, v)| *to += v / options.trees as f64);
        let sum: f64 = importance.iter().sum();
        if sum > 0.0 {
            all.importances.iter_mut().zip(importance).for_each(|(to, v)| *to += v / sum / options.trees as f64);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: usize, p: usize, stream: u64) -> Vec<f64> {
        let mut random = Random::new(5, stream);
        (0..n * p).map(|_| random.uniform()).collect()
    }

    const OPTIONS: ForestOptions =
        ForestOptions { trees: 60, features: 3, min_leaf: 1, bootstrap: true, random_thresholds: false, seed: 1 };

    #[test]
    fn learns_a_step_and_knows_which_feature_did_it() {
        let (x, test) = (rows(200, 6, 1), rows(50, 6, 2));
        let step = |row: &[f64]| if row[2] > 0.4 { 3.0 } else { 1.0 };
        let y: Vec<f64> = x.chunks(6).map(step).collect();
        for random_thresholds in [false, true] {
            let options = ForestOptions { random_thresholds, bootstrap: !random_thresholds, ..OPTIONS };
            let one = forest(&x, 6, &y, 0, &test, &options, 1, &Job::default()).unwrap();
            let two = forest(&x, 6, &y, 0, &test, &options, 2, &Job::default()).unwrap();
            assert_eq!(one.predictions, two.predictions);
            let error: f64 = test.chunks(6).zip(&one.predictions).map(|(row, p)| (step(row) - p).abs()).sum();
            assert!(error / 50.0 < 0.3, "{error}");
            assert!(one.importances[2] > 0.7 && (one.importances.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn classes_get_shares_that_sum_to_one() {
        let (x, test) = (rows(150, 4, 3), rows(40, 4, 4));
        let class = |row: &[f64]| f64::from(u8::from(row[0] > 0.33) + u8::from(row[0] > 0.66));
        let y: Vec<f64> = x.chunks(4).map(class).collect();
        let found = forest(&x, 4, &y, 3, &test, &OPTIONS, 1, &Job::default()).unwrap();
        let mut right = 0;
        for (row, shares) in test.chunks(4).zip(found.predictions.chunks(3)) {
            assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let best = (0..3).max_by(|&a, &b| shares[a].total_cmp(&shares[b])).unwrap();
            right += usize::from(best as f64 == class(row));
        }
        assert!(right >= 36, "{right} of 40");
    }

    #[test]
    fn a_single_full_tree_remembers_its_rows() {
        let x = rows(30, 3, 5);
        let y: Vec<f64> = (0..30).map(f64::from).collect();
        let options = ForestOptions { trees: 1, bootstrap: false, ..OPTIONS };
        assert_eq!(forest(&x, 3, &y, 0, &x, &options, 1, &Job::default()).unwrap().predictions, y);
    }
}
