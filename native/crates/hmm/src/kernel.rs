//! Between donors and classes of donors, at both ends of a block. As in `pass.rs`, every SIMD level gives the same bits.

use crate::lanes::{Lanes, V, ZERO, by_level};
use crate::pass::Totals;

/// Donors of a block and what they were before it.
#[derive(Clone, Copy)]
pub enum Before<'a> {
    /// The same in every lane: the first block of a segment.
    Flat(&'a [f32]),
    Lanes(&'a [V]),
}

/// What a donor's mass becomes: `before · stay + jump`, with its class' factors.
#[derive(Clone, Copy)]
pub struct After<'a> {
    pub class: &'a [u32],
    pub before: Before<'a>,
    /// Stay and jump.
    pub factors: &'a [(V, V)],
}

impl After<'_> {
    #[inline(always)]
    fn of<L: Lanes>(&self, k: usize) -> L {
        let (stay, jump) = &self.factors[self.class[k] as usize];
        let before = match self.before {
            Before::Flat(f) => L::splat(f[k]),
            Before::Lanes(f) => L::load(&f[k]),
        };
        before.mul(L::load(stay)).add(L::load(jump))
    }
}

#[inline(always)]
fn unfold_inner<L: Lanes>(after: &After, out: &mut [V]) {
    for (k, o) in out.iter_mut().enumerate() {
        after.of::<L>(k).store(o);
    }
}

by_level! {
    /// Every donor's mass, a lane.
    pub fn unfold(after: &After, out: &mut [V]) = unfold_inner
}

#[inline(always)]
fn gather_inner<L: Lanes>(class: &[u32], before: &Before, mass: &mut [V]) {
    mass.fill(ZERO);
    match before {
        Before::Flat(f) => {
            // Four sums a class in turn, so that one does not wait for the one before.
            for (k, (&g, &x)) in class.iter().zip(*f).enumerate() {
                mass[g as usize][k % 4] += x;
            }
            mass.iter_mut().for_each(|m| *m = V([(m[0] + m[1]) + (m[2] + m[3]); 8]));
        }
        Before::Lanes(f) => {
            for (&g, x) in class.iter().zip(*f) {
                let m = &mut mass[g as usize];
                L::load(m).add(L::load(x)).store(m);
            }
        }
    }
}

#[inline(always)]
fn settle_inner<L: Lanes>(mass: &[(V, V)], before: &[V], counts: &[f32], out: &mut [(V, V)]) {
    for (((out, (q, t)), m), &n) in out.iter_mut().zip(mass).zip(before).zip(counts) {
        // A class without mass has donors without mass: any factor will do.
        L::load(q).div(L::load(m).max(L::splat(f32::MIN_POSITIVE))).store(&mut out.0);
        L::load(t).div(L::splat(n)).store(&mut out.1);
    }
}

by_level! {
    /// Per-donor factors (stay and jump) at the end of a block from class masses there and before it.
    pub fn settle(mass: &[(V, V)], before: &[V], counts: &[f32], out: &mut [(V, V)]) = settle_inner
}

#[inline(always)]
fn collapse_inner<L: Lanes>(after: &After, totals: &Totals, lanes: u8, sums: &mut Vec<(f32, f32)>, out: &mut [f32]) {
    let w = totals.weights(lanes);
    let weight = L::load(&w);
    // Everything is 1 in all then.
    let weight = weight.mul(L::splat(1.0 / weight.mul(L::load(&totals.sum)).total()));
    match after.before {
        Before::Flat(f) => {
            sums.resize(after.factors.len(), (0.0, 0.0));
            for (sum, (stay, jump)) in sums.iter_mut().zip(after.factors) {
                *sum = (L::load(stay).mul(weight).total(), L::load(jump).mul(weight).total());
            }
            for ((o, &g), x) in out.iter_mut().zip(after.class).zip(f) {
                let (stay, jump) = sums[g as usize];
                *o = x * stay + jump;
            }
        }
        Before::Lanes(_) => {
            for (k, o) in out.iter_mut().enumerate() {
                *o = after.of::<L>(k).mul(weight).total();
            }
        }
    }
}

by_level! {
    /// Sums a donor's lanes, so that a segment may begin: one number a donor, 1 in all. `sums` is scratch.
    pub fn collapse(
        after: &After,
        totals: &Totals,
        lanes: u8,
        sums: &mut Vec<(f32, f32)>,
        out: &mut [f32],
    ) = collapse_inner
}

by_level! {
    /// Class masses from donors' masses.
    pub fn gather(class: &[u32], before: &Before, mass: &mut [V]) = gather_inner
}

#[inline(always)]
fn border_inner<L: Lanes>(left: &After, right: &After, sums: &mut [(V, V)], out: &mut [V; 8]) {
    sums.fill((ZERO, ZERO));
    for k in 0..left.class.len() {
        let b = right.of::<L>(k);
        let before = match left.before {
            Before::Flat(f) => L::splat(f[k]),
            Before::Lanes(_) => return lanes_border::<L>(left, right, out),
        };
        let (weighted, plain) = &mut sums[left.class[k] as usize];
        L::load(weighted).add(before.mul(b)).store(weighted);
        L::load(plain).add(b).store(plain);
    }
    let mut rows = [L::splat(0.0); 8];
    for ((stay, jump), (weighted, plain)) in left.factors.iter().zip(sums) {
        let (weighted, plain) = (L::load(weighted), L::load(plain));
        for h in 0..8 {
            rows[h] = rows[h].add(L::splat(stay[h]).mul(weighted)).add(L::splat(jump[h]).mul(plain));
        }
    }
    rows.into_iter().zip(out).for_each(|(row, o)| row.store(o));
}

/// Where donors differ between lanes before the left block, each has its own product.
#[inline(always)]
fn lanes_border<L: Lanes>(left: &After, right: &After, out: &mut [V; 8]) {
    let mut rows = [L::splat(0.0); 8];
    let mut a = ZERO;
    for k in 0..left.class.len() {
        left.of::<L>(k).store(&mut a);
        let b = right.of::<L>(k);
        for h in 0..8 {
            rows[h] = rows[h].add(L::splat(a[h]).mul(b));
        }
    }
    rows.into_iter().zip(out).for_each(|(row, o)| row.store(o));
}

by_level! {
    /// Sum over donors of left mass × right mass, for every pair of lanes. `sums` is scratch, one a class on the left.
    pub fn border(left: &After, right: &After, sums: &mut [(V, V)], out: &mut [V; 8]) = border_inner
}
