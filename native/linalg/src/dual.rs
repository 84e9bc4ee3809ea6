//! Exports of the p × p route: `SnpSet` of the `genotype` crate and the dual of the `lmm` crate.

use std::sync::{Arc, RwLock};

use napi::bindgen_prelude::{AsyncTask, Float64Array, Int32Array, Uint8Array, Uint32Array};
use napi_derive::napi;
use x_dense::SquareMatrix;
use x_simd::{Error, Result};

use crate::dosage::{Pairs, Twins, twins};
use crate::job::Job;
use crate::lmm::{AssociationSize, LmmOptions, LmmTests, NullFit, TestResults, null_fit, test_results};
use crate::matrix::{Matrix, Shared, read};
use crate::work::Work;

type Snps = Arc<RwLock<Option<x_genotype::SnpSet>>>;

/// Packed SNPs of some people, kept as bit planes.
#[napi]
pub struct SnpSet {
    inner: Snps,
}

fn with_snps<T>(snps: &Snps, f: impl FnOnce(&x_genotype::SnpSet) -> Result<T>) -> Result<T> {
    let guard = snps.read().map_err(|_| spent())?;
    f(guard.as_ref().ok_or_else(spent)?)
}

fn spent() -> Error {
    Error::new("MATRIX_RELEASED", "this set of SNPs was released, or an earlier call on it panicked")
}

#[napi]
impl SnpSet {
    #[napi(constructor, catch_unwind)]
    pub fn new(samples: u32) -> Self {
        Self { inner: Arc::new(RwLock::new(Some(x_genotype::SnpSet::new(samples as usize)))) }
    }

    /// SNPs so far; 0 once released.
    #[napi(getter, catch_unwind)]
    pub fn length(&self) -> u32 {
        with_snps(&self.inner, |s| Ok(s.len() as u32)).unwrap_or(0)
    }

    /// Adds the SNPs `rows` of a block of all `samples_in_file` people, of whom `keep` are the set's. `means[i]` replaces
    /// missing genotypes of `rows[i]`; without `means` the mean of the set's people does. Await one call before the next.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    #[allow(clippy::too_many_arguments)]
    pub fn add(
        &self,
        job: &Job,
        packed: Uint8Array,
        samples_in_file: u32,
        keep: Uint32Array,
        rows: Uint32Array,
        means: Option<Float64Array>,
        threads: u32,
    ) -> AsyncTask<Work<(), ()>> {
        let (snps, job) = (self.inner.clone(), job.0.clone());
        let (samples, threads) = (samples_in_file as usize, threads as usize);
        Work::spawn(
            move || {
                let in_block = packed.len() / samples.div_ceil(4).max(1);
                let kept = x_genotype::subset(&packed, samples, in_block, &keep, threads, &job)?;
                let mut guard = snps.write().map_err(|_| spent())?;
                guard.as_mut().ok_or_else(spent)?.push(&kept, &rows, means.as_deref(), threads, &job)
            },
            |()| (),
        )
    }

    /// X'X of the centred columns.
    #[napi(catch_unwind, ts_return_type = "Promise<Matrix>")]
    pub fn gram(&self, job: &Job, threads: u32) -> AsyncTask<Work<SquareMatrix, Matrix>> {
        let (snps, job) = (self.inner.clone(), job.0.clone());
        Work::spawn(move || with_snps(&snps, |s| s.gram(threads as usize, &job)), Matrix::wrap)
    }

    /// Pairs of the set's people (places among them) nearer than `limit`; null where the SNPs are too few to tell strangers
    /// apart.
    #[napi(catch_unwind, ts_return_type = "Promise<Twins | null>")]
    pub fn twins(
        &self,
        job: &Job,
        limit: f64,
        most: u32,
        threads: u32,
    ) -> AsyncTask<Work<Option<Pairs>, Option<Twins>>> {
        let (snps, job) = (self.inner.clone(), job.0.clone());
        Work::spawn(
            move || with_snps(&snps, |s| s.twins(limit, most as usize, threads as usize, &job)),
            |found| found.map(twins),
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

/// A kinship by the variants of a set. Keeps them and the matrices alive, not copies.
#[derive(Clone)]
#[napi]
pub struct DualKinship {
    snps: Snps,
    members: Arc<Vec<u32>>,
    vectors: Shared,
    values: Arc<Vec<f64>>,
    gram: Option<Shared>,
}

#[napi]
impl DualKinship {
    /// `members`: places in the set, ascending; `values` and `vectors`: of their X'X / p; `gram`: X'X of the whole set,
    /// needed where not all are members.
    #[napi(constructor, catch_unwind)]
    pub fn new(snps: &SnpSet, members: &[u32], values: &[f64], vectors: &Matrix, gram: Option<&Matrix>) -> Self {
        Self {
            snps: snps.inner.clone(),
            members: Arc::new(members.to_vec()),
            vectors: vectors.inner.clone(),
            values: Arc::new(values.to_vec()),
            gram: gram.map(|g| g.inner.clone()),
        }
    }

    /// Null model of one phenotype; `w` has `c` columns, one after another.
    #[napi(catch_unwind, ts_return_type = "Promise<NullFit>")]
    pub fn null_model(
        &self,
        job: &Job,
        y: Float64Array,
        w: Float64Array,
        c: u32,
        options: LmmOptions,
        threads: u32,
    ) -> AsyncTask<Work<x_lmm::Null, NullFit>> {
        let (job, me, options) = (job.0.clone(), self.clone(), options.into());
        Work::spawn(
            move || {
                me.with(|kinship| {
                    x_lmm::dual_null(kinship, &me.values, &y, &w, c as usize, &options, threads as usize, &job)
                })
            },
            null_fit,
        )
    }

    /// Prepares the tests of phenotypes; `y` holds them one after another, `nulls` the MLE lambda and log-likelihood of
    /// each; `w` has `c` columns (intercept included); all of the people in `keep` only.
    #[napi(catch_unwind, ts_return_type = "Promise<DualAssociation>")]
    #[allow(clippy::too_many_arguments)]
    pub fn association(
        &self,
        job: &Job,
        keep: Uint32Array,
        samples_in_file: u32,
        y: Float64Array,
        nulls: Float64Array,
        w: Float64Array,
        c: u32,
        tests: LmmTests,
        options: LmmOptions,
        threads: u32,
    ) -> AsyncTask<Work<(x_lmm::DualAssociation, DualKinship), DualAssociation>> {
        let (job, me, options, tests) = (job.0.clone(), self.clone(), x_lmm::Options::from(options), tests.into());
        Work::spawn(
            move || {
                let points = nulls.chunks_exact(2);
                let traits: Vec<x_lmm::Trait> = (y.chunks(keep.len().max(1)).zip(points))
                    .map(|(y, at)| x_lmm::Trait { y, null: x_lmm::NullPoint { lambda: at[0], loglik: at[1] } })
                    .collect();
                let study = x_lmm::Study {
                    values: &me.values,
                    keep: &keep,
                    samples_in_file: samples_in_file as usize,
                    traits: &traits,
                    w: &w,
                    c: c as usize,
                    environment: None,
                    tests,
                };
                let inner = me.with(|k| x_lmm::DualAssociation::new(k, &study, options, threads as usize, &job))?;
                Ok((inner, me.clone()))
            },
            |(inner, kinship)| DualAssociation { inner: Arc::new(inner), kinship },
        )
    }
}

impl DualKinship {
    fn with<T>(&self, f: impl FnOnce(x_lmm::DualKinship) -> Result<T>) -> Result<T> {
        with_snps(&self.snps, |snps| {
            read(&self.vectors, |vectors| {
                let members = &self.members[..];
                match &self.gram {
                    Some(gram) => read(gram, |gram| f(x_lmm::DualKinship { snps, members, vectors, gram: Some(gram) })),
                    None => f(x_lmm::DualKinship { snps, members, vectors, gram: None }),
                }
            })
        })
    }
}

/// Association of packed variants with phenotypes by the p × p route.
#[napi]
pub struct DualAssociation {
    inner: Arc<x_lmm::DualAssociation>,
    kinship: DualKinship,
}

#[napi]
impl DualAssociation {
    /// Tests the listed rows of a packed block; `places[i]` is the place of `rows[i]` in the kinship's set, -1 outside.
    #[napi(catch_unwind, ts_return_type = "Promise<TestResults>")]
    pub fn test(
        &self,
        job: &Job,
        packed: Uint8Array,
        rows: Uint32Array,
        places: Int32Array,
        threads: u32,
    ) -> AsyncTask<Work<x_lmm::Results, TestResults>> {
        let (job, inner, kinship) = (job.0.clone(), self.inner.clone(), self.kinship.clone());
        Work::spawn(
            move || kinship.with(|k| inner.test(k, &packed, &rows, &places, threads as usize, &job)),
            test_results,
        )
    }
}

/// Bytes a `DualAssociation` and one call of its `test` on `rows` variants take with `p` variants in the kinship, besides
/// the kinship, packed genotypes and results.
#[napi(catch_unwind)]
pub fn dual_association_bytes(size: AssociationSize, p: f64, rows: f64, threads: u32, options: LmmOptions) -> f64 {
    let (p, rows) = (p as usize, rows as usize);
    x_lmm::dual_bytes(&size.into(), p, rows, threads as usize, &options.into()) as f64
}

/// Bytes of a `SnpSet` of `p` variants of `n` people.
#[napi(catch_unwind)]
pub fn snp_set_bytes(n: f64, p: f64) -> f64 {
    x_genotype::snp_set_bytes(n as u64, p as u64) as f64
}
