//! Switch error and the one-allele check.

use std::path::PathBuf;

use napi::bindgen_prelude::{AsyncTask, Float64Array, Uint32Array};
use napi_derive::napi;
use x_vcf::eval::{MAC_BINS, NEAR, OneAllele, SwitchOptions, SwitchReport, one_allele, switch_error};

use crate::job::Job;
use crate::work::Work;

#[napi(object)]
pub struct ViolationRow {
    pub chrom: String,
    pub position: u32,
    pub sample: String,
    pub rows: String,
}

#[napi(object)]
pub struct OneAlleleCounts {
    pub positions: f64,
    pub multi_row_positions: f64,
    pub haplotype_violations: f64,
    pub positions_with_violation: f64,
    pub samples_with_violation: f64,
    pub at_risk: f64,
    pub unphased: f64,
    pub impossible: f64,
    pub listed: Vec<ViolationRow>,
}

/// Haplotypes with two ALTs at a position.
#[napi(js_name = "oneAllele", catch_unwind, ts_return_type = "Promise<OneAlleleCounts>")]
pub fn one_allele_of_file(
    job: &Job,
    path: String,
    region: Option<String>,
    list: u32,
) -> AsyncTask<Work<OneAllele, OneAlleleCounts>> {
    let job = job.0.clone();
    Work::spawn(
        move || one_allele(&PathBuf::from(&path), region.as_deref(), list as usize, &job),
        |c| OneAlleleCounts {
            positions: c.positions as f64,
            multi_row_positions: c.multi_row_positions as f64,
            haplotype_violations: c.haplotype_violations as f64,
            positions_with_violation: c.positions_with_violation as f64,
            samples_with_violation: c.samples_with_violation as f64,
            at_risk: c.at_risk as f64,
            unphased: c.unphased as f64,
            impossible: c.impossible as f64,
            listed: c
                .listed
                .into_iter()
                .map(|v| ViolationRow { chrom: v.chrom, position: v.position, sample: v.sample, rows: v.rows })
                .collect(),
        },
    )
}

/// A child with its parents, by name.
#[napi(object)]
pub struct Trio {
    pub child: String,
    pub father: Option<String>,
    pub mother: Option<String>,
}

#[napi(object)]
pub struct SwitchInput {
    pub region: Option<String>,
    pub samples: Option<Vec<String>>,
    pub by_position: bool,
    pub trios: Vec<Trio>,
}

/// One entry a sample, a site, a bin; pairs and switches beside each other.
#[napi(object)]
pub struct SwitchColumns {
    pub samples: Vec<String>,
    pub pairs: Float64Array,
    pub switches: Float64Array,
    pub flips: Float64Array,
    pub sites: Float64Array,
    pub hamming: Float64Array,
    pub rows: f64,
    pub truth_hets: f64,
    pub discordant: f64,
    pub invalid: f64,
    pub mendel_errors: f64,
    pub site_positions: Uint32Array,
    /// `REF>ALT` of each row of the site.
    pub site_rows: Vec<String>,
    pub site_mac: Uint32Array,
    pub site_pairs: Float64Array,
    pub site_switches: Float64Array,
    /// Upper ends of the bins; the last has none.
    pub mac_to: Uint32Array,
    pub mac_pairs: Float64Array,
    pub mac_switches: Float64Array,
    /// Hets from a supersite; the entry after the last is everything farther away.
    pub near_to: Uint32Array,
    pub near_pairs: Float64Array,
    pub near_switches: Float64Array,
}

fn floats(values: impl Iterator<Item = u64>) -> Float64Array {
    Float64Array::new(values.map(|v| v as f64).collect())
}

fn columns(r: SwitchReport) -> SwitchColumns {
    let near = || r.near.iter().chain([&r.far]);
    SwitchColumns {
        pairs: floats(r.per_sample.iter().map(|c| c.pairs)),
        switches: floats(r.per_sample.iter().map(|c| c.switches)),
        flips: floats(r.per_sample.iter().map(|c| c.flips)),
        sites: floats(r.per_sample.iter().map(|c| c.sites)),
        hamming: floats(r.per_sample.iter().map(|c| c.hamming)),
        rows: r.rows as f64,
        truth_hets: r.truth_hets as f64,
        discordant: r.discordant as f64,
        invalid: r.invalid as f64,
        mendel_errors: r.mendel_errors as f64,
        site_positions: Uint32Array::new(r.per_site.iter().map(|s| s.position).collect()),
        site_mac: Uint32Array::new(r.per_site.iter().map(|s| s.mac).collect()),
        site_pairs: floats(r.per_site.iter().map(|s| s.pairs)),
        site_switches: floats(r.per_site.iter().map(|s| s.switches)),
        site_rows: r.per_site.into_iter().map(|s| s.rows).collect(),
        mac_to: Uint32Array::new(MAC_BINS.to_vec()),
        mac_pairs: floats(r.by_mac.iter().map(|b| b.0)),
        mac_switches: floats(r.by_mac.iter().map(|b| b.1)),
        near_to: Uint32Array::new(NEAR.to_vec()),
        near_pairs: floats(near().map(|b| b.0)),
        near_switches: floats(near().map(|b| b.1)),
        samples: r.samples,
    }
}

/// Switch error of an estimate against a truth, or against parents.
#[napi(js_name = "switchError", catch_unwind, ts_return_type = "Promise<SwitchColumns>")]
pub fn switch_error_of_files(
    job: &Job,
    estimate: String,
    truth: String,
    input: SwitchInput,
) -> AsyncTask<Work<SwitchReport, SwitchColumns>> {
    let job = job.0.clone();
    let trio = |t: Trio| x_vcf::eval::Trio { child: t.child, father: t.father, mother: t.mother };
    let options = SwitchOptions {
        region: input.region,
        samples: input.samples,
        by_position: input.by_position,
        trios: input.trios.into_iter().map(trio).collect(),
    };
    Work::spawn(move || switch_error(&PathBuf::from(&estimate), &PathBuf::from(&truth), &options, &job), columns)
}
