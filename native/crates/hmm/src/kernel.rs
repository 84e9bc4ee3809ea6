//! The inner loops: classes of donors that carry the same codes over a block of loci move through it together.
//!
//! Only products, sums and maxima in one fixed order, and no fused operations, so every SIMD level gives the same bits.

use crate::lanes::{Lanes, V, ZERO, by_level};

/// Below this a stay mass is nothing; it keeps denormal numbers out.
const NOTHING: f32 = 1e-30;

/// One locus as the classes see it.
pub struct Step<'a> {
    /// Of each code: emission × chance to stay, and emission × mass that jumps to each donor.
    pub table: &'a [(V, V)],
    /// Where the locus' code lies in a class key.
    pub shift: u32,
    pub mask: u64,
}

/// The classes of a block: codes, number of donors, mass that never jumped within the block, mass that did.
pub struct Classes<'a> {
    pub keys: &'a [u64],
    pub counts: &'a [f32],
    pub mass: &'a mut [(V, V)],
}

#[inline(always)]
fn move_one<L: Lanes>(step: &Step, key: u64, count: f32, mass: &mut (V, V), sum: L) -> L {
    let (stay, jump) = &step.table[(key >> step.shift & step.mask) as usize];
    let stay = L::load(stay);
    let q = L::load(&mass.0).mul(stay).max(L::splat(NOTHING));
    let t = L::load(&mass.1).mul(stay).add(L::load(jump).mul(L::splat(count)));
    q.store(&mut mass.0);
    t.store(&mut mass.1);
    sum.add(q.add(t))
}

#[inline(always)]
fn step_inner<L: Lanes>(step: &Step, classes: &mut Classes) -> V {
    let n = classes.keys.len();
    let (keys, counts, mass) = (&classes.keys[..n], &classes.counts[..n], &mut classes.mass[..n]);
    let mut sums = [L::splat(0.0); 2];
    for pair in 0..n / 2 {
        let g = 2 * pair;
        sums[0] = move_one(step, keys[g], counts[g], &mut mass[g], sums[0]);
        sums[1] = move_one(step, keys[g + 1], counts[g + 1], &mut mass[g + 1], sums[1]);
    }
    if n % 2 == 1 {
        sums[0] = move_one(step, keys[n - 1], counts[n - 1], &mut mass[n - 1], sums[0]);
    }
    let mut out = ZERO;
    sums[0].add(sums[1]).store(&mut out);
    out
}

by_level! {
    /// Moves all classes past one locus and returns the mass of each lane.
    pub fn step(step: &Step, classes: &mut Classes) -> V = step_inner
}

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
