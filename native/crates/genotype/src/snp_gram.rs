//! Centred mean-imputed X'X of SNPs from exact integers.
//!
//! With e = g − 1 (0 where missing), m = 1 where missing and ν the mean of e over the calls of a SNP, a centred entry is
//! e − ν (1 − m), so X'X = Σ e e' − ν Σ (1 − m) e' − ν' Σ e (1 − m') + ν ν' Σ (1 − m)(1 − m').

use rayon::prelude::*;
use x_dense::SquareMatrix;
use x_simd::{Job, Level, Result, with_pool};

use crate::count::count_at;
use crate::gram::{Side, missing_products, missing_sums, products, sums};
use crate::packed::check_packed;
use crate::planes::{BITS, Planes};
use crate::tiles::{self, TILE};

/// Chunks a pass over a tile, so that both sides stay in L2.
const PASS: usize = 16;

struct Row {
    /// Σ e over the calls.
    sum: f64,
    missing: f64,
    /// Mean of e over the calls; 0 without any.
    mean: f64,
}

/// Centred mean-imputed X'X over the packed rows (`rows × rows`, no division). A row without calls gives zeros. Takes
/// as much again as `packed` for the bit planes. Progress counts tiles.
pub fn snp_gram(packed: &[u8], samples: usize, rows: usize, threads: usize, job: &Job) -> Result<SquareMatrix> {
    snp_gram_at(Level::get(), packed, samples, rows, threads, job)
}

#[doc(hidden)]
pub fn snp_gram_at(
    level: Level,
    packed: &[u8],
    samples: usize,
    rows: usize,
    threads: usize,
    job: &Job,
) -> Result<SquareMatrix> {
    check_packed(packed, samples, rows)?;
    let mut out = SquareMatrix::zeros(rows)?;
    let stats: Vec<Row> = count_at(level, packed, samples, rows, None, threads, job)?.into_iter().map(row).collect();
    job.start(tiles::lower(rows).len() as u64);
    with_pool(threads, || {
        let planes = Planes::from_rows(packed, samples, rows)?;
        let gaps: Vec<bool> = stats.par_chunks(TILE).map(|s| s.iter().any(|r| r.missing > 0.0)).collect();
        let side = |from, count| Side { data: planes.rows(from, count), rows: count, chunks: planes.chunks };
        tiles::for_each_lower(&mut out, |tile, out| {
            let (a, b) = (side(tile.row, tile.rows), side(tile.col, tile.cols));
            let mut ee = sums();
            // Without a missing call in the tile the other three are zero: four popcounts fewer a word pair.
            let mut gap = (gaps[tile.row / TILE] || gaps[tile.col / TILE]).then(missing_sums);
            for from in (0..samples.div_ceil(BITS)).step_by(PASS) {
                job.check()?;
                let range = from..(from + PASS).min(planes.chunks);
                products(level, a, b, range.clone(), tile.diagonal(), &mut ee);
                if let Some(gap) = &mut gap {
                    missing_products(level, a, b, range, gap);
                }
            }
            for i in 0..tile.rows {
                let s = &stats[tile.row + i];
                // SAFETY: this task's own tile.
                let to = unsafe { out.part(tile.row + i, tile.col, tile.width(i)) };
                for (j, (to, t)) in to.iter_mut().zip(&stats[tile.col..]).enumerate() {
                    let at = i * TILE + j;
                    let [me, em, mm] = gap.as_ref().map_or([0.0; 3], |g| std::array::from_fn(|k| f64::from(g[k][at])));
                    let both = samples as f64 - s.missing - t.missing + mm;
                    *to = f64::from(ee[at]) - s.mean * (t.sum - me) - t.mean * (s.sum - em) + s.mean * t.mean * both;
                }
            }
            job.advance(1);
            Ok(())
        })?;
        tiles::finish(&mut out, |x| x)
    })?;
    Ok(out)
}

fn row([hom1, het, hom2, missing]: [u32; 4]) -> Row {
    let sum = f64::from(hom1) - f64::from(hom2);
    let calls = f64::from(hom1) + f64::from(het) + f64::from(hom2);
    Row { sum, missing: f64::from(missing), mean: if calls > 0.0 { sum / calls } else { 0.0 } }
}
