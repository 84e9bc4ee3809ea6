//! Windows of one sample in one iteration: runs of segments, each long enough, neighbours sharing one segment so that
//! every transition lies in a window.

use std::ops::Range;

use x_random::Random;

use crate::graph::Graph;

const SEGMENTS: usize = 4;
const LOCI: u32 = 100;

/// Splits at random places in the middle half for as long as both parts stay long enough.
pub fn split(graph: &Graph, cm: &[f64], shortest: f64, random: &mut Random) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    recurse(graph, cm, shortest, 0..graph.segments.len(), random, &mut out);
    out
}

fn recurse(
    graph: &Graph,
    cm: &[f64],
    shortest: f64,
    range: Range<usize>,
    random: &mut Random,
    out: &mut Vec<Range<usize>>,
) {
    if range.is_empty() {
        return;
    }
    let long = |r: &Range<usize>| {
        let (first, end) = (graph.segments[r.start].first, graph.segments[r.end - 1].end);
        r.len() >= SEGMENTS && end - first >= LOCI && cm[end as usize - 1] - cm[first as usize] >= shortest
    };
    if range.len() >= 2 * SEGMENTS - 1 {
        let middle = range.len() as u64 / 2;
        let at = range.start + range.len() / 4 + random.int(middle.max(1)) as usize;
        let parts = [range.start..at + 1, at..range.end];
        if parts.iter().all(long) {
            parts.into_iter().for_each(|part| recurse(graph, cm, shortest, part, random, out));
            return;
        }
    }
    out.push(range);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Segment;

    #[test]
    fn windows_cover_all_segments_share_one_and_are_long_enough() {
        let segment = |i: u32| Segment { first: 20 * i, end: 20 * i + 20, lanes: 8, oriented: false, from: 0, to: 0 };
        let graph = Graph { segments: (0..100).map(segment).collect(), ..Graph::default() };
        let cm: Vec<f64> = (0..2000).map(|i| f64::from(i) * 0.01).collect();
        for seed in 0..50 {
            let windows = split(&graph, &cm, 4.0, &mut Random::new(seed, 0));
            assert_eq!((windows[0].start, windows[windows.len() - 1].end), (0, 100));
            assert!(windows.len() >= 2);
            assert!(windows.windows(2).all(|w| w[1].start == w[0].end - 1));
            assert!(windows.iter().all(|w| w.len() >= 20));
        }
        assert_eq!(split(&graph, &cm, 40.0, &mut Random::new(1, 0)), [0..100]);
    }
}
