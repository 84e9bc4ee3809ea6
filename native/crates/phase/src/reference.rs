//! A reference panel beside the loci to be phased: only what both have is phased, as every donor needs a code.

use x_simd::{Error, Result};
use x_vcf::Loci;
use x_vcf::loci::{Reason, align};

/// What became of the two sets of loci.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shared {
    pub haplotypes: u32,
    /// Loci of the target that the panel lacks; they were left out.
    pub only_target: u32,
    pub only_reference: u32,
    /// Positions whose REFs disagree.
    pub ref_mismatch: u32,
}

/// Leaves out of `target` and `cm` what the panel lacks; the panel's codes, locus-major. NO_COMMON_VARIANTS.
pub fn meet(target: &mut Loci, cm: &mut Vec<f64>, panel: &Loci) -> Result<(Vec<u8>, Shared)> {
    let met = align(target, panel);
    let shared = Shared {
        haplotypes: 2 * panel.samples.len() as u32,
        only_target: met.only_here,
        only_reference: met.only_there,
        ref_mismatch: met.ref_mismatch,
    };
    if met.pairs.is_empty() {
        let message = format!(
            "no variants to phase: {} positions were read and {} of the reference panel, none with the same alleles ({} with another REF)",
            target.len(),
            panel.len(),
            met.ref_mismatch
        );
        let e = Error::new("NO_COMMON_VARIANTS", message).with("target", target.len() as f64);
        return Err(e.with("reference", panel.len() as f64).with("refMismatch", f64::from(met.ref_mismatch)));
    }
    let mut keep = vec![false; target.len()];
    met.pairs.iter().for_each(|p| keep[p.here as usize] = true);
    if keep.contains(&false) {
        target.retain(&keep, Some(Reason::NotInReference));
        let mut kept = keep.iter();
        cm.retain(|_| kept.next().copied().unwrap_or(false));
    }
    Ok((met.haplotypes(panel), shared))
}
