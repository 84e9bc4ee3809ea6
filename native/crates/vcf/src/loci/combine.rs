//! The genotype of one sample over all rows of a position.

use crate::record::{HAPLOID, MISSING, PHASED};

/// What the rows of one sample say together.
#[derive(Debug, PartialEq)]
pub struct Call {
    pub codes: [u8; 2],
    pub flags: u8,
    /// Codes a missing allele may take; `None` when any may.
    pub allowed: Option<Vec<u8>>,
    /// More than two ALT copies.
    pub too_many: bool,
    /// `|` puts two ALTs on one haplotype.
    pub two_on_one: bool,
}

/// `rows`: the ALT codes of each row, the sample's two allele numbers and its flags. `codes`: M + 1.
pub fn combine(rows: &[(&[u8], [u8; 2], u8)], codes: u8) -> Call {
    if let [(row, alleles, flags)] = rows {
        let code = |a: u8| if a == 0 || a == MISSING { a } else { row[usize::from(a) - 1] };
        return Call { codes: alleles.map(code), flags: *flags, allowed: None, too_many: false, two_on_one: false };
    }
    let mut copies: Vec<u8> = Vec::new();
    let mut on = [0u8; 2];
    let mut placed = [0u8; 2];
    let (mut phased, mut missing, mut bars) = (true, false, false);
    // What rows observed say of ploidy; a lone dot says nothing.
    let (mut single, mut double) = (false, false);
    for (row, alleles, flags) in rows {
        bars |= flags & PHASED != 0;
        phased &= flags & PHASED != 0 || alleles[0] == alleles[1];
        single |= flags & HAPLOID != 0;
        double |= flags & HAPLOID == 0 && *alleles != [MISSING; 2];
        for (slot, &a) in alleles.iter().enumerate() {
            if a == MISSING {
                missing = true;
            } else if a > 0 {
                let code = row[usize::from(a) - 1];
                copies.push(code);
                on[slot] += 1;
                placed[slot] = code;
            }
        }
    }
    let too_many = copies.len() > 2;
    let two_on_one = phased && !too_many && on.iter().any(|&n| n > 1);
    let flags = if single && !double { HAPLOID } else { 0 };
    if too_many {
        return Call { codes: [MISSING; 2], flags, allowed: None, too_many, two_on_one };
    }
    if missing {
        return partial(rows, &copies, codes, flags, two_on_one);
    }
    if phased && !two_on_one {
        return Call {
            codes: placed,
            flags: flags | if bars { PHASED } else { 0 },
            allowed: None,
            too_many,
            two_on_one,
        };
    }
    copies.sort_unstable();
    let codes = match copies[..] {
        [] => [0, 0],
        [a] => [0, a],
        [a, b, ..] => [a, b],
    };
    Call { codes, flags, allowed: None, too_many, two_on_one }
}

/// Some rows were observed, some not: the observed copies are fixed, the rest may only be what a missing row adds.
fn partial(rows: &[(&[u8], [u8; 2], u8)], copies: &[u8], codes: u8, flags: u8, two_on_one: bool) -> Call {
    let known = copies.len();
    if known == 2 {
        let mut both = [copies[0], copies[1]];
        both.sort_unstable();
        return Call { codes: both, flags, allowed: None, too_many: false, two_on_one };
    }
    // Copies each row could still add.
    let room = |alleles: &[u8; 2]| alleles.iter().filter(|&&a| a == MISSING).count();
    let more: usize = rows.iter().map(|(_, alleles, _)| room(alleles)).sum();
    let free = 2 - known;
    // A single missing allele fills one place; the other is REF.
    let open = free.min(more);
    let mut allowed = vec![0];
    for (row, alleles, _) in rows {
        // With two open places a half-missing row could be counted twice: it adds nothing then.
        if room(alleles) >= open {
            allowed.extend_from_slice(row);
        }
    }
    allowed.sort_unstable();
    let first = if known == 1 { copies[0] } else { 0 };
    let slots = match (known, open) {
        (_, 2) => [MISSING, MISSING],
        (1, _) => [first, MISSING],
        _ => [0, MISSING],
    };
    let all = allowed.len() == usize::from(codes);
    Call { codes: slots, flags, allowed: (!all).then_some(allowed), too_many: false, two_on_one }
}

#[cfg(test)]
mod tests {
    use super::*;

    const U: u8 = 0;
    const P: u8 = PHASED;
    const M: u8 = MISSING;

    fn two(a: [u8; 2], b: [u8; 2], flags: u8) -> Call {
        combine(&[(&[1], a, flags), (&[2], b, flags)], 3)
    }

    #[test]
    fn observed_rows_are_added() {
        assert_eq!(two([0, 1], [0, 1], U).codes, [1, 2]);
        assert_eq!(two([1, 1], [0, 0], U).codes, [1, 1]);
        assert_eq!(two([0, 0], [1, 0], U).codes, [0, 2]);
        assert_eq!(two([0, 1], [1, 0], P).codes, [2, 1]);
        assert_eq!(two([0, 1], [1, 0], P).flags, PHASED);
    }

    #[test]
    fn a_lone_dot_says_nothing_of_ploidy() {
        let rows = |a, fa, b, fb| combine(&[(&[1], a, fa), (&[2], b, fb)], 3);
        let one = rows([1, 1], P | HAPLOID, [M, M], U);
        assert_eq!((one.codes, one.flags), ([1, 1], HAPLOID));
        assert_eq!(rows([0, 0], P | HAPLOID, [1, 1], U).flags & HAPLOID, 0);
        assert_eq!(rows([M, M], U, [M, M], U).flags, U);
    }

    #[test]
    fn conflicts_are_seen() {
        assert!(two([1, 1], [0, 1], U).too_many);
        let both = two([0, 1], [0, 1], P);
        assert!(both.two_on_one && !both.too_many);
        assert_eq!((both.codes, both.flags), ([1, 2], 0));
    }

    #[test]
    fn observed_rows_limit_missing_ones() {
        let call = two([0, 0], [M, M], U);
        assert_eq!((call.codes, call.allowed), ([M, M], Some(vec![0, 2])));
        let call = two([0, 1], [M, M], U);
        assert_eq!((call.codes, call.allowed), ([1, M], Some(vec![0, 2])));
        let call = two([1, 1], [M, M], U);
        assert_eq!((call.codes, call.allowed), ([1, 1], None));
        let call = two([0, M], [0, 0], U);
        assert_eq!((call.codes, call.allowed), ([0, M], Some(vec![0, 1])));
        let call = two([M, M], [M, M], U);
        assert_eq!((call.codes, call.allowed), ([M, M], None));
        // 1/. can take a second copy of its own ALT.
        let call = two([1, M], [0, 0], U);
        assert_eq!((call.codes, call.allowed), ([1, M], Some(vec![0, 1])));
    }
}
