//! Writing loci, piece by piece: files belong to JavaScript, which moves them into place when they are whole.

use std::sync::{Arc, Mutex};

use napi::bindgen_prelude::{AsyncTask, Float32Array, Uint8Array};
use napi_derive::napi;
use x_simd::{Error, Result};
use x_vcf::{Extra, Field, LociWriter, Output, WriteOptions};

use crate::job::Job;
use crate::loci::{Loci, get};
use crate::work::{Work, to_napi};

/// `output` is `vcf`, `vcf.gz` or `bcf`.
#[napi(object)]
pub struct VcfWriteOptions {
    pub output: String,
    pub join: Option<bool>,
    pub keep_excluded: Option<bool>,
    /// More `##` lines.
    pub lines: Option<Vec<String>>,
    pub extra: Option<Vec<ExtraField>>,
}

/// A FORMAT field of floats, locus-major; NaN is missing.
#[napi(object)]
pub struct ExtraField {
    pub id: String,
    pub description: String,
    /// Floats a sample; 1 by default.
    pub number: Option<u32>,
    /// Stands in rows whose two alleles differ, nowhere else.
    pub heterozygous: Option<bool>,
    pub values: Float32Array,
}

#[napi(object)]
pub struct IndexBytes {
    pub bytes: Uint8Array,
    /// `tbi` or `csi`.
    pub extension: String,
}

#[napi]
pub struct VcfWriter(Arc<Mutex<LociWriter>>);

#[napi]
impl VcfWriter {
    /// `codes`: two a sample, locus-major, phased; null writes the calls as they were read.
    #[napi(constructor, catch_unwind)]
    pub fn new(loci: &Loci, codes: Option<Uint8Array>, options: VcfWriteOptions) -> napi::Result<Self> {
        let output = output_of(&options.output).map_err(to_napi)?;
        let extra = options.extra.unwrap_or_default().into_iter().map(|e| Extra {
            field: Field {
                id: e.id,
                description: e.description,
                number: e.number.unwrap_or(1).max(1) as usize,
                heterozygous: e.heterozygous.unwrap_or(false),
            },
            values: Arc::new(e.values.to_vec()),
        });
        let write = WriteOptions {
            join: options.join.unwrap_or(false),
            keep_excluded: options.keep_excluded.unwrap_or(false),
            lines: options.lines.unwrap_or_default(),
            extra: extra.collect(),
        };
        let loci = get(&loci.inner).map_err(to_napi)?;
        let codes = codes.map(|c| Arc::new(c.to_vec()));
        let writer = LociWriter::new(loci, codes, output, write).map_err(to_napi)?;
        Ok(Self::wrap(writer))
    }

    /// The next bytes of the file; empty after the last.
    #[napi(catch_unwind, ts_return_type = "Promise<Uint8Array>")]
    pub fn next(&self, job: &Job) -> AsyncTask<Work<Vec<u8>, Uint8Array>> {
        let (job, writer) = (job.0.clone(), self.0.clone());
        Work::spawn(
            move || {
                job.check()?;
                lock(&writer)?.next_piece()
            },
            Uint8Array::new,
        )
    }

    /// Positions written so far.
    #[napi(getter, catch_unwind)]
    pub fn done(&self) -> napi::Result<u32> {
        lock(&self.0).map(|w| w.done() as u32).map_err(to_napi)
    }

    /// The index, once the last piece was taken; null for plain text.
    #[napi(catch_unwind)]
    pub fn index(&self) -> napi::Result<Option<IndexBytes>> {
        let index = lock(&self.0).and_then(|w| w.index()).map_err(to_napi)?;
        Ok(index.map(|(bytes, name)| IndexBytes { bytes: Uint8Array::new(bytes), extension: name.to_owned() }))
    }
}

impl VcfWriter {
    pub fn wrap(writer: LociWriter) -> Self {
        Self(Arc::new(Mutex::new(writer)))
    }
}

/// `vcf`, `vcf.gz` or `bcf`.
pub fn output_of(name: &str) -> Result<Output> {
    match name {
        "vcf" => Ok(Output::Vcf),
        "vcf.gz" => Ok(Output::VcfGz),
        "bcf" => Ok(Output::Bcf),
        other => Err(Error::new("OPTION_RANGE", format!("output cannot be {other:?}"))),
    }
}

fn lock(writer: &Arc<Mutex<LociWriter>>) -> Result<std::sync::MutexGuard<'_, LociWriter>> {
    writer.lock().map_err(|_| Error::new("NATIVE_PANIC", "an earlier call on this writer panicked"))
}
