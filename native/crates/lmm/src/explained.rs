//! GEMMA's r² test: how much of a variant the covariates explain.

use rayon::prelude::*;
use x_simd::{Error, Job, Result, try_zeroed, with_pool};

use crate::design::Design;

/// Bytes of decoded genotypes held at once.
const TILE_BYTES: usize = 8 << 20;

/// Rows of genotypes of all people of a file.
#[derive(Clone, Copy)]
pub enum Genotypes<'a> {
    Packed(&'a [u8]),
    /// NaN where missing.
    Dosages(&'a [f64]),
}

/// x'W (W'W)^-1 W'x / x'x of the uncentred dosages x of each of `rows` among the people `keep`; `means[i]` replaces missing
/// calls of `rows[i]`, `w` has `c` columns of these people. Errors: DF, COVAR_RANK (`column`), SHAPE, ALLOC.
#[allow(clippy::too_many_arguments)]
pub fn explained_by_covariates(
    genotypes: Genotypes,
    samples: usize,
    keep: &[u32],
    rows: &[u32],
    means: &[f64],
    w: &[f64],
    c: usize,
    threads: usize,
    job: &Job,
) -> Result<Vec<f64>> {
    let n = keep.len();
    let design = Design::new(w, n, c, n)?;
    let tile = (TILE_BYTES / (8 * n)).max(1);
    let mut out = Vec::with_capacity(rows.len());
    for (rows, means) in rows.chunks(tile).zip(means.chunks(tile)) {
        let mut x = match genotypes {
            Genotypes::Dosages(values) => x_genotype::fill_rows(values, samples, keep, rows, means)?,
            Genotypes::Packed(packed) => decoded(packed, samples, keep, rows, threads, job)?,
        };
        let shares: Vec<f64> = with_pool(threads, || {
            let rows = x.par_chunks_mut(n).zip(means);
            Ok(rows.map(|(x, &mean)| share(&design, x, mean)).collect())
        })?;
        out.extend(shares);
    }
    Ok(out)
}

/// Dosages of the people `keep`, NaN where missing.
fn decoded(packed: &[u8], samples: usize, keep: &[u32], rows: &[u32], threads: usize, job: &Job) -> Result<Vec<f64>> {
    let bytes = x_genotype::row_bytes(samples);
    let mut chosen = Vec::with_capacity(rows.len() * bytes);
    for &row in rows {
        let from = row as usize * bytes;
        let row = packed.get(from..from + bytes);
        chosen.extend_from_slice(row.ok_or_else(|| Error::new("SHAPE", "a row outside the block"))?);
    }
    let kept = x_genotype::subset(&chosen, samples, rows.len(), keep, threads, job)?;
    let mut out = try_zeroed(rows.len() * keep.len())?;
    x_genotype::decode_f64(&kept, keep.len(), rows.len(), &mut out, threads, job)?;
    Ok(out)
}

fn share(design: &Design, x: &mut [f64], mean: f64) -> f64 {
    x.iter_mut().filter(|x| x.is_nan()).for_each(|x| *x = mean);
    let dot = |a: &[f64]| a.iter().zip(&*x).map(|(a, x)| a * x).sum::<f64>();
    design.q.iter().map(|q| dot(q).powi(2)).sum::<f64>() / dot(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_explained_and_missing_calls_are_its_mean() {
        let job = Job::default();
        // Calls of six people, 3 = missing.
        let code = |calls: &[u8]| -> Vec<u8> {
            let mut out = vec![0; calls.len().div_ceil(4)];
            for (i, &call) in calls.iter().enumerate() {
                out[i / 4] |= [3u8, 2, 0, 1][usize::from(call)] << (2 * (i % 4));
            }
            out
        };
        let rows = [code(&[2, 3, 0, 1, 0, 2]), code(&[1, 0, 0, 2, 1, 1])].concat();
        let keep = [0, 1, 3, 4, 5];
        // Ones, and what the first row is among these people, its mean 1.25 where the call is missing.
        let first = [2.0, 1.25, 1.0, 0.0, 2.0];
        let w = [[1.0; 5], first].concat();
        let found =
            |genotypes| explained_by_covariates(genotypes, 6, &keep, &[0, 1], &[1.25, 1.0], &w, 2, 2, &job).unwrap();
        let shares = found(Genotypes::Packed(&rows));
        assert!((shares[0] - 1.0).abs() < 1e-15);
        // The second by hand: regression of 1, 0, 2, 1, 1 on both columns.
        let x = [1.0, 0.0, 2.0, 1.0, 1.0];
        let (sx, sf) = (x.iter().sum::<f64>(), first.iter().sum::<f64>());
        let (xf, ff) = (0..5).fold((0.0, 0.0), |(a, b), i| (a + x[i] * first[i], b + first[i] * first[i]));
        let explained = sx * sx / 5.0 + (xf - sx * sf / 5.0).powi(2) / (ff - sf * sf / 5.0);
        assert!((shares[1] - explained / 7.0).abs() < 1e-15);
        let nan = f64::NAN;
        let dosages = [2.0, nan, 0.0, 1.0, 0.0, 2.0, 1.0, 0.0, 0.0, 2.0, 1.0, 1.0];
        assert_eq!(found(Genotypes::Dosages(&dosages)), shares);
        let outside = explained_by_covariates(Genotypes::Packed(&rows), 6, &keep, &[2], &[1.0], &w, 2, 1, &job);
        assert_eq!(outside.unwrap_err().code, "SHAPE");
    }
}
