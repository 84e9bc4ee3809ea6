//! Terms of the sums, and which function adds them up for a metric on an instruction set.

use x_simd::Level;

use crate::feed::People;
use crate::lanes::{self, BRANCHES, COLS, MaskAdd, MinAdd, Sums, each_bit};
use crate::metric::{Metric, power};
use crate::pack::Pack;

/// Rows of a tile.
pub const ROWS: usize = 64;

/// Sums of a tile: one row after another, the second sums of metrics that have them behind.
pub struct Tile {
    pub sums: Box<[Sums; ROWS]>,
    pub second: Box<[Sums; ROWS]>,
}

impl Tile {
    pub fn new() -> Self {
        Self { sums: Box::new([[0.0; COLS]; ROWS]), second: Box::new([[0.0; COLS]; ROWS]) }
    }
}

/// Adds all that a pack holds to the sums of rows `first..first + rows` with the columns of `panel`.
pub fn add_tile(pack: &Pack, people: &People, tile: &mut Tile, first: usize, rows: usize, panel: usize) {
    let level = Level::get();
    for block in 0..pack.filled() {
        let at = panel * pack.blocks + block;
        let panel_bits = pack.panel_bits[at];
        if panel_bits == 0 && !people.metric.either() {
            continue;
        }
        for r in 0..rows {
            let row_bits = pack.row_bits[(first + r) * pack.blocks + block];
            let bits = if people.metric.either() { row_bits | panel_bits } else { row_bits & panel_bits };
            if bits == 0 {
                continue;
            }
            let row = pack.row(first + r, block);
            let sums = &mut tile.sums[r];
            match people.metric {
                Metric::Unweighted => {
                    let masks = pack.masks[at * BRANCHES..(at + 1) * BRANCHES].try_into().expect("64 branches");
                    // SAFETY: the level was detected.
                    unsafe { mask_add(level)(sums, row, masks, bits) };
                }
                Metric::Weighted | Metric::WeightedNormalized | Metric::BrayCurtis => {
                    let cols = &pack.cols[at * BRANCHES * COLS..(at + 1) * BRANCHES * COLS];
                    // SAFETY: a block of columns is that long; the level was detected.
                    unsafe { min_add(level)(sums, row, cols.as_ptr(), bits) };
                }
                _ => {
                    let cols = &pack.cols[at * BRANCHES * COLS..(at + 1) * BRANCHES * COLS];
                    let terms = Terms { people, lengths: pack.block_lengths(block), row, row_at: first + r, panel };
                    add_terms(level, &terms, sums, &mut tile.second[r], cols, bits);
                }
            }
        }
    }
}

/// The row `lengths` of the unweighted sum is the sample's own: it holds the length of each branch that it has.
fn mask_add(level: Level) -> MaskAdd {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => lanes::x86::mask_add_512,
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => lanes::x86::mask_add_256,
        _ => lanes::mask_add_plain,
    }
}

fn min_add(level: Level) -> MinAdd {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => lanes::x86::min_add_512,
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => lanes::x86::min_add_256,
        _ => lanes::min_add_plain,
    }
}

struct Terms<'a> {
    people: &'a People,
    lengths: &'a [f64; BRANCHES],
    row: &'a [f64; BRANCHES],
    row_at: usize,
    panel: usize,
}

/// One body for each instruction set; the compiler makes vectors of its columns.
fn add_terms(level: Level, terms: &Terms, sums: &mut Sums, second: &mut Sums, cols: &[f64], bits: u64) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2")]
        fn wide(terms: &Terms, sums: &mut Sums, second: &mut Sums, cols: &[f64], bits: u64) {
            add_terms_in(terms, sums, second, cols, bits);
        }
        #[target_feature(enable = "avx2")]
        fn narrow(terms: &Terms, sums: &mut Sums, second: &mut Sums, cols: &[f64], bits: u64) {
            add_terms_in(terms, sums, second, cols, bits);
        }
        // SAFETY: a level is only handed out after detecting its features.
        match level {
            Level::Avx512 => return unsafe { wide(terms, sums, second, cols, bits) },
            Level::Avx2 => return unsafe { narrow(terms, sums, second, cols, bits) },
            _ => {}
        }
    }
    let _ = level;
    add_terms_in(terms, sums, second, cols, bits);
}

#[inline(always)]
fn add_terms_in(t: &Terms, sums: &mut Sums, second: &mut Sums, cols: &[f64], bits: u64) {
    let col = |b: usize| -> &Sums { cols[b * COLS..(b + 1) * COLS].try_into().expect("32 columns") };
    let people = t.people;
    let from = t.panel * COLS;
    let padded = |x: &[f64]| -> Sums { std::array::from_fn(|c| x.get(from + c).copied().unwrap_or(0.0)) };
    match people.metric {
        Metric::Generalized(0.5) => each_bit!(bits, b => {
            let (l, a, own, col) = (t.lengths[b], t.row[b], t.lengths[b] * t.row[b].sqrt(), col(b));
            for c in 0..COLS {
                let (x, y) = generalized_half(l, a, own, col[c]);
                sums[c] += x;
                second[c] += y;
            }
        }),
        Metric::Generalized(alpha) => each_bit!(bits, b => {
            let (l, a, own, col) = (t.lengths[b], t.row[b], t.lengths[b] * power(t.row[b], alpha), col(b));
            for c in 0..COLS {
                let (x, y) = generalized(l, a, own, col[c], alpha);
                sums[c] += x;
                second[c] += y;
            }
        }),
        Metric::UnweightedAdjusted | Metric::WeightedNormalizedAdjusted => {
            let (totals, shares) = (padded(&people.totals), padded(&people.shares));
            let (total, share) = (people.totals[t.row_at], people.shares[t.row_at]);
            let weighted = people.metric == Metric::WeightedNormalizedAdjusted;
            each_bit!(bits, b => {
                let (l, a, col) = (t.lengths[b], t.row[b], col(b));
                for c in 0..COLS {
                    let (x, y) = adjusted(l, (a, share), (col[c], shares[c]), total + totals[c], weighted);
                    sums[c] += x;
                    second[c] += y;
                }
            });
        }
        _ => each_bit!(bits, b => {
            let (a, col) = (t.row[b], col(b));
            for c in 0..COLS {
                sums[c] += squared(a, col[c]);
            }
        }),
    }
}

/// What two samples share at a branch of length `l`: both own terms less those of the distance. Nothing where one of them
/// has nothing.
#[inline(always)]
fn generalized_half(l: f64, a: f64, own_a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let root = sum.sqrt();
    let own = own_a + l * b.sqrt();
    let (x, y) = (own - l * ((a - b).abs() / root), own - l * root);
    if b > 0.0 { (x, y) } else { (0.0, 0.0) }
}

#[inline(always)]
fn generalized(l: f64, a: f64, own_a: f64, b: f64, alpha: f64) -> (f64, f64) {
    if b > 0.0 {
        let sum = a + b;
        let raised = power(sum, alpha);
        let own = own_a + l * power(b, alpha);
        (own - l * (raised * ((a - b).abs() / sum)), own - l * raised)
    } else {
        (0.0, 0.0)
    }
}

/// Both sums' terms. `a` and `b` are counts with 1 / total, `all` the counts of both samples.
#[inline(always)]
fn adjusted(l: f64, a: (f64, f64), b: (f64, f64), all: f64, weighted: bool) -> (f64, f64) {
    let below = a.0 + b.0;
    let variance = below * (all - below);
    let scale = l / variance.sqrt();
    let (difference, size) = if weighted {
        let (p, q) = (a.0 * a.1, b.0 * b.1);
        ((p - q).abs(), p + q)
    } else {
        (if (a.0 > 0.0) != (b.0 > 0.0) { 1.0 } else { 0.0 }, 1.0)
    };
    if variance > 0.0 { (scale * difference, scale * size) } else { (0.0, 0.0) }
}

#[inline(always)]
fn squared(a: f64, b: f64) -> f64 {
    (a - b) * (a - b)
}

/// Both sums of one pair over all that a pack holds, added to `to`: the same terms in the same order as in a tile.
pub fn add_pair(pack: &Pack, people: &People, i: usize, j: usize, to: &mut (f64, f64)) {
    for block in 0..pack.filled() {
        let (a, b) = (pack.row_bits[i * pack.blocks + block], pack.row_bits[j * pack.blocks + block]);
        let bits = if people.metric.either() { a | b } else { a & b };
        if bits == 0 {
            continue;
        }
        let (a, b, lengths) = (pack.row(i, block), pack.row(j, block), pack.block_lengths(block));
        each_bit!(bits, at => {
            let (a, b, l) = (a[at], b[at], lengths[at]);
            let (x, y) = match people.metric {
                Metric::Generalized(0.5) => generalized_half(l, a, l * a.sqrt(), b),
                Metric::Generalized(alpha) => generalized(l, a, l * power(a, alpha), b, alpha),
                Metric::UnweightedAdjusted | Metric::WeightedNormalizedAdjusted => {
                    let all = people.totals[i] + people.totals[j];
                    let weighted = people.metric == Metric::WeightedNormalizedAdjusted;
                    adjusted(l, (a, people.shares[i]), (b, people.shares[j]), all, weighted)
                }
                Metric::Aitchison(_) => (squared(a, b), 0.0),
                _ => (if a < b { a } else { b }, 0.0),
            };
            to.0 += x;
            to.1 += y;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_gives_the_same_bits() {
        let row: [f64; BRANCHES] = std::array::from_fn(|b| if b % 3 == 0 { 0.0 } else { 1.0 / (b + 1) as f64 });
        let cols: Vec<f64> =
            (0..BRANCHES * COLS).map(|x| if x % 7 < 3 { 0.0 } else { (x as f64).sin().abs() }).collect();
        let masks: [u32; BRANCHES] = std::array::from_fn(|b| (b as u32 + 1).wrapping_mul(0x9e37_79b9));
        let bits = 0xfedc_ba98_7654_3210;
        let of = |level: Level| {
            let (mut a, mut b) = ([0.25; COLS], [0.5; COLS]);
            // SAFETY: the level is one of this machine's.
            unsafe {
                min_add(level)(&mut a, &row, cols.as_ptr(), bits);
                mask_add(level)(&mut b, &row, &masks, bits);
            }
            let mut all = [a, b].concat();
            for metric in
                [Metric::Generalized(0.5), Metric::Generalized(0.3), Metric::UnweightedAdjusted, Metric::Aitchison(1.0)]
            {
                let people = People { metric, totals: vec![300.0; COLS], shares: vec![1.0 / 300.0; COLS] };
                let terms = Terms { people: &people, lengths: &row, row: &row, row_at: 3, panel: 0 };
                let (mut a, mut b) = ([0.25; COLS], [0.5; COLS]);
                add_terms(level, &terms, &mut a, &mut b, &cols, bits);
                all.extend([a, b].concat());
            }
            all
        };
        let plain = of(Level::Scalar);
        for level in Level::available() {
            assert_eq!(
                of(level).iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
                plain.iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
                "{}",
                level.name()
            );
        }
    }
}
