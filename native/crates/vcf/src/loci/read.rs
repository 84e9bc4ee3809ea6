//! Reads a chromosome or a region of a file into [`Loci`].

use std::collections::HashSet;
use std::path::Path;

use x_simd::{Error, Job, Result};

use super::build::Build;
use super::{Counts, Loci};
use crate::index::Index;
use crate::reader::Reader;
use crate::record::{Record, Wanted};
use crate::region::Region;

/// What a file is read for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Role {
    /// To be phased: bars are not trusted, so two ALTs on one haplotype are two ALTs.
    #[default]
    Target,
    /// Donor haplotypes: every call phased and observed.
    Reference,
    /// Phased where it has bars.
    Scaffold,
}

/// What happens at a target position where a sample has more than two ALT copies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ConflictRule {
    #[default]
    Drop,
    Error,
}

#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    pub region: Option<String>,
    /// In this order; all by default.
    pub samples: Option<Vec<String>>,
    pub role: Role,
    pub conflict: ConflictRule,
    /// Samples whose calls may have one allele.
    pub haploid: HashSet<String>,
    /// Positions whose most common allele is more frequent than 1 − this are left out.
    pub min_maf: f64,
    pub likelihoods: bool,
    /// Every row is a locus of its own, as if no other shared its position: positions may then repeat.
    pub split: bool,
}

pub fn read_loci(path: &Path, options: &ReadOptions, job: &Job) -> Result<Loci> {
    scan_loci(path, options, job, &mut |_| Ok(()))
}

/// [`read_loci`], with `visit` called after every position with what was read so far. It may empty `calls`, `flags`,
/// `partial`, `holes` and `excluded`, so that one position of genotypes is held at a time; the position just read, if it was
/// not left out, then has all of them to itself.
pub fn scan_loci(
    path: &Path,
    options: &ReadOptions,
    job: &Job,
    visit: &mut dyn FnMut(&mut Loci) -> Result<()>,
) -> Result<Loci> {
    let mut reader = Reader::open(path)?;
    reader.want(Wanted { likelihoods: options.likelihoods, ..Wanted::default() });
    let region = match &options.region {
        Some(text) => Some(Region::parse(text, |name| reader.header.contig_index(name).is_some())?),
        None => None,
    };
    let mut build = Build::new(&reader.header.samples, options).map_err(|e| crate::reader::at_file(path, e))?;
    if let Some(region) = &region
        && reader.jump(region)?
    {
        build.loci.index_older = Index::beside(path)?.is_some_and(|i| i.older);
    }
    let mut record = Record::default();
    let mut last: Option<(usize, u32)> = None;
    let mut finished: HashSet<usize> = HashSet::new();
    while reader.next(&mut record)? {
        job.check()?;
        let here = (record.contig, record.position);
        build.loci.counts.records += 1;
        if let Some((contig, position)) = last {
            if contig == here.0 && here.1 < position {
                return Err(reader.at_record(unsorted(&format!("position {} comes after {position}", here.1))));
            }
            if contig != here.0 {
                finished.insert(contig);
                if finished.contains(&here.0) {
                    return Err(reader.at_record(unsorted("its chromosome was already left")));
                }
            }
        }
        last = Some(here);
        let name = reader.header.contigs[record.contig].as_ref().map_or("", |c| c.0.as_str());
        match &region {
            Some(region) if region.chrom != name => {
                build.loci.counts.other_chromosome += 1;
                if !build.loci.chrom.is_empty() {
                    break; // the region's chromosome is over
                }
                continue;
            }
            Some(region) if record.position > region.to => {
                build.loci.counts.outside_region += 1;
                break;
            }
            Some(region) if !region.contains(record.position) => {
                build.loci.counts.outside_region += 1;
                continue;
            }
            None if !build.loci.chrom.is_empty() && build.loci.chrom != name => {
                let message = format!("there are chromosomes {} and {name}; choose one by a region", build.loci.chrom);
                return Err(reader.at_record(Error::new("REGION_REQUIRED", message)));
            }
            _ => {}
        }
        if build.loci.chrom.is_empty() {
            build.loci.chrom = name.to_owned();
        }
        if build.position != record.position || options.split {
            build.close().map_err(|e| crate::reader::at_file(reader.path(), e))?;
            visit(&mut build.loci)?;
        }
        build.add(&record).map_err(|e| reader.at_record(e))?;
    }
    build.close().map_err(|e| crate::reader::at_file(reader.path(), e))?;
    visit(&mut build.loci)?;
    let mut loci = build.loci;
    if loci.is_empty() {
        return Err(crate::reader::at_file(path, nothing(&loci.counts, &reader, region.as_ref())));
    }
    loci.header = reader.header;
    Ok(loci)
}

fn unsorted(what: &str) -> Error {
    Error::new("UNSORTED", format!("{what}: the file is not sorted; sort it by chromosome and position"))
}

/// Says where the records went.
pub(crate) fn nothing(c: &Counts, reader: &Reader, region: Option<&Region>) -> Error {
    let mut message = format!("no variants to phase: {} records were read", c.records);
    let mut part = |n: u64, what: &str| {
        if n > 0 {
            message += &format!(", {n} {what}");
        }
    };
    part(c.other_chromosome, "of another chromosome");
    part(c.outside_region, "outside the region");
    part(c.no_alt, "positions without an ALT allele");
    part(c.conflict_positions, "positions in conflict");
    part(c.min_maf, "positions below the minor allele frequency asked for");
    if let Some(region) = region
        && reader.header.contig_index(&region.chrom).is_none()
    {
        let names: Vec<&str> = reader.header.contig_names().take(5).collect();
        message +=
            &format!("; the region's chromosome is called {:?}, the file knows {}", region.chrom, names.join(", "));
    }
    Error::new("NO_VARIANTS", message)
        .with("records", c.records as f64)
        .with("otherChromosome", c.other_chromosome as f64)
        .with("outsideRegion", c.outside_region as f64)
        .with("noAlt", c.no_alt as f64)
        .with("conflict", c.conflict_positions as f64)
        .with("minMaf", c.min_maf as f64)
}
