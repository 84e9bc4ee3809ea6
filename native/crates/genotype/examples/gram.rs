//! Gram kernels per level, one JSON line each: CPU seconds of the whole call and pairs of genotypes a second.
//! `cargo run --release -p x-genotype --example gram [people snps [one missing call in]]`

mod common;

use common::{cpu, packed, report};
use x_genotype::{PeopleGram, snp_gram_at};
use x_simd::{Job, Level};

fn main() {
    let args: Vec<usize> = std::env::args().skip(1).map(|a| a.parse().expect("a number")).collect();
    let (n, snps) = (args.first().copied().unwrap_or(1940), args.get(1).copied().unwrap_or(12_226));
    let gap = args.get(2).copied().unwrap_or(0);
    let job = Job::default();
    let data = packed(n, snps, gap);
    let rows: Vec<u32> = (0..snps as u32).collect();
    let means = vec![0.9; snps];
    for level in Level::available().into_iter().rev() {
        for run in 0..if level == Level::Scalar { 1 } else { 3 } {
            let at = cpu();
            let mut gram = PeopleGram::new_at(level, n).unwrap();
            gram.add(&data, &rows, &means, 1, &job).unwrap();
            gram.finish(snps as u64, 1, &job).unwrap();
            let pairs = (n * (n + 1) / 2) as f64 * snps as f64;
            report("people_gram", level, run, cpu() - at, "pairs", pairs);
        }
    }
    let some = snps.min(4096);
    let data = packed(n, some, gap);
    for level in Level::available().into_iter().rev() {
        for run in 0..if level == Level::Scalar { 1 } else { 3 } {
            let at = cpu();
            snp_gram_at(level, &data, n, some, 1, &job).unwrap();
            report("snp_gram", level, run, cpu() - at, "pairs", (some * (some + 1) / 2) as f64 * n as f64);
        }
    }
}
