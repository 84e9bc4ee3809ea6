//! Genotypes of two files, one row an ALT, matched by position, REF and ALT and by sample name.

use std::collections::HashMap;
use std::path::Path;

use x_simd::{Error, Job, Result};

use crate::reader::Reader;
use crate::record::{ALT, HAPLOID, MISSING, PHASED, REF, Record};
use crate::region::Region;

/// Bits of a call: allele of each haplotype is this row's ALT, the order is known; or nothing is known.
pub const FIRST: u8 = 1;
pub const SECOND: u8 = 2;
pub const KNOWN_PHASE: u8 = 4;
pub const UNKNOWN: u8 = 255;

pub struct Table {
    pub samples: Vec<String>,
    pub positions: Vec<u32>,
    /// `REF tab ALT`.
    pub alleles: Vec<Vec<u8>>,
    pub chrom: String,
    /// Row-major, one a sample.
    pub calls: Vec<u8>,
}

impl Table {
    /// A record with several ALTs is split into one row each.
    pub fn read(path: &Path, region: Option<&str>, job: &Job) -> Result<Self> {
        let mut reader = Reader::open(path)?;
        let region = region.map(|r| Region::parse(r, |n| reader.header.contig_index(n).is_some())).transpose()?;
        if let Some(region) = &region {
            reader.jump(region)?;
        }
        let samples = reader.header.samples.clone();
        let mut table =
            Self { samples, positions: Vec::new(), alleles: Vec::new(), chrom: String::new(), calls: Vec::new() };
        let mut record = Record::default();
        let mut read = 0u64;
        while reader.next(&mut record)? {
            read += 1;
            if read.is_multiple_of(256) {
                job.check()?;
            }
            let name = reader.header.contigs[record.contig].as_ref().map_or("", |c| c.0.as_str());
            if let Some(region) = &region {
                if name == region.chrom && record.position > region.to {
                    break;
                }
                if name != region.chrom || !region.contains(record.position) {
                    continue;
                }
            }
            if table.chrom.is_empty() {
                table.chrom = name.to_owned();
            } else if table.chrom != name {
                let message = format!("there are chromosomes {} and {name}; choose one by a region", table.chrom);
                return Err(reader.at_record(Error::new("REGION_REQUIRED", message)));
            }
            table.add(&record);
        }
        Ok(table)
    }

    fn add(&mut self, record: &Record) {
        for (i, alt) in record.column(ALT).split(|&b| b == b',').enumerate().take(record.alleles - 1) {
            let alt_number = (i + 1) as u8;
            self.positions.push(record.position);
            self.alleles.push([record.column(REF), alt].join(&b'\t'));
            let pairs = record.genotypes.chunks_exact(2).zip(&record.flags);
            self.calls.extend(pairs.map(|(g, flags)| {
                if g[0] == MISSING || g[1] == MISSING {
                    return UNKNOWN;
                }
                let bit = |a: u8, bit| if a == alt_number { bit } else { 0 };
                let known = if flags & (PHASED | HAPLOID) != 0 { KNOWN_PHASE } else { 0 };
                bit(g[0], FIRST) | bit(g[1], SECOND) | known
            }));
        }
    }

    pub fn row(&self, row: usize) -> &[u8] {
        &self.calls[row * self.samples.len()..(row + 1) * self.samples.len()]
    }

    pub fn sample_indices(&self) -> HashMap<&str, usize> {
        self.samples.iter().enumerate().map(|(i, s)| (s.as_str(), i)).collect()
    }
}

/// Rows of the truth that the estimate has as well, in the truth's order; of equal rows of the estimate the last.
pub fn matched(truth: &Table, estimate: &Table) -> Vec<(usize, usize)> {
    let at: HashMap<(u32, &[u8]), usize> =
        estimate.positions.iter().zip(&estimate.alleles).enumerate().map(|(i, (p, a))| ((*p, &a[..]), i)).collect();
    let rows = truth.positions.iter().zip(&truth.alleles).enumerate();
    rows.filter_map(|(i, (p, a))| at.get(&(*p, &a[..])).map(|&j| (i, j))).collect()
}
