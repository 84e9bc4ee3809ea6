//! A first guess: one sweep in which haplotypes learn unknown codes from their neighbours in prefix order.

use x_random::Random;

use crate::{Order, Panel};

/// What is not known about a sample at the locus at hand.
#[derive(Debug, Clone, PartialEq)]
pub enum Unknown {
    /// Which haplotype carries which code.
    Het([u8; 2]),
    /// Codes of haplotypes 0 and 1; `None` where not observed. `haploid`: both must become the same.
    Missing { known: [Option<u8>; 2], haploid: bool },
}

/// Votes of confident neighbours decide first, in two passes; then longer matches weigh more.
const PASSES: [f64; 2] = [2.5, 1.5];
/// Neighbours looked at on each side before giving up.
const REACH: usize = 32;

pub struct Initial {
    pbwt: Order,
    place: Vec<u32>,
    codes: Vec<u8>,
    open: Vec<bool>,
}

impl Initial {
    pub fn new(haplotypes: usize) -> Self {
        Self {
            pbwt: Order::new(haplotypes, 0),
            place: (0..haplotypes as u32).collect(),
            codes: vec![0; haplotypes],
            open: vec![false; haplotypes],
        }
    }

    /// Settles one locus of `panel`, whose known codes are there already. `unknown` lists samples in ascending order;
    /// `allowed(sample, code)` refuses codes. `ordering`: the locus then orders the haplotypes.
    pub fn settle(
        &mut self,
        panel: &mut Panel,
        locus: usize,
        count: usize,
        unknown: &[(u32, Unknown)],
        allowed: &dyn Fn(u32, u8) -> bool,
        ordering: bool,
        random: &mut Random,
    ) {
        panel.column(locus, &mut self.codes);
        for (s, _) in unknown {
            self.open[2 * *s as usize] = true;
            self.open[2 * *s as usize + 1] = true;
        }
        let mut left: Vec<usize> = (0..unknown.len()).collect();
        for threshold in PASSES {
            left.retain(|&u| {
                let (s, what) = &unknown[u];
                !self.by_votes(*s, what, count, allowed, threshold)
            });
        }
        for u in left {
            let (s, what) = &unknown[u];
            self.by_length(*s, what, locus, count, allowed, random);
        }
        for (s, _) in unknown {
            for h in [2 * *s as usize, 2 * *s as usize + 1] {
                panel.set(h, locus, self.codes[h]);
            }
        }
        if ordering {
            self.pbwt.step(locus as u32, &self.codes, count);
            self.pbwt.order.iter().enumerate().for_each(|(i, &h)| self.place[h as usize] = i as u32);
        }
    }

    /// Up to one settled neighbour on each side: its code and where the match begins.
    fn sides(&self, haplotype: usize, reach: usize) -> [Option<(u8, u32)>; 2] {
        let (at, n) = (self.place[haplotype] as usize, self.codes.len());
        let settled = |h: u32| !self.open[h as usize] && h as usize / 2 != haplotype / 2;
        let mut start = 0;
        let above = (0..at).rev().take(reach).find_map(|i| {
            start = start.max(self.pbwt.start[i + 1]);
            settled(self.pbwt.order[i]).then(|| (self.codes[self.pbwt.order[i] as usize], start))
        });
        let mut start = 0;
        let below = (at + 1..n).take(reach).find_map(|i| {
            start = start.max(self.pbwt.start[i]);
            settled(self.pbwt.order[i]).then(|| (self.codes[self.pbwt.order[i] as usize], start))
        });
        [above, below]
    }

    fn by_votes(
        &mut self,
        s: u32,
        what: &Unknown,
        count: usize,
        allowed: &dyn Fn(u32, u8) -> bool,
        threshold: f64,
    ) -> bool {
        let pair = [2 * s as usize, 2 * s as usize + 1];
        let votes = pair.map(|h| self.sides(h, 1).map(|v| v.map(|v| v.0)));
        match *what {
            Unknown::Het([a, b]) => {
                let lean = |v: Option<u8>| f64::from(u8::from(v == Some(a))) - f64::from(u8::from(v == Some(b)));
                let score = lean(votes[0][0]) + lean(votes[0][1]) - lean(votes[1][0]) - lean(votes[1][1]);
                if score.abs() <= threshold {
                    return false;
                }
                self.write(pair, if score > 0.0 { [a, b] } else { [b, a] });
            }
            Unknown::Missing { known, haploid } => {
                if threshold > 2.0 || known.iter().any(Option::is_some) || haploid {
                    return false;
                }
                let agreed = |v: [Option<u8>; 2]| v[0].filter(|&c| v[1] == Some(c) && allowed(s, c));
                let (Some(x), Some(y)) = (agreed(votes[0]), agreed(votes[1])) else { return false };
                let _ = count;
                self.write(pair, [x, y]);
            }
        }
        true
    }

    fn by_length(
        &mut self,
        s: u32,
        what: &Unknown,
        locus: usize,
        count: usize,
        allowed: &dyn Fn(u32, u8) -> bool,
        random: &mut Random,
    ) {
        let pair = [2 * s as usize, 2 * s as usize + 1];
        let votes = pair.map(|h| {
            self.sides(h, REACH)
                .map(|v| v.map(|(code, start)| (code, (1.0 + (locus as f64 - f64::from(start)).max(0.0)).ln() + 1e-3)))
        });
        let weight = |v: &[Option<(u8, f64)>; 2], c: u8| -> f64 {
            v.iter().flatten().filter(|(code, _)| *code == c).map(|(_, w)| w).sum()
        };
        // An equal score is settled by a coin, drawn always so that the stream does not depend on the data.
        let coin = random.u32() & 1 == 0;
        match *what {
            Unknown::Het([a, b]) => {
                let score = weight(&votes[0], a) + weight(&votes[1], b) - weight(&votes[0], b) - weight(&votes[1], a);
                self.write(pair, if score > 0.0 || score == 0.0 && coin { [a, b] } else { [b, a] });
            }
            Unknown::Missing { known, haploid } => {
                let best = |weigh: &dyn Fn(u8) -> f64| {
                    let codes = (0..count as u8).filter(|&c| allowed(s, c));
                    codes.fold((0, -1.0), |best, c| if weigh(c) > best.1 { (c, weigh(c)) } else { best }).0
                };
                let codes = match known {
                    _ if haploid => [best(&|c| weight(&votes[0], c) + weight(&votes[1], c)); 2],
                    [None, None] => [best(&|c| weight(&votes[0], c)), best(&|c| weight(&votes[1], c))],
                    [Some(a), _] | [_, Some(a)] => {
                        // Which haplotype carries the observed code is not known either.
                        let first = weight(&votes[0], a) - weight(&votes[1], a);
                        if first > 0.0 || first == 0.0 && coin {
                            [a, best(&|c| weight(&votes[1], c))]
                        } else {
                            [best(&|c| weight(&votes[0], c)), a]
                        }
                    }
                };
                self.write(pair, codes);
            }
        }
    }

    fn write(&mut self, pair: [usize; 2], codes: [u8; 2]) {
        for (h, c) in pair.into_iter().zip(codes) {
            self.codes[h] = c;
            self.open[h] = false;
        }
    }
}
