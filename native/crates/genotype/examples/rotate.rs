//! Rotation per level as multiply-adds of the matrix product that it replaces (2 flops each).
//! `cargo run --release -p x-genotype --example rotate [people snps [one missing call in]]`

mod common;

use common::{cpu, packed, report};
use x_genotype::rotate_at;
use x_simd::{Job, Level};

fn main() {
    let args: Vec<usize> = std::env::args().skip(1).map(|a| a.parse().expect("a number")).collect();
    let (n, snps) = (args.first().copied().unwrap_or(1410), args.get(1).copied().unwrap_or(4096));
    let gap = args.get(2).copied().unwrap_or(0);
    let data = packed(n, snps, gap);
    let u: Vec<f64> = (0..n * n).map(|k| (k % 1013) as f64 / 1013.0 - 0.5).collect();
    let rows: Vec<u32> = (0..snps as u32).collect();
    let means = vec![0.9; snps];
    let mut out = vec![0.0; n * snps];
    for level in Level::available().into_iter().rev() {
        for run in 0..3 {
            let at = cpu();
            rotate_at(&u, n, None, &data, &rows, &means, &mut out, 1, level, &Job::default()).unwrap();
            report("rotate", level, run, cpu() - at, "MAC", n as f64 * n as f64 * snps as f64);
        }
    }
}
