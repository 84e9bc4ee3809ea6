//! A scaffold orients heterozygous genotypes: where it is phased and says what was called.

use std::collections::HashMap;

use x_hmm::Study;
use x_simd::{Error, Result};
use x_vcf::loci::align;
use x_vcf::{Loci, MISSING, PHASED};

/// What the scaffold settled.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Oriented {
    pub samples: u32,
    pub loci: u32,
    /// Heterozygous genotypes that got their orientation.
    pub genotypes: u64,
    /// Phased genotypes of the scaffold that are not what was called; they are not used.
    pub disagree: u64,
    /// Heterozygous genotypes that agree with the scaffold, whose ALTs it has no row for: it cannot order them.
    pub not_expressible: u64,
    /// Samples whose scaffold was turned over, to fit what their parents say.
    pub turned: u32,
}

/// Marks genotypes as oriented. Where the pedigree did so before, its orientation stays and the scaffold of that child
/// is turned over if most of their common genotypes ask for it. NO_COMMON_SAMPLES, NO_COMMON_VARIANTS.
pub fn orient(study: &mut Study, target: &Loci, scaffold: &Loci) -> Result<Oriented> {
    let at: HashMap<&str, usize> = target.samples.iter().enumerate().map(|(i, s)| (s.as_str(), i)).collect();
    let columns: Vec<(usize, usize)> =
        scaffold.samples.iter().enumerate().filter_map(|(j, s)| Some((*at.get(s.as_str())?, j))).collect();
    if columns.is_empty() {
        let message = format!("none of the scaffold's {} samples is to be phased", scaffold.samples.len());
        return Err(Error::new("NO_COMMON_SAMPLES", message));
    }
    let met = align(target, scaffold);
    if met.pairs.is_empty() {
        let message = format!(
            "none of the scaffold's {} positions is among the {} to be phased, with the same alleles",
            scaffold.len(),
            target.len()
        );
        return Err(Error::new("NO_COMMON_VARIANTS", message));
    }
    let n = study.samples;
    let mut out = Oriented { samples: columns.len() as u32, loci: met.pairs.len() as u32, ..Oriented::default() };
    // Common genotypes with the pedigree: those that agree less those that do not.
    let mut votes = vec![0_i64; n];
    let mut found: Vec<(u32, u32, [u8; 2])> = Vec::new();
    for pair in &met.pairs {
        let (l, there) = (pair.here as usize, pair.there as usize);
        let (calls, flags) = (scaffold.calls_of(there), scaffold.flags_of(there));
        // A haplotype with an ALT the scaffold has no row for stands in it as REF.
        let seen = |c: u8| if pair.code.contains(&c) { c } else { 0 };
        for &(s, j) in columns.iter().filter(|c| !study.is_haploid(c.0)) {
            let theirs = [calls[2 * j], calls[2 * j + 1]];
            if flags[j] & PHASED == 0 || theirs.contains(&MISSING) {
                continue;
            }
            let [a, b] = theirs.map(|c| pair.code[usize::from(c)]);
            let mine = study.call(l, s);
            let weighted = || {
                let key = (l as u32, s as u32);
                study.likelihoods.binary_search_by_key(&key, |g| (g.locus, g.sample)).is_ok()
            };
            if mine.contains(&MISSING) || weighted() {
                continue;
            }
            let shown = mine.map(seen);
            if shown != [a, b] && shown != [b, a] {
                out.disagree += 1;
            } else if a == b {
                out.not_expressible += u64::from(mine[0] != mine[1]);
            } else if study.is_fixed(l, s) {
                votes[s] += if shown == [a, b] { 1 } else { -1 };
            } else {
                found.push((l as u32, s as u32, if shown == [a, b] { mine } else { [mine[1], mine[0]] }));
            }
        }
    }
    if study.fixed.is_empty() {
        study.fixed = vec![false; n * study.loci.len()];
    }
    for (l, s, [a, b]) in found {
        let (l, s) = (l as usize, s as usize);
        let at = 2 * (l * n + s);
        study.calls[at..at + 2].copy_from_slice(&if votes[s] < 0 { [b, a] } else { [a, b] });
        study.fixed[l * n + s] = true;
        out.genotypes += 1;
    }
    out.turned = votes.iter().filter(|&&v| v < 0).count() as u32;
    Ok(out)
}
