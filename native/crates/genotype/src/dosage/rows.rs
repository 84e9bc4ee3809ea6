//! What a filter wants to know about rows of dosages, and the rows of a few people with gaps filled.

use rayon::prelude::*;
use x_simd::{Error, Job, Result, try_zeroed, with_pool};

/// One entry a row, over the people asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DosageCounts {
    /// Near 2 (from 1.5 on), near 1, near 0 (to 0.5) and missing: four a row, as `count` gives them for packed calls.
    pub classes: Vec<[u32; 4]>,
    /// Sum of the dosages.
    pub sum: Vec<f64>,
    /// Are two of them different?
    pub varies: Vec<u8>,
}

/// `values` holds rows of `samples` dosages; `keep` the people that count.
pub fn dosage_counts(values: &[f64], samples: usize, keep: &[u32], threads: usize, job: &Job) -> Result<DosageCounts> {
    check(values, samples, keep)?;
    job.start((values.len() / samples) as u64);
    let rows: Vec<([u32; 4], f64, u8)> = with_pool(threads, || {
        values
            .par_chunks_exact(samples)
            .map(|row| {
                job.check()?;
                job.advance(1);
                Ok(count(keep.iter().map(|&i| row[i as usize])))
            })
            .collect()
    })?;
    let mut out = DosageCounts::default();
    for (classes, sum, varies) in rows {
        out.classes.push(classes);
        out.sum.push(sum);
        out.varies.push(varies);
    }
    Ok(out)
}

fn count(dosages: impl Iterator<Item = f64>) -> ([u32; 4], f64, u8) {
    let (mut classes, mut sum, mut first, mut varies) = ([0; 4], 0.0, f64::NAN, 0);
    for x in dosages {
        if x.is_nan() {
            classes[3] += 1;
            continue;
        }
        classes[if x <= 0.5 { 2 } else { usize::from(x < 1.5) }] += 1;
        sum += x;
        if first.is_nan() {
            first = x;
        } else if x != first {
            varies = 1;
        }
    }
    (classes, sum, varies)
}

/// Rows `rows` for the people `keep`, missing dosages replaced by `means` (one for each of `rows`).
pub fn fill_rows(values: &[f64], samples: usize, keep: &[u32], rows: &[u32], means: &[f64]) -> Result<Vec<f64>> {
    check(values, samples, keep)?;
    if means.len() != rows.len() || rows.iter().any(|&row| row as usize >= values.len() / samples) {
        return Err(Error::new("SHAPE", "rows or means do not match the block of dosages"));
    }
    let mut out: Vec<f64> = try_zeroed(rows.len() * keep.len())?;
    for ((to, &row), &mean) in out.chunks_exact_mut(keep.len().max(1)).zip(rows).zip(means) {
        let from = &values[row as usize * samples..][..samples];
        for (to, &i) in to.iter_mut().zip(keep) {
            let x = from[i as usize];
            *to = if x.is_nan() { mean } else { x };
        }
    }
    Ok(out)
}

fn check(values: &[f64], samples: usize, keep: &[u32]) -> Result<()> {
    if samples == 0 || !values.len().is_multiple_of(samples) || keep.iter().any(|&i| i as usize >= samples) {
        let text = format!("{} dosages are no rows of {samples} people, or a person lies outside", values.len());
        return Err(Error::new("SHAPE", text).with("values", values.len() as f64).with("samples", samples as f64));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_sums_and_variation_of_the_people_asked_for() {
        let x = [0.5, 1.5, f64::NAN, 0.6, 1.0, 1.0, 1.0, f64::NAN];
        let all = dosage_counts(&x, 4, &[0, 1, 2, 3], 2, &Job::default()).unwrap();
        assert_eq!(all.classes, [[1, 1, 1, 1], [0, 3, 0, 1]]);
        assert_eq!((all.sum, all.varies), (vec![2.6, 3.0], vec![1, 0]));
        let one = dosage_counts(&x, 4, &[2], 1, &Job::default()).unwrap();
        assert_eq!((one.classes[0], one.sum[0], one.varies[0]), ([0, 0, 0, 1], 0.0, 0));
        assert_eq!(fill_rows(&x, 4, &[2, 0], &[1, 0], &[9.0, 7.0]).unwrap(), [1.0, 1.0, 7.0, 0.5]);
        assert_eq!(dosage_counts(&x, 3, &[0], 1, &Job::default()).unwrap_err().code, "SHAPE");
        assert_eq!(fill_rows(&x, 4, &[0], &[2], &[1.0]).unwrap_err().code, "SHAPE");
    }
}
