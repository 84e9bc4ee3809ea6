//! What is phased: the scaffold, packed, and of every other variant only the genotypes that are not the common one.

use std::collections::HashMap;

use x_vcf::loci::Holes;
use x_vcf::{Loci, MISSING};

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

/// Which samples are written with one allele, locus by locus; kept where it changes.
#[derive(Debug, Default)]
pub struct Coding {
    changes: Vec<(usize, Box<[bool]>)>,
    loci: usize,
}

impl Coding {
    /// The next locus; `single` says nothing of a sample (`None`) where its call is missing: it stays as it was.
    pub fn push(&mut self, samples: usize, single: impl Fn(usize) -> Option<bool>) {
        let last = self.changes.last().map(|c| &c.1[..]);
        let before = |s: usize| last.is_some_and(|l| l[s]);
        let changed = last.is_none() || (0..samples).any(|s| single(s).is_some_and(|one| one != before(s)));
        if changed {
            let now = (0..samples).map(|s| single(s).unwrap_or_else(|| before(s))).collect();
            self.changes.push((self.loci, now));
        }
        self.loci += 1;
    }

    /// By sample.
    pub fn at(&self, locus: usize) -> &[bool] {
        let i = self.changes.partition_point(|c| c.0 <= locus);
        &self.changes[i - 1].1
    }
}

/// The rows of the input at a position of the scaffold.
#[derive(Debug)]
pub struct Order {
    pub rows: Vec<InputRow>,
    /// Rows of the scaffold that the input has not.
    pub rest: Vec<usize>,
}

#[derive(Debug)]
pub enum InputRow {
    /// In the scaffold: the input's site, its alleles, and its allele number of each of the scaffold's codes.
    Shared { site: Box<[u8]>, alleles: usize, numbers: Box<[u8]> },
    /// A row of the locus that was placed.
    Rare(usize),
}

/// Phased haplotypes that everything is placed on. `about` holds header, samples, positions and rows, no calls.
#[derive(Debug, Default)]
pub struct Scaffold {
    pub about: Loci,
    pub bits: Bits,
    /// Who was written with one allele.
    pub coding: Coding,
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
    /// Who was written with one allele.
    pub coding: Coding,
    /// What missing alleles may be, where other rows of the position were observed.
    pub allowed: HashMap<(u32, u32), Vec<u8>>,
    /// Which alleles each row lacked there.
    pub holes: HashMap<(u32, u32), Holes>,
    /// By scaffold locus.
    pub order: HashMap<u32, Order>,
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
