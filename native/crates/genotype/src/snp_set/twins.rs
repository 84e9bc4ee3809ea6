//! Pairs of people with the same calls, by the set's own SNPs and without a people × people matrix: every pair is
//! compared on the SNPs that tell people apart best, 64 at a time and only as long as it may still be one person, and what
//! is left is measured on all SNPs.

use rayon::prelude::*;
use x_dense::Pair;
use x_simd::{Job, Result, by_level, try_zeroed, with_pool};

use super::{Row, SnpSet, TILE};
use crate::planes::BITS;

/// Most SNPs of the first look.
const LOOKED_AT: usize = 512;
/// People compared at once.
const STRIP: usize = 512;
/// A pair stays as long as it differs at less than this share of the SNPs at which strangers differ, and some more: twins
/// within the limit do at a few hundredths, siblings at half.
const SHARE: f64 = 0.25;
const MORE: f64 = 8.0;
/// SNPs at which strangers differ, on average, below which equal calls say nothing.
const LEAST: f64 = 8.0;

/// The planes of 64 SNPs, one word a person.
struct Word {
    zero: Vec<u64>,
    minus: Vec<u64>,
    /// Most differences up to this word.
    most: u64,
}

impl SnpSet {
    /// Pairs nearer than `limit` by `x_dense::twins`' distance, places among the set's people, by the second: at most
    /// `most` of them, and how many there are in all. `None` where the SNPs are too few to tell strangers apart.
    pub fn twins(&self, limit: f64, most: usize, threads: usize, job: &Job) -> Result<Option<(Vec<Pair>, u64)>> {
        let words = with_pool(threads, || self.words())?;
        if words.is_empty() {
            return Ok(None);
        }
        job.start(self.samples as u64);
        let found: Vec<(Vec<Pair>, u64)> = with_pool(threads, || {
            (0..self.samples)
                .into_par_iter()
                .map(|second| {
                    job.check()?;
                    let (mut pairs, mut count) = (Vec::new(), 0);
                    self.like(&words, second, |first| {
                        let distance = self.distance(first, second);
                        if distance < limit {
                            count += 1;
                            if pairs.len() < most {
                                pairs.push(Pair { first: first as u32, second: second as u32, distance });
                            }
                        }
                    });
                    job.advance(1);
                    Ok((pairs, count))
                })
                .collect()
        })?;
        let count = found.iter().map(|f| f.1).sum();
        Ok(Some((found.into_iter().flat_map(|f| f.0).take(most).collect(), count)))
    }

    /// Planes of the SNPs looked at, the most telling one of each of as many runs; none where all together say too little.
    fn words(&self) -> Result<Vec<Word>> {
        let runs = self.len().min(LOOKED_AT);
        let best = |k: usize| {
            let run = k * self.len() / runs..(k + 1) * self.len() / runs;
            let telling = run.map(|i| (i, differing(&self.rows[i], self.samples)));
            telling.reduce(|a, b| if b.1 > a.1 { b } else { a }).expect("a run has SNPs")
        };
        let looked_at: Vec<(usize, f64)> = (0..runs).map(best).collect();
        let all: f64 = looked_at.iter().map(|s| s.1).sum();
        if all < LEAST {
            return Ok(Vec::new());
        }
        let more = MORE.min(SHARE * all);
        let mut expected = 0.0;
        let words = looked_at.chunks(64).map(|chosen| {
            expected += chosen.iter().map(|s| s.1).sum::<f64>();
            let most = (SHARE * expected + more) as u64;
            Ok(Word { zero: try_zeroed(self.samples)?, minus: try_zeroed(self.samples)?, most })
        });
        let mut words = words.collect::<Result<Vec<_>>>()?;
        words.par_iter_mut().zip(looked_at.par_chunks(64)).for_each(|(word, chosen)| {
            for (bit, &(snp, _)) in chosen.iter().enumerate() {
                let row = &self.segments[snp / TILE][snp % TILE * self.chunks..][..self.chunks];
                for (person, (zero, minus)) in word.zero.iter_mut().zip(&mut word.minus).enumerate() {
                    let (w, at) = (person % BITS / 64, person % 64);
                    *zero |= (row[person / BITS].zero[w] >> at & 1) << bit;
                    *minus |= (row[person / BITS].minus[w] >> at & 1) << bit;
                }
            }
        });
        Ok(words)
    }

    /// Calls `with` for everyone before `second` who may be the same person.
    fn like(&self, words: &[Word], second: usize, mut with: impl FnMut(usize)) {
        let mut differ = [0u64; STRIP];
        let [head, rest @ ..] = words else { return };
        for from in (0..second).step_by(STRIP) {
            let strip = from..(from + STRIP).min(second);
            let differ = &mut differ[..strip.len()];
            let (zero, minus) = (head.zero[second], head.minus[second]);
            differences(self.level, &head.zero[strip.clone()], &head.minus[strip.clone()], zero, minus, differ);
            for (first, &differ) in strip.zip(differ.iter()) {
                let mut sum = differ;
                let same = sum <= head.most
                    && rest.iter().all(|word| {
                        let at = |i: usize| (word.zero[i], word.minus[i]);
                        sum += difference(at(first), at(second));
                        sum <= word.most
                    });
                if same {
                    with(first);
                }
            }
        }
    }

    /// (k_ii + k_jj − 2 k_ij) / ((k_ii + k_jj) / 2) of the kinship of all SNPs; missing calls as imputed.
    fn distance(&self, i: usize, j: usize) -> f64 {
        let (mut apart, mut own) = (0.0, 0.0);
        for (snp, r) in self.rows.iter().enumerate() {
            let row = &self.segments[snp / TILE][snp % TILE * self.chunks..][..self.chunks];
            let value = |person: usize| {
                let (chunk, w, at) = (&row[person / BITS], person % BITS / 64, person % 64);
                match (chunk.zero[w] >> at & 1, chunk.minus[w] >> at & 1) {
                    (0, 0) => 1.0 - r.mean,
                    (0, _) => -1.0 - r.mean,
                    (_, 0) => -r.mean,
                    _ => 0.0,
                }
            };
            let (a, b) = (value(i), value(j));
            apart += (a - b) * (a - b);
            own += a * a + b * b;
        }
        apart / (own / 2.0)
    }
}

/// Probability that two strangers have calls and differ.
fn differing(r: &Row, samples: usize) -> f64 {
    if r.calls == 0.0 {
        return 0.0;
    }
    let classes = [(r.squares + r.sum) / 2.0, r.calls - r.squares, (r.squares - r.sum) / 2.0];
    let same: f64 = classes.iter().map(|c| (c / r.calls).powi(2)).sum();
    (1.0 - same) * (r.calls / samples as f64).powi(2)
}

/// SNPs at which two people differ, both called.
#[inline(always)]
fn difference((z, m): (u64, u64), (zero, minus): (u64, u64)) -> u64 {
    u64::from((((z ^ zero) | (m ^ minus)) & !((z & m) | (zero & minus))).count_ones())
}

fn each<const FMA: bool>(zero: &[u64], minus: &[u64], z: u64, m: u64, out: &mut [u64]) {
    for ((out, &zero), &minus) in out.iter_mut().zip(zero).zip(minus) {
        *out = difference((z, m), (zero, minus));
    }
}

by_level! {
    fn differences(zero: &[u64], minus: &[u64], z: u64, m: u64, out: &mut [u64]) = each
}
