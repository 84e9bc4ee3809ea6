//! Haplotypes with more than one ALT at a position, over the rows of a file as they stand.

use std::collections::BTreeSet;
use std::path::Path;

use x_simd::{Job, Result};

use crate::reader::Reader;
use crate::record::{ALT, HAPLOID, MISSING, PHASED, REF, Record};
use crate::region::Region;

#[derive(Default, Debug, Clone, PartialEq)]
pub struct OneAllele {
    pub positions: u64,
    pub multi_row_positions: u64,
    pub haplotype_violations: u64,
    pub positions_with_violation: u64,
    pub samples_with_violation: u64,
    /// Samples with ALTs in two rows or more of a position.
    pub at_risk: u64,
    /// Of these, without a known phase: nothing can be said of their haplotypes.
    pub unphased: u64,
    /// More than two ALT copies over the rows.
    pub impossible: u64,
    /// The first violations, as many as were asked for.
    pub listed: Vec<Violation>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    pub chrom: String,
    pub position: u32,
    pub sample: String,
    /// `REF>ALT=GT` of the rows with an ALT.
    pub rows: String,
}

/// Rows that follow each other with the same chromosome and position are one position.
pub fn one_allele(path: &Path, region: Option<&str>, list: usize, job: &Job) -> Result<OneAllele> {
    let mut reader = Reader::open(path)?;
    let region = region.map(|r| Region::parse(r, |n| reader.header.contig_index(n).is_some())).transpose()?;
    if let Some(region) = &region {
        reader.jump(region)?;
    }
    let mut out = OneAllele::default();
    let mut samples = BTreeSet::new();
    let mut rows: Vec<Record> = Vec::new();
    let mut record = Record::default();
    let mut read = 0u64;
    while reader.next(&mut record)? {
        read += 1;
        if read.is_multiple_of(256) {
            job.check()?;
        }
        if let Some(region) = &region {
            let name = reader.header.contigs[record.contig].as_ref().map_or("", |c| c.0.as_str());
            if name == region.chrom && record.position > region.to {
                break;
            }
            if name != region.chrom || !region.contains(record.position) {
                continue;
            }
        }
        if rows.first().is_some_and(|r| (r.contig, r.position) != (record.contig, record.position)) {
            position(&rows, &reader, list, &mut samples, &mut out);
            rows.clear();
        }
        rows.push(std::mem::take(&mut record));
        record.contig = rows[0].contig;
    }
    position(&rows, &reader, list, &mut samples, &mut out);
    out.samples_with_violation = samples.len() as u64;
    Ok(out)
}

fn position(rows: &[Record], reader: &Reader, list: usize, samples: &mut BTreeSet<usize>, out: &mut OneAllele) {
    if rows.is_empty() {
        return;
    }
    out.positions += 1;
    if rows.len() < 2 {
        return;
    }
    out.multi_row_positions += 1;
    let mut touched = false;
    for s in 0..reader.header.samples.len() {
        let (mut on, mut carrying, mut phased) = ([0u32; 2], 0, true);
        for row in rows {
            let is_alt = |a: u8| a != 0 && a != MISSING;
            let haploid = row.flags[s] & HAPLOID != 0;
            let (x, y) = (is_alt(row.genotypes[2 * s]), is_alt(row.genotypes[2 * s + 1]) && !haploid);
            phased &= x == y || haploid || row.flags[s] & PHASED != 0;
            on[0] += u32::from(x);
            on[1] += u32::from(y);
            carrying += u32::from(x || y);
        }
        out.at_risk += u64::from(carrying >= 2);
        out.impossible += u64::from(on[0] + on[1] > 2);
        if !phased && carrying >= 2 {
            out.unphased += 1;
            continue;
        }
        let violations = on.iter().filter(|&&n| n > 1).count() as u64;
        if violations > 0 {
            out.haplotype_violations += violations;
            touched = true;
            samples.insert(s);
            if out.listed.len() < list {
                out.listed.push(violation(rows, s, reader));
            }
        }
    }
    out.positions_with_violation += u64::from(touched);
}

fn violation(rows: &[Record], s: usize, reader: &Reader) -> Violation {
    let contig = reader.header.contigs[rows[0].contig].as_ref();
    let text = |a: u8| if a == MISSING { ".".to_owned() } else { a.to_string() };
    let rows_text = rows.iter().filter(|r| r.genotypes[2 * s..2 * s + 2].iter().any(|&a| a != 0 && a != MISSING));
    let rows_text = rows_text.map(|r| {
        let bar = if r.flags[s] & PHASED != 0 { '|' } else { '/' };
        let column = |i| String::from_utf8_lossy(r.column(i)).into_owned();
        let (a, b) = (text(r.genotypes[2 * s]), text(r.genotypes[2 * s + 1]));
        format!("{}>{}={a}{bar}{b}", column(REF), column(ALT))
    });
    Violation {
        chrom: contig.map_or(String::new(), |c| c.0.clone()),
        position: rows[0].position,
        sample: reader.header.samples[s].clone(),
        rows: rows_text.collect::<Vec<_>>().join(" "),
    }
}
