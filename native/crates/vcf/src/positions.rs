//! Positions alone, for planning: nothing of the genotypes is kept.

use std::path::Path;

use x_simd::{Error, Job, Result};

use crate::header::Header;
use crate::loci::{Counts, nothing};
use crate::reader::{Reader, at_file};
use crate::record::Record;
use crate::region::Region;

/// The chromosome and its distinct positions. REGION_REQUIRED with several chromosomes and no region.
pub fn positions(path: &Path, region: Option<&str>, job: &Job) -> Result<(String, Vec<u32>)> {
    positions_with(path, region, job, &mut |_, _| {})
}

/// [`positions`], with every record shown to `visit`.
pub fn positions_with(
    path: &Path,
    region: Option<&str>,
    job: &Job,
    visit: &mut dyn FnMut(&Header, &Record),
) -> Result<(String, Vec<u32>)> {
    let mut reader = Reader::open(path)?;
    let region = region.map(|r| Region::parse(r, |n| reader.header.contig_index(n).is_some())).transpose()?;
    if let Some(region) = &region {
        reader.jump(region)?;
    }
    let (mut chrom, mut out, mut counts) = (String::new(), Vec::new(), Counts::default());
    let mut record = Record::default();
    while reader.next(&mut record)? {
        counts.records += 1;
        job.check()?;
        let name = reader.header.contigs[record.contig].as_ref().map_or("", |c| c.0.as_str());
        if let Some(region) = &region
            && (name != region.chrom || !region.contains(record.position))
        {
            counts.other_chromosome += u64::from(name != region.chrom);
            counts.outside_region += u64::from(name == region.chrom);
            if !chrom.is_empty() {
                break;
            }
            continue;
        }
        if chrom.is_empty() {
            chrom = name.to_owned();
        } else if chrom != name {
            let message = format!("there are chromosomes {chrom} and {name}; choose one by a region");
            return Err(reader.at_record(Error::new("REGION_REQUIRED", message)));
        }
        visit(&reader.header, &record);
        match out.last() {
            Some(&last) if last > record.position => {
                let message =
                    format!("position {} comes after {last}: the file is not sorted; sort it", record.position);
                return Err(reader.at_record(Error::new("UNSORTED", message)));
            }
            Some(&last) if last == record.position => {}
            _ => out.push(record.position),
        }
    }
    if out.is_empty() {
        return Err(at_file(path, nothing(&counts, &reader, region.as_ref())));
    }
    Ok((chrom, out))
}
