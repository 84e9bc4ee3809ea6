//! Rare variants onto a scaffold.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use napi::bindgen_prelude::{AsyncTask, Float32Array, Float64Array, Uint8Array, Uint32Array};
use napi_derive::napi;
use x_rare::{Counts, Options, Positions, Read, Study, StudyRows, phase, read};
use x_simd::{Error, Result};
use x_vcf::LociWriter;

use crate::job::Job;
use crate::loci::ConflictRow;
use crate::vcf::LociOptions;
use crate::work::{Work, to_napi};
use crate::writer::{VcfWriter, output_of};

type Shared = Arc<Mutex<Option<Arc<Study>>>>;

/// Scaffold and sparse genotypes in Rust memory.
#[napi]
pub struct RareStudy(Shared);

/// Father and mother are names of samples too.
#[napi(object)]
pub struct RareOptions {
    pub seed: f64,
    pub threads: u32,
    pub depth_common: u32,
    pub depth_rare: u32,
    pub modulo: f64,
    pub mac: u32,
    pub ne: f64,
    pub error: f64,
    pub keep_missing: bool,
    /// Sample, father, mother by number; −1 unknown. Three a child.
    pub trios: Vec<i32>,
}

#[napi(object)]
pub struct RareInfo {
    pub chrom: String,
    pub samples: Vec<String>,
    pub scaffold_positions: Uint32Array,
    pub positions: Uint32Array,
    /// Genotypes held.
    pub entries: f64,
    pub in_scaffold: u32,
    pub mixed: u32,
    pub ref_mismatch: u32,
    pub no_alt: f64,
    pub conflict_positions: f64,
    pub records: f64,
    pub index_older: bool,
}

#[napi(object)]
pub struct RareCounts {
    pub donors: f64,
    pub length: f64,
    pub scaffold: f64,
    pub pedigree: f64,
    pub coin: f64,
    pub imputed: f64,
    pub missing: f64,
    pub mendel_errors: f64,
    pub mean_donors: f64,
}

/// One entry a genotype that is not the common homozygote.
#[napi(object)]
pub struct RareCarriers {
    pub locus: Uint32Array,
    pub sample: Uint32Array,
    pub first: Uint8Array,
    pub second: Uint8Array,
    pub probability: Float32Array,
    /// 0 same, 1 open, 2 donors, 3 length, 4 scaffold, 5 pedigree, 6 coin.
    pub reason: Uint8Array,
}

/// Reads the variants to be placed and the scaffold. `options.region` is that of the input.
#[napi(js_name = "readRare", catch_unwind, ts_return_type = "Promise<RareStudy>")]
pub fn read_rare(
    job: &Job,
    input: String,
    scaffold: String,
    scaffold_region: Option<String>,
    options: LociOptions,
) -> AsyncTask<Work<Study, RareStudy>> {
    let job = job.0.clone();
    let options = options.into_read().map(|o| Read {
        region: o.region,
        scaffold_region,
        samples: o.samples,
        conflict: o.conflict,
        haploid: o.haploid,
    });
    Work::spawn(
        move || read(&PathBuf::from(&input), &PathBuf::from(&scaffold), &options.clone()?, &job),
        |s| RareStudy(Arc::new(Mutex::new(Some(Arc::new(s))))),
    )
}

fn lock(shared: &Shared) -> Result<MutexGuard<'_, Option<Arc<Study>>>> {
    shared.lock().map_err(|_| Error::new("NATIVE_PANIC", "an earlier call on these genotypes panicked"))
}

fn get(shared: &Shared) -> Result<Arc<Study>> {
    lock(shared)?.clone().ok_or_else(|| Error::new("LOCI_RELEASED", "these genotypes were released by an earlier call"))
}

#[napi]
impl RareStudy {
    #[napi(catch_unwind)]
    pub fn info(&self) -> napi::Result<RareInfo> {
        let s = get(&self.0).map_err(to_napi)?;
        let (rare, counts) = (&s.rare, s.rare.about.counts);
        Ok(RareInfo {
            chrom: rare.about.chrom.clone(),
            samples: s.samples.clone(),
            scaffold_positions: Uint32Array::new(s.scaffold.about.positions.clone()),
            positions: Uint32Array::new(rare.about.positions.clone()),
            entries: rare.entries.len() as f64,
            in_scaffold: rare.in_scaffold,
            mixed: rare.mixed,
            ref_mismatch: rare.ref_mismatch,
            no_alt: counts.no_alt as f64,
            conflict_positions: counts.conflict_positions as f64,
            records: counts.records as f64,
            index_older: rare.about.index_older || s.scaffold.about.index_older,
        })
    }

    #[napi(catch_unwind)]
    pub fn conflicts(&self) -> napi::Result<Vec<ConflictRow>> {
        let s = get(&self.0).map_err(to_napi)?;
        let row = |c: &x_vcf::loci::Conflict| ConflictRow {
            position: c.position,
            sample: c.sample.clone(),
            rows: c.rows.clone(),
            excluded: c.excluded,
        };
        Ok(s.rare.about.conflicts.iter().map(row).collect())
    }

    /// Places everything. Centimorgans of the scaffold's and the placed positions.
    #[napi(catch_unwind, ts_return_type = "Promise<RareCounts>")]
    pub fn phase(
        &self,
        job: &Job,
        scaffold_cm: Float64Array,
        cm: Float64Array,
        options: RareOptions,
    ) -> AsyncTask<Work<Counts, RareCounts>> {
        let (shared, job) = (self.0.clone(), job.0.clone());
        let (scaffold, rare) = (scaffold_cm.to_vec(), cm.to_vec());
        let some = |s: i32| u32::try_from(s).ok();
        let trio = |t: &[i32]| some(t[0]).map(|child| x_rare::Trio { child, father: some(t[1]), mother: some(t[2]) });
        let options = Options {
            seed: options.seed as u64,
            threads: options.threads as usize,
            depth_common: options.depth_common as usize,
            depth_rare: options.depth_rare as usize,
            modulo: options.modulo,
            mac: options.mac,
            ne: options.ne,
            error: options.error,
            keep_missing: options.keep_missing,
            trios: options.trios.chunks_exact(3).filter_map(trio).collect(),
        };
        Work::spawn(
            move || {
                let mut guard = lock(&shared)?;
                let study = guard.as_mut().and_then(Arc::get_mut);
                let study =
                    study.ok_or_else(|| Error::new("LOCI_RELEASED", "these genotypes are in use or released"))?;
                phase(study, Positions { scaffold: &scaffold, rare: &rare }, &options, &job)
            },
            |c| RareCounts {
                donors: c.donors as f64,
                length: c.length as f64,
                scaffold: c.scaffold as f64,
                pedigree: c.pedigree as f64,
                coin: c.coin as f64,
                imputed: c.imputed as f64,
                missing: c.missing as f64,
                mendel_errors: c.mendel_errors as f64,
                mean_donors: c.mean_donors,
            },
        )
    }

    #[napi(catch_unwind)]
    pub fn carriers(&self) -> napi::Result<RareCarriers> {
        let s = get(&self.0).map_err(to_napi)?;
        let rare = &s.rare;
        let e = || rare.entries.iter();
        let loci = (0..rare.len()).flat_map(|l| std::iter::repeat_n(l as u32, rare.of(l).len()));
        Ok(RareCarriers {
            locus: Uint32Array::new(loci.collect()),
            sample: Uint32Array::new(e().map(|e| e.sample).collect()),
            first: Uint8Array::new(e().map(|e| e.codes[0]).collect()),
            second: Uint8Array::new(e().map(|e| e.codes[1]).collect()),
            probability: Float32Array::new(e().map(|e| e.probability).collect()),
            reason: Uint8Array::new(e().map(|e| e.reason as u8).collect()),
        })
    }

    /// Scaffold positions `from ..= to` and everything that was placed.
    #[napi(catch_unwind)]
    pub fn writer(&self, output: String, lines: Vec<String>, from: u32, to: u32) -> napi::Result<VcfWriter> {
        let output = output_of(&output).map_err(to_napi)?;
        let rows = StudyRows::new(get(&self.0).map_err(to_napi)?, from, to);
        let about = rows.about();
        let writer = LociWriter::from_rows(&about, Box::new(rows), output, &StudyRows::fields(), &lines);
        writer.map(VcfWriter::wrap).map_err(to_napi)
    }

    /// Frees the memory now instead of at the next garbage collection.
    #[napi(catch_unwind)]
    pub fn release(&self) {
        if let Ok(mut guard) = self.0.lock() {
            *guard = None;
        }
    }
}
