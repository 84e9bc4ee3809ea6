//! U'x for many SNPs at once by the method of the four Russians.
//!
//! For three people and eight eigenvectors the 64 possible sums of their rows of U are tabulated; a SNP then adds one
//! table entry where a matrix product would do 24 multiply-adds. Eight such tables (24 people, six packed bytes) fill
//! 32 KiB of L1. Only additions in a fixed order: the same bytes on every level and for any batch of SNPs. A missing
//! call counts as 0 in the tables; mean × (sum of the rows of the missing people) is added at the end.

mod batch;
mod kernel;

use rayon::prelude::*;
use x_simd::{Job, Level, Result, with_pool};

use crate::packed::{check_block, check_len, prefetch};
use crate::tiles::Shared;
use batch::Batch;
use kernel::Tables;

/// Eigenvectors a strip: one cache line of U.
const STRIP: usize = 8;
/// People a pass over the batch.
const GROUP: usize = 24;
/// SNPs a batch: the tables of a group are built once for all of them, their sums (128 KiB) stay in L2.
const BATCH: usize = 2048;

/// `out[s * n + j] = Σ_i u[i * n + j] x_si` for the SNPs `rows` of the block: x is the dosage, missing calls are `means[s]`
/// (one for each of `rows`), nothing is centred. `u` is row-major, person × eigenvector; `packed` holds rows of exactly
/// these `n` people. Takes 2.7 n KiB and twice 128 KiB a thread. Progress counts SNPs.
#[allow(clippy::too_many_arguments)]
pub fn rotate(
    u: &[f64],
    n: usize,
    packed: &[u8],
    rows: &[u32],
    means: &[f64],
    out: &mut [f64],
    threads: usize,
    job: &Job,
) -> Result<()> {
    rotate_at(u, n, None, packed, rows, means, out, threads, Level::get(), job)
}

/// `rotate` at a given level, with each person's dosage multiplied by `scale` if there is one.
#[allow(clippy::too_many_arguments)]
pub fn rotate_at(
    u: &[f64],
    n: usize,
    scale: Option<&[f64]>,
    packed: &[u8],
    rows: &[u32],
    means: &[f64],
    out: &mut [f64],
    threads: usize,
    level: Level,
    job: &Job,
) -> Result<()> {
    check_block(packed, n, rows, means)?;
    check_len("u", u.len(), n * n)?;
    check_len("out", out.len(), rows.len() * n)?;
    check_len("scale", scale.map_or(n, <[f64]>::len), n)?;
    let u = Vectors { u, n, scale };
    if n == 0 {
        return Ok(());
    }
    with_pool(threads, || {
        for ((rows, means), out) in rows.chunks(BATCH).zip(means.chunks(BATCH)).zip(out.chunks_mut(BATCH * n)) {
            let batch = Batch::new(packed, n, rows);
            let out = Shared::new(out, n);
            (0..n.div_ceil(STRIP)).into_par_iter().try_for_each_init(
                || Strip::new(rows.len()),
                |strip, j| {
                    job.check()?;
                    strip.run(level, u, j * STRIP, &batch);
                    strip.store(u, j * STRIP, &batch, means, &out);
                    Ok(())
                },
            )?;
            job.advance(rows.len() as u64);
        }
        Ok(())
    })
}

/// Eight values on a cache line of their own.
#[derive(Clone, Copy, Default)]
#[repr(C, align(64))]
struct Lane([f64; STRIP]);

/// What one thread needs for one strip of eigenvectors.
struct Strip {
    tables: Box<Tables>,
    sums: Vec<Lane>,
}

impl Strip {
    fn new(snps: usize) -> Self {
        Self { tables: Box::default(), sums: vec![Lane::default(); snps] }
    }

    fn run(&mut self, level: Level, u: Vectors, first: usize, batch: &Batch) {
        let n = u.n;
        self.sums.fill(Lane::default());
        for (g, codes) in batch.codes.chunks_exact(self.sums.len()).enumerate() {
            let mut people = [Lane::default(); GROUP];
            for (person, lane) in (g * GROUP..n).zip(&mut people) {
                *lane = u.row(person, first);
            }
            self.tables.set(level, &people);
            // The rows of U lie pages apart: no hardware prefetcher finds the next ones.
            for person in ((g + 1) * GROUP..n).take(GROUP) {
                prefetch(u.u, person * n + first, STRIP);
            }
            self.tables.add(level, codes, &mut self.sums);
        }
    }

    /// Adds the missing calls and writes the strip's columns of `out`.
    fn store(&self, u: Vectors, first: usize, batch: &Batch, means: &[f64], out: &Shared) {
        let width = STRIP.min(u.n - first);
        for (s, (sum, mean)) in self.sums.iter().zip(means).enumerate() {
            let mut value = *sum;
            let missing = batch.missing(s);
            if !missing.is_empty() {
                let mut total = Lane::default();
                for &person in missing {
                    let lane = u.row(person as usize, first);
                    total.0.iter_mut().zip(lane.0).for_each(|(t, x)| *t += x);
                }
                value.0.iter_mut().zip(total.0).for_each(|(v, t)| *v += mean * t);
            }
            // SAFETY: each task owns its strip of columns.
            let to = unsafe { out.part(s, first, width) };
            // A whole line is one store; only the last strip needs a call.
            match to.first_chunk_mut() {
                Some(line) => *line = value.0,
                None => to.copy_from_slice(&value.0[..width]),
            }
        }
    }
}

/// The eigenvectors, row-major, and a factor for each person's row.
#[derive(Clone, Copy)]
struct Vectors<'a> {
    u: &'a [f64],
    n: usize,
    scale: Option<&'a [f64]>,
}

impl Vectors<'_> {
    /// Eight values of a row; those past its end are zero.
    #[inline(always)]
    fn row(&self, person: usize, first: usize) -> Lane {
        let n = self.n;
        let row = &self.u[person * n..][..n];
        let mut lane = match row[first..].first_chunk() {
            Some(eight) => Lane(*eight),
            None => {
                let mut lane = Lane::default();
                lane.0[..n - first].copy_from_slice(&row[first..]);
                lane
            }
        };
        if let Some(scale) = self.scale {
            lane.0.iter_mut().for_each(|x| *x *= scale[person]);
        }
        lane
    }
}
