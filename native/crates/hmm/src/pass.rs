//! The innermost loop: classes of donors that carry the same codes over a block of loci move through it together.
//!
//! Only products, sums and maxima in one fixed order, and no fused operations, so every SIMD level gives the same bits.

use crate::lanes::{Lanes, V, by_level};

/// Emission of a code that is not the lane's.
pub const MISMATCH: f32 = 1e-4 / 0.9999;
/// Below this a stay mass is nothing; it keeps denormal numbers out.
const NOTHING: f32 = 1e-30;
/// Lane sums below this are multiplied by its inverse, and the lane's exponent remembers.
const FAINT: f32 = 1.0 / (1_u64 << 40) as f32;
const FAINT_BITS: i32 = 40;

/// Emissions by the lanes that fit, one bit a lane.
static EMISSION: [V; 256] = {
    let mut out = [V([MISMATCH; 8]); 256];
    let mut fits = 0;
    while fits < 256 {
        let mut h = 0;
        while h < 8 {
            if fits >> h & 1 == 1 {
                out[fits].0[h] = 1.0;
            }
            h += 1;
        }
        fits += 1;
    }
    out
};

/// A locus that counts in a window.
pub struct Site {
    pub locus: u32,
    /// Number of codes, and where in `Pass::fits` the lanes that fit each of them are.
    pub codes: u8,
    pub fits: u32,
    /// Where the locus' code lies in a class key.
    pub shift: u8,
    pub mask: u8,
    /// Of the graph; `NONE` if nothing is to be imputed.
    pub query: u32,
}

/// Lane sums, as mantissa and binary exponent.
#[derive(Clone, Copy)]
pub struct Totals {
    pub sum: V,
    pub exponent: [i32; 8],
}

impl Totals {
    pub fn start() -> Self {
        Self { sum: V([1.0; 8]), exponent: [0; 8] }
    }

    /// Factors that bring the first `lanes` lanes to one scale; 0 for the others.
    pub fn weights(&self, lanes: u8) -> V {
        let top = self.exponent[..usize::from(lanes)].iter().max().copied().unwrap_or(0);
        V::new(|h| if h < usize::from(lanes) { power(self.exponent[h] - top) as f32 } else { 0.0 })
    }
}

/// 2 to a power of 0 or less; 0 where that is out of range.
pub fn power(exponent: i32) -> f64 {
    if exponent < -1022 { 0.0 } else { f64::from_bits(((1023 + exponent) as u64) << 52) }
}

/// Sites of one block, passed in either direction.
pub struct Pass<'a> {
    pub sites: &'a [Site],
    /// The chance to stay on the way to each of the sites.
    pub stays: &'a [f32],
    pub back: bool,
    pub fits: &'a [u8],
    /// The classes of the block: codes and number of donors.
    pub keys: &'a [u64],
    pub counts: &'a [f32],
    /// Of all classes.
    pub donors: f32,
}

#[inline(always)]
fn move_one<L: Lanes>(table: &[(V, V)], code: usize, count: f32, mass: &mut (V, V), sum: L) -> L {
    let (stay, jump) = &table[code];
    let stay = L::load(stay);
    let q = L::load(&mass.0).mul(stay).max(L::splat(NOTHING));
    let t = L::load(&mass.1).mul(stay).add(L::load(jump).mul(L::splat(count)));
    q.store(&mut mass.0);
    t.store(&mut mass.1);
    sum.add(q.add(t))
}

#[inline(always)]
fn pass_inner<L: Lanes>(pass: &Pass, mass: &mut [(V, V)], table: &mut [(V, V)], totals: &mut Totals) {
    let n = pass.keys.len();
    let (keys, counts, mass) = (&pass.keys[..n], &pass.counts[..n], &mut mass[..n]);
    let stays = &pass.stays[..pass.sites.len()];
    let mut sum = L::load(&totals.sum);
    for i in 0..stays.len() {
        let i = if pass.back { stays.len() - 1 - i } else { i };
        let (site, stay) = (&pass.sites[i], stays[i]);
        // Of each code: emission × chance to stay, and emission × mass that jumps to each donor.
        let moved = L::splat(stay);
        let jump = sum.mul(L::splat((1.0 - stay) / pass.donors));
        for (row, &fits) in table.iter_mut().zip(&pass.fits[site.fits as usize..][..usize::from(site.codes)]) {
            let emission = L::load(&EMISSION[usize::from(fits)]);
            emission.mul(moved).store(&mut row.0);
            emission.mul(jump).store(&mut row.1);
        }
        let code = |key: u64| (key >> site.shift) as usize & usize::from(site.mask);
        let mut sums = [L::splat(0.0); 2];
        for pair in 0..n / 2 {
            let g = 2 * pair;
            sums[0] = move_one(table, code(keys[g]), counts[g], &mut mass[g], sums[0]);
            sums[1] = move_one(table, code(keys[g + 1]), counts[g + 1], &mut mass[g + 1], sums[1]);
        }
        if n % 2 == 1 {
            sums[0] = move_one(table, code(keys[n - 1]), counts[n - 1], &mut mass[n - 1], sums[0]);
        }
        sum = sums[0].add(sums[1]);
        while sum.any_below(FAINT) {
            sum.store(&mut totals.sum);
            let lift = V::new(|h| if totals.sum[h] < FAINT { 1.0 / FAINT } else { 1.0 });
            for (q, t) in mass.iter_mut() {
                L::load(q).mul(L::load(&lift)).store(q);
                L::load(t).mul(L::load(&lift)).store(t);
            }
            (0..8).for_each(|h| totals.exponent[h] -= if lift[h] > 1.0 { FAINT_BITS } else { 0 });
            sum = sum.mul(L::load(&lift));
        }
    }
    sum.store(&mut totals.sum);
}

by_level! {
    /// Moves the classes' masses (never jumped within the block; jumped) and the lane sums past the sites. `table` is
    /// scratch.
    pub fn pass(
        pass: &Pass,
        mass: &mut [(V, V)],
        table: &mut [(V, V)],
        totals: &mut Totals,
    ) = pass_inner
}
