//! One regression or classification tree (Breiman et al. 1984), grown to the end.

use x_random::Random;

use crate::forest::{Data, ForestOptions};

struct Node {
    feature: u32,
    threshold: f64,
    /// Children, or where the leaf's values begin and 0.
    left: u32,
    right: u32,
}

pub struct Tree {
    nodes: Vec<Node>,
    values: Vec<f64>,
}

struct Split {
    feature: usize,
    threshold: f64,
    gain: f64,
}

/// Scratch of one tree.
struct Grower<'a> {
    data: &'a Data<'a>,
    options: &'a ForestOptions,
    random: Random,
    features: Vec<u32>,
    sorted: Vec<(f64, u32)>,
    left: Vec<f64>,
}

impl Tree {
    /// Grows a tree on `rows`, which may repeat; `importance` gets the impurity each feature took away.
    pub fn grow(
        data: &Data,
        options: &ForestOptions,
        random: Random,
        rows: &mut [u32],
        importance: &mut [f64],
    ) -> Self {
        let mut grower = Grower {
            data,
            options,
            random,
            features: (0..data.p as u32).collect(),
            sorted: Vec::with_capacity(rows.len()),
            left: vec![0.0; data.outputs],
        };
        let mut tree = Tree { nodes: vec![], values: vec![] };
        // Where a node's rows begin and end, and which pointer of its parent waits for its number.
        let mut open = vec![(0, rows.len(), usize::MAX, false)];
        while let Some((from, to, parent, right)) = open.pop() {
            let number = tree.nodes.len() as u32;
            if parent != usize::MAX {
                let parent: &mut Node = &mut tree.nodes[parent];
                *(if right { &mut parent.right } else { &mut parent.left }) = number;
            }
            let sums = grower.sums(&rows[from..to]);
            match grower.best_split(&rows[from..to], &sums) {
                Some(split) => {
                    importance[split.feature] += split.gain;
                    let middle =
                        from + partition(&mut rows[from..to], |r| data.at(r, split.feature) <= split.threshold);
                    let at = tree.nodes.len();
                    tree.nodes.push(Node {
                        feature: split.feature as u32,
                        threshold: split.threshold,
                        left: 0,
                        right: 0,
                    });
                    open.push((middle, to, at, true));
                    open.push((from, middle, at, false));
                }
                None => {
                    let at = tree.values.len() as u32;
                    tree.values.extend(sums.iter().map(|s| s / (to - from) as f64));
                    tree.nodes.push(Node { feature: u32::MAX, threshold: 0.0, left: at, right: 0 });
                }
            }
        }
        tree
    }

    /// The leaf's mean, or its share of every class.
    pub fn predict<'a>(&'a self, row: &[f64], outputs: usize) -> &'a [f64] {
        let mut node = &self.nodes[0];
        while node.feature != u32::MAX {
            let left = row[node.feature as usize] <= node.threshold;
            node = &self.nodes[if left { node.left } else { node.right } as usize];
        }
        &self.values[node.left as usize..node.left as usize + outputs]
    }
}

impl Grower<'_> {
    /// Sum of the targets, or how many of every class.
    fn sums(&self, rows: &[u32]) -> Vec<f64> {
        let mut sums = vec![0.0; self.data.outputs];
        rows.iter().for_each(|&r| self.add(&mut sums, r, 1.0));
        sums
    }

    fn add(&self, sums: &mut [f64], row: u32, sign: f64) {
        let y = self.data.y[row as usize];
        if self.data.classes > 0 { sums[y as usize] += sign } else { sums[0] += sign * y }
    }

    /// Features are drawn until enough that vary were looked at, as scikit-learn does; at least one that splits.
    fn best_split(&mut self, rows: &[u32], sums: &[f64]) -> Option<Split> {
        let n = rows.len();
        let first = self.data.y[rows[0] as usize];
        if n < 2 * self.options.min_leaf || rows.iter().all(|&r| self.data.y[r as usize] == first) {
            return None;
        }
        let before = square(sums) / n as f64;
        let mut best: Option<Split> = None;
        let (mut drawn, mut looked) = (0, 0);
        while drawn < self.features.len() && (looked < self.options.features || best.is_none()) {
            let pick = drawn + self.random.int((self.features.len() - drawn) as u64) as usize;
            self.features.swap(drawn, pick);
            let feature = self.features[drawn] as usize;
            drawn += 1;
            let Some((least, most)) = self.range(rows, feature) else { continue };
            looked += 1;
            let found = if self.options.random_thresholds {
                let threshold = least + (most - least) * self.random.uniform();
                self.at_threshold(rows, feature, threshold.min(below(most)), sums)
            } else {
                self.exhaustive(rows, feature, sums)
            };
            if let Some((threshold, score)) = found {
                let gain = score - before;
                if best.as_ref().is_none_or(|b| gain > b.gain) {
                    best = Some(Split { feature, threshold, gain });
                }
            }
        }
        best
    }

    fn range(&self, rows: &[u32], feature: usize) -> Option<(f64, f64)> {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for &r in rows {
            let x = self.data.at(r, feature);
            least = least.min(x);
            most = most.max(x);
        }
        (least < most).then_some((least, most))
    }

    fn score(&self, left: &[f64], count: usize, sums: &[f64], n: usize) -> Option<f64> {
        if count < self.options.min_leaf || n - count < self.options.min_leaf {
            return None;
        }
        let right: f64 = sums.iter().zip(left).map(|(s, l)| (s - l) * (s - l)).sum();
        Some(square(left) / count as f64 + right / (n - count) as f64)
    }

    fn at_threshold(&mut self, rows: &[u32], feature: usize, threshold: f64, sums: &[f64]) -> Option<(f64, f64)> {
        let mut left = std::mem::take(&mut self.left);
        left.fill(0.0);
        let mut count = 0;
        for &r in rows {
            if self.data.at(r, feature) <= threshold {
                self.add(&mut left, r, 1.0);
                count += 1;
            }
        }
        let score = self.score(&left, count, sums, rows.len());
        self.left = left;
        score.map(|s| (threshold, s))
    }

    fn exhaustive(&mut self, rows: &[u32], feature: usize, sums: &[f64]) -> Option<(f64, f64)> {
        let mut sorted = std::mem::take(&mut self.sorted);
        let mut left = std::mem::take(&mut self.left);
        sorted.clear();
        sorted.extend(rows.iter().map(|&r| (self.data.at(r, feature), r)));
        sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        left.fill(0.0);
        let mut best: Option<(f64, f64)> = None;
        for at in 1..sorted.len() {
            self.add(&mut left, sorted[at - 1].1, 1.0);
            let (low, high) = (sorted[at - 1].0, sorted[at].0);
            if low == high {
                continue;
            }
            if let Some(score) = self.score(&left, at, sums, rows.len())
                && best.is_none_or(|(_, b)| score > b)
            {
                let middle = low + (high - low) / 2.0;
                best = Some((if middle < high { middle } else { low }, score));
            }
        }
        (self.sorted, self.left) = (sorted, left);
        best
    }
}

/// The next number towards zero or minus infinity: a threshold there leaves something on the right.
fn below(x: f64) -> f64 {
    x.next_down()
}

fn square(sums: &[f64]) -> f64 {
    sums.iter().map(|s| s * s).sum()
}

/// Rows that belong left come first; both sides keep no order that matters.
fn partition(rows: &mut [u32], left: impl Fn(u32) -> bool) -> usize {
    let mut middle = 0;
    for at in 0..rows.len() {
        if left(rows[at]) {
            rows.swap(middle, at);
            middle += 1;
        }
    }
    middle
}
