//! Exports of the `genotype` crate.

use std::sync::{Arc, Mutex};

use napi::bindgen_prelude::{AsyncTask, Float32Array, Float64Array, Int8Array, Uint8Array, Uint32Array, Undefined};
use napi_derive::napi;
use x_dense::SquareMatrix;
use x_genotype as genotype;
use x_simd::{Error, Result, try_zeroed};

use crate::job::Job;
use crate::matrix::Matrix;
use crate::work::{Work, to_napi};

macro_rules! decode {
    ($name:ident, $array:ty, $type:ty, $decode:path, $promise:literal, $doc:literal) => {
        #[doc = $doc]
        #[napi(catch_unwind, ts_return_type = $promise)]
        pub fn $name(
            job: &Job,
            packed: Uint8Array,
            samples: u32,
            rows: u32,
            threads: u32,
        ) -> AsyncTask<Work<Vec<$type>, $array>> {
            let job = job.0.clone();
            Work::spawn(
                move || {
                    let (samples, rows) = (samples as usize, rows as usize);
                    let mut out = try_zeroed::<$type>(size(samples, rows)?)?;
                    $decode(&packed, samples, rows, &mut out, threads as usize, &job)?;
                    Ok(out)
                },
                <$array>::new,
            )
        }
    };
}

decode!(
    decode_int8,
    Int8Array,
    i8,
    genotype::decode_i8,
    "Promise<Int8Array>",
    "Dosages of A1, row by row; missing is −127."
);
decode!(
    decode_float32,
    Float32Array,
    f32,
    genotype::decode_f32,
    "Promise<Float32Array>",
    "Dosages of A1, row by row; missing is NaN."
);
decode!(
    decode_float64,
    Float64Array,
    f64,
    genotype::decode_f64,
    "Promise<Float64Array>",
    "Dosages of A1, row by row; missing is NaN."
);

/// Four counts a row: two A1, heterozygous, two A2, missing. `mask` has one bit a sample, lowest first.
#[napi(catch_unwind, ts_return_type = "Promise<Uint32Array>")]
pub fn count_genotypes(
    job: &Job,
    packed: Uint8Array,
    samples: u32,
    rows: u32,
    mask: Option<Uint8Array>,
    threads: u32,
) -> AsyncTask<Work<Vec<[u32; 4]>, Uint32Array>> {
    let job = job.0.clone();
    Work::spawn(
        move || genotype::count(&packed, samples as usize, rows as usize, mask.as_deref(), threads as usize, &job),
        |counts| Uint32Array::new(counts.into_flattened()),
    )
}

/// Missing calls of each sample over these rows.
#[napi(catch_unwind, ts_return_type = "Promise<Uint32Array>")]
pub fn missing_by_sample(
    job: &Job,
    packed: Uint8Array,
    samples: u32,
    rows: u32,
    threads: u32,
) -> AsyncTask<Work<Vec<u32>, Uint32Array>> {
    let job = job.0.clone();
    Work::spawn(
        move || genotype::missing_by_sample(&packed, samples as usize, rows as usize, threads as usize, &job),
        Uint32Array::new,
    )
}

/// Packed rows of the people in `keep`, in that order.
#[napi(catch_unwind, ts_return_type = "Promise<Uint8Array>")]
pub fn subset_samples(
    job: &Job,
    packed: Uint8Array,
    samples: u32,
    rows: u32,
    keep: Uint32Array,
    threads: u32,
) -> AsyncTask<Work<Vec<u8>, Uint8Array>> {
    let job = job.0.clone();
    Work::spawn(
        move || genotype::subset(&packed, samples as usize, rows as usize, &keep, threads as usize, &job),
        Uint8Array::new,
    )
}

/// SNP-major packed rows of SNPs `from` to `to` (exclusive) of a sample-major tile of `people` rows of `snps` SNPs.
#[napi(catch_unwind, ts_return_type = "Promise<Uint8Array>")]
pub fn transpose_tile(
    job: &Job,
    packed: Uint8Array,
    people: u32,
    snps: u32,
    from: u32,
    to: u32,
    threads: u32,
) -> AsyncTask<Work<Vec<u8>, Uint8Array>> {
    let job = job.0.clone();
    Work::spawn(
        move || {
            let range = from as usize..to as usize;
            genotype::transpose(&packed, people as usize, snps as usize, range, threads as usize, &job)
        },
        Uint8Array::new,
    )
}

/// Centred mean-imputed X'X of the packed SNPs.
#[napi(catch_unwind, ts_return_type = "Promise<Matrix>")]
pub fn snp_gram(
    job: &Job,
    packed: Uint8Array,
    samples: u32,
    rows: u32,
    threads: u32,
) -> AsyncTask<Work<SquareMatrix, Matrix>> {
    let job = job.0.clone();
    Work::spawn(
        move || genotype::snp_gram(&packed, samples as usize, rows as usize, threads as usize, &job),
        Matrix::wrap,
    )
}

/// Peak bytes of a `PeopleGram` over `n` people.
#[napi(catch_unwind)]
pub fn people_gram_bytes(n: u32) -> f64 {
    genotype::people_gram_bytes(n as usize)
}

/// Kinship over people, fed block by block. Await one call before the next: calls in flight together take their turns in
/// no particular order.
#[napi]
pub struct PeopleGram(Arc<Mutex<Option<genotype::PeopleGram>>>);

#[napi]
impl PeopleGram {
    /// Throws ALLOC when memory is short.
    #[napi(constructor, catch_unwind)]
    pub fn new(samples: u32) -> napi::Result<Self> {
        let gram = genotype::PeopleGram::new(samples as usize).map_err(to_napi)?;
        Ok(Self(Arc::new(Mutex::new(Some(gram)))))
    }

    /// Adds the SNPs `rows` of the block; `means` are their mean dosages, one for each of `rows`.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn add(
        &self,
        job: &Job,
        packed: Uint8Array,
        rows: Uint32Array,
        means: Float64Array,
        threads: u32,
    ) -> AsyncTask<Work<(), Undefined>> {
        let (gram, job) = (self.0.clone(), job.0.clone());
        Work::spawn(
            move || {
                let mut gram = gram.lock().map_err(|_| spent())?;
                gram.as_mut().ok_or_else(spent)?.add(&packed, &rows, &means, threads as usize, &job)
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

fn size(samples: usize, rows: usize) -> Result<usize> {
    samples.checked_mul(rows).ok_or_else(|| Error::new("ALLOC", format!("{samples} x {rows} has no address space")))
}
