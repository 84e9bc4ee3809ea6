//! Settings of a run, under the names that phase_common has for them.

use crate::schedule::Schedule;

/// How a missing code of a supersite is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Imputation {
    /// Over all codes, by the posterior weight of the donors that carry each.
    #[default]
    Argmax,
    /// REF against one anchor ALT; every other ALT is weighted 1e-6.
    Anchor(Anchor),
}

/// Which ALT is the anchor of a supersite. Ties go to the lowest code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Anchor {
    /// The ALT that most conditioning haplotypes of the window carry.
    #[default]
    Pbwt,
    /// The ALT whose donors hold most of the forward weight that reaches the locus.
    Hmm,
}

#[derive(Debug, Clone)]
pub struct Options {
    pub seed: u64,
    /// 0 = all that the process may use.
    pub threads: usize,
    /// Iterations: `3b,1p,1b,1p,1b,1p,24m`.
    pub schedule: Schedule,
    /// Neighbours kept on each haplotype and group; `None`: from the number of haplotypes.
    pub pbwt_depth: Option<usize>,
    /// Width of a group in cM; `None`: from the number of haplotypes.
    pub pbwt_modulo: Option<f64>,
    /// Smallest minor allele count of a locus that orders the haplotypes; fewer than 100 haplotypes lower it.
    pub pbwt_mac: usize,
    /// Largest missing rate of such a locus.
    pub pbwt_mdr: f64,
    /// Haplotypes are ordered in chunks of at least this many cM.
    pub pbwt_window: f64,
    /// Shortest HMM window in cM.
    pub hmm_window: f64,
    /// Most donors of a window, at least 2. Where there are more neighbours, a donor is a mosaic of them.
    pub hmm_donors: usize,
    /// Effective population size: 0.04 of it jumps a cM, divided by the number of donors (at most `hmm_donors`).
    pub hmm_ne: f64,
    /// Mass that the haplotypes of a merged segment must carry.
    pub mcmc_prune: f64,
    /// Loci with more than two codes order the haplotypes too.
    pub supersite_pbwt: bool,
    pub imputation: Imputation,
    /// Missing alleles stay `MISSING` in the result.
    pub keep_missing: bool,
    /// Fill `Phased::confidence`.
    pub confidence: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 15_052_011,
            threads: 1,
            schedule: Schedule::default(),
            pbwt_depth: None,
            pbwt_modulo: None,
            pbwt_mac: 5,
            pbwt_mdr: 0.1,
            pbwt_window: 4.0,
            hmm_window: 2.0,
            hmm_donors: 150,
            hmm_ne: 15_000.0,
            mcmc_prune: 0.999,
            supersite_pbwt: true,
            imputation: Imputation::Argmax,
            keep_missing: false,
            confidence: false,
        }
    }
}
