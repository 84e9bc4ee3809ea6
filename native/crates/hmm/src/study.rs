//! What is phased: one locus per position, genotypes as codes, and everything that narrows a genotype down.

use x_simd::{Error, Result};

/// An allele that was not observed.
pub const MISSING: u8 = 255;

/// One position. Codes are 0 (REF) and 1 … `codes` − 1 (the ALTs in the caller's canonical order).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Locus {
    /// Base pairs; strictly ascending over a study.
    pub position: u32,
    /// Genetic position in centimorgans; never descending.
    pub cm: f64,
    /// Number of codes, 2 to 255.
    pub codes: u8,
}

/// The codes that a missing allele may take, where some rows of a position were observed and others were not.
#[derive(Debug, Clone, PartialEq)]
pub struct Partial {
    pub locus: u32,
    pub sample: u32,
    /// Ascending; never empty.
    pub allowed: Vec<u8>,
}

/// Genotype likelihoods of one sample at one locus. The genotype there counts as missing and is drawn with these weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Likelihood {
    pub locus: u32,
    pub sample: u32,
    /// P(data | genotype) up to a factor, genotypes in VCF order (0/0, 0/1, 1/1, 0/2, …): codes · (codes + 1) / 2 numbers.
    pub weights: Vec<f32>,
}

#[derive(Debug, Clone, Default)]
pub struct Study {
    pub samples: usize,
    pub loci: Vec<Locus>,
    /// Locus-major, two codes a sample, `MISSING` where not observed. One missing allele of two is allowed (`1/.`).
    pub calls: Vec<u8>,
    /// Genotypes whose orientation is known (scaffold, pedigree): haplotype 0 carries the first code as stored.
    /// Locus-major, one a sample; empty when there is none.
    pub fixed: Vec<bool>,
    /// Samples with one haplotype, stored as two equal codes; their heterozygous genotypes count as missing. Empty: none.
    pub haploid: Vec<bool>,
    /// Haplotypes that are only donors: codes, locus-major; the same number at every locus; may be empty, and may hold
    /// `MISSING` nowhere.
    pub reference: Vec<u8>,
    /// Sorted by (locus, sample), each pair once.
    pub partial: Vec<Partial>,
    /// Sorted by (locus, sample), each pair once.
    pub likelihoods: Vec<Likelihood>,
}

impl Study {
    /// Number of donor-only haplotypes.
    pub fn reference_haplotypes(&self) -> usize {
        self.reference.len().checked_div(self.loci.len()).unwrap_or(0)
    }

    /// The two stored codes of a sample.
    pub fn call(&self, locus: usize, sample: usize) -> [u8; 2] {
        let at = 2 * (locus * self.samples + sample);
        [self.calls[at], self.calls[at + 1]]
    }

    pub fn is_fixed(&self, locus: usize, sample: usize) -> bool {
        !self.fixed.is_empty() && self.fixed[locus * self.samples + sample]
    }

    pub fn is_haploid(&self, sample: usize) -> bool {
        !self.haploid.is_empty() && self.haploid[sample]
    }

    /// `BAD_STUDY` with the locus and sample where lengths, order or codes break the rules above.
    pub fn check(&self) -> Result<()> {
        let bad = |message: String| Err(Error::new("BAD_STUDY", message));
        let (n, l) = (self.samples, self.loci.len());
        if self.calls.len() != 2 * n * l {
            return bad(format!("{} codes for {n} samples at {l} loci; two each are needed", self.calls.len()));
        }
        if !self.fixed.is_empty() && self.fixed.len() != n * l {
            return bad(format!("{} phase-known flags for {n} samples at {l} loci", self.fixed.len()));
        }
        if !self.haploid.is_empty() && self.haploid.len() != n {
            return bad(format!("{} haploid flags for {n} samples", self.haploid.len()));
        }
        if l > 0 && !self.reference.len().is_multiple_of(l) {
            return bad(format!("{} reference codes do not divide into {l} loci", self.reference.len()));
        }
        let r = self.reference_haplotypes();
        for (i, locus) in self.loci.iter().enumerate() {
            let at = |message: String| Err(Error::new("BAD_STUDY", message).with("locus", i as f64));
            if !(2..=255).contains(&locus.codes) {
                return at(format!("locus {i} (position {}) has {} codes", locus.position, locus.codes));
            }
            if !locus.cm.is_finite() {
                return at(format!("locus {i} (position {}) is at {} cM", locus.position, locus.cm));
            }
            if i > 0 && (self.loci[i - 1].position >= locus.position || self.loci[i - 1].cm > locus.cm) {
                return at(format!("locus {i} (position {}) does not come after the one before it", locus.position));
            }
            let calls = &self.calls[2 * n * i..2 * n * (i + 1)];
            if let Some(s) = calls.iter().position(|&c| c != MISSING && c >= locus.codes) {
                return at(format!(
                    "sample {} carries code {} at position {}, which has {} codes",
                    s / 2,
                    calls[s],
                    locus.position,
                    locus.codes
                ));
            }
            if let Some(h) = self.reference[r * i..r * (i + 1)].iter().position(|&c| c >= locus.codes) {
                return at(format!(
                    "reference haplotype {h} carries code {} at position {}, which has {} codes",
                    self.reference[r * i + h],
                    locus.position,
                    locus.codes
                ));
            }
        }
        let inside = |locus: u32, sample: u32| (locus as usize) < l && (sample as usize) < n;
        for p in &self.partial {
            let codes = if inside(p.locus, p.sample) { self.loci[p.locus as usize].codes } else { 0 };
            if p.allowed.is_empty() || p.allowed.iter().any(|&c| c >= codes) {
                return bad(format!("the allowed codes of sample {} at locus {} do not exist", p.sample, p.locus));
            }
        }
        for g in &self.likelihoods {
            let codes = if inside(g.locus, g.sample) { usize::from(self.loci[g.locus as usize].codes) } else { 0 };
            let fine = g.weights.iter().all(|&w| w.is_finite() && w >= 0.0) && g.weights.iter().any(|&w| w > 0.0);
            if codes == 0 || g.weights.len() != codes * (codes + 1) / 2 || !fine {
                return bad(format!(
                    "the genotype likelihoods of sample {} at locus {} are no weights",
                    g.sample, g.locus
                ));
            }
        }
        Ok(())
    }
}
