use x_simd::{Job, Level};

use super::{bits, centred, levels, mean, packed};
use crate::*;

/// Adds `rows` SNPs in blocks of `block`.
fn people(level: Level, data: &[u8], n: usize, rows: usize, block: usize, threads: usize) -> Vec<f64> {
    let job = Job::default();
    let mut gram = PeopleGram::new_at(level, n).unwrap();
    for from in (0..rows).step_by(block) {
        let count = block.min(rows - from);
        let means: Vec<f64> = (from..from + count).map(|s| mean(data, n, s)).collect();
        let indices: Vec<u32> = (0..count as u32).collect();
        let part = &data[from * row_bytes(n)..(from + count) * row_bytes(n)];
        gram.add(part, &indices, &means, threads, &job).unwrap();
    }
    gram.finish(rows as u64, threads, &job).unwrap().data().to_vec()
}

fn close(found: &[f64], expected: &[f64]) {
    let scale = expected.iter().fold(1e-300, |m: f64, x| m.max(x.abs()));
    for (k, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= 1e-12 * scale, "entry {k}: {f} instead of {e}, scale {scale}");
    }
}

fn naive_people(data: &[u8], n: usize, rows: usize) -> Vec<f64> {
    let mut out = vec![0.0; n * n];
    for s in 0..rows {
        let x = centred(data, n, s);
        for i in 0..n {
            for j in 0..n {
                out[i * n + j] += x[i] * x[j];
            }
        }
    }
    out.iter_mut().for_each(|x| *x /= rows as f64);
    out
}

#[test]
fn kinship_matches_the_naive_sum_and_itself() {
    for (n, rows) in (1..=70).map(|n| (n, 40)).chain([(257, 300), (130, 600), (5, 9000)]) {
        for gap in [0, 7] {
            let data = packed(n, rows, gap, (n * rows) as u64);
            let expected = people(Level::Scalar, &data, n, rows, rows, 1);
            close(&expected, &naive_people(&data, n, rows));
            for level in levels() {
                let cuts = if n % 16 == 1 || n > 70 { vec![(1, 1), (7, 2), (100, 3), (rows, 2)] } else { vec![(7, 2)] };
                for (block, threads) in cuts {
                    assert!(bits(&people(level, &data, n, rows, block, threads)) == bits(&expected), "{level:?} {n}");
                }
            }
        }
    }
}

#[test]
fn kinship_uses_the_named_rows_only() {
    let job = Job::default();
    let (n, rows) = (33, 50);
    let data = packed(n, rows, 9, 4);
    let keep: Vec<u32> = (0..rows as u32).filter(|r| r % 3 != 1).collect();
    let kept: Vec<u8> = keep.iter().flat_map(|&r| data[r as usize * row_bytes(n)..][..row_bytes(n)].to_vec()).collect();
    let means: Vec<f64> = keep.iter().map(|&r| mean(&data, n, r as usize)).collect();
    let mut gram = PeopleGram::new(n).unwrap();
    gram.add(&data, &keep, &means, 2, &job).unwrap();
    let found = gram.finish(keep.len() as u64, 2, &job).unwrap();
    assert_eq!(bits(found.data()), bits(&people(Level::get(), &kept, n, keep.len(), 5, 1)));
    assert_eq!(people_gram_bytes(128), (8 * 128 * 128 + 8192 * 32 + 128 * 2048) as f64);
}

#[test]
fn snp_gram_matches_the_naive_sum_and_itself() {
    let job = Job::default();
    for (samples, rows) in (1..=70).map(|n| (n, 9)).chain([(257, 150), (9001, 40), (600, 257)]) {
        for gap in [0, 6] {
            let mut data = packed(samples, rows, gap, (samples + rows) as u64);
            if gap > 0 {
                // A SNP without any call.
                data[row_bytes(samples)..2 * row_bytes(samples)].fill(0x55);
            }
            let x: Vec<Vec<f64>> = (0..rows).map(|s| centred(&data, samples, s)).collect();
            let naive: Vec<f64> =
                (0..rows * rows).map(|k| x[k / rows].iter().zip(&x[k % rows]).map(|(a, b)| a * b).sum()).collect();
            let expected = snp_gram_at(Level::Scalar, &data, samples, rows, 1, &job).unwrap();
            close(expected.data(), &naive);
            for level in levels() {
                for threads in [1, 2, 3] {
                    let found = snp_gram_at(level, &data, samples, rows, threads, &job).unwrap();
                    assert!(bits(found.data()) == bits(expected.data()), "{level:?} {samples}");
                }
            }
        }
    }
}
