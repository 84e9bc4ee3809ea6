//! Opening and reading VCF and BCF.

use std::path::PathBuf;

use napi::bindgen_prelude::{AsyncTask, Uint32Array};
use napi_derive::napi;
use x_simd::{Error, Result};
use x_vcf::{ConflictRule, Format, ReadOptions, Reader, Role, read_loci};

use crate::job::Job;
use crate::loci::Loci;
use crate::work::Work;

#[napi(object)]
pub struct ContigInfo {
    pub name: String,
    /// Base pairs; absent when the header does not say.
    pub length: Option<f64>,
}

#[napi(object)]
pub struct HeaderInfo {
    pub samples: Vec<String>,
    pub contigs: Vec<ContigInfo>,
    /// `##` lines.
    pub lines: Vec<String>,
    /// `vcf` or `bcf`.
    pub format: String,
    /// Compressed in blocks, so that an index can point into it.
    pub seekable: bool,
}

/// The header of a file, whose end is looked at too. BGZF_TRUNCATED, BGZF_NO_EOF, VCF_HEADER, BCF_VERSION, DUP_SAMPLE.
#[napi(catch_unwind, ts_return_type = "Promise<HeaderInfo>")]
pub fn read_header(job: &Job, path: String) -> AsyncTask<Work<Reader, HeaderInfo>> {
    let job = job.0.clone();
    Work::spawn(
        move || {
            job.check()?;
            Reader::open(&PathBuf::from(&path))
        },
        |reader| {
            let seekable = reader.seekable();
            let format = if reader.format == Format::Bcf { "bcf" } else { "vcf" };
            let contigs = reader.header.contigs.into_iter().flatten();
            HeaderInfo {
                samples: reader.header.samples,
                contigs: contigs.map(|(name, length)| ContigInfo { name, length: length.map(|l| l as f64) }).collect(),
                lines: reader.header.lines,
                format: format.to_owned(),
                seekable,
            }
        },
    )
}

/// How loci are read; `role` is `target`, `reference` or `scaffold`, `conflict` is `drop` or `error`.
#[napi(object)]
pub struct LociOptions {
    pub region: Option<String>,
    pub samples: Option<Vec<String>>,
    pub role: Option<String>,
    pub conflict: Option<String>,
    pub haploid: Option<Vec<String>>,
    pub min_maf: Option<f64>,
    pub likelihoods: Option<bool>,
    /// Every row a locus of its own.
    pub split: Option<bool>,
}

impl LociOptions {
    pub fn into_read(self) -> Result<ReadOptions> {
        let unknown = |name: &str, value: &str| Err(Error::new("OPTION_RANGE", format!("{name} cannot be {value:?}")));
        Ok(ReadOptions {
            region: self.region,
            samples: self.samples,
            role: match self.role.as_deref() {
                None | Some("target") => Role::Target,
                Some("reference") => Role::Reference,
                Some("scaffold") => Role::Scaffold,
                Some(other) => return unknown("role", other),
            },
            conflict: match self.conflict.as_deref() {
                None | Some("drop") => ConflictRule::Drop,
                Some("error") => ConflictRule::Error,
                Some(other) => return unknown("conflict", other),
            },
            haploid: self.haploid.unwrap_or_default().into_iter().collect(),
            min_maf: self.min_maf.unwrap_or(0.0),
            likelihoods: self.likelihoods.unwrap_or(false),
            split: self.split.unwrap_or(false),
        })
    }
}

/// One chromosome, or a region of it, by position.
#[napi(js_name = "readLoci", catch_unwind, ts_return_type = "Promise<Loci>")]
pub fn read_loci_from_file(job: &Job, path: String, options: LociOptions) -> AsyncTask<Work<x_vcf::Loci, Loci>> {
    let job = job.0.clone();
    let options = options.into_read();
    Work::spawn(move || read_loci(&PathBuf::from(&path), &options.clone()?, &job), Loci::wrap)
}

#[napi(object)]
pub struct ChromPositions {
    pub chrom: String,
    pub positions: Uint32Array,
}

/// Distinct positions of one chromosome or a region; genotypes are not kept.
#[napi(js_name = "readPositions", catch_unwind, ts_return_type = "Promise<ChromPositions>")]
pub fn read_positions(
    job: &Job,
    path: String,
    region: Option<String>,
) -> AsyncTask<Work<(String, Vec<u32>), ChromPositions>> {
    let job = job.0.clone();
    Work::spawn(
        move || x_vcf::positions(&PathBuf::from(&path), region.as_deref(), &job),
        |(chrom, positions)| ChromPositions { chrom, positions: Uint32Array::new(positions) },
    )
}
