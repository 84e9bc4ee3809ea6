//! Permutational analysis of variance on distances (Anderson, Austral Ecology 2001).

use rayon::prelude::*;
use x_random::Random;
use x_simd::{Error, Job, Result, with_pool};

use crate::store::Distances;

pub struct Permanova {
    pub pseudo_f: f64,
    /// Share of the squared distances that lies between groups.
    pub r2: f64,
    /// (1 + permutations at least as extreme) / (1 + permutations); NaN without permutations.
    pub p: f64,
}

/// `groups[sample]` counts from 0 to `count - 1`. Permutation k is drawn from stream k of the seed, so p does not depend
/// on threads. `GROUPS` where there is nothing to compare.
pub fn permanova(
    distances: &Distances,
    groups: &[u32],
    count: usize,
    permutations: usize,
    seed: u64,
    threads: usize,
    job: &Job,
) -> Result<Permanova> {
    let n = distances.n();
    if groups.len() != n || groups.iter().any(|&g| g as usize >= count) {
        return Err(Error::new("SHAPE", format!("{} groups for {n} samples", groups.len())));
    }
    let mut sizes = vec![0.0; count];
    groups.iter().for_each(|&g| sizes[g as usize] += 1.0);
    if count < 2 || n <= count {
        return Err(Error::new(
            "GROUPS",
            format!("{count} groups of {n} samples: at least two are needed, not all of one sample"),
        ));
    }
    let squares: Vec<Vec<f64>> = (0..n).map(|i| (i + 1..n).map(|j| distances.get(i, j).powi(2)).collect()).collect();
    let total = squares.iter().flatten().sum::<f64>() / n as f64;
    let within = |labels: &[u32]| {
        let mut sums = vec![0.0; count];
        for (i, row) in squares.iter().enumerate() {
            let group = labels[i];
            let same = row.iter().zip(&labels[i + 1..]).map(|(d, &g)| if g == group { *d } else { 0.0 });
            sums[group as usize] += same.sum::<f64>();
        }
        sums.iter().zip(&sizes).map(|(s, size)| s / f64::max(*size, 1.0)).sum::<f64>()
    };
    let inside = within(groups);
    job.start(permutations as u64);
    let extreme = with_pool(threads, || {
        (1..=permutations as u64)
            .into_par_iter()
            .try_fold(
                || 0u64,
                |extreme, k| {
                    job.check()?;
                    let mut labels = groups.to_vec();
                    Random::new(seed, k).shuffle(&mut labels);
                    job.advance(1);
                    // F falls as the sum within groups rises; the same partition sums to the same number but for rounding.
                    Ok(extreme + u64::from(within(&labels) <= inside * (1.0 + 1e-12)))
                },
            )
            .try_reduce(|| 0, |a, b| Ok(a + b))
    })?;
    let between = total - inside;
    Ok(Permanova {
        pseudo_f: (between / (count - 1) as f64) / (inside / (n - count) as f64),
        r2: between / total,
        p: if permutations == 0 { f64::NAN } else { (extreme + 1) as f64 / (permutations + 1) as f64 },
    })
}
