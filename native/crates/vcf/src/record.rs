//! One record as both formats yield it: its site columns as text, its genotypes as allele numbers.

use x_simd::{Error, Result};

/// An allele that was not observed.
pub const MISSING: u8 = 255;
/// The call is written with `|` (or its two alleles are the same haplotype because there is only one).
pub const PHASED: u8 = 1;
/// The call has one allele; it is stored twice.
pub const HAPLOID: u8 = 2;
/// Alleles of a record, REF included, that a byte can number beside [`MISSING`].
pub const MAX_ALLELES: usize = 255;

/// What is read beside the genotypes.
#[derive(Clone, Default, Debug)]
pub struct Wanted {
    /// PL or GL.
    pub likelihoods: bool,
    /// FORMAT fields: name and floats a sample.
    pub fields: Vec<(String, usize)>,
}

#[derive(Clone, Default, Debug)]
pub struct Record {
    /// Index into `Header::contigs`.
    pub contig: usize,
    /// From 1.
    pub position: u32,
    /// `ID REF ALT QUAL FILTER INFO`, tab separated, as in the text format.
    pub site: Vec<u8>,
    /// REF and ALTs.
    pub alleles: usize,
    /// Two a sample in file order.
    pub genotypes: Vec<u8>,
    /// One a sample: [`PHASED`], [`HAPLOID`].
    pub flags: Vec<u8>,
    /// log10 likelihoods of the genotypes in VCF order, the same number a sample, NaN where not given; empty when the
    /// record has none or they were not asked for.
    pub likelihoods: Vec<f32>,
    /// The floats of each field asked for, sample by sample, NaN where not given; empty where the record has none.
    pub fields: Vec<Vec<f32>>,
}

impl Record {
    /// The columns of [`Record::site`].
    pub fn column(&self, i: usize) -> &[u8] {
        column(&self.site, i)
    }

    pub fn clear(&mut self) {
        self.site.clear();
        self.genotypes.clear();
        self.flags.clear();
        self.likelihoods.clear();
        self.fields.iter_mut().for_each(Vec::clear);
    }

    /// ALTs beyond what a byte numbers are refused before any genotype is read.
    pub fn check_alleles(&self) -> Result<()> {
        if self.alleles > MAX_ALLELES {
            return Err(too_many_alts(self.alleles - 1));
        }
        Ok(())
    }
}

/// An ALT that is the REF, capitals and small letters alike, makes two codes of one allele.
pub fn check_alts(site: &[u8]) -> Result<()> {
    let (reference, alts) = (column(site, REF), column(site, ALT));
    if alts.split(|&b| b == b',').any(|alt| alt.eq_ignore_ascii_case(reference)) {
        return Err(Error::new("VCF_COLUMNS", "an ALT allele is the REF; correct the record"));
    }
    Ok(())
}

pub fn too_many_alts(alts: usize) -> Error {
    let message =
        format!("{alts} ALT alleles, at most {} can be phased; remove this position from the file", MAX_ALLELES - 1);
    Error::new("TOO_MANY_ALTS", message).with("alts", alts as f64)
}

/// Column `i` of tab-separated text; empty when there are fewer.
pub fn column(text: &[u8], i: usize) -> &[u8] {
    text.split(|&b| b == b'\t').nth(i).unwrap_or(&[])
}

pub const ID: usize = 0;
pub const REF: usize = 1;
pub const ALT: usize = 2;
pub const QUAL: usize = 3;
pub const FILTER: usize = 4;
pub const INFO: usize = 5;

/// Phred-scaled PL or log10 GL numbers to log10 likelihoods, NaN as it is; `None` for what neither can be.
pub fn log10_likelihood(value: f32, phred: bool) -> Option<f32> {
    let fine = value.is_nan() || (value.is_finite() && (!phred || value >= 0.0));
    fine.then_some(if phred { -value / 10.0 } else { value })
}

/// Genotypes that two of so many alleles make.
pub fn genotype_count(alleles: usize) -> usize {
    alleles * (alleles + 1) / 2
}

pub fn bad_likelihood(sample: usize, name: &str, found: &str, wanted: usize) -> Error {
    let kind = if name == "PL" { "Phred-scaled numbers of 0 and more" } else { "log10 likelihoods" };
    let message = format!(
        "sample {}: FORMAT/{name} is {found}, {wanted} {kind} were expected; correct it, or phase without likelihoods",
        sample + 1
    );
    Error::new("VCF_PL", message).with("sample", (sample + 1) as f64)
}

pub fn ploidy(sample: usize, alleles: usize) -> Error {
    let message =
        format!("sample {} has {alleles} alleles; only haploid and diploid genotypes can be phased", sample + 1);
    Error::new("PLOIDY", message).with("sample", (sample + 1) as f64)
}

pub fn allele_range(sample: usize, allele: usize, alleles: usize) -> Error {
    let message =
        format!("sample {} carries allele {allele}, but the record has {} ALT alleles", sample + 1, alleles - 1);
    Error::new("VCF_GT_ALLELE", message).with("sample", (sample + 1) as f64)
}
