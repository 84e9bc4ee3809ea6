//! One position of the input: which of its ALTs the scaffold has already, and which genotypes are worth keeping.

use x_vcf::loci::Row;
use x_vcf::{HAPLOID, Loci, MISSING};

use crate::data::{Entry, NONE, Reason, Scaffold};

/// What became of a position.
pub enum Found {
    /// All its ALTs are in the scaffold.
    InScaffold,
    /// A record has ALTs of the scaffold and others; or the REFs disagree.
    Mixed,
    RefMismatch,
    /// A sample has more ALTs than haplotypes once the scaffold's are counted: sample, its codes.
    Conflict(usize, [u8; 2]),
    Kept(Kept),
}

pub struct Kept {
    pub major: u8,
    pub entries: Vec<Entry>,
    pub twin: u32,
    pub rows: Vec<Row>,
    /// Are the haploid samples' calls written with one allele? `None` when all of them are missing.
    pub haploid: Option<bool>,
}

/// One locus on its own, without calls.
fn alone(position: u32, codes: u8, rows: &[Row]) -> Loci {
    Loci {
        positions: vec![position],
        codes: vec![codes],
        first_row: vec![0, rows.len() as u32],
        rows: rows.to_vec(),
        ..Loci::default()
    }
}

/// `rows`, `codes`, `calls`, `flags` of the position as read; `twin`: the scaffold's locus there, or `NONE`.
pub fn position(
    at: u32,
    rows: &[Row],
    (codes, calls, flags): (u8, &[u8], &[u8]),
    (scaffold, twin, one): (&Scaffold, u32, &[bool]),
) -> Found {
    let mut shared = vec![false; usize::from(codes)];
    if twin != NONE {
        let t = twin as usize;
        let here = alone(at, codes, rows);
        let there = alone(at, scaffold.about.codes[t], scaffold.about.rows_of(t));
        let met = x_vcf::loci::align(&here, &there);
        if met.ref_mismatch > 0 {
            return Found::RefMismatch;
        }
        met.pairs.iter().flat_map(|p| &p.code).filter(|&&c| c > 0).for_each(|&c| shared[usize::from(c)] = true);
    }
    let common = |row: &Row| row.codes.iter().filter(|&&c| shared[usize::from(c)]).count();
    if rows.iter().all(|r| common(r) == r.codes.len()) {
        return Found::InScaffold;
    }
    if rows.iter().any(|r| common(r) > 0 && common(r) < r.codes.len()) {
        return Found::Mixed;
    }
    let own = |c: u8| if c != MISSING && shared[usize::from(c)] { 0 } else { c };
    let mut seen = [0_u32; 256];
    calls.iter().for_each(|&c| seen[usize::from(own(c))] += 1);
    let major = (0..codes).rev().max_by_key(|&c| seen[usize::from(c)]).unwrap_or(0);
    let mut entries = Vec::new();
    for (s, pair) in calls.chunks_exact(2).enumerate() {
        let mut codes = [own(pair[0]), own(pair[1])];
        if one[s] && codes[0] != codes[1] {
            codes = [MISSING; 2];
        }
        if codes[0] > codes[1] {
            codes.swap(0, 1);
        }
        let blocked = |h: usize| twin != NONE && scaffold.bits.get(twin as usize, 2 * s + h) != 0;
        if twin != NONE {
            let copies = codes.iter().filter(|&&c| c != 0 && c != MISSING).count();
            if copies + usize::from(blocked(0)) + usize::from(blocked(1)) > 2 {
                return Found::Conflict(s, [pair[0], pair[1]]);
            }
        }
        if codes != [major; 2] {
            let missing = codes.contains(&MISSING);
            let reason = if codes[0] == codes[1] { Reason::Same } else { Reason::Open };
            entries.push(Entry { sample: s as u32, codes, reason, missing, probability: f32::NAN });
        }
    }
    let rows = rows.iter().filter(|r| common(r) == 0).cloned().collect();
    let told = (0..one.len()).any(|s| one[s] && calls[2 * s] != MISSING);
    let haploid = told.then(|| flags.iter().any(|f| f & HAPLOID != 0));
    Found::Kept(Kept { major, entries, twin, rows, haploid })
}
