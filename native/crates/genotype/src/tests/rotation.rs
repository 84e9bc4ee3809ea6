use x_simd::{Job, Level};

use super::{Random, bits, dosage, levels, mean, packed, sizes};
use crate::*;

fn run(level: Level, u: &[f64], n: usize, data: &[u8], rows: &[u32], threads: usize) -> Vec<f64> {
    let means: Vec<f64> = rows.iter().map(|&r| mean(data, n, r as usize)).collect();
    let mut out = vec![f64::NAN; rows.len() * n];
    rotate_at(u, n, None, data, rows, &means, &mut out, threads, level, &Job::default()).unwrap();
    out
}

#[test]
fn rotation_matches_the_naive_product_on_every_level() {
    for n in sizes() {
        let mut random = Random(n as u64);
        let u: Vec<f64> = (0..n * n).map(|_| random.unit() - 0.5).collect();
        for gap in [0, 5] {
            let rows = 30;
            let data = packed(n, rows, gap, n as u64);
            let keep: Vec<u32> = (0..rows as u32).rev().filter(|r| r % 4 != 2).collect();
            let expected = run(Level::Scalar, &u, n, &data, &keep, 1);
            for (s, &r) in keep.iter().enumerate() {
                let (mut sums, mut sizes) = (vec![0.0; n], vec![0.0; n]);
                for i in 0..n {
                    let g = dosage(&data, n, r as usize, i);
                    let g = if g.is_nan() { mean(&data, n, r as usize) } else { g };
                    for j in 0..n {
                        sums[j] += g * u[i * n + j];
                        sizes[j] += (g * u[i * n + j]).abs();
                    }
                }
                for j in 0..n {
                    let found = expected[s * n + j];
                    assert!((found - sums[j]).abs() <= 1e-14 * sizes[j], "{found} instead of {}", sums[j]);
                }
            }
            for level in levels() {
                for threads in [1, 3] {
                    assert!(bits(&run(level, &u, n, &data, &keep, threads)) == bits(&expected), "{level:?} {n}");
                }
            }
        }
    }
}

#[test]
fn a_snp_rotates_the_same_alone_and_among_thousands() {
    let (n, rows) = (50, 2100);
    let mut random = Random(8);
    let u: Vec<f64> = (0..n * n).map(|_| random.unit() - 0.5).collect();
    let data = packed(n, rows, 20, 2);
    let all: Vec<u32> = (0..rows as u32).collect();
    let together = run(Level::get(), &u, n, &data, &all, 2);
    for s in [0, 1, 2047, 2048, 2099] {
        let alone = run(Level::get(), &u, n, &data, &[s as u32], 1);
        assert_eq!(bits(&alone), bits(&together[s * n..(s + 1) * n]));
    }
}
