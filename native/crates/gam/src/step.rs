//! The next step of the smoothing parameter search: Newton's on the exact Hessian. A vanishing term has its criterion as
//! a + b u + c u² with u = exp(-rho), so there the step is Newton's in u, with u >= 0: what would cross zero has its optimum
//! at infinity and goes to where the criterion is flat. Third derivatives, where a related fit has told them, bend the step.

use std::ops::RangeInclusive;

use crate::criterion::Evaluation;
use crate::mat::{Mat, axpy, dot};
use crate::outer::{FLAT, GRADIENT, State};
use crate::tail::{End, Tail};

const REFINE_FLAT: f64 = 0.03;
const FLAT_GAIN: f64 = 2e-8;

const MAX_STEP: f64 = 5.0;
/// In exp(-rho) a longer one is no risk.
const MAX_INVERSE: f64 = 7.0;
/// From a tail that is steeper than `STEEP` inward: where it only looks convex in exp(-rho), and where it does not even.
const MAX_BLIND: f64 = 4.0;
const MAX_BACK: f64 = 1.25;
const STEEP: f64 = 3e-3;
/// Gradients beyond this belong to no tail.
const TAIL: f64 = 0.1;
/// Nor do they, or curvatures, beyond this where the criterion's form is known.
pub const KNOWN_TAIL: f64 = 0.4;
/// In which Newton's step and the steps along tails find each other.
const ROUNDS: usize = 4;

#[derive(Clone, Copy, PartialEq)]
enum Coordinate {
    /// rho itself, or a parameter of the family.
    Plain,
    /// exp(-rho), relative to its present value.
    Inverse,
    /// The optimum is at infinity.
    Outward,
    /// From a flat place far out back to a finite optimum of which nothing can be seen from there.
    Back,
    /// Nearly flat: to the minimum of `Tail`.
    Tail,
}

/// A point of the search before the present one.
pub struct Past {
    pub point: Vec<f64>,
    pub gradient: Vec<f64>,
    pub hessian: Mat,
}

pub struct Step {
    pub delta: Vec<f64>,
    /// How long the last one may be.
    limit: f64,
    kind: Vec<Coordinate>,
}

impl Step {
    /// Is nothing but a last step left along coordinate `i`? Where the criterion is nearly flat it may be longer: what it
    /// leaves is of the order of its square, and edf feel that by as little as the criterion does.
    fn is_last(&self, i: usize, now: &Evaluation, unit: f64) -> bool {
        let (s, g) = (self.delta[i].abs(), now.gradient[i].abs());
        let inside = matches!(self.kind[i], Coordinate::Plain | Coordinate::Inverse | Coordinate::Tail);
        inside && (s < self.limit || (s < REFINE_FLAT && g * s < FLAT_GAIN * unit))
    }

    /// Is nothing but a last step left in any coordinate whose gradient is not zero?
    pub fn ends(&self, now: &Evaluation, state: &State, unit: f64) -> bool {
        state.active.iter().all(|&i| now.gradient[i].abs() < GRADIENT || self.is_last(i, now, unit))
    }

    /// That last step.
    pub fn last(&self, now: &Evaluation, unit: f64) -> Vec<f64> {
        (0..self.delta.len()).map(|i| if self.is_last(i, now, unit) { self.delta[i] } else { 0.0 }).collect()
    }

    /// About how much the criterion will fall.
    pub fn gain(&self, now: &Evaluation) -> f64 {
        let own = |i: usize| match self.kind[i] {
            Coordinate::Outward | Coordinate::Back | Coordinate::Tail => now.gradient[i].abs(),
            _ => 0.5 * (now.gradient[i] * self.delta[i]).abs(),
        };
        (0..self.delta.len()).map(own).sum()
    }

    /// How far a move of the coordinates goes along the derivatives by rho.
    pub fn reach(&self, moved: &[f64]) -> Vec<f64> {
        let own = |(m, k): (&f64, &Coordinate)| match k {
            Coordinate::Plain => m.clamp(-1.0, 1.0),
            _ => (1.0 - (-m).exp()).max(-1.0),
        };
        moved.iter().zip(&self.kind).map(own).collect()
    }
}

/// Makes third derivatives agree with the change `e` + T[s] of the Hessian along the step `s`: the least change that does
/// and keeps them symmetric.
pub fn learn(third: &mut [f64], s: &[f64], change: &Mat) {
    let n = s.len();
    let told = |i: usize| third[(i * n + i) * n + i] != 0.0 && s[i].abs() < 2.0;
    let s: Vec<f64> = (0..n).map(|i| if told(i) { s[i] } else { 0.0 }).collect();
    let size = dot(&s, &s);
    if size < 1e-8 {
        return;
    }
    let e = Mat::from_fn(n, n, |i, j| {
        let known: f64 = (0..n).map(|k| third[(i * n + j) * n + k] * s[k]).sum();
        if s[i] == 0.0 || s[j] == 0.0 { 0.0 } else { change[(i, j)] - known }
    });
    let a = e.mul_vec(&s);
    let b = dot(&a, &s);
    for i in 0..n {
        for j in 0..n {
            for k in 0..n {
                let first = e[(i, j)] * s[k] + e[(i, k)] * s[j] + e[(j, k)] * s[i];
                let second = a[i] * s[j] * s[k] + s[i] * a[j] * s[k] + s[i] * s[j] * a[k];
                third[(i * n + j) * n + k] += (first - second / size + b * s[i] * s[j] * s[k] / (size * size)) / size;
            }
        }
    }
}

/// What the search knows where it stands.
pub struct Place<'a> {
    /// (rho, family's parameters)
    pub point: &'a [f64],
    pub now: &'a Evaluation,
    pub past: Option<&'a Past>,
    /// Derivatives of the Hessian near here, or empty.
    pub third: &'a [f64],
    /// Of coordinates along which the criterion is known beyond its derivatives.
    pub tails: &'a [Option<Tail>],
    pub active: &'a [usize],
    pub unit: f64,
    /// How long the last step may be: what it leaves of the gradient is of the order of its square.
    pub limit: f64,
}

impl Place<'_> {
    fn own_third(&self, i: usize) -> f64 {
        let n = self.point.len();
        self.third.get((i * n + i) * n + i).copied().unwrap_or(0.0)
    }

    /// Where the derivative by u = exp(-rho) of coordinate `i`, a parabola through its values here and at the point before
    /// and its slope at the one of larger u, rises through zero; relative to the present u, which is 1.
    fn root(&self, i: usize) -> Option<f64> {
        let past = self.past?;
        let moved: Vec<f64> = self.point.iter().zip(&past.point).map(|(a, b)| a - b).collect();
        if moved[i].abs() < 0.3 {
            return None;
        }
        let u = moved[i].exp();
        let d = u - 1.0;
        let others: f64 = (0..moved.len()).filter(|&j| j != i).map(|j| past.hessian[(i, j)] * moved[j]).sum();
        let (here, there) = (-self.now.gradient[i], -(past.gradient[i] + others) / u);
        let (slope, bend) = if d < 0.0 {
            let slope = self.now.gradient[i] + self.now.hessian[(i, i)];
            (slope, 2.0 * (there - here - slope * d) / (d * d))
        } else {
            let far = (past.gradient[i] + past.hessian[(i, i)]) / (u * u);
            let bend = 2.0 * (far * d - (there - here)) / (d * d);
            (far - bend * d, bend)
        };
        let root = -2.0 * here / (slope + (slope * slope - 2.0 * bend * here).sqrt());
        (root.is_finite() && root > -1.0 && root * here < 0.0).then_some(root)
    }
}

pub fn propose(place: &Place, rho: usize, within: RangeInclusive<f64>) -> Step {
    let Place { point, now, third, tails, active, unit, limit, .. } = *place;
    let n = now.gradient.len();
    let mut slopes: Vec<Option<f64>> = vec![None; n];
    let mut kind = vec![Coordinate::Plain; n];
    for &i in active.iter().filter(|&&i| i < rho) {
        let (g, h) = (now.gradient[i], now.hessian[(i, i)]);
        if tails[i].is_some() && g.abs() < KNOWN_TAIL * unit && h.abs() < KNOWN_TAIL * unit {
            kind[i] = Coordinate::Tail;
            continue;
        }
        if g.abs() >= TAIL * unit {
            continue;
        }
        let told = place.own_third(i);
        // b u + c u² has T = -3 h at its optimum.
        let inverse = h > 0.0 && -told > 1.5 * h && g + h > 0.0;
        if inverse || (g + h).abs() < 0.5 * g.abs() {
            kind[i] = match (g < 0.0, g + h > 0.0) {
                (_, true) => Coordinate::Inverse,
                (true, false) => Coordinate::Outward,
                (false, false) => Coordinate::Back,
            };
        }
        if told == 0.0 && h.abs() < TAIL * unit {
            // The slope that takes Newton's method there.
            if let Some(root) = place.root(i) {
                kind[i] = Coordinate::Inverse;
                slopes[i] = Some(g / root);
            }
        }
    }
    let mut own = vec![0.0; n];
    let mut along = vec![0.0; n];
    let (low, high) = (*within.start(), *within.end());
    for round in 0..=active.len().max(ROUNDS) {
        let reach: Vec<f64> = along.iter().map(|t: &f64| (1.0 - (-t).exp()).max(-1.0)).collect();
        own = solve(now, third, active, &kind, &slopes, &reach);
        let crossing: Vec<usize> = active
            .iter()
            .copied()
            .filter(|&i| kind[i] == Coordinate::Inverse && own[i] <= -1.0 && now.gradient[i] < 0.0)
            .collect();
        let mut moved = 0.0_f64;
        for &i in active.iter().filter(|&&i| kind[i] == Coordinate::Tail) {
            let push = |&k: &usize| match kind[k] {
                _ if k == i => 0.0,
                Coordinate::Plain => now.hessian[(i, k)] * own[k],
                Coordinate::Tail => now.hessian[(i, k)] * reach[k],
                _ => -now.hessian[(i, k)] * own[k],
            };
            let tail = tails[i].as_ref().expect("its kind says so");
            let end = tail.descend(active.iter().map(push).sum(), 0.5 * FLAT * unit, low - point[i], high - point[i]);
            let (End::At(t) | End::Flat(t)) = end;
            moved = moved.max((t - along[i]).abs());
            along[i] = t;
        }
        if crossing.is_empty() && (moved < 1e-6 || round >= ROUNDS) {
            break;
        }
        // Each round takes at least one coordinate to infinity.
        crossing.iter().for_each(|&i| kind[i] = Coordinate::Outward);
    }
    // So near the optimum the tail's form says little about how far it is.
    let steep = |i: usize| now.gradient[i].abs() > STEEP * unit;
    let mut delta = vec![0.0; n];
    for &i in active {
        delta[i] = match kind[i] {
            Coordinate::Plain => own[i],
            Coordinate::Inverse => {
                let inward = if slopes[i].is_none() && steep(i) { MAX_BLIND } else { MAX_INVERSE };
                (-(1.0 + own[i]).max(1e-12).ln()).clamp(-inward, MAX_INVERSE)
            }
            Coordinate::Back => -if steep(i) { MAX_BACK } else { MAX_STEP },
            Coordinate::Outward => 0.0,
            Coordinate::Tail => along[i].clamp(-MAX_INVERSE, high - low),
        };
    }
    let plain = |i: &usize| kind[*i] == Coordinate::Plain;
    let longest = (0..n).filter(plain).fold(0.0, |m: f64, i| m.max(delta[i].abs()));
    if longest > MAX_STEP {
        (0..n).filter(plain).for_each(|i| delta[i] *= MAX_STEP / longest);
    }
    // What looks like a tail far from the optimum of the others may be none: then the step is long, but not all the way.
    let settled = active.iter().filter(|&i| plain(i)).all(|&i| delta[i].abs() < 0.5);
    for &i in active.iter().filter(|&&i| kind[i] == Coordinate::Outward) {
        let flat = (now.gradient[i].abs() / (0.9 * FLAT * unit)).ln().max(0.1);
        delta[i] = if settled { flat } else { flat.min(MAX_STEP) };
    }
    if !settled {
        let tails = |i: &usize| kind[*i] == Coordinate::Tail;
        (0..n).filter(tails).for_each(|i| delta[i] = delta[i].clamp(-MAX_STEP, MAX_STEP));
    }
    for (d, r) in delta.iter_mut().zip(&point[..rho]) {
        *d = (r + *d).clamp(low, high) - r;
    }
    Step { delta, limit, kind }
}

/// Newton's step in the mixed coordinates with every curvature taken as positive; what goes outward loses all of its u, what
/// goes along a tail the part `reach` of it.
fn solve(
    now: &Evaluation,
    third: &[f64],
    active: &[usize],
    kind: &[Coordinate],
    slopes: &[Option<f64>],
    reach: &[f64],
) -> Vec<f64> {
    let free: Vec<usize> =
        active.iter().copied().filter(|&i| matches!(kind[i], Coordinate::Plain | Coordinate::Inverse)).collect();
    let mut out = vec![0.0; kind.len()];
    let gone = |i: &&usize| kind[**i] == Coordinate::Outward;
    active.iter().filter(gone).for_each(|&i| out[i] = -1.0);
    let pushed = |i: usize| -> f64 {
        let lost = |k: usize| match kind[k] {
            Coordinate::Outward => 1.0,
            Coordinate::Tail => reach[k],
            _ => 0.0,
        };
        active.iter().map(|&k| now.hessian[(i, k)] * lost(k)).sum()
    };
    if free.is_empty() {
        return out;
    }
    let map: Vec<[f64; 3]> =
        free.iter().map(|&i| if kind[i] == Coordinate::Plain { [1.0, 0.0, 0.0] } else { [-1.0, 1.0, -2.0] }).collect();
    let g: Vec<f64> = free.iter().zip(&map).map(|(&i, m)| m[0] * (now.gradient[i] + pushed(i))).collect();
    let h = Mat::from_fn(free.len(), free.len(), |a, b| {
        if let (true, Some(slope)) = (a == b, slopes[free[a]]) {
            return slope;
        }
        let bend = if a == b { map[a][1] * now.gradient[free[a]] } else { 0.0 };
        map[a][0] * map[b][0] * now.hessian[(free[a], free[b])] + bend
    });
    let Ok((values, vectors)) = h.eigen() else { return out };
    let top = values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    let newton = |g: &[f64]| -> Vec<f64> {
        let mut step = vec![0.0; g.len()];
        for (k, value) in values.iter().enumerate() {
            let u: Vec<f64> = (0..g.len()).map(|i| vectors[(i, k)]).collect();
            let size = value.abs().max(1e-12 * top).max(1e-14);
            axpy(-dot(&u, g) / size, &u, &mut step);
        }
        step
    };
    let straight = newton(&g);
    let step = if third.is_empty() || values[0] <= 0.0 {
        straight
    } else {
        let cubic = Cubic { now, third, free: &free, map: &map, size: kind.len() };
        cubic.bend(&straight, &g, newton)
    };
    free.iter().zip(&step).for_each(|(&i, s)| out[i] = *s);
    out
}

/// Third derivatives in the mixed coordinates.
struct Cubic<'a> {
    now: &'a Evaluation,
    third: &'a [f64],
    free: &'a [usize],
    /// First to third derivative of rho by the coordinate.
    map: &'a [[f64; 3]],
    /// Of the whole tensor.
    size: usize,
}

impl Cubic<'_> {
    fn told(&self, a: usize, b: usize, c: usize) -> f64 {
        let (i, j, k) = (self.free[a], self.free[b], self.free[c]);
        self.third[(i * self.size + j) * self.size + k]
    }

    fn at(&self, a: usize, b: usize, c: usize) -> f64 {
        // The related fit had this coordinate at infinity: the criterion is linear in u there.
        if [a, b, c].iter().any(|&x| self.map[x][1] != 0.0 && self.told(x, x, x) == 0.0) {
            return 0.0;
        }
        let (m, h) = (self.map, &self.now.hessian);
        let mut x = self.told(a, b, c) * m[a][0] * m[b][0] * m[c][0];
        for (p, q, r) in [(a, b, c), (a, c, b), (b, c, a)] {
            if p == q {
                x += h[(self.free[p], self.free[r])] * m[p][1] * m[r][0];
            }
        }
        if a == b && b == c {
            x += self.now.gradient[self.free[a]] * m[a][2];
        }
        x
    }

    /// The root of g + H s + T[s, s] / 2 near Newton's step, or that step where they are too far apart to trust either.
    fn bend(&self, straight: &[f64], g: &[f64], newton: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
        let n = straight.len();
        let longest = straight.iter().fold(0.0, |m: f64, s| m.max(s.abs()));
        let apart = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        let mut step = straight.to_vec();
        for _ in 0..8 {
            let mut right = g.to_vec();
            for (a, right) in right.iter_mut().enumerate() {
                for b in 0..n {
                    for c in 0..n {
                        *right += 0.5 * self.at(a, b, c) * step[b] * step[c];
                    }
                }
            }
            let next = newton(&right);
            if apart(&next, straight) > 0.5 * longest {
                return straight.to_vec();
            }
            step = next;
        }
        step
    }
}
