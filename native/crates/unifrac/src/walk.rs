//! Counts below every branch, branch after branch in postorder, never all of them at once.

use crate::branches::Branches;
use crate::counts::{ByFeature, Counts};

/// A table together with the branches above its features.
pub struct Source {
    pub branches: Branches,
    pub counts: Counts,
}

/// Which samples have something below a branch, ascending, and how much.
#[derive(Default)]
struct Below {
    samples: Vec<u32>,
    counts: Vec<f64>,
}

pub struct Walk<'a> {
    branches: &'a Branches,
    by_feature: ByFeature,
    /// Is the branch below another one?
    claimed: Vec<bool>,
    stack: Vec<Below>,
    spare: Vec<Below>,
    current: Below,
    sum: Vec<f64>,
    seen: Vec<bool>,
    at: usize,
}

impl<'a> Walk<'a> {
    /// Of the samples `chosen`, which are numbered by their place there.
    pub fn new(source: &'a Source, chosen: &[u32]) -> Self {
        let branches = &source.branches;
        let mut claimed = vec![false; branches.len()];
        let mut open: Vec<usize> = Vec::new();
        for b in 0..branches.len() {
            let rest = open.len() - branches.kids[b] as usize;
            open.drain(rest..).for_each(|kid| claimed[kid] = true);
            open.push(b);
        }
        Self {
            branches,
            by_feature: ByFeature::new(&source.counts, chosen),
            claimed,
            stack: vec![],
            spare: vec![],
            current: Below::default(),
            sum: vec![0.0; chosen.len()],
            seen: vec![false; chosen.len()],
            at: 0,
        }
    }

    /// Length of the next branch that has a length and a sample below it, the samples, and their counts.
    pub fn next(&mut self) -> Option<(f64, &[u32], &[f64])> {
        while self.at < self.branches.len() {
            let b = self.at;
            self.at += 1;
            let last = std::mem::take(&mut self.current);
            self.spare.push(last);
            let mut below = self.spare.pop().expect("just pushed");
            below.samples.clear();
            below.counts.clear();
            match self.branches.kids[b] as usize {
                0 => {
                    let (samples, counts) = self.by_feature.feature(self.branches.feature[b] as usize);
                    below.samples.extend_from_slice(samples);
                    below.counts.extend_from_slice(counts);
                }
                2 => {
                    let right = self.stack.pop().expect("two kids");
                    let left = self.stack.pop().expect("two kids");
                    merge(&left, &right, &mut below);
                    self.spare.extend([left, right]);
                }
                kids => self.gather(kids, &mut below),
            }
            let length = self.branches.length[b];
            let shown = length > 0.0 && !below.samples.is_empty();
            if self.claimed[b] {
                self.stack.push(below);
            } else {
                self.current = below;
            }
            if shown {
                let below = if self.claimed[b] { self.stack.last().expect("just pushed") } else { &self.current };
                return Some((length, &below.samples, &below.counts));
            }
        }
        None
    }

    /// The sum of the top `kids` of the stack.
    fn gather(&mut self, kids: usize, below: &mut Below) {
        for kid in self.stack.drain(self.stack.len() - kids..) {
            for (&s, &c) in kid.samples.iter().zip(&kid.counts) {
                if !std::mem::replace(&mut self.seen[s as usize], true) {
                    below.samples.push(s);
                }
                self.sum[s as usize] += c;
            }
            self.spare.push(kid);
        }
        below.samples.sort_unstable();
        for &s in &below.samples {
            below.counts.push(std::mem::take(&mut self.sum[s as usize]));
            self.seen[s as usize] = false;
        }
    }
}

fn merge(left: &Below, right: &Below, to: &mut Below) {
    let (mut i, mut j) = (0, 0);
    while i < left.samples.len() || j < right.samples.len() {
        let a = left.samples.get(i).copied().unwrap_or(u32::MAX);
        let b = right.samples.get(j).copied().unwrap_or(u32::MAX);
        let mut count = 0.0;
        if a <= b {
            count += left.counts[i];
            i += 1;
        }
        if b <= a {
            count += right.counts[j];
            j += 1;
        }
        to.samples.push(a.min(b));
        to.counts.push(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Found, parse_newick, prune};

    #[test]
    fn sums_go_up_the_tree() {
        let tree = parse_newick(b"((a:1,b:2,c:0):3,(d:4,e:5):6);", false).unwrap();
        let tips: Vec<u32> = (tree.find(["a", "b", "c", "d", "e"].into_iter()).into_iter())
            .map(|f| if let Found::Tip(n) = f { n } else { panic!("missing") })
            .collect();
        let branches = prune(&tree, &tips, None).unwrap();
        let counts = Counts::new(5, &[0.0, 3.0, 5.0], &[0, 1, 3, 1, 2], &[1.0, 2.0, 3.0, 4.0, 5.0]);
        let source = Source { branches, counts: counts.unwrap() };
        let mut walk = Walk::new(&source, &[1, 0]);
        let mut seen = vec![];
        while let Some((length, samples, counts)) = walk.next() {
            seen.push((length, samples.to_vec(), counts.to_vec()));
        }
        let expected = vec![
            (1.0, vec![1], vec![1.0]),
            (2.0, vec![0, 1], vec![4.0, 2.0]),
            (3.0, vec![0, 1], vec![9.0, 3.0]),
            (4.0, vec![1], vec![3.0]),
            (6.0, vec![1], vec![3.0]),
        ];
        assert_eq!(seen, expected);
    }
}
