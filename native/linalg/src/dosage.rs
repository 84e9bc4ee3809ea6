//! Exports for genotypes that are real numbers, and what a kinship says about its people.

use std::sync::{Arc, Mutex};

use napi::bindgen_prelude::{AsyncTask, Float64Array, Uint8Array, Uint32Array, Undefined};
use napi_derive::napi;
use x_dense::SquareMatrix;
use x_genotype as genotype;
use x_simd::{Error, Result};

use crate::job::Job;
use crate::matrix::{Matrix, read};
use crate::work::{Work, to_napi};

/// Rows of a BIMBAM mean genotype file.
#[napi(object, object_from_js = false)]
pub struct DosageRows {
    /// Row after row, NaN where missing.
    pub values: Float64Array,
    /// `id, counted allele, other allele` of each row, tab separated, newline ended.
    pub labels: Uint8Array,
}

fn rows(found: genotype::DosageRows) -> DosageRows {
    DosageRows { values: Float64Array::new(found.values), labels: Uint8Array::new(found.labels) }
}

/// Parses BIMBAM mean genotypes from chunks cut anywhere. BIMBAM_SHAPE, BIMBAM_PARSE, BIMBAM_RANGE.
#[napi]
pub struct DosageReader(genotype::DosageReader);

#[napi]
impl DosageReader {
    #[napi(constructor, catch_unwind)]
    pub fn new(samples: u32) -> Self {
        Self(genotype::DosageReader::new(samples as usize))
    }

    /// The rows that this chunk completes.
    #[napi(catch_unwind)]
    pub fn push(&mut self, chunk: &[u8]) -> napi::Result<DosageRows> {
        self.0.push(chunk).map(rows).map_err(to_napi)
    }

    /// The last row, when it had no line end.
    #[napi(catch_unwind)]
    pub fn finish(&mut self) -> napi::Result<DosageRows> {
        self.0.finish().map(rows).map_err(to_napi)
    }
}

/// One entry a row; `classes` has four: near 2, near 1, near 0, missing.
#[napi(object, object_from_js = false)]
pub struct DosageCounts {
    pub classes: Uint32Array,
    pub sum: Float64Array,
    pub varies: Uint8Array,
}

/// What the people `keep` have in each row.
#[napi(catch_unwind, ts_return_type = "Promise<DosageCounts>")]
pub fn dosage_counts(
    job: &Job,
    values: Float64Array,
    samples: u32,
    keep: Uint32Array,
    threads: u32,
) -> AsyncTask<Work<genotype::DosageCounts, DosageCounts>> {
    let job = job.0.clone();
    Work::spawn(
        move || genotype::dosage_counts(&values, samples as usize, &keep, threads as usize, &job),
        |c| DosageCounts {
            classes: Uint32Array::new(c.classes.into_flattened()),
            sum: Float64Array::new(c.sum),
            varies: Uint8Array::new(c.varies),
        },
    )
}

/// Bytes of a `DosageGram` over `n` people.
#[napi(catch_unwind)]
pub fn dosage_gram_bytes(n: u32) -> f64 {
    genotype::dosage_gram_bytes(n as usize)
}

/// Kinship over people from rows of dosages. Await one call before the next.
#[napi]
pub struct DosageGram(Arc<Mutex<Option<genotype::DosageGram>>>);

#[napi]
impl DosageGram {
    /// `scale`: 0 nothing, 1 the deviation of each row, 2 that of Hardy-Weinberg proportions. Throws ALLOC.
    #[napi(constructor, catch_unwind)]
    pub fn new(samples: u32, scale: u32) -> napi::Result<Self> {
        let scale = match scale {
            0 => genotype::Scale::None,
            1 => genotype::Scale::Deviation,
            _ => genotype::Scale::Hardy,
        };
        let gram = genotype::DosageGram::new(samples as usize, scale).map_err(to_napi)?;
        Ok(Self(Arc::new(Mutex::new(Some(gram)))))
    }

    /// Adds the rows `rows` of a block of dosages of all people.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn add(
        &self,
        job: &Job,
        values: Float64Array,
        rows: Uint32Array,
        threads: u32,
    ) -> AsyncTask<Work<(), Undefined>> {
        let (gram, job) = (self.0.clone(), job.0.clone());
        Work::spawn(
            move || {
                let mut gram = gram.lock().map_err(|_| spent())?;
                gram.as_mut().ok_or_else(spent)?.add(&values, &rows, threads as usize, &job)
            },
            |()| (),
        )
    }

    /// The kinship divided by `snps`; the handle is empty afterwards.
    #[napi(catch_unwind, ts_return_type = "Promise<Matrix>")]
    pub fn finish(&self, job: &Job, snps: f64, threads: u32) -> AsyncTask<Work<SquareMatrix, Matrix>> {
        let (gram, job) = (self.0.clone(), job.0.clone());
        Work::spawn(
            move || {
                let gram = gram.lock().map_err(|_| spent())?.take().ok_or_else(spent)?;
                gram.finish(snps as u64, threads as usize, &job)
            },
            Matrix::wrap,
        )
    }
}

fn spent() -> Error {
    Error::new("STATE", "this kinship was finished, or an earlier call on it panicked")
}

/// Pairs of people with the same row: `first`, `second` and `distance` of the pairs listed, `count` of all.
#[napi(object, object_from_js = false)]
pub struct Twins {
    pub first: Uint32Array,
    pub second: Uint32Array,
    pub distance: Float64Array,
    pub count: f64,
}

/// Pairs among `keep` nearer than `limit`.
#[napi(catch_unwind, ts_return_type = "Promise<Twins>")]
pub fn matrix_twins(
    job: &Job,
    m: &Matrix,
    keep: Uint32Array,
    limit: f64,
    most: u32,
    threads: u32,
) -> AsyncTask<Work<Pairs, Twins>> {
    let (job, m) = (job.0.clone(), m.inner.clone());
    let run = move || -> Result<Pairs> {
        read(&m, |m| x_dense::twins(m, &keep, limit, most as usize, threads as usize, &job))
    };
    Work::spawn(run, twins)
}

/// The pairs listed, and how many there are.
pub(crate) type Pairs = (Vec<x_dense::Pair>, u64);

pub(crate) fn twins((pairs, count): Pairs) -> Twins {
    Twins {
        first: Uint32Array::new(pairs.iter().map(|p| p.first).collect()),
        second: Uint32Array::new(pairs.iter().map(|p| p.second).collect()),
        distance: Float64Array::new(pairs.iter().map(|p| p.distance).collect()),
        count: count as f64,
    }
}
