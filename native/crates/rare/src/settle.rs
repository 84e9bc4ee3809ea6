//! From the evidence of every haplotype to orders and their probabilities, the clearest first: what is settled tells
//! the next pass which haplotype of a donor carries the allele.

use rayon::prelude::*;
use x_random::Random;
use x_simd::{Job, Result};

use x_vcf::MISSING;

use crate::data::{Entry, Reason, Study};
use crate::options::Options;

/// A haplotype that is copied from, in a sample with an entry at the locus.
#[derive(Debug, Clone, Copy)]
pub struct Donor {
    pub entry: u32,
    pub side: u8,
    /// Posterior of it for both haplotypes of the one that copies.
    pub mass: [f32; 2],
}

/// All there is to say about one entry.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    pub donors: Box<[Donor]>,
    /// Centimorgans of the copied pieces around it.
    pub length: [f32; 2],
}

/// An order this likely is settled in a pass.
const PASSES: [f32; 8] = [0.999, 0.99, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5];
/// Chance a centimorgan⁻¹ that an allele is not its donor's: the shorter the piece, the older, the likelier.
const NEW: f32 = 0.003;
/// Chance that the common allele stands where the donors have another.
const LOST: f32 = 0.01;

/// How much of a donor's posterior says that it carries `code`.
fn weight(entry: &Entry, side: u8, code: u8) -> f32 {
    if entry.open() {
        if entry.carries(code) { 0.5 } else { 0.0 }
    } else if entry.codes[usize::from(side)] == code {
        1.0
    } else {
        0.0
    }
}

/// Probability of `code` on both haplotypes from the donors alone.
fn mass(entries: &[Entry], evidence: &Evidence, code: u8, major: u8) -> [f32; 2] {
    let mut out = [0.0_f32; 2];
    for d in &evidence.donors {
        let w = weight(&entries[d.entry as usize], d.side, code);
        // Everyone without an entry carries the common code, and a missing donor is taken to.
        let w = if code == major { w + weight(&entries[d.entry as usize], d.side, MISSING) - 1.0 } else { w };
        (0..2).for_each(|h| out[h] += w * d.mass[h]);
    }
    if code == major {
        out = out.map(|o| 1.0 + o);
    }
    out.map(|o| o.clamp(0.0, 1.0))
}

/// Chance that haplotypes 0 and 1 carry the entry's codes in the order they are stored, and what told.
fn order(entries: &[Entry], entry: &Entry, evidence: &Evidence, major: u8) -> (f32, Reason) {
    let mut reason = Reason::Length;
    let mut fit = |code: u8| -> [f32; 2] {
        if code == MISSING {
            return [1.0; 2];
        }
        let m = mass(entries, evidence, code, major);
        let age = evidence.length.map(|l| NEW / l);
        if code == major {
            m.map(|m| m + LOST)
        } else {
            if m[0].max(m[1]) > age[0].max(age[1]) {
                reason = Reason::Donors;
            }
            [m[0] + age[0], m[1] + age[1]]
        }
    };
    let (x, y) = (fit(entry.codes[0]), fit(entry.codes[1]));
    let (a, b) = (x[0] * y[1], x[1] * y[0]);
    let p = a / (a + b);
    if p.is_finite() { (p, reason) } else { (0.5, Reason::Coin) }
}

/// Puts every open entry of `slots` in order.
pub fn settle(study: &mut Study, slots: &[u32], evidence: &[Evidence], options: &Options, job: &Job) -> Result<()> {
    let major: Vec<u8> = slots.iter().map(|&s| study.rare.major[study.rare.locus_of(s as usize)]).collect();
    let mut left: Vec<usize> = (0..slots.len()).filter(|&i| study.rare.entries[slots[i] as usize].open()).collect();
    for threshold in PASSES {
        job.check()?;
        let entries = &study.rare.entries;
        let judged: Vec<(f32, Reason)> =
            left.par_iter().map(|&i| order(entries, &entries[slots[i] as usize], &evidence[i], major[i])).collect();
        let mut rest = Vec::new();
        for (&i, &(p, reason)) in left.iter().zip(&judged) {
            if p.max(1.0 - p) < threshold {
                rest.push(i);
                continue;
            }
            let tied = (p - 0.5).abs() < 1e-6;
            let mut coin = Random::new(options.seed, u64::from(slots[i]));
            let swap = if tied { coin.int(2) == 1 } else { p < 0.5 };
            let entry = &mut study.rare.entries[slots[i] as usize];
            if swap {
                entry.codes.swap(0, 1);
            }
            entry.probability = p.max(1.0 - p);
            entry.reason = if tied { Reason::Coin } else { reason };
        }
        left = rest;
    }
    Ok(())
}

/// The likeliest code for every missing allele; ties to the lowest. Returns how many were filled.
pub fn impute(study: &mut Study, slots: &[u32], evidence: &[Evidence]) -> u64 {
    let entries = &study.rare.entries;
    let fill = |i: usize| -> [u8; 2] {
        let slot = slots[i] as usize;
        let (entry, locus) = (&entries[slot], study.rare.locus_of(slot));
        if !entry.codes.contains(&MISSING) {
            return entry.codes;
        }
        let allowed = study.rare.allowed.get(&(locus as u32, entry.sample));
        let major = study.rare.major[locus];
        let one = study.haploid[entry.sample as usize];
        let mut best = [(0, f32::NEG_INFINITY); 2];
        for code in 0..study.rare.about.codes[locus] {
            if allowed.is_some_and(|a| !a.contains(&code)) {
                continue;
            }
            let mut m = mass(entries, &evidence[i], code, major);
            if one {
                m = [m[0] + m[1]; 2];
            }
            for h in 0..2 {
                let fits = study.fits(locus, 2 * entry.sample as usize + h, code);
                if fits && m[h] > best[h].1 {
                    best[h] = (code, m[h]);
                }
            }
        }
        std::array::from_fn(|h| if entry.codes[h] == MISSING { best[h].0 } else { entry.codes[h] })
    };
    let filled: Vec<[u8; 2]> = (0..slots.len()).into_par_iter().map(fill).collect();
    let mut count = 0;
    for (&slot, codes) in slots.iter().zip(filled) {
        let entry = &mut study.rare.entries[slot as usize];
        count += entry.codes.iter().zip(&codes).filter(|(a, b)| a != b).count() as u64;
        entry.codes = codes;
    }
    count
}
