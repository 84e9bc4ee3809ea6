//! Exact test of Hardy-Weinberg equilibrium (Wigginton, Cutler & Abecasis 2005, AJHG 76:887), without mid-p
//! correction: the probability of all heterozygote counts that are at most as likely as the one observed.

/// Two counts whose probabilities differ by less than this are equally likely (rounding of a long product).
const TIE: f64 = 1.0 + 1e-10;

/// p-value for the given genotype counts; 1 when nobody was genotyped.
pub fn hardy_exact(hets: u64, hom1: u64, hom2: u64) -> f64 {
    let rare = 2 * hom1.min(hom2) + hets;
    let people = hets + hom1 + hom2;
    if people == 0 {
        return 1.0;
    }
    // Probabilities relative to the most likely count, reached by exact ratios in both directions.
    let mode = likeliest(rare, people);
    let observed = match hets.cmp(&mode) {
        std::cmp::Ordering::Less => Walk::down(mode, rare, people).take_while(|t| t.hets >= hets).last(),
        std::cmp::Ordering::Greater => Walk::up(mode, rare, people).take_while(|t| t.hets <= hets).last(),
        std::cmp::Ordering::Equal => None,
    };
    let observed = observed.map_or(1.0, |t| t.weight);
    let (mut total, mut tail) = (1.0, if 1.0 <= observed * TIE { 1.0 } else { 0.0 });
    for walk in [Walk::down(mode, rare, people), Walk::up(mode, rare, people)] {
        for term in walk {
            total += term.weight;
            if term.weight <= observed * TIE {
                tail += term.weight;
            }
            // Weights fall ever faster away from the mode.
            if term.weight <= 1e-18 * tail || term.weight == 0.0 {
                break;
            }
        }
    }
    f64::min(1.0, tail / total)
}

/// Heterozygote count of largest probability (it has the parity of the rare allele's count).
fn likeliest(rare: u64, people: u64) -> u64 {
    let alleles = 2 * people;
    let expected = (u128::from(rare) * u128::from(alleles - rare) / u128::from(alleles)) as u64;
    let mut mode = if expected % 2 == rare % 2 { expected } else { expected + 1 };
    mode = mode.min(rare);
    // The expectation lies within a step or two of the mode.
    while mode >= 2 && ratio_down(mode, rare, people) > 1.0 {
        mode -= 2;
    }
    while mode + 2 <= rare && ratio_down(mode + 2, rare, people) < 1.0 {
        mode += 2;
    }
    mode
}

/// P(hets - 2) / P(hets) as a fraction: `hets (hets - 1) / (4 (homr + 1) (homc + 1))`.
#[inline(always)]
fn step(hets: u64, rare: u64, people: u64) -> (f64, f64) {
    let hom_rare = (rare - hets) / 2;
    let hom_common = people - hets - hom_rare;
    (hets as f64 * (hets - 1) as f64, 4.0 * (hom_rare + 1) as f64 * (hom_common + 1) as f64)
}

fn ratio_down(hets: u64, rare: u64, people: u64) -> f64 {
    let (up, down) = step(hets, rare, people);
    up / down
}

struct Term {
    hets: u64,
    weight: f64,
}

struct Walk {
    at: Term,
    rare: u64,
    people: u64,
    up: bool,
}

impl Walk {
    fn down(mode: u64, rare: u64, people: u64) -> Self {
        Self { at: Term { hets: mode, weight: 1.0 }, rare, people, up: false }
    }

    fn up(mode: u64, rare: u64, people: u64) -> Self {
        Self { up: true, ..Self::down(mode, rare, people) }
    }
}

impl Iterator for Walk {
    type Item = Term;

    fn next(&mut self) -> Option<Term> {
        let Term { hets, weight } = self.at;
        // The quotient never waits for the weight before it: only the multiplications follow one another.
        self.at = if self.up {
            if hets + 2 > self.rare {
                return None;
            }
            let (up, down) = step(hets + 2, self.rare, self.people);
            Term { hets: hets + 2, weight: weight * (down / up) }
        } else {
            if hets < 2 {
                return None;
            }
            let (up, down) = step(hets, self.rare, self.people);
            Term { hets: hets - 2, weight: weight * (up / down) }
        };
        Some(Term { hets: self.at.hets, weight: self.at.weight })
    }
}
