//! Genotypes by position: rows that share chromosome and position are one locus with codes 0 (REF) and 1 … M (the ALTs
//! in canonical order). `docs/design/supersites.md`.

mod align;
mod alleles;
mod build;
mod combine;
mod keep;
mod pack;
mod read;
mod rows;

use crate::header::Header;
use crate::record::MISSING;

pub use align::{Alignment, Pair, align};
pub use alleles::{canonical, is_sequence};
pub use pack::Packed;
pub(crate) use read::nothing;
pub use read::{ConflictRule, ReadOptions, Role, read_loci, scan_loci};
pub use rows::RowsBuilder;

/// A row of the file, kept so that it can be written back with nothing but its genotypes changed.
#[derive(Clone, Debug)]
pub struct Row {
    /// `ID REF ALT QUAL FILTER INFO`, tab separated.
    pub site: Box<[u8]>,
    /// The locus' code of each ALT of the row.
    pub codes: Box<[u8]>,
}

/// Codes that a missing allele of one sample may take, where other rows of the position were observed.
#[derive(Clone, Debug, PartialEq)]
pub struct Partial {
    pub locus: u32,
    pub sample: u32,
    /// Ascending, 0 among them.
    pub allowed: Vec<u8>,
}

/// Which alleles of one sample each row of a position lacked, where the position has several rows and some were observed.
#[derive(Clone, Debug, PartialEq)]
pub struct Holes {
    pub locus: u32,
    pub sample: u32,
    /// A byte a row: bit 0 the first allele was missing, bit 1 the second.
    pub rows: Box<[u8]>,
}

impl Holes {
    /// Makes a row's two alleles as written from what the position's codes say of them: where a code is missing, alleles
    /// that this row lacked stay missing and those it had stay. False when their order is not known.
    pub fn restore(&self, row: usize, codes: [u8; 2], alleles: &mut [u8]) -> bool {
        let lacked = self.rows[row];
        if !codes.contains(&MISSING) {
            return true; // the rows together said all there is to know
        }
        match (lacked, codes == [MISSING; 2]) {
            (0, _) => codes.iter().zip(alleles).filter(|c| *c.0 == MISSING).for_each(|c| *c.1 = 0),
            (3, _) => alleles.fill(MISSING),
            // The observed one is REF, on either haplotype.
            (_, true) => (0..2).for_each(|i| alleles[i] = if lacked >> i & 1 == 1 { MISSING } else { 0 }),
            (_, false) => return true,
        }
        lacked == 0
    }
}

/// A sample whose rows at one position cannot all be true.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    pub position: u32,
    pub sample: String,
    /// `REF>ALT=GT` of the rows that carry an ALT.
    pub rows: String,
    /// True when the position was left out because of it.
    pub excluded: bool,
}

/// Why a position is not phased.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    Conflict,
    MinMaf,
    NoAlt,
    /// The reference panel lacks it.
    NotInReference,
}

/// A position left out, with what is needed to write it back.
#[derive(Clone, Debug)]
pub struct Excluded {
    pub position: u32,
    pub reason: Reason,
    pub rows: Vec<ExcludedRow>,
}

#[derive(Clone, Debug)]
pub struct ExcludedRow {
    pub site: Box<[u8]>,
    /// Allele numbers as read, two a sample, and their flags.
    pub genotypes: Box<[u8]>,
    pub flags: Box<[u8]>,
}

/// What was read and what became of it.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Counts {
    pub records: u64,
    pub other_chromosome: u64,
    pub outside_region: u64,
    pub min_maf: u64,
    pub no_alt: u64,
    /// Positions left out, and samples in conflict anywhere.
    pub conflict_positions: u64,
    pub conflict_samples: u64,
    /// Loci with more than two codes, and the rows they came from.
    pub supersites: u64,
    pub supersite_rows: u64,
}

/// Genotypes of one chromosome, locus by locus.
#[derive(Clone, Debug, Default)]
pub struct Loci {
    pub header: Header,
    pub chrom: String,
    pub samples: Vec<String>,
    /// Strictly ascending, unless rows were split.
    pub positions: Vec<u32>,
    /// M + 1 of each locus, 2 to 255.
    pub codes: Vec<u8>,
    /// Rows of locus i: `first_row[i] .. first_row[i + 1]`.
    pub first_row: Vec<u32>,
    pub rows: Vec<Row>,
    /// Locus-major, two codes a sample; 255 = missing.
    pub calls: Vec<u8>,
    /// Locus-major, one byte a sample: bit 0 the order of the two codes was given (`|`), bit 1 haploid.
    pub flags: Vec<u8>,
    /// By (locus, sample).
    pub partial: Vec<Partial>,
    /// By (locus, sample).
    pub holes: Vec<Holes>,
    /// Genotype log10 likelihoods of a locus in canonical VCF order, `codes·(codes+1)/2` a sample, NaN unknown. Empty
    /// where the locus has several rows or the file gave none.
    pub likelihoods: Vec<Vec<f32>>,
    pub conflicts: Vec<Conflict>,
    pub excluded: Vec<Excluded>,
    pub counts: Counts,
    /// The index is older than the file it belongs to.
    pub index_older: bool,
}

impl Loci {
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    pub fn rows_of(&self, locus: usize) -> &[Row] {
        &self.rows[self.first_row[locus] as usize..self.first_row[locus + 1] as usize]
    }

    /// Both codes of every sample at a locus.
    pub fn calls_of(&self, locus: usize) -> &[u8] {
        let width = 2 * self.samples.len();
        &self.calls[locus * width..(locus + 1) * width]
    }

    /// [`Loci::holes`] of one locus.
    pub fn holes_of(&self, locus: usize) -> &[Holes] {
        let from = self.holes.partition_point(|h| (h.locus as usize) < locus);
        let count = self.holes[from..].iter().take_while(|h| h.locus as usize == locus).count();
        &self.holes[from..from + count]
    }

    pub fn flags_of(&self, locus: usize) -> &[u8] {
        let n = self.samples.len();
        &self.flags[locus * n..(locus + 1) * n]
    }
}

impl Row {
    /// The allele number of the row that a locus' code is: 0 for REF and for the other rows' ALTs.
    pub fn allele(&self, code: u8) -> u8 {
        self.codes.iter().position(|&c| c == code).map_or(0, |i| (i + 1) as u8)
    }
}
