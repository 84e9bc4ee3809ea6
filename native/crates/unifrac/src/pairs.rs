//! Chosen pairs only: a batch of them, or one sample against many.

use rayon::prelude::*;
use x_simd::{Error, Job, Result, with_pool};

use crate::feed::Feed;
use crate::kernel::add_pair;
use crate::metric::Metric;
use crate::pack::Pack;
use crate::walk::Source;

/// Distance of each pair of samples `pairs[2k], pairs[2k + 1]`, the same bits as in the matrix of all. Only the samples
/// named are looked at.
pub fn pairs(source: &Source, metric: Metric, pairs: &[u32], threads: usize, job: &Job) -> Result<Vec<f64>> {
    let samples = source.counts.samples();
    if let Some(&bad) = pairs.iter().find(|&&s| s as usize >= samples) {
        return Err(Error::new("SHAPE", format!("there is no sample {bad} among {samples}")));
    }
    let mut chosen = pairs.to_vec();
    chosen.sort_unstable();
    chosen.dedup();
    let mut place = vec![0; samples];
    chosen.iter().enumerate().for_each(|(at, &s)| place[s as usize] = at);
    with_pool(threads, || {
        let mut feed = Feed::new(source, metric, &chosen);
        let mut pack = Pack::new(chosen.len(), metric, false)?;
        let mut own = vec![0.0; chosen.len()];
        let mut sums = vec![(0.0, 0.0); pairs.len() / 2];
        job.start(Feed::branches(source, metric) as u64);
        while feed.fill(&mut pack, &mut own)? {
            job.check()?;
            let (pack, people) = (&pack, &feed.people);
            (sums.par_iter_mut().zip(pairs.par_chunks_exact(2))).with_min_len(16).for_each(|(to, pair)| {
                add_pair(pack, people, place[pair[0] as usize], place[pair[1] as usize], to);
            });
            job.advance((pack.filled() * 64) as u64);
        }
        Ok((sums.iter().zip(pairs.chunks_exact(2)))
            .map(|(&(sum, second), pair)| {
                let (i, j) = (place[pair[0] as usize], place[pair[1] as usize]);
                if i == j { 0.0 } else { metric.finish(sum, second, own[i], own[j]) }
            })
            .collect())
    })
}
