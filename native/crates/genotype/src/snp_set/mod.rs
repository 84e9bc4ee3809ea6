//! SNPs kept as bit planes, and the products of their centred columns from exact integers.
//!
//! With e = g − 1 (0 where missing), m = 1 where missing and ν the imputed dosage less 1, a column is e − ν (1 − m) up to
//! a constant, so Σ x x' = Σ e e' − ν Σ (1 − m) e' − ν' Σ e (1 − m') + ν ν' Σ (1 − m)(1 − m') − T T' / n, where T is what
//! the column without its constant sums to: 0 when ν is the mean of these people's own calls, something else when the
//! missing calls were given the mean of more people than these.

mod twins;

use std::ops::Range;

use rayon::prelude::*;
use x_dense::SquareMatrix;
use x_simd::{Error, Job, Level, Result, try_zeroed, with_pool};

use crate::count::count_at;
use crate::gram::{Side, Sums, missing_products, missing_sums, products, sums};
use crate::packed::{check_packed, row_bytes};
use crate::planes::{BITS, Chunk, fill_row};
use crate::tiles::{self, Shared, TILE};

/// Chunks a pass over a tile, so that both sides stay in L2.
const PASS: usize = 16;

struct Row {
    /// Σ e, Σ e² and calls.
    sum: f64,
    squares: f64,
    calls: f64,
    /// ν; 0 without any call.
    mean: f64,
    /// T.
    left: f64,
    /// No missing calls, or ν is the mean of the calls.
    own: bool,
}

/// SNPs of the same people, `⌈n / 512⌉ × 128` bytes each.
pub struct SnpSet {
    level: Level,
    samples: usize,
    chunks: usize,
    /// `TILE` rows each, the last one perhaps not full: a tile is contiguous and nothing moves as the set grows.
    segments: Vec<Vec<Chunk>>,
    rows: Vec<Row>,
}

impl SnpSet {
    pub fn new(samples: usize) -> Self {
        Self::new_at(Level::get(), samples)
    }

    #[doc(hidden)]
    pub fn new_at(level: Level, samples: usize) -> Self {
        Self { level, samples, chunks: samples.div_ceil(BITS), segments: Vec::new(), rows: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Whether missing calls of SNP `i`, if there are any, have the mean of these people's calls.
    pub fn own_mean(&self, i: usize) -> bool {
        self.rows[i].own
    }

    /// Adds the SNPs `rows` of a block of packed rows of exactly these people. `means[k]` is the dosage of missing calls
    /// of `rows[k]`; without `means` it is the mean of these people's calls (a SNP without any is all zeros).
    pub fn push(
        &mut self,
        packed: &[u8],
        rows: &[u32],
        means: Option<&[f64]>,
        threads: usize,
        job: &Job,
    ) -> Result<()> {
        let bytes = row_bytes(self.samples).max(1);
        let count = packed.len() / bytes;
        check_packed(packed, self.samples, count)?;
        if let Some(&row) = rows.iter().find(|&&r| r as usize >= count) {
            return Err(Error::new("SHAPE", format!("row {row} lies outside a block of {count} rows")));
        }
        if means.is_some_and(|m| m.len() != rows.len()) {
            return Err(Error::new("SHAPE", "one mean a row is needed"));
        }
        let counts = count_at(self.level, packed, self.samples, count, None, threads, job)?;
        let from = self.rows.len();
        for (k, &row) in rows.iter().enumerate() {
            self.rows.push(stats(counts[row as usize], means.map(|m| m[k] - 1.0)));
        }
        while self.segments.len() * TILE < self.rows.len() {
            self.segments.push(try_zeroed(TILE * self.chunks)?);
        }
        let (chunks, samples) = (self.chunks, self.samples);
        with_pool(threads, || {
            self.segments.par_iter_mut().enumerate().skip(from / TILE).for_each(|(s, segment)| {
                for (i, to) in segment.chunks_exact_mut(chunks).enumerate() {
                    if let Some(&row) = (s * TILE + i).checked_sub(from).and_then(|k| rows.get(k)) {
                        fill_row(to, &packed[row as usize * bytes..][..bytes], samples);
                    }
                }
            });
            Ok(())
        })
    }

    /// x'x of a centred column.
    pub fn square(&self, i: usize) -> f64 {
        let r = &self.rows[i];
        r.squares - 2.0 * r.mean * r.sum + r.mean * r.mean * r.calls - r.left * r.left / self.samples as f64
    }

    /// Sum of dosages, missing calls as imputed.
    pub fn total(&self, i: usize) -> f64 {
        let r = &self.rows[i];
        let n = self.samples as f64;
        n + r.sum + r.mean * (n - r.calls)
    }

    /// X'X of the centred columns. Progress counts tiles.
    pub fn gram(&self, threads: usize, job: &Job) -> Result<SquareMatrix> {
        let mut out = SquareMatrix::zeros(self.len())?;
        job.start(tiles::lower(self.len()).len() as u64);
        with_pool(threads, || {
            tiles::for_each_lower(&mut out, |tile, out| {
                let (a, b) = (self.tile(tile.row / TILE), self.tile(tile.col / TILE));
                let found = self.products((self, &a), (self, &b), tile.diagonal(), job)?;
                for i in 0..tile.rows {
                    // SAFETY: this task's own tile.
                    let to = unsafe { out.part(tile.row + i, tile.col, tile.width(i)) };
                    self.entries(&self.rows[tile.row + i], &self.rows[b.clone()], &found, i, to);
                }
                job.advance(1);
                Ok(())
            })?;
            tiles::finish(&mut out, |x| x)
        })?;
        Ok(out)
    }

    /// X'z of the centred columns z of another set of the same people: `out[k * len + i]` is column i's product with
    /// column k of `other`.
    pub fn cross(&self, other: &SnpSet, threads: usize, job: &Job) -> Result<Vec<f64>> {
        if other.samples != self.samples {
            return Err(Error::new("SHAPE", format!("sets of {} and {} people", self.samples, other.samples)));
        }
        let mut data = try_zeroed(self.len() * other.len())?;
        let out = Shared::new(&mut data, self.len());
        let across = self.segments.len();
        with_pool(threads, || {
            (0..across * other.segments.len()).into_par_iter().try_for_each(|t| {
                let (a, b) = (other.tile(t / across), self.tile(t % across));
                let found = self.products((other, &a), (self, &b), false, job)?;
                for (i, row) in other.rows[a.clone()].iter().enumerate() {
                    // SAFETY: this task's own tile.
                    let to = unsafe { out.part(a.start + i, b.start, b.len()) };
                    self.entries(row, &self.rows[b.clone()], &found, i, to);
                }
                Ok(())
            })
        })?;
        Ok(data)
    }

    /// Rows of a segment.
    fn tile(&self, segment: usize) -> Range<usize> {
        segment * TILE..((segment + 1) * TILE).min(self.len())
    }

    fn products(
        &self,
        (first, a): (&SnpSet, &Range<usize>),
        (second, b): (&SnpSet, &Range<usize>),
        diagonal: bool,
        job: &Job,
    ) -> Result<Tile> {
        let gaps = |set: &SnpSet, r: &Range<usize>| set.rows[r.clone()].iter().any(|r| r.calls < set.samples as f64);
        let (left, right) = (
            Side { data: &first.segments[a.start / TILE], rows: a.len(), chunks: self.chunks },
            Side { data: &second.segments[b.start / TILE], rows: b.len(), chunks: self.chunks },
        );
        let mut ee = sums();
        // Without a missing call in the tile the other three are zero: five popcounts fewer a word pair.
        let mut gap = (gaps(first, a) || gaps(second, b)).then(missing_sums);
        for from in (0..self.chunks).step_by(PASS) {
            job.check()?;
            let range = from..(from + PASS).min(self.chunks);
            products(self.level, left, right, range.clone(), diagonal, &mut ee);
            if let Some(gap) = &mut gap {
                missing_products(self.level, left, right, range, gap);
            }
        }
        Ok(Tile { ee, gap })
    }

    /// Row `i` of a tile, as far as `to` goes.
    fn entries(&self, s: &Row, others: &[Row], found: &Tile, i: usize, to: &mut [f64]) {
        let n = self.samples as f64;
        for (j, (to, t)) in to.iter_mut().zip(others).enumerate() {
            let at = i * TILE + j;
            let [me, em, mm] = found.gap.as_ref().map_or([0.0; 3], |g| std::array::from_fn(|k| f64::from(g[k][at])));
            let both = s.calls + t.calls - n + mm;
            *to = f64::from(found.ee[at]) - s.mean * (t.sum - me) - t.mean * (s.sum - em) + s.mean * t.mean * both
                - s.left * t.left / n;
        }
    }

    /// X'a of the columns and `k` vectors a of `samples` values each, which sum to 0, one after the other:
    /// `out[i * k + at]`.
    pub fn dots(&self, vectors: &[f64], k: usize, threads: usize, job: &Job) -> Result<Vec<f64>> {
        if vectors.len() != k * self.samples {
            return Err(Error::new("SHAPE", format!("{k} vectors do not have {} values", vectors.len())));
        }
        let mut out: Vec<f64> = try_zeroed(self.len() * k)?;
        if out.is_empty() {
            return Ok(out);
        }
        let len = self.chunks * BITS;
        let mut padded: Vec<f64> = try_zeroed(k * len)?;
        for (to, from) in padded.chunks_exact_mut(len).zip(vectors.chunks_exact(self.samples)) {
            to[..self.samples].copy_from_slice(from);
        }
        let table = codes();
        with_pool(threads, || {
            out.par_chunks_mut(k).enumerate().try_for_each(|(i, out)| {
                job.check()?;
                let row = &self.segments[i / TILE][i % TILE * self.chunks..][..self.chunks];
                dot_row(row, &table, &padded, out);
                if self.rows[i].calls < self.samples as f64 {
                    missing_dots(row, self.rows[i].mean, &padded, out);
                }
                Ok(())
            })
        })?;
        Ok(out)
    }
}

/// Bytes of a set of `p` SNPs of `n` people.
pub fn snp_set_bytes(n: u64, p: u64) -> u64 {
    p.next_multiple_of(TILE as u64) * n.div_ceil(BITS as u64) * size_of::<Chunk>() as u64
        + p * size_of::<Row>() as u64 * 2
}

struct Tile {
    ee: Sums,
    gap: Option<[Sums; 3]>,
}

fn stats([hom1, het, hom2, missing]: [u32; 4], mean: Option<f64>) -> Row {
    let sum = f64::from(hom1) - f64::from(hom2);
    let calls = f64::from(hom1) + f64::from(het) + f64::from(hom2);
    let mut row = Row { sum, squares: f64::from(hom1) + f64::from(hom2), calls, mean: 0.0, left: 0.0, own: true };
    if calls > 0.0 {
        row.mean = sum / calls;
    }
    // Without missing calls the mean is only what centres the column, and its own does so exactly.
    if let Some(mean) = mean.filter(|&m| missing > 0 && m != row.mean) {
        row = Row { mean, left: sum - mean * calls, own: false, ..row };
    }
    row
}

/// Four codes e by four bits of plane `zero` and four of plane `minus`.
fn codes() -> Box<[[f64; 4]; 256]> {
    let mut table = Box::new([[0.0; 4]; 256]);
    for (at, four) in table.iter_mut().enumerate() {
        for (k, e) in four.iter_mut().enumerate() {
            if at >> (4 + k) & 1 == 0 {
                *e = if at >> k & 1 == 1 { -1.0 } else { 1.0 };
            }
        }
    }
    table
}

/// Σ e a: 16 accumulators in a fixed order; the products are exact, so no instruction set rounds differently.
fn dot_row(row: &[Chunk], table: &[[f64; 4]; 256], vectors: &[f64], out: &mut [f64]) {
    let len = row.len() * BITS;
    for (vector, out) in vectors.chunks_exact(len).zip(out) {
        let mut acc = [[0.0; 4]; 4];
        for (chunk, values) in row.iter().zip(vector.as_chunks::<BITS>().0) {
            for w in 0..8 {
                let (zero, minus) = (chunk.zero[w], chunk.minus[w]);
                for (q, four) in values[w * 64..(w + 1) * 64].as_chunks::<4>().0.iter().enumerate() {
                    let at = (zero >> (4 * q) & 15) << 4 | (minus >> (4 * q) & 15);
                    let e = &table[at as usize];
                    let acc = &mut acc[q % 4];
                    for l in 0..4 {
                        acc[l] += e[l] * four[l];
                    }
                }
            }
        }
        let sum = |a: &[f64; 4]| (a[0] + a[2]) + (a[1] + a[3]);
        *out = (sum(&acc[0]) + sum(&acc[2])) + (sum(&acc[1]) + sum(&acc[3]));
    }
}

/// Adds ν Σ m a.
fn missing_dots(row: &[Chunk], mean: f64, vectors: &[f64], out: &mut [f64]) {
    let len = row.len() * BITS;
    for (vector, out) in vectors.chunks_exact(len).zip(out) {
        let mut sum = 0.0;
        for (chunk, values) in row.iter().zip(vector.as_chunks::<BITS>().0) {
            for w in 0..8 {
                let mut missing = chunk.missing(w);
                while missing != 0 {
                    sum += values[w * 64 + missing.trailing_zeros() as usize];
                    missing &= missing - 1;
                }
            }
        }
        *out += mean * sum;
    }
}
