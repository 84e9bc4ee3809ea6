//! Row blocks: the model matrix exists for a few hundred rows at a time. Each term contributes one window of values a
//! row, at a column offset of its own: four values of a spline with local support, one of a random effect, all of a
//! thin plate spline. Products are summed in these sparse coordinates; `lift` matrices take the sums to coefficients.

use rayon::prelude::*;
use x_simd::{Job, Result, try_zeroed};

use crate::mat::{Mat, axpy, dot};

/// Where one term's columns stand.
#[derive(Debug, Clone)]
pub struct Piece {
    /// First sparse column and how many.
    pub raw_from: usize,
    pub raw_width: usize,
    /// Values a row.
    pub window: usize,
    pub predictor: usize,
    /// First coefficient and how many.
    pub from: usize,
    pub width: usize,
    /// raw × width; `None` = the coefficients are the sparse columns.
    pub lift: Option<Mat>,
}

#[derive(Debug, Clone, Default)]
pub struct Layout {
    pub pieces: Vec<Piece>,
    pub raw_width: usize,
    pub width: usize,
    pub predictors: usize,
}

/// One term's values of a block of rows.
#[derive(Default)]
pub struct Window {
    /// Sparse column of each row's first value.
    pub at: Vec<usize>,
    pub values: Vec<f64>,
}

#[derive(Default)]
pub struct Block {
    pub rows: usize,
    pub windows: Vec<Window>,
}

/// Gives the windows of rows `from .. from + rows`.
pub trait Rows: Sync {
    fn rows(&self) -> usize;
    fn layout(&self) -> &Layout;
    fn fill(&self, from: usize, rows: usize, block: &mut Block);
}

pub const BLOCK: usize = 256;

/// Rows of one partial sum: fixed by the shape of the problem only, so that sums are the same for any thread count.
fn segment(raw_width: usize) -> usize {
    (raw_width * raw_width / 4).clamp(4096, 1 << 17) / BLOCK * BLOCK
}

/// Runs `each` over all blocks, one accumulator a segment, and merges the accumulators in order.
pub fn pass<A: Send, S: Send>(
    rows: &dyn Rows,
    job: &Job,
    make: impl Fn() -> Result<A> + Sync,
    scratch: impl Fn() -> S + Sync,
    each: impl Fn(&mut A, &mut S, &Block, usize) -> Result<()> + Sync,
    merge: impl Fn(&mut A, A),
) -> Result<A> {
    let n = rows.rows();
    let size = segment(rows.layout().raw_width);
    let segments = n.div_ceil(size);
    let run = |s: usize| -> Result<A> {
        let mut acc = make()?;
        let mut block = Block::default();
        let mut scratch = scratch();
        let end = ((s + 1) * size).min(n);
        for from in (s * size..end).step_by(BLOCK) {
            job.check()?;
            let count = BLOCK.min(end - from);
            rows.fill(from, count, &mut block);
            each(&mut acc, &mut scratch, &block, from)?;
        }
        Ok(acc)
    };
    let mut total = make()?;
    // As many at a time as there are threads: memory stays bounded, the order of merging does not change.
    let group = rayon::current_num_threads().max(1);
    for first in (0..segments).step_by(group) {
        let last = (first + group).min(segments);
        let parts: Vec<Result<A>> =
            if last - first == 1 { vec![run(first)] } else { (first..last).into_par_iter().map(run).collect() };
        for part in parts {
            merge(&mut total, part?);
        }
    }
    Ok(total)
}

/// Index of the pair of predictors (k, l) in packed symmetric order: (0,0), (1,0), (1,1), (2,0) …
pub fn pair(k: usize, l: usize) -> usize {
    let (a, b) = if k >= l { (k, l) } else { (l, k) };
    a * (a + 1) / 2 + b
}

impl Layout {
    /// Adds a piece behind the others.
    pub fn push(&mut self, raw_width: usize, window: usize, width: usize, predictor: usize, lift: Option<Mat>) {
        let (raw_from, from) = (self.raw_width, self.width);
        self.pieces.push(Piece { raw_from, raw_width, window, predictor, from, width, lift });
        self.raw_width += raw_width;
        self.width += width;
        self.predictors = self.predictors.max(predictor + 1);
    }

    /// Linear predictor `k` of a block, without offset.
    pub fn eta(&self, block: &Block, k: usize, raw: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (piece, window) in self.pieces.iter().zip(&block.windows) {
            if piece.predictor != k {
                continue;
            }
            let w = piece.window;
            match w {
                4 => {
                    for ((out, x), &at) in out.iter_mut().zip(window.values.chunks_exact(4)).zip(&window.at) {
                        let b = &raw[at..at + 4];
                        *out += (x[0] * b[0] + x[1] * b[1]) + (x[2] * b[2] + x[3] * b[3]);
                    }
                }
                _ => {
                    for ((out, x), &at) in out.iter_mut().zip(window.values.chunks_exact(w)).zip(&window.at) {
                        *out += dot(x, &raw[at..at + w]);
                    }
                }
            }
        }
    }

    /// Adds X_k'v to `out` (sparse columns).
    pub fn add_tmul(&self, block: &Block, k: usize, v: &[f64], out: &mut [f64]) {
        for (piece, window) in self.pieces.iter().zip(&block.windows) {
            if piece.predictor != k {
                continue;
            }
            let w = piece.window;
            for ((&v, x), &at) in v.iter().zip(window.values.chunks_exact(w)).zip(&window.at) {
                axpy(v, x, &mut out[at..at + w]);
            }
        }
    }

    /// Adds the sum over predictors k, l of X_k' W_kl X_l; only blocks with the first piece not behind the second.
    /// An empty weight vector counts as zero.
    pub fn add_gram(&self, block: &Block, weights: &[Vec<f64>], out: &mut [f64]) {
        let ld = self.raw_width;
        for (s, (ps, ws)) in self.pieces.iter().zip(&block.windows).enumerate() {
            for (pt, wt) in self.pieces.iter().zip(&block.windows).skip(s) {
                let weight = &weights[pair(ps.predictor, pt.predictor)];
                if weight.is_empty() {
                    continue;
                }
                match (ps.window, pt.window) {
                    (4, 4) => outer::<4, 4>(ws, wt, weight, out, ld),
                    (1, 4) => outer::<1, 4>(ws, wt, weight, out, ld),
                    (1, 1) => outer::<1, 1>(ws, wt, weight, out, ld),
                    (a, b) => outer_any(ws, a, wt, b, weight, out, ld),
                }
            }
        }
    }

    /// h_kl,i = x_ik' P_kl x_il for each pair of predictors, from P in sparse coordinates (full and symmetric).
    pub fn quadratic(&self, block: &Block, p: &Mat, out: &mut [Vec<f64>]) {
        for h in out.iter_mut() {
            h.clear();
            h.resize(block.rows, 0.0);
        }
        let ld = self.raw_width;
        for (s, (ps, ws)) in self.pieces.iter().zip(&block.windows).enumerate() {
            for (t, (pt, wt)) in self.pieces.iter().zip(&block.windows).enumerate().skip(s) {
                // Within one predictor an off-diagonal block counts twice.
                let factor = if s != t && ps.predictor == pt.predictor { 2.0 } else { 1.0 };
                let h = &mut out[pair(ps.predictor, pt.predictor)];
                match (ps.window, pt.window) {
                    (4, 4) => bilinear::<4, 4>(ws, wt, factor, &p.data, ld, h),
                    (1, 4) => bilinear::<1, 4>(ws, wt, factor, &p.data, ld, h),
                    (a, b) => bilinear_any(ws, a, wt, b, factor, &p.data, ld, h),
                }
            }
        }
    }

    /// The product sums of `add_gram` as a full matrix over coefficients.
    pub fn fold_gram(&self, raw: &[f64]) -> Mat {
        let ld = self.raw_width;
        let mut out = Mat::zeros(self.width, self.width);
        for (s, a) in self.pieces.iter().enumerate() {
            for (t, b) in self.pieces.iter().enumerate().skip(s) {
                let mut m = Mat::zeros(a.raw_width, b.raw_width);
                for i in 0..a.raw_width {
                    let row = (a.raw_from + i) * ld + b.raw_from;
                    m.row_mut(i).copy_from_slice(&raw[row..row + b.raw_width]);
                }
                if s == t {
                    for i in 0..a.raw_width {
                        for j in 0..i {
                            m[(i, j)] = m[(j, i)];
                        }
                    }
                }
                if let Some(lift) = &b.lift {
                    m = m.mul(lift);
                }
                if let Some(lift) = &a.lift {
                    m = lift.tmul(&m);
                }
                for i in 0..a.width {
                    for j in 0..b.width {
                        out[(a.from + i, b.from + j)] = m[(i, j)];
                        if s != t {
                            out[(b.from + j, a.from + i)] = m[(i, j)];
                        }
                    }
                }
            }
        }
        out.symmetrise();
        out
    }

    pub fn fold_vec(&self, raw: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.width];
        for p in &self.pieces {
            let from = &raw[p.raw_from..p.raw_from + p.raw_width];
            let to = &mut out[p.from..p.from + p.width];
            match &p.lift {
                Some(lift) => to.copy_from_slice(&lift.tmul_vec(from)),
                None => to.copy_from_slice(from),
            }
        }
        out
    }

    pub fn raw_vec(&self, beta: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.raw_width];
        for p in &self.pieces {
            let from = &beta[p.from..p.from + p.width];
            let to = &mut out[p.raw_from..p.raw_from + p.raw_width];
            match &p.lift {
                Some(lift) => to.copy_from_slice(&lift.mul_vec(from)),
                None => to.copy_from_slice(from),
            }
        }
        out
    }

    /// A symmetric matrix over coefficients, in sparse coordinates.
    pub fn raw_matrix(&self, m: &Mat) -> Mat {
        let mut half = Mat::zeros(self.raw_width, self.width);
        for p in &self.pieces {
            let rows = m.block(p.from..p.from + p.width, 0..self.width);
            let lifted = p.lift.as_ref().map_or_else(|| rows.clone(), |l| l.mul(&rows));
            half.add_block(p.raw_from, 0, 1.0, &lifted);
        }
        let mut out = Mat::zeros(self.raw_width, self.raw_width);
        for p in &self.pieces {
            let columns = half.block(0..self.raw_width, p.from..p.from + p.width);
            let lifted = p.lift.as_ref().map_or_else(|| columns.clone(), |l| columns.mul(&l.t()));
            out.add_block(0, p.raw_from, 1.0, &lifted);
        }
        out
    }

    /// The same layout for coefficients rotated by `q` (coefficient range, orthogonal matrix).
    pub fn rotated(&self, q: &[(usize, Mat)]) -> Layout {
        let mut out = self.clone();
        for piece in &mut out.pieces {
            let range = piece.from..piece.from + piece.width;
            let inside: Vec<_> = q.iter().filter(|(from, _)| range.contains(from)).collect();
            if inside.is_empty() {
                continue;
            }
            let mut rotation = Mat::identity(piece.width);
            for (from, m) in inside {
                for i in 0..m.rows {
                    rotation[(from - piece.from + i, from - piece.from + i)] = 0.0;
                }
                rotation.add_block(from - piece.from, from - piece.from, 1.0, m);
            }
            piece.lift = Some(piece.lift.as_ref().map_or_else(|| rotation.clone(), |l| l.mul(&rotation)));
        }
        out
    }

    /// Rows `from .. from + count` of the model matrix, coefficients as columns (predictors side by side).
    pub fn dense(&self, rows: &dyn Rows, from: usize, count: usize) -> Mat {
        let mut out = Mat::zeros(count, self.width);
        let mut block = Block::default();
        for start in (0..count).step_by(BLOCK) {
            rows.fill(from + start, BLOCK.min(count - start), &mut block);
            for (piece, window) in self.pieces.iter().zip(&block.windows) {
                for i in 0..block.rows {
                    let x = &window.values[i * piece.window..(i + 1) * piece.window];
                    let at = window.at[i] - piece.raw_from;
                    let to = &mut out.row_mut(start + i)[piece.from..piece.from + piece.width];
                    match &piece.lift {
                        Some(lift) => x.iter().enumerate().for_each(|(a, &x)| axpy(x, lift.row(at + a), to)),
                        None => axpy(1.0, x, &mut to[at..at + piece.window]),
                    }
                }
            }
        }
        out
    }
}

fn outer<const A: usize, const B: usize>(s: &Window, t: &Window, weight: &[f64], out: &mut [f64], ld: usize) {
    let rows = weight.iter().zip(s.values.chunks_exact(A).zip(&s.at)).zip(t.values.chunks_exact(B).zip(&t.at));
    for ((&w, (xs, &i)), (xt, &j)) in rows {
        let xs: &[f64; A] = xs.try_into().expect("a chunk of A values");
        let xt: &[f64; B] = xt.try_into().expect("a chunk of B values");
        for a in 0..A {
            let c = w * xs[a];
            let at = (i + a) * ld + j;
            let to: &mut [f64; B] = (&mut out[at..at + B]).try_into().expect("B values");
            for b in 0..B {
                to[b] += c * xt[b];
            }
        }
    }
}

fn outer_any(s: &Window, a: usize, t: &Window, b: usize, weight: &[f64], out: &mut [f64], ld: usize) {
    let rows = weight.iter().zip(s.values.chunks_exact(a).zip(&s.at)).zip(t.values.chunks_exact(b).zip(&t.at));
    for ((&w, (xs, &i)), (xt, &j)) in rows {
        for (k, &x) in xs.iter().enumerate() {
            if x != 0.0 {
                let at = (i + k) * ld + j;
                axpy(w * x, xt, &mut out[at..at + b]);
            }
        }
    }
}

fn bilinear<const A: usize, const B: usize>(s: &Window, t: &Window, factor: f64, p: &[f64], ld: usize, h: &mut [f64]) {
    let rows = h.iter_mut().zip(s.values.chunks_exact(A).zip(&s.at)).zip(t.values.chunks_exact(B).zip(&t.at));
    for ((h, (xs, &i)), (xt, &j)) in rows {
        let mut sums = [0.0; B];
        for a in 0..A {
            let row: &[f64; B] = p[(i + a) * ld + j..(i + a) * ld + j + B].try_into().expect("B values");
            for b in 0..B {
                sums[b] += xs[a] * row[b];
            }
        }
        *h += factor * dot(&sums, xt);
    }
}

#[allow(clippy::too_many_arguments)]
fn bilinear_any(s: &Window, a: usize, t: &Window, b: usize, factor: f64, p: &[f64], ld: usize, h: &mut [f64]) {
    let rows = h.iter_mut().zip(s.values.chunks_exact(a).zip(&s.at)).zip(t.values.chunks_exact(b).zip(&t.at));
    for ((h, (xs, &i)), (xt, &j)) in rows {
        let mut sum = 0.0;
        for (k, &x) in xs.iter().enumerate() {
            if x != 0.0 {
                sum += x * dot(&p[(i + k) * ld + j..(i + k) * ld + j + b], xt);
            }
        }
        *h += factor * sum;
    }
}

/// Zeroed product sums of `width` sparse columns.
pub fn empty_gram(width: usize) -> Result<Vec<f64>> {
    try_zeroed(width * width)
}
