//! Every sample cut down to the same number of counts, drawn without replacement.

use rayon::prelude::*;
use x_random::Random;
use x_simd::{Error, Job, Result, with_pool};

use crate::counts::Counts;

/// What is left of the samples, in order: as many entries of each as `lengths` says.
pub struct Rarefied {
    /// The samples that had enough counts.
    pub kept: Vec<u32>,
    pub lengths: Vec<u32>,
    pub indices: Vec<u32>,
    pub values: Vec<f64>,
}

/// Draws `depth` counts of each sample that has as many; sample s draws from the stream `streams[s]`, so what it gets
/// does not depend on the others. `RAREFY_COUNTS` where counts are no whole numbers.
pub fn rarefy(counts: &Counts, depth: u64, seed: u64, streams: &[f64], threads: usize, job: &Job) -> Result<Rarefied> {
    if streams.len() != counts.samples() {
        return Err(Error::new("SHAPE", "a stream a sample is needed"));
    }
    let fractional = |s: &usize| counts.row(*s).1.iter().any(|v| v.fract() != 0.0 || *v >= 4e9);
    if let Some(s) = (0..counts.samples()).find(fractional) {
        let message = "rarefaction draws whole counts; this table holds fractions or counts above 4e9";
        return Err(Error::new("RAREFY_COUNTS", message).with("sample", s as f64));
    }
    let kept: Vec<u32> = (0..counts.samples() as u32).filter(|&s| counts.totals[s as usize] >= depth as f64).collect();
    job.start(kept.len() as u64);
    let rows: Vec<Vec<(u32, f64)>> = with_pool(threads, || {
        kept.par_iter()
            .map(|&s| {
                job.check()?;
                job.advance(1);
                Ok(draw(counts, s as usize, depth, Random::new(seed, streams[s as usize] as u64)))
            })
            .collect()
    })?;
    Ok(Rarefied {
        lengths: rows.iter().map(|r| r.len() as u32).collect(),
        indices: rows.iter().flatten().map(|e| e.0).collect(),
        values: rows.iter().flatten().map(|e| e.1).collect(),
        kept,
    })
}

/// Selection sampling (Knuth, TAOCP 3.4.2, algorithm S), an entry at a time: each count of the sample is taken with the
/// chance that is left.
fn draw(counts: &Counts, sample: usize, depth: u64, mut random: Random) -> Vec<(u32, f64)> {
    let (features, values) = counts.row(sample);
    let (mut left, mut wanted) = (counts.totals[sample] as u64, depth);
    let mut row = Vec::new();
    for (&f, &v) in features.iter().zip(values) {
        let mut taken = 0u64;
        for _ in 0..v as u64 {
            if wanted == 0 {
                break;
            }
            if random.uniform() * (left as f64) < wanted as f64 {
                taken += 1;
                wanted -= 1;
            }
            left -= 1;
        }
        if taken > 0 {
            row.push((f, taken as f64));
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kept_sample_has_the_depth_and_shares_stay_near() {
        let counts =
            Counts::new(3, &[0.0, 3.0, 4.0, 6.0], &[0, 1, 2, 1, 0, 2], &[6000.0, 3000.0, 1000.0, 5.0, 10.0, 40.0]);
        let counts = counts.unwrap();
        let draw = |threads| rarefy(&counts, 50, 1, &[7.0, 8.0, 9.0], threads, &Job::default()).unwrap();
        let (one, two) = (draw(1), draw(2));
        assert_eq!((&one.kept, &one.values), (&two.kept, &two.values));
        assert_eq!(one.kept, [0, 2]);
        assert_eq!(&one.values[one.lengths[0] as usize..], [10.0, 40.0]);
        assert_eq!(one.values.iter().sum::<f64>(), 100.0);
        let many = rarefy(&counts, 5000, 3, &[1.0, 1.0, 1.0], 1, &Job::default()).unwrap();
        assert!((many.values[0] - 3000.0).abs() < 150.0, "{:?}", many.values);
    }

    #[test]
    fn fractions_are_refused() {
        let counts = Counts::new(1, &[0.0, 1.0], &[0], &[0.5]).unwrap();
        assert_eq!(rarefy(&counts, 1, 0, &[0.0], 1, &Job::default()).err().unwrap().code, "RAREFY_COUNTS");
    }
}
