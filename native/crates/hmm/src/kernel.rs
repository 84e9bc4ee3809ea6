//! The inner loop: classes of donors that carry the same codes over a block of loci move through it together.
//!
//! Only products, sums and maxima in one fixed order, and no fused operations, so every SIMD level gives the same bits.

use x_simd::Level;

/// One value a lane.
pub type V = [f32; 8];

/// Below this a stay mass is nothing; it keeps denormal numbers out.
const NOTHING: f32 = 1e-30;

/// One locus as the classes see it: `table[c]` is the emission of code c in each lane.
pub struct Step<'a> {
    pub table: &'a [V],
    /// Where the locus' code lies in a class key.
    pub shift: u32,
    pub mask: u64,
    /// Chance to stay on the same donor.
    pub stay: f32,
    /// Mass that jumps to each donor, a lane.
    pub jump: V,
}

/// The classes of a block: codes, number of donors, mass that never jumped within the block, mass that did.
pub struct Classes<'a> {
    pub keys: &'a [u64],
    pub counts: &'a [f32],
    pub stayed: &'a mut [V],
    pub jumped: &'a mut [V],
}

#[inline(always)]
fn step_inner(step: &Step, classes: &mut Classes, stays: &mut [V], jumps: &mut [V]) -> V {
    for ((e, s), j) in step.table.iter().zip(stays.iter_mut()).zip(jumps.iter_mut()) {
        for h in 0..8 {
            s[h] = e[h] * step.stay;
            j[h] = e[h] * step.jump[h];
        }
    }
    let n = classes.keys.len();
    let (stays, jumps) = (&stays[..step.table.len()], &jumps[..step.table.len()]);
    let (keys, counts) = (&classes.keys[..n], &classes.counts[..n]);
    let (stayed, jumped) = (&mut classes.stayed[..n], &mut classes.jumped[..n]);
    let mut sums = [[0.0_f32; 8]; 2];
    for g in 0..n {
        // The modulo never acts: keys hold codes below the table's length, and it costs less than a bounds check's branch.
        let c = (keys[g] >> step.shift & step.mask) as usize;
        let (a, b, count) = (&stays[c], &jumps[c], counts[g]);
        let (q, t, sum) = (&mut stayed[g], &mut jumped[g], &mut sums[g & 1]);
        for h in 0..8 {
            let stay = q[h] * a[h];
            q[h] = if stay > NOTHING { stay } else { NOTHING };
            t[h] = t[h] * a[h] + count * b[h];
            sum[h] += q[h] + t[h];
        }
    }
    std::array::from_fn(|h| sums[0][h] + sums[1][h])
}

macro_rules! by_level {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($a:ident: $t:ty),* $(,)?) $(-> $r:ty)? = $inner:ident) => {
        $(#[$doc])*
        $vis fn $name(level: Level, $($a: $t),*) $(-> $r)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2")]
                fn wide($($a: $t),*) $(-> $r)? {
                    $inner($($a),*)
                }
                #[target_feature(enable = "avx2")]
                fn narrow($($a: $t),*) $(-> $r)? {
                    $inner($($a),*)
                }
                // SAFETY: a level is only handed out after detecting its features.
                match level {
                    Level::Avx512 => return unsafe { wide($($a),*) },
                    Level::Avx2 => return unsafe { narrow($($a),*) },
                    _ => {}
                }
            }
            let _ = level;
            $inner($($a),*)
        }
    };
}

by_level! {
    /// Moves all classes past one locus and returns the mass of each lane. `stays` and `jumps` are scratch of at least
    /// the table's length.
    pub fn step(step: &Step, classes: &mut Classes, stays: &mut [V], jumps: &mut [V]) -> V = step_inner
}

/// Donors of a block and what they were before it.
pub enum Before<'a> {
    /// The same in every lane: the first block of a segment.
    Flat(&'a [f32]),
    Lanes(&'a [V]),
}

/// What a donor's mass becomes: `before · stay[class] + jump[class]`.
pub struct After<'a> {
    pub class: &'a [u32],
    pub before: Before<'a>,
    pub stay: &'a [V],
    pub jump: &'a [V],
}

impl After<'_> {
    #[inline(always)]
    fn of(&self, k: usize) -> V {
        let g = self.class[k] as usize;
        let (stay, jump) = (&self.stay[g], &self.jump[g]);
        match self.before {
            Before::Flat(f) => std::array::from_fn(|h| f[k] * stay[h] + jump[h]),
            Before::Lanes(f) => std::array::from_fn(|h| f[k][h] * stay[h] + jump[h]),
        }
    }
}

#[inline(always)]
fn unfold_inner(after: &After, out: &mut [V]) {
    for (k, o) in out.iter_mut().enumerate() {
        *o = after.of(k);
    }
}

by_level! {
    /// Every donor's mass, a lane.
    pub fn unfold(after: &After, out: &mut [V]) = unfold_inner
}

#[inline(always)]
fn border_inner(left: &After, right: &After) -> [V; 8] {
    let mut sums = [[0.0_f32; 8]; 8];
    for k in 0..left.class.len() {
        let (a, b) = (left.of(k), right.of(k));
        for (row, x) in sums.iter_mut().zip(a) {
            for h in 0..8 {
                row[h] += x * b[h];
            }
        }
    }
    sums
}

by_level! {
    /// Sum over donors of left mass × right mass, for every pair of lanes.
    pub fn border(left: &After, right: &After) -> [V; 8] = border_inner
}
