//! Loci from genotypes that did not come from a VCF: PLINK's two bits, or copies of an allele.

use x_simd::{Error, Result};

use super::build::Build;
use super::{Loci, ReadOptions};
use crate::header::Header;
use crate::record::{MISSING, Record};

/// Takes biallelic rows in order of position.
pub struct RowsBuilder {
    build: Build,
    split: bool,
    samples: usize,
    record: Record,
}

impl RowsBuilder {
    pub fn new(chrom: &str, samples: &[String], options: &ReadOptions) -> Result<Self> {
        let mut build = Build::new(samples, options)?;
        build.loci.chrom = chrom.to_owned();
        Ok(Self { build, split: options.split, samples: samples.len(), record: Record::default() })
    }

    /// One row; `copies`: of `alt` in each sample, anything but 0, 1 and 2 is missing.
    pub fn push(
        &mut self,
        position: u32,
        id: &str,
        alleles: [&str; 2],
        copies: impl Iterator<Item = i8>,
    ) -> Result<()> {
        let counts = self.build.loci.counts.records;
        if position < self.build.position {
            let message = format!(
                "row {}: position {position} comes after {}; sort by position",
                counts + 1,
                self.build.position
            );
            return Err(Error::new("UNSORTED", message).with("record", (counts + 1) as f64));
        }
        if position != self.build.position || self.split {
            self.build.close()?;
        }
        self.build.loci.counts.records += 1;
        let r = &mut self.record;
        r.clear();
        r.position = position;
        r.alleles = 2;
        let clean = |text: &str, empty: &str| {
            let fine = !text.is_empty() && text != "0" && !text.contains(['\t', '\n', '\r', ' ']);
            if fine { text.to_owned() } else { empty.to_owned() }
        };
        let [reference, alt] = alleles.map(|a| clean(a, "N"));
        r.site.extend_from_slice(format!("{}\t{reference}\t{alt}\t.\t.\t.", clean(id, ".")).as_bytes());
        for n in copies {
            r.genotypes.extend_from_slice(match n {
                0 => &[0, 0],
                1 => &[0, 1],
                2 => &[1, 1],
                _ => &[MISSING, MISSING],
            });
            r.flags.push(0);
        }
        if r.flags.len() != self.samples {
            let message = format!("row {}: {} genotypes, {} expected", counts + 1, r.flags.len(), self.samples);
            return Err(Error::new("GENOTYPE_SHAPE", message));
        }
        self.build.add(&self.record)
    }

    /// PLINK's two bits a person (`00` A1/A1, `01` missing, `10` A1/A2, `11` A2/A2), A1 counted as ALT.
    pub fn push_packed(&mut self, position: u32, id: &str, a1: &str, a2: &str, packed: &[u8]) -> Result<()> {
        let copies = |s: usize| match packed.get(s / 4).map(|b| b >> (2 * (s % 4)) & 3) {
            Some(0) => 2,
            Some(2) => 1,
            Some(3) => 0,
            _ => -1,
        };
        let n = self.samples;
        self.push(position, id, [a2, a1], (0..n).map(copies))
    }

    pub fn finish(mut self) -> Result<Loci> {
        self.build.close()?;
        let mut loci = self.build.loci;
        if loci.is_empty() {
            let c = loci.counts;
            let message = format!(
                "no variants to phase: {} rows were given, {} positions without an ALT allele, {} in conflict, {} below the minor allele frequency asked for",
                c.records, c.no_alt, c.conflict_positions, c.min_maf
            );
            return Err(Error::new("NO_VARIANTS", message));
        }
        loci.header = Header { samples: loci.samples.clone(), ..Header::default() };
        Ok(loci)
    }
}
