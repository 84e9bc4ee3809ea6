//! One position of the input: which of its ALTs the scaffold has already, and which genotypes are worth keeping.

use x_vcf::loci::Row;
use x_vcf::{Loci, MISSING};

use crate::data::{Entry, InputRow, NONE, Order, Reason, Scaffold};

/// What became of a position.
pub enum Found {
    /// All its ALTs are in the scaffold.
    InScaffold(Option<Order>),
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
    /// Numbers of the rows that are not in the scaffold.
    pub rows: Vec<usize>,
    pub order: Option<Order>,
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

/// `rows`, `codes`, `calls` of the position as read; `twin`: the scaffold's locus there, or `NONE`.
pub fn position(
    at: u32,
    rows: &[Row],
    (codes, calls): (u8, &[u8]),
    (scaffold, twin, one): (&Scaffold, u32, &[bool]),
) -> Found {
    let mut shared = vec![false; usize::from(codes)];
    let mut met = None;
    if twin != NONE {
        let t = twin as usize;
        let here = alone(at, codes, rows);
        let there = alone(at, scaffold.about.codes[t], scaffold.about.rows_of(t));
        let aligned = x_vcf::loci::align(&here, &there);
        if aligned.ref_mismatch > 0 {
            return Found::RefMismatch;
        }
        let none = || vec![0; usize::from(scaffold.about.codes[t])];
        let code = aligned.pairs.into_iter().next().map_or_else(none, |p| p.code);
        code.iter().filter(|&&c| c > 0).for_each(|&c| shared[usize::from(c)] = true);
        met = Some((scaffold.about.rows_of(t), code));
    }
    let common = |row: &Row| row.codes.iter().filter(|&&c| shared[usize::from(c)]).count();
    if rows.iter().all(|r| common(r) == r.codes.len()) {
        return Found::InScaffold(met.and_then(|(theirs, code)| order(rows, theirs, &code, |_| true)));
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
    let own = (0..rows.len()).filter(|&i| common(&rows[i]) == 0).collect();
    let order = met.and_then(|(theirs, code)| order(rows, theirs, &code, |r| common(r) > 0));
    Found::Kept(Kept { major, entries, twin, rows: own, order })
}

/// The input's rows, where each row of the scaffold has all its ALTs in them or none: otherwise some
/// would be written twice. `code`: the input's code of each of the scaffold's.
fn order(rows: &[Row], theirs: &[Row], code: &[u8], shared: impl Fn(&Row) -> bool) -> Option<Order> {
    let known = |r: &Row| r.codes.iter().filter(|&&c| code[usize::from(c)] > 0).count();
    if theirs.iter().any(|r| known(r) > 0 && known(r) < r.codes.len()) {
        return None;
    }
    let mut own = 0..;
    let row = |r: &Row| {
        if !shared(r) {
            return own.next().map(InputRow::Rare);
        }
        let numbers = code.iter().map(|&c| r.allele(c)).collect();
        Some(InputRow::Shared { site: r.site.clone(), alleles: r.codes.len() + 1, numbers })
    };
    let rows = rows.iter().filter_map(row).collect();
    Some(Order { rows, rest: (0..theirs.len()).filter(|&i| known(&theirs[i]) == 0).collect() })
}
