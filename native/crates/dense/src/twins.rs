//! Pairs of people whose rows of a kinship are the same: one person twice, or identical twins.

use rayon::prelude::*;
use x_simd::{Error, Job, Result, with_pool};

use crate::SquareMatrix;

/// A pair and its distance (k_ii + k_jj − 2 k_ij) / ((k_ii + k_jj) / 2): 0 for one person twice, about 1 for a child and
/// a parent, about 2 for strangers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    pub first: u32,
    pub second: u32,
    pub distance: f64,
}

/// Pairs among `keep` (rows of `k`, ascending) nearer than `limit`, by row; at most `most` of them, and how many there
/// are in all.
pub fn twins(
    k: &SquareMatrix,
    keep: &[u32],
    limit: f64,
    most: usize,
    threads: usize,
    job: &Job,
) -> Result<(Vec<Pair>, u64)> {
    if keep.iter().any(|&i| i as usize >= k.n()) {
        return Err(Error::new("SHAPE", format!("a person lies outside a matrix of {} rows", k.n())));
    }
    job.start(keep.len() as u64);
    let found: Vec<(Vec<Pair>, u64)> = with_pool(threads, || {
        (0..keep.len())
            .into_par_iter()
            .map(|b| {
                job.check()?;
                job.advance(1);
                Ok(near(k, &keep[..=b], limit, most))
            })
            .collect()
    })?;
    let count = found.iter().map(|f| f.1).sum();
    Ok((found.into_iter().flat_map(|f| f.0).take(most).collect(), count))
}

/// Pairs of the last of these people with those before.
fn near(k: &SquareMatrix, people: &[u32], limit: f64, most: usize) -> (Vec<Pair>, u64) {
    let (mut pairs, mut count) = (Vec::new(), 0);
    let Some((&second, before)) = people.split_last() else { return (pairs, count) };
    let row = k.row(second as usize);
    let own = row[second as usize];
    for &first in before {
        let sum = own + k.row(first as usize)[first as usize];
        let distance = (sum - 2.0 * row[first as usize]) / (sum / 2.0);
        if sum > 0.0 && distance < limit {
            count += 1;
            if pairs.len() < most {
                pairs.push(Pair { first, second, distance });
            }
        }
    }
    (pairs, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_twice_is_found_and_a_sibling_is_not() {
        let mut k = SquareMatrix::zeros(5).unwrap();
        for i in 0..5 {
            k.data_mut()[i * 6] = 1.0 + i as f64 / 10.0;
        }
        for (i, j, x) in [(0, 3, 1.14), (1, 2, 0.55), (2, 4, 1.29)] {
            k.data_mut()[i * 5 + j] = x;
            k.data_mut()[j * 5 + i] = x;
        }
        let all = [0, 1, 2, 3, 4];
        let (pairs, count) = twins(&k, &all, 0.05, 9, 2, &Job::default()).unwrap();
        assert_eq!((pairs.iter().map(|p| (p.first, p.second)).collect::<Vec<_>>(), count), (vec![(0, 3), (2, 4)], 2));
        assert!((pairs[0].distance - 0.02 / 1.15).abs() < 1e-12);
        assert_eq!(twins(&k, &all, 0.05, 1, 1, &Job::default()).unwrap().0.len(), 1);
        assert_eq!(twins(&k, &[1, 2, 3], 0.05, 9, 1, &Job::default()).unwrap().1, 0);
        assert_eq!(twins(&k, &[5], 0.05, 9, 1, &Job::default()).unwrap_err().code, "SHAPE");
    }
}
