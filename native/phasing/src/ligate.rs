//! Chunks into a chromosome.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use napi::bindgen_prelude::{AsyncTask, Uint8Array, Uint32Array};
use napi_derive::napi;
use x_simd::Error;
use x_vcf::LociWriter;
use x_vcf::ligate::ligate;

use crate::job::Job;
use crate::work::{Work, to_napi};
use crate::writer::{VcfWriter, output_of};

/// Where two files meet; one entry a sample in the arrays.
#[napi(object)]
pub struct JoinColumns {
    pub from: u32,
    pub to: u32,
    /// Last position taken from the file before.
    pub switch_at: u32,
    pub shared: u32,
    pub only_one: u32,
    pub matches: Uint32Array,
    pub mismatches: Uint32Array,
    pub swapped: Uint8Array,
}

/// Files that fit together, until a writer takes them.
#[napi]
pub struct Ligation(Arc<Mutex<Option<x_vcf::ligate::Ligation>>>);

#[napi(object)]
pub struct LigationInfo {
    pub chrom: String,
    pub samples: Vec<String>,
    pub positions: u32,
    pub joins: Vec<JoinColumns>,
}

/// Compares the overlaps of files given in order.
#[napi(js_name = "ligate", catch_unwind, ts_return_type = "Promise<Ligation>")]
pub fn ligate_files(
    job: &Job,
    paths: Vec<String>,
    haploid: Vec<String>,
) -> AsyncTask<Work<x_vcf::ligate::Ligation, Ligation>> {
    let job = job.0.clone();
    let paths: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
    let haploid = haploid.into_iter().collect();
    Work::spawn(move || ligate(&paths, &haploid, &job), |l| Ligation(Arc::new(Mutex::new(Some(l)))))
}

#[napi]
impl Ligation {
    #[napi(catch_unwind)]
    pub fn info(&self) -> napi::Result<LigationInfo> {
        let guard = self.0.lock().map_err(|_| panicked())?;
        let l = guard.as_ref().ok_or_else(gone)?;
        let join = |j: &x_vcf::ligate::Join| JoinColumns {
            from: j.from,
            to: j.to,
            switch_at: j.switch,
            shared: j.shared,
            only_one: j.only_one,
            matches: Uint32Array::new(j.matches.clone()),
            mismatches: Uint32Array::new(j.mismatches.clone()),
            swapped: Uint8Array::new(j.swapped.iter().map(|&s| u8::from(s)).collect()),
        };
        Ok(LigationInfo {
            chrom: l.chrom.clone(),
            samples: l.samples.clone(),
            positions: l.positions as u32,
            joins: l.joins.iter().map(join).collect(),
        })
    }

    /// The one file; the handle is empty afterwards.
    #[napi(catch_unwind)]
    pub fn writer(&self, output: String, lines: Vec<String>) -> napi::Result<VcfWriter> {
        let output = output_of(&output).map_err(to_napi)?;
        let ligation = self.0.lock().map_err(|_| panicked())?.take().ok_or_else(gone)?;
        let (about, fields) = (ligation.about(), ligation.fields.clone());
        let writer = LociWriter::from_rows(&about, Box::new(ligation.rows()), output, &fields, &lines);
        writer.map(VcfWriter::wrap).map_err(to_napi)
    }
}

fn gone() -> napi::Error {
    to_napi(Error::new("LOCI_RELEASED", "these files were written by an earlier call"))
}

fn panicked() -> napi::Error {
    to_napi(Error::new("NATIVE_PANIC", "an earlier call on these files panicked"))
}
