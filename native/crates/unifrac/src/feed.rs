//! Where the branches of a run come from: the walk up the tree, or the logarithms of a table.

use x_simd::Result;

use crate::counts::{ByFeature, Counts};
use crate::metric::Metric;
use crate::pack::Pack;
use crate::walk::{Source, Walk};

/// What sums know of the chosen samples besides branches.
pub struct People {
    pub metric: Metric,
    /// Sum of counts by place.
    pub totals: Vec<f64>,
    /// 1 / total; 0 for a sample without counts.
    pub shares: Vec<f64>,
}

pub struct Feed<'a> {
    pub people: People,
    from: From<'a>,
}

enum From<'a> {
    Branches(Walk<'a>),
    Logs(Logs),
}

struct Logs {
    by_feature: ByFeature,
    features: usize,
    next: usize,
    pseudocount: f64,
    /// Mean logarithm of each sample over all features of the table.
    means: Vec<f64>,
}

impl<'a> Feed<'a> {
    pub fn new(source: &'a Source, metric: Metric, chosen: &[u32]) -> Self {
        let counts = &source.counts;
        let totals: Vec<f64> = chosen.iter().map(|&s| counts.totals[s as usize]).collect();
        let shares = totals.iter().map(|&t| if t > 0.0 { 1.0 / t } else { 0.0 }).collect();
        let from = match metric {
            Metric::Aitchison(pseudocount) => From::Logs(Logs::new(counts, chosen, pseudocount)),
            _ => From::Branches(Walk::new(source, chosen)),
        };
        Self { people: People { metric, totals, shares }, from }
    }

    /// Branches at most, for progress.
    pub fn branches(source: &Source, metric: Metric) -> usize {
        if matches!(metric, Metric::Aitchison(_)) { source.counts.features } else { source.branches.len() }
    }

    /// Fills the pack with the next branches; false when there were none. `own` gets what each adds to the samples' own
    /// sums.
    pub fn fill(&mut self, pack: &mut Pack, own: &mut [f64]) -> Result<bool> {
        pack.clear();
        match &mut self.from {
            From::Branches(walk) => {
                let metric = self.people.metric;
                while !pack.is_full() {
                    let Some((length, samples, counts)) = walk.next() else { break };
                    let (block, branch) = pack.open(length).expect("not full");
                    for (&s, &count) in samples.iter().zip(counts) {
                        let s = s as usize;
                        let total = self.people.totals[s];
                        own[s] += metric.own(length, count, total);
                        pack.put(s, block, branch, metric.value(length, count, total));
                    }
                }
            }
            From::Logs(logs) => logs.fill(pack),
        }
        Ok(!pack.is_empty())
    }
}

impl Logs {
    fn new(counts: &Counts, chosen: &[u32], pseudocount: f64) -> Self {
        let features = counts.features;
        let mean = |&s: &u32| {
            let (_, values) = counts.row(s as usize);
            let absent = (features - values.len()) as f64 * pseudocount.ln();
            (values.iter().map(|v| (v + pseudocount).ln()).sum::<f64>() + absent) / features as f64
        };
        let means = chosen.iter().map(mean).collect();
        Self { by_feature: ByFeature::new(counts, chosen), features, next: 0, pseudocount, means }
    }

    fn fill(&mut self, pack: &mut Pack) {
        let absent = self.pseudocount.ln();
        while self.next < self.features {
            let Some((block, branch)) = pack.open(1.0) else { break };
            let (samples, counts) = self.by_feature.feature(self.next);
            let mut at = 0;
            for (s, mean) in self.means.iter().enumerate() {
                let has = samples.get(at) == Some(&(s as u32));
                let log = if has { (counts[at] + self.pseudocount).ln() } else { absent };
                at += usize::from(has);
                pack.put(s, block, branch, log - mean);
            }
            self.next += 1;
        }
    }
}
