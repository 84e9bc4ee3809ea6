//! What parents say about a child's genotypes: haplotype 0 comes from the father, haplotype 1 from the mother.

use crate::study::{MISSING, Study};

/// Indices of samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trio {
    pub child: usize,
    pub father: Option<usize>,
    pub mother: Option<usize>,
}

/// A child's genotype that its parents cannot have given; it is phased without them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MendelError {
    pub locus: u32,
    pub child: u32,
}

/// What the parents settled.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inheritance {
    /// Heterozygous genotypes that got their orientation.
    pub oriented: u64,
    /// Missing genotypes that both parents, homozygous, determine.
    pub filled: u64,
    /// By locus, then in the order of the trios.
    pub errors: Vec<MendelError>,
}

/// Orders the codes of children's genotypes that only one orientation explains and marks them as fixed, and fills
/// missing genotypes between two homozygous parents. A parent with a missing allele may give any code. Genotypes whose
/// orientation is known already, haploid children and genotypes with likelihoods stay as they are.
pub fn inherit(study: &mut Study, trios: &[Trio]) -> Inheritance {
    let mut found = Inheritance::default();
    let n = study.samples;
    if study.fixed.is_empty() && !trios.is_empty() {
        study.fixed = vec![false; n * study.loci.len()];
    }
    for l in 0..study.loci.len() {
        for trio in trios {
            let key = (l as u32, trio.child as u32);
            let weighted = study.likelihoods.binary_search_by_key(&key, |g| (g.locus, g.sample)).is_ok();
            if study.is_haploid(trio.child) || study.is_fixed(l, trio.child) || weighted {
                continue;
            }
            let parents = [trio.father, trio.mother].map(|p| p.map_or([MISSING; 2], |p| study.call(l, p)));
            let gives = |p: usize, code: u8| parents[p].contains(&MISSING) || parents[p].contains(&code);
            let at = 2 * (l * n + trio.child);
            let [a, b] = study.call(l, trio.child);
            if a == MISSING && b == MISSING {
                let allowed = study.partial.binary_search_by_key(&key, |p| (p.locus, p.sample));
                let fits = |c: &u8| *c != MISSING && allowed.is_ok_and(|i| study.partial[i].allowed.contains(c));
                let sure = parents.iter().all(|p| p[0] == p[1] && p[0] != MISSING && (allowed.is_err() || fits(&p[0])));
                if sure {
                    study.calls[at..at + 2].copy_from_slice(&[parents[0][0], parents[1][0]]);
                    study.fixed[l * n + trio.child] = parents[0][0] != parents[1][0];
                    found.filled += 1;
                }
            } else if a != MISSING && b != MISSING {
                match (gives(0, a) && gives(1, b), gives(0, b) && gives(1, a)) {
                    (false, false) => found.errors.push(MendelError { locus: key.0, child: key.1 }),
                    (true, true) => {}
                    (straight, _) => {
                        study.calls[at..at + 2].copy_from_slice(&if straight { [a, b] } else { [b, a] });
                        study.fixed[l * n + trio.child] = true;
                        found.oriented += 1;
                    }
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Locus;

    #[test]
    fn parents_orient_fill_and_disagree() {
        let m = MISSING;
        // Father, mother, child.
        let cases: [([[u8; 2]; 3], [u8; 2], bool, bool); 9] = [
            ([[0, 0], [0, 1], [0, 1]], [0, 1], true, false),
            ([[0, 1], [0, 0], [0, 1]], [1, 0], true, false),
            ([[0, 1], [0, 1], [0, 1]], [0, 1], false, false),
            ([[0, 2], [1, 1], [1, 2]], [2, 1], true, false),
            ([[1, 1], [m, m], [0, 1]], [1, 0], true, false),
            ([[0, 0], [0, 0], [0, 1]], [0, 1], false, true),
            ([[0, 0], [2, 2], [m, m]], [0, 2], true, false),
            ([[0, 0], [0, 2], [m, m]], [m, m], false, false),
            ([[0, 0], [1, 1], [0, 0]], [0, 0], false, true),
        ];
        let mut study = Study {
            samples: 3,
            loci: (0..9).map(|i| Locus { position: i + 1, cm: 0.0, codes: 3 }).collect(),
            calls: cases.iter().flat_map(|c| c.0.concat()).collect(),
            ..Study::default()
        };
        let found = inherit(&mut study, &[Trio { child: 2, father: Some(0), mother: Some(1) }]);
        for (l, (_, call, fixed, _)) in cases.iter().enumerate() {
            assert_eq!((study.call(l, 2), study.is_fixed(l, 2)), (*call, *fixed), "{l}");
        }
        assert_eq!(found.errors.iter().map(|e| e.locus).collect::<Vec<_>>(), [5, 8]);
        assert_eq!((found.oriented, found.filled), (4, 1));
    }
}
