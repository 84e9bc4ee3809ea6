//! Row blocks: the model matrix exists for a few hundred rows at a time. Each term contributes one window of values a
//! row, at one of its places: four values of a spline with local support at the place of its knot interval, one of a
//! random effect at the place of its level, all values of a thin plate spline at its only place. Products are summed in
//! these sparse columns (places × window); `lift` matrices take the sums to coefficients.

use rayon::prelude::*;
use x_simd::{Job, Level, Result, try_zeroed};

use crate::kernels;
use crate::mat::{Mat, axpy};

/// Where one term's columns stand.
#[derive(Debug, Clone)]
pub struct Piece {
    /// First sparse column.
    pub raw_from: usize,
    pub places: usize,
    /// Values a row.
    pub window: usize,
    pub predictor: usize,
    /// First coefficient and how many.
    pub from: usize,
    pub width: usize,
    /// Sparse columns × width; `None` = the coefficients are the sparse columns.
    pub lift: Option<Mat>,
}

impl Piece {
    pub fn raw_width(&self) -> usize {
        self.places * self.window
    }

    /// One value a row, as the intercept.
    fn is_column(&self) -> bool {
        self.places == 1 && self.window == 1
    }

    fn raw(&self) -> std::ops::Range<usize> {
        self.raw_from..self.raw_from + self.raw_width()
    }
}

/// Product sums of two pieces: one cell (window × window) for each pair of places, of a piece with itself for each place.
#[derive(Debug, Clone, Copy)]
struct Pair {
    first: usize,
    second: usize,
    /// Where its cells begin.
    at: usize,
}

#[derive(Debug, Clone, Default)]
pub struct Layout {
    pub pieces: Vec<Piece>,
    pub raw_width: usize,
    pub width: usize,
    pub predictors: usize,
    /// Coefficient of the column of ones of the first predictor.
    pub intercept: Option<usize>,
    pairs: Vec<Pair>,
    /// Length of all product sums.
    cells: usize,
}

/// One term's values of a block of rows.
#[derive(Default)]
pub struct Window {
    /// Place of each row.
    pub place: Vec<u32>,
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
fn segment(layout: &Layout) -> usize {
    layout.cells.clamp(4096, 1 << 17) / BLOCK * BLOCK
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
    let size = segment(rows.layout());
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
    pub fn new(predictors: usize) -> Layout {
        Layout { predictors, ..Layout::default() }
    }

    /// Adds a piece behind the others.
    pub fn push(&mut self, places: usize, window: usize, width: usize, predictor: usize, lift: Option<Mat>) {
        let piece = Piece { raw_from: self.raw_width, places, window, predictor, from: self.width, width, lift };
        let raw = piece.raw_width();
        let second = self.pieces.len();
        for (first, other) in self.pieces.iter().enumerate() {
            self.pairs.push(Pair { first, second, at: self.cells });
            self.cells += other.raw_width() * raw;
        }
        self.pairs.push(Pair { first: second, second, at: self.cells });
        self.cells += raw * window;
        self.raw_width += raw;
        self.width += width;
        self.predictors = self.predictors.max(predictor + 1);
        self.pieces.push(piece);
    }

    /// Zeroed product sums.
    pub fn empty_gram(&self) -> Result<Vec<f64>> {
        try_zeroed(self.cells)
    }

    /// Pairs of pieces with their windows, the places of the second (0 for a piece with itself), their cells.
    fn pairs<'a>(
        &'a self,
        block: &'a Block,
    ) -> impl Iterator<Item = (Filled<'a>, Filled<'a>, usize, std::ops::Range<usize>)> {
        let filled = |i: usize| (&self.pieces[i], &block.windows[i]);
        self.pairs.iter().enumerate().map(move |(k, p)| {
            let end = self.pairs.get(k + 1).map_or(self.cells, |next| next.at);
            let columns = if p.first == p.second { 0 } else { self.pieces[p.second].places };
            (filled(p.first), filled(p.second), columns, p.at..end)
        })
    }

    /// Linear predictor `k` of a block, without offset.
    pub fn eta(&self, block: &Block, k: usize, raw: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        let level = Level::get();
        for (piece, window) in self.pieces.iter().zip(&block.windows).filter(|(p, _)| p.predictor == k) {
            let raw = &raw[piece.raw()];
            match piece.window {
                _ if piece.is_column() => kernels::add_scaled(level, raw[0], &window.values, out),
                kernels::SPLINE => kernels::eta_spline(level, &window.values, &window.place, raw, out),
                w => kernels::eta_any(level, &window.values, w, &window.place, raw, out),
            }
        }
    }

    /// Adds X_k'v to `out` (sparse columns).
    pub fn add_tmul(&self, block: &Block, k: usize, v: &[f64], out: &mut [f64]) {
        let level = Level::get();
        for (piece, window) in self.pieces.iter().zip(&block.windows).filter(|(p, _)| p.predictor == k) {
            let out = &mut out[piece.raw()];
            match piece.window {
                _ if piece.is_column() => out[0] += kernels::sum_of_products(level, v, &window.values),
                kernels::SPLINE => kernels::scatter_spline(level, &window.values, &window.place, v, out),
                w => kernels::scatter_any(level, &window.values, w, &window.place, v, out),
            }
        }
    }

    /// Adds the sum over predictors k, l of X_k' W_kl X_l. An empty weight vector counts as zero.
    pub fn add_gram(&self, block: &Block, weights: &[Vec<f64>], out: &mut [f64]) {
        self.add_products(block, weights, out, |_, _| true);
    }

    /// `add_gram` for several weights and sums: one set of weights a pair of predictors for each sum.
    pub fn add_grams(&self, block: &Block, weights: &[Vec<Vec<f64>>], outs: &mut [Vec<f64>]) {
        let level = Level::get();
        let splines = |a: &Piece, b: &Piece| a.window == kernels::SPLINE && b.window == kernels::SPLINE;
        for ((ps, s), (pt, t), columns, cells) in self.pairs(block).filter(|p| splines(p.0.0, p.1.0)) {
            let at = pair(ps.predictor, pt.predictor);
            let own: Vec<&[f64]> = weights.iter().map(|w| &w[at][..]).collect();
            let mut to: Vec<_> = outs.iter_mut().map(|o| o[cells.clone()].as_chunks_mut().0).collect();
            let (s, t) = ((&s.values[..], &s.place[..]), (&t.values[..], &t.place[..]));
            kernels::outer_splines_each(level, &own, s, t, columns, &mut to);
        }
        for (w, out) in weights.iter().zip(outs) {
            self.add_products(block, w, out, |a, b| !splines(a, b));
        }
    }

    fn add_products(
        &self,
        block: &Block,
        weights: &[Vec<f64>],
        out: &mut [f64],
        which: impl Fn(&Piece, &Piece) -> bool,
    ) {
        let level = Level::get();
        for ((ps, s), (pt, t), columns, cells) in self.pairs(block).filter(|p| which(p.0.0, p.1.0)) {
            let weight = &weights[pair(ps.predictor, pt.predictor)];
            if weight.is_empty() {
                continue;
            }
            let out = &mut out[cells];
            if ps.is_column() {
                // The intercept with another piece: its values are weights.
                let own = &mut [0.0; BLOCK][..block.rows];
                kernels::add_product(level, own, weight, &s.values);
                match pt.window {
                    _ if pt.is_column() => out[0] += kernels::sum_of_products(level, own, &t.values),
                    kernels::SPLINE => kernels::scatter_spline(level, &t.values, &t.place, own, out),
                    w => kernels::scatter_any(level, &t.values, w, &t.place, own, out),
                }
                continue;
            }
            match (ps.window, pt.window) {
                (kernels::SPLINE, kernels::SPLINE) => {
                    kernels::outer_splines(level, weight, &s.values, &s.place, &t.values, &t.place, columns, out);
                }
                (a, b) if ps.places == 1 && pt.places == 1 => {
                    kernels::outer_dense(level, weight, &s.values, a, &t.values, b, out);
                }
                (a, b) => {
                    let (s, t) = ((&s.values[..], a, &s.place[..]), (&t.values[..], b, &t.place[..]));
                    kernels::outer_any(level, weight, s, t, columns, out);
                }
            }
        }
    }

    /// h_kl,i = x_ik' P_kl x_il for each pair of predictors, from the cells of P (symmetric).
    pub fn quadratic(&self, block: &Block, p: &[f64], out: &mut [Vec<f64>]) {
        for h in out.iter_mut() {
            h.clear();
            h.resize(block.rows, 0.0);
        }
        let level = Level::get();
        for ((ps, s), (pt, t), columns, cells) in self.pairs(block) {
            // Within one predictor an off-diagonal block counts twice.
            let factor = if columns > 0 && ps.predictor == pt.predictor { 2.0 } else { 1.0 };
            let (p, h) = (&p[cells], &mut out[pair(ps.predictor, pt.predictor)][..]);
            if ps.is_column() {
                let own = &mut [0.0; BLOCK][..block.rows];
                match pt.window {
                    kernels::SPLINE => kernels::eta_spline(level, &t.values, &t.place, p, own),
                    w => kernels::eta_any(level, &t.values, w, &t.place, p, own),
                }
                own.iter_mut().for_each(|x| *x *= factor);
                kernels::add_product(level, h, own, &s.values);
                continue;
            }
            match (ps.window, pt.window) {
                (kernels::SPLINE, kernels::SPLINE) => {
                    let (s, t) = ((&s.values[..], &s.place[..]), (&t.values[..], &t.place[..]));
                    kernels::bilinear_splines(level, s, t, columns, factor, p, h);
                }
                (a, b) => {
                    let (s, t) = ((&s.values[..], a, &s.place[..]), (&t.values[..], b, &t.place[..]));
                    kernels::bilinear_any(level, s, t, columns, factor, p, h);
                }
            }
        }
    }

    /// The product sums of `add_gram` as a full matrix over coefficients.
    pub fn fold_gram(&self, raw: &[f64]) -> Mat {
        let mut out = Mat::zeros(self.width, self.width);
        for p in &self.pairs {
            let (a, b) = (&self.pieces[p.first], &self.pieces[p.second]);
            let mut m = Mat::zeros(a.raw_width(), b.raw_width());
            for_cells(a, b, p, |at, i, j| m.row_mut(i)[j..j + b.window].copy_from_slice(&raw[at..at + b.window]));
            if let Some(lift) = &b.lift {
                m = m.mul(lift);
            }
            if let Some(lift) = &a.lift {
                m = lift.tmul(&m);
            }
            for i in 0..a.width {
                for j in 0..b.width {
                    out[(a.from + i, b.from + j)] = m[(i, j)];
                    if p.first != p.second {
                        out[(b.from + j, a.from + i)] = m[(i, j)];
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
            let from = &raw[p.raw()];
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
            let to = &mut out[p.raw()];
            match &p.lift {
                Some(lift) => to.copy_from_slice(&lift.mul_vec(from)),
                None => to.copy_from_slice(from),
            }
        }
        out
    }

    /// The cells of a symmetric matrix over coefficients.
    pub fn cells_of(&self, m: &Mat) -> Result<Vec<f64>> {
        let mut out = self.empty_gram()?;
        for p in &self.pairs {
            let (a, b) = (&self.pieces[p.first], &self.pieces[p.second]);
            let mut part = m.block(a.from..a.from + a.width, b.from..b.from + b.width);
            if let Some(lift) = &b.lift {
                part = part.mul(&lift.t());
            }
            if let Some(lift) = &a.lift {
                part = lift.mul(&part);
            }
            for_cells(a, b, p, |at, i, j| out[at..at + b.window].copy_from_slice(&part.row(i)[j..j + b.window]));
        }
        Ok(out)
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
                    let at = window.place[i] as usize * piece.window;
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

/// A piece with its values in a block.
type Filled<'a> = (&'a Piece, &'a Window);

/// Each row of each cell: where it lies, and the sparse row and first sparse column that it belongs to.
fn for_cells(a: &Piece, b: &Piece, p: &Pair, mut each: impl FnMut(usize, usize, usize)) {
    let size = a.window * b.window;
    for i in 0..a.places {
        for j in 0..b.places {
            let cell = match (p.first == p.second, i == j) {
                (false, _) => i * b.places + j,
                (true, true) => i,
                (true, false) => continue,
            };
            for row in 0..a.window {
                each(p.at + cell * size + row * b.window, i * a.window + row, j * b.window);
            }
        }
    }
}
