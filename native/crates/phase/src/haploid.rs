//! Samples with one haplotype: coded `0`, `1` or as two equal alleles. A heterozygous code cannot be true and counts as
//! missing; of a half-missing one the observed allele is all there is.

use std::collections::HashSet;

use x_vcf::{HAPLOID, Loci, MISSING, PHASED};

/// Makes the calls of haploid samples two equal codes or missing, and a missing call haploid where the sample is written
/// so elsewhere (a lone dot says nothing about ploidy). The number of heterozygous calls taken for missing.
pub fn settle(loci: &mut Loci, haploid: &[bool]) -> u64 {
    let n = loci.samples.len();
    let mut hets = HashSet::new();
    for s in (0..n).filter(|&s| haploid[s]) {
        let single = (0..loci.len()).any(|l| loci.flags[l * n + s] & HAPLOID != 0);
        for l in 0..loci.len() {
            let pair = &mut loci.calls[2 * (l * n + s)..][..2];
            match (pair[0], pair[1]) {
                (MISSING, MISSING) => {}
                (MISSING, code) | (code, MISSING) => pair.fill(code),
                (a, b) if a != b => {
                    pair.fill(MISSING);
                    hets.insert((l as u32, s as u32));
                }
                _ => {}
            }
            if single && pair[0] == MISSING {
                loci.flags[l * n + s] |= HAPLOID | PHASED;
            }
        }
    }
    // Nothing such a call says is kept, row by row neither.
    loci.holes.retain(|h| !hets.contains(&(h.locus, h.sample)));
    hets.len() as u64
}
