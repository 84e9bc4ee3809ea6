//! The same positions in two files: which loci meet, and what the other file's codes are called here.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::Loci;
use super::alleles::keys;
use crate::record::MISSING;

/// A locus both have.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    pub here: u32,
    pub there: u32,
    /// The code here of each code there. ALTs only the other file has are 0: in every row here they are not this ALT.
    pub code: Vec<u8>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Alignment {
    pub pairs: Vec<Pair>,
    /// Loci that only one side has, or that share no ALT.
    pub only_here: u32,
    pub only_there: u32,
    /// Positions in both whose REFs disagree; counted as only here and only there too.
    pub ref_mismatch: u32,
}

/// Meets the loci of a panel or scaffold (`there`) with those to be phased (`here`). Rows split here meet the one locus
/// there each.
pub fn align(here: &Loci, there: &Loci) -> Alignment {
    let mut out = Alignment::default();
    let (mut i, mut j, mut met) = (0, 0, 0);
    while i < here.len() && j < there.len() {
        match here.positions[i].cmp(&there.positions[j]) {
            Ordering::Less => i += 1,
            Ordering::Greater => j += 1,
            Ordering::Equal => {
                match codes(here, i, there, j) {
                    None => out.ref_mismatch += 1,
                    Some(code) if code.iter().any(|&c| c > 0) => {
                        met += u32::from(out.pairs.last().is_none_or(|p| p.there != j as u32));
                        out.pairs.push(Pair { here: i as u32, there: j as u32, code });
                    }
                    Some(_) => {}
                }
                i += 1;
            }
        }
    }
    out.only_here = here.len() as u32 - out.pairs.len() as u32;
    out.only_there = there.len() as u32 - met;
    out
}

/// `None` when the REFs disagree.
fn codes(here: &Loci, i: usize, there: &Loci, j: usize) -> Option<Vec<u8>> {
    let (mine, theirs) = (here.rows_of(i), there.rows_of(j));
    let sites: Vec<&[u8]> = mine.iter().chain(theirs).map(|r| &r.site[..]).collect();
    let keys = keys(&sites).ok()?;
    let (own, other) = (|row: usize| row < mine.len(), |row: usize| &theirs[row - mine.len()]);
    let known: HashMap<_, u8> = keys.iter().filter(|k| own(k.1)).map(|k| (&k.0, mine[k.1].codes[k.2])).collect();
    let mut code = vec![0; usize::from(there.codes[j])];
    for (key, row, alt) in keys.iter().filter(|k| !own(k.1)) {
        code[usize::from(other(*row).codes[*alt])] = known.get(key).copied().unwrap_or(0);
    }
    Some(code)
}

impl Alignment {
    /// Both codes of every sample of the other file at the loci they share, in the codes used here.
    pub fn haplotypes(&self, there: &Loci) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.pairs.len() * 2 * there.samples.len());
        for pair in &self.pairs {
            let calls = there.calls_of(pair.there as usize).iter();
            out.extend(calls.map(|&c| if c == MISSING { MISSING } else { pair.code[usize::from(c)] }));
        }
        out
    }
}
