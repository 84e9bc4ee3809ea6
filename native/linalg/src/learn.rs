//! Exports of the `learn` crate.

use napi::bindgen_prelude::{AsyncTask, Float64Array, Uint32Array};
use napi_derive::napi;
use x_learn::{Forest, ForestOptions, Ridge, Transform};
use x_simd::{Error, Result};
use x_unifrac::Kernel;

use crate::job::Job;
use crate::unifrac::DistanceMatrix;
use crate::work::{Work, to_napi};

/// Counts as the numbers that models are fitted to: samples × features.
#[napi]
#[derive(Clone)]
pub struct DenseTable {
    features: usize,
    values: std::sync::Arc<Vec<f64>>,
}

#[napi]
impl DenseTable {
    /// `transform`: `relative`, `hellinger` or `clr`; compressed rows, a row a sample.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        features: u32,
        indptr: &[f64],
        indices: &[u32],
        values: &[f64],
        transform: String,
        pseudocount: f64,
    ) -> napi::Result<Self> {
        let kind = Transform::new(&transform, pseudocount).map_err(to_napi)?;
        let values = x_learn::transform(features as usize, indptr, indices, values, kind).map_err(to_napi)?;
        Ok(Self { features: features as usize, values: std::sync::Arc::new(values) })
    }
}

impl DenseTable {
    fn rows(&self, samples: &[u32]) -> Result<Vec<f64>> {
        let p = self.features;
        let mut rows = Vec::with_capacity(samples.len() * p);
        for &s in samples {
            let at = s as usize * p;
            let row = self.values.get(at..at + p);
            rows.extend_from_slice(row.ok_or_else(|| Error::new("SHAPE", format!("there is no sample {s}")))?);
        }
        Ok(rows)
    }
}

/// How trees are grown.
#[napi(object)]
pub struct TreeOptions {
    pub trees: u32,
    pub features: u32,
    pub min_leaf: u32,
    pub bootstrap: bool,
    pub random_thresholds: bool,
    pub seed: f64,
}

/// Predictions of the test samples, and how much each feature told.
#[napi(object)]
pub struct ForestFit {
    pub predictions: Float64Array,
    pub importances: Float64Array,
}

/// Predictions of the test samples, and the penalty with its error of samples left out.
#[napi(object)]
pub struct RidgeFit {
    pub predictions: Float64Array,
    pub penalty: f64,
    pub left_out_error: f64,
}

fn ridge_fit(found: Ridge) -> RidgeFit {
    RidgeFit {
        predictions: Float64Array::new(found.predictions),
        penalty: found.penalty,
        left_out_error: found.left_out_error,
    }
}

/// Fits trees to `y` of the samples `train` (numbers of `classes` classes, or targets when 0) and predicts `test`.
#[napi(catch_unwind, ts_return_type = "Promise<ForestFit>")]
#[allow(clippy::too_many_arguments)]
pub fn fit_forest(
    job: &Job,
    table: &DenseTable,
    train: Uint32Array,
    y: Float64Array,
    classes: u32,
    test: Uint32Array,
    options: TreeOptions,
    threads: u32,
) -> AsyncTask<Work<Forest, ForestFit>> {
    let (job, table) = (job.0.clone(), table.clone());
    let options = ForestOptions {
        trees: options.trees as usize,
        features: options.features as usize,
        min_leaf: options.min_leaf as usize,
        bootstrap: options.bootstrap,
        random_thresholds: options.random_thresholds,
        seed: options.seed as u64,
    };
    Work::spawn(
        move || {
            let (x, rest, p) = (table.rows(&train)?, table.rows(&test)?, table.features);
            x_learn::forest(&x, p, &y, classes as usize, &rest, &options, threads as usize, &job)
        },
        |found| ForestFit {
            predictions: Float64Array::new(found.predictions),
            importances: Float64Array::new(found.importances),
        },
    )
}

/// Ridge regression on the table's columns; `y` holds the targets of one training sample after another's.
#[napi(catch_unwind, ts_return_type = "Promise<RidgeFit>")]
#[allow(clippy::too_many_arguments)]
pub fn fit_ridge(
    job: &Job,
    table: &DenseTable,
    train: Uint32Array,
    y: Float64Array,
    test: Uint32Array,
    scales: Float64Array,
    threads: u32,
) -> AsyncTask<Work<Ridge, RidgeFit>> {
    let (job, table, threads) = (job.0.clone(), table.clone(), threads as usize);
    Work::spawn(
        move || {
            let (x, rest) = (table.rows(&train)?, table.rows(&test)?);
            let (kernel, cross) = x_learn::linear_kernel(&x, train.len(), table.features, &rest, threads, &job)?;
            x_learn::ridge(kernel, &cross, &y, &scales, threads, &job)
        },
        ridge_fit,
    )
}

/// Ridge regression on similarities made from distances; of several kernels (−d²/2, and exp(−d²/w) of three widths) the
/// one with the least error of samples left out.
#[napi(catch_unwind, ts_return_type = "Promise<RidgeFit>")]
#[allow(clippy::too_many_arguments)]
pub fn fit_distance_ridge(
    job: &Job,
    distances: &DistanceMatrix,
    train: Uint32Array,
    y: Float64Array,
    test: Uint32Array,
    scales: Float64Array,
    threads: u32,
) -> AsyncTask<Work<Ridge, RidgeFit>> {
    let (job, distances) = (job.0.clone(), distances.shared());
    Work::spawn(
        move || {
            let fit = |kind| {
                let (kernel, cross) = crate::unifrac::read(&distances, |d| d.kernel(kind, &train, &test))?;
                x_learn::ridge(kernel, &cross, &y, &scales, threads as usize, &job)
            };
            let mut best = fit(Kernel::Gower)?;
            for width in [0.25, 1.0, 4.0] {
                let found = fit(Kernel::Gaussian(width))?;
                if found.left_out_error < best.left_out_error {
                    best = found;
                }
            }
            Ok(best)
        },
        ridge_fit,
    )
}
