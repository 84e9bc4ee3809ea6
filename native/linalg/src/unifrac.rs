//! Exports of the `unifrac` crate.

use std::sync::{Arc, RwLock};

use napi::bindgen_prelude::{AsyncTask, Float64Array, Float64ArraySlice, Int32Array, Uint32Array};
use napi_derive::napi;
use x_simd::{Error, Result};
use x_unifrac::{Branches, Counts, Distances as Inner, Found, Metric, Source, Stripes, Tree};

use crate::job::Job;
use crate::work::{Work, to_napi};

/// A tree in Rust memory.
#[napi]
pub struct NewickTree {
    inner: Arc<Tree>,
}

/// Reads one Newick tree; `spaces` turns `_` of unquoted names into a space.
#[napi(catch_unwind)]
pub fn parse_newick(text: &[u8], spaces: bool) -> napi::Result<NewickTree> {
    x_unifrac::parse_newick(text, spaces).map(|t| NewickTree { inner: Arc::new(t) }).map_err(to_napi)
}

#[napi]
impl NewickTree {
    #[napi(getter, catch_unwind)]
    pub fn nodes(&self) -> f64 {
        self.inner.nodes() as f64
    }

    #[napi(getter, catch_unwind)]
    pub fn tips(&self) -> f64 {
        self.inner.tips() as f64
    }

    /// Parent of each node, in postorder; the root's is its own number.
    #[napi(catch_unwind)]
    pub fn parents(&self) -> Uint32Array {
        Uint32Array::new(self.inner.parent.clone())
    }

    /// Length above each node; NaN where the text gives none.
    #[napi(catch_unwind)]
    pub fn lengths(&self) -> Float64Array {
        Float64Array::new(self.inner.length.clone())
    }

    #[napi(catch_unwind)]
    pub fn name(&self, node: u32) -> napi::Result<String> {
        if node as usize >= self.inner.nodes() {
            return Err(to_napi(Error::new("SHAPE", format!("there is no node {node}"))));
        }
        Ok(String::from_utf8_lossy(self.inner.name(node as usize)).into_owned())
    }

    /// The tip of each name; -1 where there is none, -2 where there are several.
    #[napi(catch_unwind)]
    pub fn find(&self, names: Vec<String>) -> Int32Array {
        let number = |found| match found {
            Found::Tip(tip) => tip as i32,
            Found::Missing => -1,
            Found::Twice => -2,
        };
        Int32Array::new(self.inner.find(names.iter().map(String::as_str)).into_iter().map(number).collect())
    }
}

/// A feature table, with or without a tree.
#[napi]
pub struct DistanceSource {
    inner: Arc<Source>,
}

#[napi]
impl DistanceSource {
    /// Compressed rows, a row a sample; `tips[feature]` is the feature's node in the tree.
    #[napi(constructor, catch_unwind)]
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        features: u32,
        indptr: &[f64],
        indices: &[u32],
        values: &[f64],
        tree: Option<&NewickTree>,
        tips: Option<&[u32]>,
        missing_length: Option<f64>,
    ) -> napi::Result<Self> {
        let build = || {
            let counts = Counts::new(features as usize, indptr, indices, values)?;
            let branches = match (tree, tips) {
                (Some(tree), Some(tips)) => {
                    if tips.len() != features as usize || tips.iter().any(|&t| t as usize >= tree.inner.nodes()) {
                        return Err(Error::new("SHAPE", "a tip a feature is needed"));
                    }
                    x_unifrac::prune(&tree.inner, tips, missing_length)?
                }
                _ => Branches::star(features as usize),
            };
            Ok(Source { branches, counts })
        };
        build().map(|s| Self { inner: Arc::new(s) }).map_err(to_napi)
    }

    /// Branches above the table's features.
    #[napi(getter, catch_unwind)]
    pub fn branches(&self) -> f64 {
        self.inner.branches.len() as f64
    }

    #[napi(catch_unwind)]
    pub fn totals(&self) -> Float64Array {
        Float64Array::new(self.inner.counts.totals.clone())
    }

    /// Distances between all of `samples`, kept as float32 with `single`.
    #[napi(catch_unwind, ts_return_type = "Promise<DistanceMatrix>")]
    pub fn distances(
        &self,
        job: &Job,
        metric: String,
        parameter: f64,
        samples: Uint32Array,
        single: bool,
        threads: u32,
    ) -> AsyncTask<Work<Inner, DistanceMatrix>> {
        let (job, source) = (job.0.clone(), self.inner.clone());
        Work::spawn(
            move || {
                let metric = Metric::new(&metric, parameter)?;
                check_samples(&source, &samples)?;
                x_unifrac::distances(&source, metric, &samples, single, threads as usize, &job)
            },
            DistanceMatrix::wrap,
        )
    }

    /// Distances of the pairs `pairs[2k], pairs[2k + 1]`.
    #[napi(catch_unwind, ts_return_type = "Promise<Float64Array>")]
    pub fn pairs(
        &self,
        job: &Job,
        metric: String,
        parameter: f64,
        pairs: Uint32Array,
        threads: u32,
    ) -> AsyncTask<Work<Vec<f64>, Float64Array>> {
        let (job, source) = (job.0.clone(), self.inner.clone());
        let run = move || x_unifrac::pairs(&source, Metric::new(&metric, parameter)?, &pairs, threads as usize, &job);
        Work::spawn(run, Float64Array::new)
    }

    /// Stripes `from..to` of the matrix of all of `samples`, one after another.
    #[napi(catch_unwind, ts_return_type = "Promise<Float64Array>")]
    #[allow(clippy::too_many_arguments)]
    pub fn stripes(
        &self,
        job: &Job,
        metric: String,
        parameter: f64,
        samples: Uint32Array,
        from: u32,
        to: u32,
        threads: u32,
    ) -> AsyncTask<Work<Stripes, Float64Array>> {
        let (job, source) = (job.0.clone(), self.inner.clone());
        Work::spawn(
            move || {
                let metric = Metric::new(&metric, parameter)?;
                check_samples(&source, &samples)?;
                x_unifrac::stripes(&source, metric, &samples, from as usize, to as usize, threads as usize, &job)
            },
            |stripes| Float64Array::new(stripes.values),
        )
    }

    /// `depth` counts of every sample that has as many, drawn without replacement from stream `streams[sample]`.
    #[napi(catch_unwind, ts_return_type = "Promise<RarefiedCounts>")]
    pub fn rarefy(
        &self,
        job: &Job,
        depth: f64,
        seed: f64,
        streams: Float64Array,
        threads: u32,
    ) -> AsyncTask<Work<x_unifrac::Rarefied, RarefiedCounts>> {
        let (job, source) = (job.0.clone(), self.inner.clone());
        Work::spawn(
            move || x_unifrac::rarefy(&source.counts, depth as u64, seed as u64, &streams, threads as usize, &job),
            |r| RarefiedCounts {
                kept: Uint32Array::new(r.kept),
                lengths: Uint32Array::new(r.lengths),
                indices: Uint32Array::new(r.indices),
                values: Float64Array::new(r.values),
            },
        )
    }

    /// `faith-pd`, `shannon` or `observed` of every sample.
    #[napi(catch_unwind)]
    pub fn diversity(&self, metric: String) -> napi::Result<Float64Array> {
        let values = match metric.as_str() {
            "faith-pd" => x_unifrac::faith_pd(&self.inner),
            "shannon" => x_unifrac::shannon(&self.inner.counts),
            "observed" => x_unifrac::observed(&self.inner.counts),
            _ => return Err(to_napi(Error::new("OPTION_CHOICE", format!("there is no diversity {metric}")))),
        };
        Ok(Float64Array::new(values))
    }
}

fn check_samples(source: &Source, samples: &[u32]) -> Result<()> {
    match samples.iter().find(|&&s| s as usize >= source.counts.samples()) {
        Some(bad) => Err(Error::new("SHAPE", format!("there is no sample {bad}"))),
        None => Ok(()),
    }
}

/// Bytes `DistanceSource.distances` takes, the table apart.
#[napi(catch_unwind)]
pub fn distances_bytes(samples: f64, metric: String, parameter: f64, single: bool) -> napi::Result<f64> {
    let metric = Metric::new(&metric, parameter).map_err(to_napi)?;
    Ok(x_unifrac::distances_bytes(samples as u64, metric, single) as f64)
}

pub type Shared = Arc<RwLock<Option<Inner>>>;

/// Symmetric distances in Rust memory, each pair once.
#[napi]
pub struct DistanceMatrix {
    inner: Shared,
}

pub fn read<T>(shared: &Shared, f: impl FnOnce(&Inner) -> Result<T>) -> Result<T> {
    let guard = shared.read().map_err(|_| Error::new("NATIVE_PANIC", "an earlier call on these distances panicked"))?;
    f(guard.as_ref().ok_or_else(|| Error::new("MATRIX_RELEASED", "these distances were released"))?)
}

impl DistanceMatrix {
    pub fn shared(&self) -> Shared {
        self.inner.clone()
    }

    fn wrap(inner: Inner) -> Self {
        Self { inner: Arc::new(RwLock::new(Some(inner))) }
    }
}

/// The samples that were kept, and their entries one after another.
#[napi(object)]
pub struct RarefiedCounts {
    pub kept: Uint32Array,
    pub lengths: Uint32Array,
    pub indices: Uint32Array,
    pub values: Float64Array,
}

/// What an ordination found; coordinates sample after sample.
#[napi(object)]
pub struct PcoaResult {
    pub values: Float64Array,
    pub coordinates: Float64Array,
    pub positive: f64,
    pub negative: f64,
}

/// What the permutation test found.
#[napi(object)]
pub struct PermanovaResult {
    pub pseudo_f: f64,
    pub r2: f64,
    pub p: f64,
}

#[napi]
impl DistanceMatrix {
    /// From a square given row by row; what stands above its diagonal counts.
    #[napi(factory, catch_unwind)]
    pub fn from_square(n: u32, square: &[f64]) -> napi::Result<Self> {
        Inner::from_square(n as usize, square).map(Self::wrap).map_err(to_napi)
    }

    /// From stripes, `n` numbers each: `values` holds the parts one after another, `froms` and `tos` their ranges.
    #[napi(factory, catch_unwind)]
    pub fn from_stripes(n: u32, froms: &[u32], tos: &[u32], values: &[f64]) -> napi::Result<Self> {
        let (n, mut rest) = (n as usize, values);
        let mut parts = Vec::new();
        for (&from, &to) in froms.iter().zip(tos) {
            let length = (to.saturating_sub(from) as usize * n).min(rest.len());
            let (part, after) = rest.split_at(length);
            parts.push((from as usize, part));
            rest = after;
        }
        x_unifrac::merge_stripes(&parts, n).map(Self::wrap).map_err(to_napi)
    }

    /// Samples; 0 once released.
    #[napi(getter, catch_unwind)]
    pub fn n(&self) -> u32 {
        read(&self.inner, |d| Ok(d.n() as u32)).unwrap_or(0)
    }

    #[napi(getter, catch_unwind)]
    pub fn single(&self) -> bool {
        read(&self.inner, |d| Ok(d.is_f32())).unwrap_or(false)
    }

    /// Copies the tile into `out`, row by row.
    #[napi(catch_unwind)]
    pub fn tile_into(&self, row: u32, rows: u32, col: u32, cols: u32, mut out: Float64ArraySlice) -> napi::Result<()> {
        // SAFETY: the array is JavaScript's and lives for this synchronous call; nobody else writes to it meanwhile.
        let out = unsafe { out.as_mut() };
        read(&self.inner, |d| d.tile_into(row as usize, rows as usize, col as usize, cols as usize, out))
            .map_err(to_napi)
    }

    #[napi(catch_unwind, ts_return_type = "Promise<PcoaResult>")]
    pub fn pcoa(&self, job: &Job, axes: u32, threads: u32) -> AsyncTask<Work<x_unifrac::Pcoa, PcoaResult>> {
        let (job, inner) = (job.0.clone(), self.inner.clone());
        Work::spawn(
            move || read(&inner, |d| x_unifrac::pcoa(d, axes as usize, threads as usize, &job)),
            |found| PcoaResult {
                values: Float64Array::new(found.values),
                coordinates: Float64Array::new(found.coordinates),
                positive: found.positive,
                negative: found.negative,
            },
        )
    }

    /// `groups` count from 0.
    #[napi(catch_unwind, ts_return_type = "Promise<PermanovaResult>")]
    pub fn permanova(
        &self,
        job: &Job,
        groups: Uint32Array,
        count: u32,
        permutations: u32,
        seed: f64,
        threads: u32,
    ) -> AsyncTask<Work<x_unifrac::Permanova, PermanovaResult>> {
        let (job, inner) = (job.0.clone(), self.inner.clone());
        let (count, permutations, threads) = (count as usize, permutations as usize, threads as usize);
        Work::spawn(
            move || read(&inner, |d| x_unifrac::permanova(d, &groups, count, permutations, seed as u64, threads, &job)),
            |found| PermanovaResult { pseudo_f: found.pseudo_f, r2: found.r2, p: found.p },
        )
    }

    /// Frees the memory now instead of at the next garbage collection.
    #[napi(catch_unwind)]
    pub fn release(&self) {
        if let Ok(mut guard) = self.inner.write() {
            *guard = None;
        }
    }
}
