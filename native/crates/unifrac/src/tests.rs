//! All routes against the formulas written out, on random tables and trees.

use x_random::Random;
use x_simd::Job;

use crate::*;

const FEATURES: usize = 150;

/// A random tree as text over tips f0…, with a stem, a chain, a polytomy and a length at the root.
fn newick(random: &mut Random) -> String {
    let mut parts: Vec<String> = (0..FEATURES).map(|f| format!("f{f}:{}", random.uniform())).collect();
    while parts.len() > 4 {
        let a = parts.swap_remove(random.int(parts.len() as u64) as usize);
        let b = parts.swap_remove(random.int(parts.len() as u64) as usize);
        parts.push(format!("({a},{b}):{}", random.uniform()));
    }
    format!("((({}):0.5):0.25,unused:1):9;", parts.join(","))
}

fn source(samples: usize, seed: u64) -> Source {
    let mut random = Random::new(seed, 0);
    let tree = parse_newick(newick(&mut random).as_bytes(), false).unwrap();
    let names: Vec<String> = (0..FEATURES).map(|f| format!("f{f}")).collect();
    let tip = |f| if let Found::Tip(t) = f { t } else { panic!("missing") };
    let tips: Vec<u32> = tree.find(names.iter().map(String::as_str)).into_iter().map(tip).collect();
    let (mut indptr, mut indices, mut values) = (vec![0.0], vec![], vec![]);
    for s in 0..samples {
        for f in 0..FEATURES as u32 {
            // Sample 7 is sample 3 again, sample 5 is empty.
            let who = if s == 7 { 3 } else { s };
            let draw = Random::at(seed, 1, (who * FEATURES + f as usize) as u64 * 4).int(6);
            if draw < 2 && s != 5 {
                indices.push(f);
                values.push((1 + draw * 17 + u64::from(f)) as f64);
            }
        }
        indptr.push(values.len() as f64);
    }
    let counts = Counts::new(FEATURES, &indptr, &indices, &values).unwrap();
    Source { branches: prune(&tree, &tips, None).unwrap(), counts }
}

/// Length and everybody's counts, branch after branch.
fn embedded(source: &Source) -> Vec<(f64, Vec<f64>)> {
    let n = source.counts.samples();
    let mut stack: Vec<Vec<f64>> = vec![];
    let mut all = vec![];
    for b in 0..source.branches.len() {
        let mut below = vec![0.0; n];
        if source.branches.kids[b] == 0 {
            for (s, to) in below.iter_mut().enumerate() {
                let (features, values) = source.counts.row(s);
                *to = features.binary_search(&source.branches.feature[b]).map_or(0.0, |at| values[at]);
            }
        }
        for kid in stack.split_off(stack.len() - source.branches.kids[b] as usize) {
            below.iter_mut().zip(kid).for_each(|(to, x)| *to += x);
        }
        all.push((source.branches.length[b], below.clone()));
        stack.push(below);
    }
    all
}

fn by_formula(source: &Source, metric: Metric, i: usize, j: usize) -> f64 {
    let t = &source.counts.totals;
    let (mut num, mut den) = (0.0, 0.0);
    if let Metric::Aitchison(pseudocount) = metric {
        let logs = |s: usize| -> Vec<f64> {
            let (features, values) = source.counts.row(s);
            let log = |f: u32| (features.binary_search(&f).map_or(0.0, |at| values[at]) + pseudocount).ln();
            let all: Vec<f64> = (0..FEATURES as u32).map(log).collect();
            let mean = all.iter().sum::<f64>() / FEATURES as f64;
            all.iter().map(|x| x - mean).collect()
        };
        return logs(i).iter().zip(logs(j)).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    }
    for (l, below) in embedded(source) {
        let (a, b) = (below[i], below[j]);
        let (p, q) = (if t[i] > 0.0 { a / t[i] } else { 0.0 }, if t[j] > 0.0 { b / t[j] } else { 0.0 });
        let (either, both) = (a > 0.0 || b > 0.0, a > 0.0 && b > 0.0);
        if !either {
            continue;
        }
        let variance = (a + b) * (t[i] + t[j] - a - b);
        let (x, y) = match metric {
            Metric::Unweighted => (f64::from(!both), 1.0),
            Metric::Weighted => ((p - q).abs(), 0.0),
            Metric::WeightedNormalized => ((p - q).abs(), p + q),
            Metric::Generalized(alpha) => ((p + q).powf(alpha - 1.0) * (p - q).abs(), (p + q).powf(alpha)),
            Metric::BrayCurtis => ((a - b).abs(), a + b),
            _ if variance == 0.0 => (0.0, 0.0),
            Metric::UnweightedAdjusted => (f64::from(!both) / variance.sqrt(), 1.0 / variance.sqrt()),
            _ => ((p - q).abs() / variance.sqrt(), (p + q) / variance.sqrt()),
        };
        num += l * x;
        den += l * y;
    }
    match metric {
        Metric::Weighted => num,
        _ if den == 0.0 => 0.0,
        _ => num / den,
    }
}

const METRICS: [Metric; 9] = [
    Metric::Unweighted,
    Metric::Weighted,
    Metric::WeightedNormalized,
    Metric::Generalized(0.5),
    Metric::Generalized(0.25),
    Metric::Generalized(0.0),
    Metric::UnweightedAdjusted,
    Metric::WeightedNormalizedAdjusted,
    Metric::Aitchison(1.0),
];

fn everyone(source: &Source) -> Vec<u32> {
    (0..source.counts.samples() as u32).collect()
}

fn bits(d: &Distances) -> Vec<u64> {
    d.square().unwrap().data().iter().map(|x| x.to_bits()).collect()
}

#[test]
fn every_metric_is_its_formula() {
    let source = source(70, 1);
    for metric in METRICS {
        let d = distances(&source, metric, &everyone(&source), false, 2, &Job::default()).unwrap();
        for (i, j) in [(0, 1), (3, 7), (2, 5), (5, 69), (31, 32), (63, 64), (68, 69)] {
            let (found, expected) = (d.get(i, j), by_formula(&source, metric, i, j));
            assert!((found - expected).abs() < 1e-13, "{metric:?} {i} {j}: {found} {expected}");
            assert_eq!(found, d.get(j, i));
        }
        assert_eq!(d.get(3, 7), 0.0, "{metric:?}: two samples alike");
    }
}

#[test]
fn tables_without_a_tree() {
    let mut source = source(40, 2);
    source.branches = Branches::star(FEATURES);
    for metric in [Metric::Unweighted, Metric::BrayCurtis] {
        let d = distances(&source, metric, &everyone(&source), false, 1, &Job::default()).unwrap();
        for (i, j) in [(0, 1), (5, 6), (30, 39)] {
            assert!((d.get(i, j) - by_formula(&source, metric, i, j)).abs() < 1e-14, "{metric:?}");
        }
    }
}

#[test]
fn threads_stripes_and_pairs_give_the_same_bits() {
    for n in [66, 67] {
        let source = source(n, 3);
        let all = everyone(&source);
        for metric in METRICS {
            let whole = distances(&source, metric, &all, false, 1, &Job::default()).unwrap();
            let again = distances(&source, metric, &all, false, 3, &Job::default()).unwrap();
            assert_eq!(bits(&whole), bits(&again));
            let count = stripe_count(n);
            let parts: Vec<Stripes> = [(7, count), (0, 2), (2, 7)]
                .map(|(from, to)| stripes(&source, metric, &all, from, to, 2, &Job::default()).unwrap())
                .into();
            let lines: Vec<(usize, &[f64])> = parts.iter().map(|p| (p.from, &p.values[..])).collect();
            assert_eq!(bits(&whole), bits(&merge_stripes(&lines, n).unwrap()), "{metric:?}");
            let asked: Vec<u32> = (0..n as u32).flat_map(|i| [i, (i * 7 + 3) % n as u32]).collect();
            let some = pairs(&source, metric, &asked, 2, &Job::default()).unwrap();
            for (d, pair) in some.iter().zip(asked.chunks(2)) {
                assert_eq!(d.to_bits(), whole.get(pair[0] as usize, pair[1] as usize).to_bits(), "{metric:?} {pair:?}");
            }
        }
    }
}

#[test]
fn single_precision_and_subsets() {
    let source = source(50, 4);
    let chosen = [9, 3, 7, 49];
    for metric in METRICS {
        let whole = distances(&source, metric, &everyone(&source), false, 1, &Job::default()).unwrap();
        let some = distances(&source, metric, &chosen, true, 1, &Job::default()).unwrap();
        assert!(some.is_f32());
        for i in 0..4 {
            for j in 0..4 {
                let exact = whole.get(chosen[i] as usize, chosen[j] as usize);
                assert!((some.get(i, j) - exact).abs() <= 1e-6 * f64::max(1.0, exact), "{metric:?}");
            }
        }
        assert_eq!(some.get(1, 2), 0.0);
    }
}

#[test]
fn parts_that_do_not_make_a_whole_are_refused_and_a_cancelled_run_stops() {
    let source = source(10, 5);
    let all = everyone(&source);
    let part = stripes(&source, Metric::Weighted, &all, 0, 3, 1, &Job::default()).unwrap();
    let code = |parts: &[(usize, &[f64])]| merge_stripes(parts, 10).err().map(|e| e.details[0].1);
    assert_eq!(code(&[(0, &part.values)]), Some(3.0));
    assert_eq!(code(&[(0, &part.values), (2, &part.values)]), Some(2.0));
    assert_eq!(stripes(&source, Metric::Weighted, &all, 3, 6, 1, &Job::default()).err().unwrap().code, "STRIPES");
    let job = Job::default();
    job.cancel();
    assert_eq!(distances(&source, Metric::Weighted, &all, false, 1, &job).err().unwrap().code, "CANCELLED");
}

#[test]
fn diversities_and_permanova() {
    let source = source(30, 6);
    let faith = faith_pd(&source);
    let expected: f64 = embedded(&source).iter().filter(|(_, b)| b[4] > 0.0).map(|(l, _)| l).sum();
    assert!((faith[4] - expected).abs() < 1e-12 && faith[5] == 0.0);
    assert!(shannon(&source.counts)[5].is_nan() && observed(&source.counts)[5] == 0.0);
    let d = distances(&source, Metric::Weighted, &everyone(&source), false, 1, &Job::default()).unwrap();
    let groups: Vec<u32> = (0..30).map(|s| s % 3).collect();
    let test = |threads| permanova(&d, &groups, 3, 99, 1, threads, &Job::default()).unwrap();
    let (one, two) = (test(1), test(2));
    assert_eq!((one.pseudo_f, one.p), (two.pseudo_f, two.p));
    assert!(one.p > 0.0 && one.p <= 1.0 && (0.0..1.0).contains(&one.r2));
}
