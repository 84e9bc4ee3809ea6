//! Kinship over people, accumulated from streamed blocks of SNPs.
//!
//! A centred mean-imputed entry is e − ν (1 − m) with e = g − 1 (0 where missing), ν = mean − 1 and m = 1 where missing:
//! K p = Σ e e' − Σ ν (e + e') + Σ ν (e m' + m e') − Σ ν² (m + m') + Σ ν² m m' + Σ ν². The first sum is an exact integer
//! from bit planes; the others run over people or over missing calls only.
//!
//! Rows are gathered into fixed blocks of the kept SNPs, so the order of every sum, and with it every byte of the
//! result, does not depend on how the caller cut its blocks, on threads or on the instruction set.

mod means;
mod missing;

use x_dense::SquareMatrix;
use x_simd::{Error, Job, Level, Result, try_zeroed, with_pool};

use crate::gram::{Side, products, sums};
use crate::packed::{check_block, row_bytes};
use crate::planes::{BITS, Planes};
use crate::tiles::{self, TILE};

/// Kept SNPs a block. Part of the result's definition: it fixes where the sums of the mean terms are cut.
pub(crate) const BLOCK: usize = 8192;

pub struct PeopleGram {
    level: Level,
    samples: usize,
    /// Lower triangle, not yet divided.
    k: SquareMatrix,
    /// Packed rows of the current block, each `stride` bytes so that a tile's bytes can always be read whole.
    packed: Vec<u8>,
    stride: usize,
    means: Vec<f64>,
    /// A call ended in the middle of an update.
    broken: bool,
}

fn stride(samples: usize) -> usize {
    samples.div_ceil(TILE) * (TILE / 4)
}

/// Peak bytes of a [`PeopleGram`] over `n` people: the matrix, one block of packed rows and its bit planes. Each thread
/// takes another 320 KiB.
pub fn people_gram_bytes(n: usize) -> f64 {
    let n = n as f64;
    8.0 * n * n + (BLOCK * stride(n as usize)) as f64 + n * (BLOCK / 4) as f64
}

impl PeopleGram {
    pub fn new(samples: usize) -> Result<Self> {
        Self::new_at(Level::get(), samples)
    }

    #[doc(hidden)]
    pub fn new_at(level: Level, samples: usize) -> Result<Self> {
        let stride = stride(samples);
        let k = SquareMatrix::zeros(samples)?;
        Ok(Self { level, samples, k, packed: try_zeroed(BLOCK * stride)?, stride, means: Vec::new(), broken: false })
    }

    /// Adds the SNPs `rows` of the block `packed`; `means` are their dosage means over all non-missing people, one for
    /// each of `rows`. Progress counts SNPs. After a cancelled or failed call only errors follow.
    pub fn add(&mut self, packed: &[u8], rows: &[u32], means: &[f64], threads: usize, job: &Job) -> Result<()> {
        check_block(packed, self.samples, rows, means)?;
        self.usable()?;
        let bytes = row_bytes(self.samples);
        for (&row, &mean) in rows.iter().zip(means) {
            if self.means.len() == BLOCK {
                self.flush(threads, job)?;
            }
            let to = self.means.len() * self.stride;
            self.packed[to..to + bytes].copy_from_slice(&packed[row as usize * bytes..][..bytes]);
            self.means.push(mean);
        }
        Ok(())
    }

    /// The kinship: what was added, divided by `snps`.
    pub fn finish(mut self, snps: u64, threads: usize, job: &Job) -> Result<SquareMatrix> {
        self.usable()?;
        if snps == 0 {
            return Err(Error::new("SHAPE", "a kinship needs at least one SNP"));
        }
        self.flush(threads, job)?;
        let (mut k, divisor) = (self.k, snps as f64);
        with_pool(threads, || tiles::finish(&mut k, |x| x / divisor))?;
        Ok(k)
    }

    fn usable(&self) -> Result<()> {
        match self.broken {
            true => {
                Err(Error::new("STATE", "an earlier call on this kinship was cancelled or failed; start a new one"))
            }
            false => Ok(()),
        }
    }

    fn flush(&mut self, threads: usize, job: &Job) -> Result<()> {
        if self.means.is_empty() || self.samples == 0 {
            return Ok(());
        }
        self.broken = true;
        let Self { level, samples, k, packed, stride, means, .. } = self;
        let (level, samples, stride, count) = (*level, *samples, *stride, means.len());
        for mean in means.iter_mut() {
            *mean -= 1.0;
        }
        let packed = &packed[..count * stride];
        let mut planes = Planes::zeros(samples, count.div_ceil(BITS))?;
        with_pool(threads, || {
            planes.set_people(level, packed, stride, samples, count);
            let terms = means::Terms::new(&planes, means);
            let tables = missing::tables(means);
            let side = |from, count| Side { data: planes.rows(from, count), rows: count, chunks: planes.chunks };
            tiles::for_each_lower(k, |tile, out| {
                job.check()?;
                let (a, b) = (side(tile.row, tile.rows), side(tile.col, tile.cols));
                let mut ee = sums();
                products(level, a, b, 0..planes.chunks, tile.diagonal(), &mut ee);
                let gaps = |side, other: usize, skip: bool| {
                    let source = missing::Source { packed, stride, byte: other / 4, tables: &tables };
                    if skip { None } else { missing::sums(level, side, &source) }
                };
                // By column: sums over the missing calls of column j, for each row i; and the other way round.
                let by_column = gaps(b, tile.row, false);
                let by_row = gaps(a, tile.col, tile.diagonal());
                let by_row = if tile.diagonal() { by_column.as_ref() } else { by_row.as_ref() };
                for i in 0..tile.rows {
                    // SAFETY: this task's own tile.
                    let to = unsafe { out.part(tile.row + i, tile.col, tile.width(i)) };
                    for (j, to) in to.iter_mut().enumerate() {
                        let column = by_column.as_ref().map_or(0.0, |m| m[j * TILE + i]);
                        let row = by_row.map_or(0.0, |m| m[i * TILE + j]);
                        let means = terms.squares - (terms.people[tile.row + i] + terms.people[tile.col + j]);
                        *to += f64::from(ee[i * TILE + j]) + (means + (column + row));
                    }
                }
                Ok(())
            })
        })?;
        job.advance(count as u64);
        self.means.clear();
        self.broken = false;
        Ok(())
    }
}
