use x_simd::{Job, Level};

use super::{bits, levels, mean, packed};
use crate::*;

/// Dosages of a packed row with missing calls at `imputed`, centred.
fn column(data: &[u8], n: usize, row: usize, imputed: f64) -> Vec<f64> {
    let row = &data[row * row_bytes(n)..][..row_bytes(n)];
    let mut x: Vec<f64> =
        (0..n).map(|i| [2.0, imputed, 1.0, 0.0][usize::from(row[i / 4] >> (2 * (i % 4)) & 3)]).collect();
    let mean = x.iter().sum::<f64>() / n as f64;
    x.iter_mut().for_each(|x| *x -= mean);
    x
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn products_of_two_sets_and_of_vectors_match_the_naive_sums() {
    let job = Job::default();
    for (n, p, q) in [(1, 1, 2), (63, 5, 3), (600, 130, 140), (9001, 20, 7)] {
        for gap in [0, 6] {
            let (a, b) = (packed(n, p, gap, 3), packed(n, q, gap, 4));
            // Means of other people than these.
            let means: Vec<f64> = (0..p).map(|i| 0.3 + i as f64 / p as f64).collect();
            let x: Vec<Vec<f64>> = (0..p).map(|i| column(&a, n, i, means[i])).collect();
            let z: Vec<Vec<f64>> = (0..q).map(|k| column(&b, n, k, mean(&b, n, k))).collect();
            let vectors: Vec<Vec<f64>> = (0..2)
                .map(|k| {
                    let v: Vec<f64> = (0..n).map(|i| ((i * (k + 3)) as f64).sin()).collect();
                    let mean = v.iter().sum::<f64>() / n as f64;
                    v.iter().map(|x| x - mean).collect()
                })
                .collect();
            let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-11 * n as f64, "{n} {gap}");
            let mut first: Option<[Vec<u64>; 3]> = None;
            for level in levels() {
                for (cut, threads) in [(1, 1), (7, 2), (p, 3)] {
                    let (mut set, mut other) = (SnpSet::new_at(level, n), SnpSet::new_at(level, n));
                    for from in (0..p).step_by(cut) {
                        let rows: Vec<u32> = (from as u32..(from + cut).min(p) as u32).collect();
                        set.push(&a, &rows, Some(&means[from..from + rows.len()]), threads, &job).unwrap();
                    }
                    other.push(&b, &(0..q as u32).collect::<Vec<_>>(), None, threads, &job).unwrap();
                    let gram = set.gram(threads, &job).unwrap();
                    let cross = set.cross(&other, threads, &job).unwrap();
                    let dots = set.dots(&vectors.concat(), 2, threads, &job).unwrap();
                    let found = [bits(gram.data()), bits(&cross), bits(&dots)];
                    if first.get_or_insert_with(|| found.clone()) != &found {
                        panic!("{level:?}, {threads} threads, {cut} a call: other bytes");
                    }
                    for i in 0..p {
                        close(set.square(i), dot(&x[i], &x[i]));
                        (0..p).for_each(|j| close(gram.row(i)[j], dot(&x[i], &x[j])));
                        (0..q).for_each(|k| close(cross[k * p + i], dot(&x[i], &z[k])));
                        (0..2).for_each(|k| close(dots[i * 2 + k], dot(&x[i], &vectors[k])));
                    }
                    let total = (0..n).map(|i| [2.0, means[0], 1.0, 0.0][usize::from(a[i / 4] >> (2 * (i % 4)) & 3)]);
                    close(set.total(0), total.sum());
                }
            }
        }
    }
    let mut set = SnpSet::new_at(Level::Scalar, 5);
    assert_eq!(set.push(&[0; 3], &[0], None, 1, &job).unwrap_err().code, "SHAPE");
    assert_eq!(set.push(&[0; 2], &[1], None, 1, &job).unwrap_err().code, "SHAPE");
    assert_eq!(set.push(&[0; 2], &[0], Some(&[]), 1, &job).unwrap_err().code, "SHAPE");
}

/// Rows of packed genotypes of `people`, each a list of calls in 0 … 2, 3 = missing.
fn pack(people: &[Vec<u8>]) -> Vec<u8> {
    let p = people[0].len();
    let bytes = row_bytes(people.len());
    let mut out = vec![0; p * bytes];
    for (i, calls) in people.iter().enumerate() {
        for (snp, &call) in calls.iter().enumerate() {
            out[snp * bytes + i / 4] |= [3u8, 2, 0, 1][usize::from(call)] << (2 * (i % 4));
        }
    }
    out
}

#[test]
fn one_person_twice_is_found_among_siblings_and_strangers_at_every_level() {
    let job = Job::default();
    let mut state = 9u64;
    let mut random = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    // SNPs, and the share of allele 1 in percent: common ones, rare ones, fewer than are looked at and more.
    for (p, percent) in [(40, 40), (700, 30), (3000, 2)] {
        let n = 1100;
        let mut people: Vec<Vec<u8>> =
            (0..n).map(|_| (0..p).map(|_| (0..2).map(|_| u8::from(random(100) < percent)).sum()).collect()).collect();
        // A sibling: half of another's calls.
        let half = people[1050][..p / 2].to_vec();
        people[7][..p / 2].copy_from_slice(&half);
        people[600] = people[3].clone();
        people[1099] = people[3].clone();
        people[20] = people[21].clone();
        if p > 500 {
            // Missing calls and errors of an array.
            people[20][5] = 3;
            people[21][300] = 3;
            people[21][301] = (people[21][301] + 1) % 3;
        }
        let packed = pack(&people);
        let rows: Vec<u32> = (0..p as u32).collect();
        let mut first = None;
        for level in levels() {
            for threads in [1, 3] {
                let mut set = SnpSet::new_at(level, n);
                set.push(&packed, &rows, None, threads, &job).unwrap();
                let (pairs, count) = set.twins(0.05, 9, threads, &job).unwrap().unwrap();
                assert_eq!(count, 4);
                let places: Vec<_> = pairs.iter().map(|p| (p.first, p.second)).collect();
                assert_eq!(places, [(20, 21), (3, 600), (3, 1099), (600, 1099)], "{p}");
                // The kinship's own distance.
                let x: Vec<Vec<f64>> = (0..p).map(|i| column(&packed, n, i, mean(&packed, n, i))).collect();
                for pair in &pairs {
                    let k = |i: u32, j: u32| x.iter().map(|x| x[i as usize] * x[j as usize]).sum::<f64>();
                    let own = k(pair.first, pair.first) + k(pair.second, pair.second);
                    let distance = (own - 2.0 * k(pair.first, pair.second)) / (own / 2.0);
                    assert!((pair.distance - distance).abs() < 1e-12, "{} {distance}", pair.distance);
                }
                let listed = set.twins(0.05, 2, threads, &job).unwrap().unwrap();
                assert_eq!((&listed.0[..], listed.1), (&pairs[..2], 4));
                assert_eq!(first.get_or_insert_with(|| pairs.clone()), &pairs);
            }
        }
    }
    // Ten SNPs tell nobody apart.
    let people: Vec<Vec<u8>> = (0..50).map(|i| (0..10).map(|snp| ((i * 7 + snp * 3) % 3) as u8).collect()).collect();
    let mut set = SnpSet::new(50);
    set.push(&pack(&people), &(0..10).collect::<Vec<_>>(), None, 1, &job).unwrap();
    assert!(set.twins(0.05, 9, 1, &job).unwrap().is_none());
    assert!(SnpSet::new(5).twins(0.05, 9, 1, &job).unwrap().is_none());
}
