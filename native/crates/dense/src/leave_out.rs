//! The kinship without a part of its variants, from the whole and the part.

use rayon::prelude::*;
use x_simd::{Error, Job, Result, with_pool};

use crate::SquareMatrix;

/// (p W - q K) / (p - q) in place of K: `whole` is a mean over `p` variants, `part` the mean over `q` of them. Every
/// entry by itself, so the result is symmetric as its sources are.
pub fn leave_out(
    whole: &SquareMatrix,
    p: u64,
    part: &mut SquareMatrix,
    q: u64,
    threads: usize,
    job: &Job,
) -> Result<()> {
    if whole.n() != part.n() || q >= p {
        return Err(Error::new(
            "SHAPE",
            format!("{q} of {p} variants cannot be left out of a kinship of {} people", whole.n()),
        ));
    }
    let n = whole.n().max(1);
    let (p, q) = (p as f64, q as f64);
    job.start(n as u64);
    with_pool(threads, || {
        part.data_mut().par_chunks_exact_mut(n).zip(whole.data().par_chunks_exact(n)).try_for_each(|(part, whole)| {
            job.check()?;
            for (k, w) in part.iter_mut().zip(whole) {
                *k = (p * w - q * *k) / (p - q);
            }
            job.advance(1);
            Ok(())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_mean() {
        let matrix = |values: &[f64]| {
            let mut m = SquareMatrix::zeros(2).unwrap();
            m.set_tile(0, 2, 0, 2, values).unwrap();
            m
        };
        // Means over 5 and over 2 of them; the other 3 have the mean below.
        let (whole, mut part) = (matrix(&[3.0, 1.0, 1.0, 2.0]), matrix(&[1.5, 0.25, 0.25, -1.0]));
        leave_out(&whole, 5, &mut part, 2, 2, &Job::default()).unwrap();
        assert_eq!(part.data(), &[4.0, 1.5, 1.5, 4.0]);
        assert_eq!(leave_out(&whole, 2, &mut part, 2, 1, &Job::default()).unwrap_err().code, "SHAPE");
    }
}
