//! Joins two solved halves: deflation, secular roots, and the product with the eigenvectors of the rank-one update,
//! computed on the fly and in place, a block of rows at a time.

use rayon::prelude::*;
use x_simd::{Job, Result, try_zeroed};

use super::deflate::{Deflation, deflate};
use super::secular::{Root, repaired, root};
use crate::gemm::{Right, Target, View, tile};
use crate::lanes::{LANES, level};

/// Rows of a half that are multiplied together; their old values are all the copy that a merge needs.
pub const ROWS: usize = 512;

/// `d` holds the ascending eigenvalues of both halves, `z` their vectors in its two diagonal blocks.
pub fn merge(d: &mut [f64], half: usize, coupling: f64, z: Target, job: &Job) -> Result<()> {
    job.check()?;
    let n = d.len();
    // SAFETY: this task owns the block.
    let row =
        |i: usize, from: usize, to: usize| unsafe { std::slice::from_raw_parts(z.at.add(i * z.ld + from), to - from) };
    let mut weights = row(half - 1, 0, half).to_vec();
    weights.extend(row(half, half, n).iter().map(|&x| if coupling < 0.0 { -x } else { x }));
    weights.iter_mut().for_each(|w| *w *= std::f64::consts::FRAC_1_SQRT_2);
    let plan = deflate(d, &weights, half, 2.0 * coupling.abs());
    let k = plan.kept.len();
    let poles: Vec<f64> = plan.kept.iter().map(|&i| plan.values[i]).collect();
    let columns =
        Columns::solve(&poles, &plan.kept.iter().map(|&i| plan.weights[i]).collect::<Vec<_>>(), plan.rho, job)?;

    // Ascending order of everything: position -> computed column (kept ones first, then the deflated).
    let mut all: Vec<f64> = (0..k).map(|j| columns.value(j)).collect();
    all.extend(plan.deflated.iter().map(|&i| plan.values[i]));
    let mut order: Vec<u32> = (0..n as u32).collect();
    order.sort_by(|&i, &j| all[i as usize].total_cmp(&all[j as usize]));
    for (d, &o) in d.iter_mut().zip(&order) {
        *d = all[o as usize];
    }
    let halves = [(0, half), (half, n)];
    let blocks: Vec<(usize, usize, usize)> = halves
        .iter()
        .enumerate()
        .flat_map(|(h, &(from, to))| {
            let count = (to - from).div_ceil(ROWS);
            (0..count).map(move |b| (h, from + (to - from) * b / count, from + (to - from) * (b + 1) / count))
        })
        .collect();
    let used: [Vec<usize>; 2] = [0, 1].map(|h| (0..k).filter(|&p| plan.touches(plan.kept[p], h)).collect());
    blocks.into_par_iter().try_for_each(|(h, from, to)| {
        rows(z.offset(from, 0), to - from, n, halves[h], &plan, &columns, &used[h], &order, job)
    })
}

/// Rows of one half: rotate, set the needed columns aside, multiply, put the columns in order.
#[allow(clippy::too_many_arguments)]
fn rows(
    z: Target,
    count: usize,
    n: usize,
    (from, to): (usize, usize),
    plan: &Deflation,
    columns: &Columns,
    used: &[usize],
    order: &[u32],
    job: &Job,
) -> Result<()> {
    let (k, m) = (plan.kept.len(), used.len());
    let dropped = plan.deflated.len();
    let mut old = try_zeroed(count * m)?;
    let mut moved = try_zeroed(count * dropped)?;
    // SAFETY: this task owns these rows.
    let row = |i: usize| unsafe { std::slice::from_raw_parts_mut(z.at.add(i * z.ld), n) };
    for i in 0..count {
        let row = row(i);
        for r in &plan.rotations {
            let (x, y) = (row[r.i], row[r.j]);
            row[r.i] = r.c * x + r.s * y;
            row[r.j] = r.c * y - r.s * x;
        }
        for (to, &p) in old[i * m..].iter_mut().zip(used) {
            *to = row[plan.kept[p]];
        }
        for (to, &c) in moved[i * dropped..].iter_mut().zip(&plan.deflated) {
            *to = row[c];
        }
    }
    debug_assert!(from < to);
    let right = Rows { columns, used };
    // SAFETY: `old` is count × m, the rows have k <= n columns.
    unsafe { tile(level(), (count, k, m), 1.0, View::rows(&old, m), &right, z, false, job)? };
    let mut line = try_zeroed(n)?;
    for i in 0..count {
        let row = row(i);
        line[..k].copy_from_slice(&row[..k]);
        line[k..].copy_from_slice(&moved[i * dropped..(i + 1) * dropped]);
        for (to, &o) in row.iter_mut().zip(order) {
            *to = line[o as usize];
        }
    }
    Ok(())
}

/// Eigenvectors of diag(poles) + rho w w', entry by entry.
struct Columns {
    poles: Vec<f64>,
    weights: Vec<f64>,
    origins: Vec<f64>,
    offsets: Vec<f64>,
    scale: Vec<f64>,
}

impl Columns {
    fn solve(poles: &[f64], weights: &[f64], rho: f64, job: &Job) -> Result<Self> {
        let k = poles.len();
        let squares: Vec<f64> = weights.iter().map(|w| w * w).collect();
        let roots: Vec<Root> = (0..k)
            .into_par_iter()
            .with_min_len(32)
            .map(|j| {
                job.check()?;
                Ok(root(poles, &squares, rho, j))
            })
            .collect::<Result<_>>()?;
        let origins: Vec<f64> = roots.iter().map(|r| poles[r.origin]).collect();
        let offsets: Vec<f64> = roots.iter().map(|r| r.offset).collect();
        let mut exact = vec![0.0; k];
        exact.par_chunks_mut(LANES).enumerate().with_min_len(8).for_each(|(b, out)| {
            repaired(level(), poles, &origins, &offsets, b * LANES, out);
        });
        for (e, w) in exact.iter_mut().zip(weights) {
            *e = e.copysign(*w);
        }
        let mut c = Columns { poles: poles.to_vec(), weights: exact, origins, offsets, scale: vec![1.0; k] };
        let norms: Vec<f64> = (0..k).into_par_iter().with_min_len(32).map(|j| c.norm(j)).collect();
        c.scale = norms.iter().map(|x| 1.0 / x).collect();
        Ok(c)
    }

    fn value(&self, j: usize) -> f64 {
        self.origins[j] + self.offsets[j]
    }

    fn norm(&self, j: usize) -> f64 {
        let (origin, offset) = (self.origins[j], self.offsets[j]);
        let mut s = [0.0; LANES];
        for (p, w) in self.poles.chunks(LANES).zip(self.weights.chunks(LANES)) {
            for l in 0..p.len() {
                let x = w[l] / ((p[l] - origin) - offset);
                s[l] += x * x;
            }
        }
        crate::lanes::sum(s).sqrt()
    }
}

/// The rows of those eigenvectors that one half needs.
struct Rows<'a> {
    columns: &'a Columns,
    used: &'a [usize],
}

impl Right for Rows<'_> {
    fn pack(&self, level: x_simd::Level, k0: usize, kc: usize, j0: usize, nc: usize, nr: usize, out: &mut [f64]) {
        let c = self.columns;
        for (g, out) in out.chunks_exact_mut(nr * kc).take(nc.div_ceil(nr)).enumerate() {
            let first = j0 + g * nr;
            let here = nr.min(j0 + nc - first);
            let [origins, offsets, scale] = [&c.origins, &c.offsets, &c.scale].map(|v| &v[first..first + here]);
            for (p, out) in out.chunks_exact_mut(nr).enumerate() {
                let i = self.used[k0 + p];
                out[here..].fill(0.0);
                entries(level, c.poles[i], c.weights[i], origins, offsets, scale, &mut out[..here]);
            }
        }
    }
}

#[inline(always)]
fn entries_in<const F: bool>(pole: f64, weight: f64, origins: &[f64], offsets: &[f64], scale: &[f64], out: &mut [f64]) {
    let _ = F;
    for (l, out) in out.iter_mut().enumerate() {
        *out = weight / ((pole - origins[l]) - offsets[l]) * scale[l];
    }
}
crate::lanes::by_level! {
    fn entries(pole: f64, weight: f64, origins: &[f64], offsets: &[f64], scale: &[f64], out: &mut [f64]) = entries_in
}
