//! What a caller may choose.

/// A child whose scaffold haplotype 0 came from the father and 1 from the mother; indices of samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trio {
    pub child: u32,
    pub father: Option<u32>,
    pub mother: Option<u32>,
}

#[derive(Debug, Clone)]
pub struct Options {
    pub seed: u64,
    /// 0: all there are.
    pub threads: usize,
    /// Neighbours a haplotype and group, each way, among all haplotypes.
    pub depth_common: usize,
    /// Neighbours of a haplotype, each way, among the carriers of a rare allele.
    pub depth_rare: usize,
    /// Centimorgans of a group.
    pub modulo: f64,
    /// Copies of the minor alleles that a scaffold position needs to order haplotypes.
    pub mac: u32,
    /// Effective population size of the jumps; above SHAPEIT's 15,000, because donors are few of all haplotypes.
    pub ne: f64,
    /// Chance that a copied code is another one.
    pub error: f64,
    /// Leave missing genotypes missing.
    pub keep_missing: bool,
    pub trios: Vec<Trio>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 15_052_011,
            threads: 0,
            depth_common: 2,
            depth_rare: 2,
            modulo: 0.1,
            mac: 2,
            ne: 100_000.0,
            error: 1e-4,
            keep_missing: false,
            trios: Vec::new(),
        }
    }
}
