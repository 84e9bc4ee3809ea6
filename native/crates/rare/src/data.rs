//! What is phased: the scaffold, packed, and of every other variant only the genotypes that are not the common one.

use std::collections::HashMap;

use x_vcf::Loci;
use x_vcf::MISSING;

use crate::bits::Bits;

/// Scaffold locus of a rare locus that has none.
pub const NONE: u32 = u32::MAX;

/// How a genotype came by its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Reason {
    /// Both codes are the same, or there is one haplotype.
    Same,
    /// Not ordered yet.
    Open,
    /// The haplotypes it is copied from carry the allele.
    Donors,
    /// No donor carries it: the lengths of the copied segments decided.
    Length,
    /// Only one haplotype was free: the other carries an ALT of the scaffold at this position.
    Scaffold,
    /// A parent could have given only one of the alleles.
    Pedigree,
    /// Nothing told the haplotypes apart: a coin.
    Coin,
}

/// A genotype that is not the common homozygote.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    pub sample: u32,
    /// By haplotype once phased; `MISSING` where not observed (and not imputed).
    pub codes: [u8; 2],
    pub reason: Reason,
    /// An allele was missing when it was read.
    pub missing: bool,
    /// Probability of the order written; NaN where there is nothing to order.
    pub probability: f32,
}

impl Entry {
    pub fn open(&self) -> bool {
        self.reason == Reason::Open
    }

    pub fn carries(&self, code: u8) -> bool {
        self.codes.contains(&code)
    }
}

/// Phased haplotypes that everything is placed on. `about` holds header, samples, positions and rows, no calls.
#[derive(Debug, Default)]
pub struct Scaffold {
    pub about: Loci,
    pub bits: Bits,
    /// Loci at which the haploid samples were written with one allele.
    pub haploid: Vec<bool>,
}

/// Variants to be placed, locus by locus. `about` as in [`Scaffold`]; its rows are those not in the scaffold.
#[derive(Debug, Default)]
pub struct Rare {
    pub about: Loci,
    /// The code of everyone without an entry.
    pub major: Vec<u8>,
    /// Entries of locus i: `first[i] .. first[i + 1]`, by sample.
    pub first: Vec<usize>,
    pub entries: Vec<Entry>,
    /// Scaffold locus at the same position, or `NONE`.
    pub twin: Vec<u32>,
    pub haploid: Vec<bool>,
    /// What missing alleles may be, where other rows of the position were observed.
    pub allowed: HashMap<(u32, u32), Vec<u8>>,
    /// Positions passed over: every ALT is in the scaffold; a record has ALTs of the scaffold and others; REFs disagree.
    pub in_scaffold: u32,
    pub mixed: u32,
    pub ref_mismatch: u32,
}

impl Rare {
    pub fn len(&self) -> usize {
        self.major.len()
    }

    pub fn is_empty(&self) -> bool {
        self.major.is_empty()
    }

    pub fn of(&self, locus: usize) -> &[Entry] {
        &self.entries[self.first[locus]..self.first[locus + 1]]
    }

    /// The locus an entry belongs to.
    pub fn locus_of(&self, entry: usize) -> usize {
        self.first.partition_point(|&f| f <= entry) - 1
    }
}

#[derive(Debug, Default)]
pub struct Study {
    pub samples: Vec<String>,
    /// Samples with one haplotype.
    pub haploid: Vec<bool>,
    pub scaffold: Scaffold,
    pub rare: Rare,
    pub phased: bool,
}

impl Study {
    /// A haplotype that has an ALT of the scaffold at a rare locus' own position takes no other.
    pub fn blocked(&self, locus: usize, haplotype: usize) -> bool {
        let twin = self.rare.twin[locus];
        twin != NONE && self.scaffold.bits.get(twin as usize, haplotype) != 0
    }

    /// May a haplotype carry this code at a rare locus?
    pub fn fits(&self, locus: usize, haplotype: usize, code: u8) -> bool {
        code == 0 || code == MISSING || !self.blocked(locus, haplotype)
    }
}
