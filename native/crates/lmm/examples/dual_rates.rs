//! What the dual route's cost is counted in, one JSON line: genotype pairs a second of one plane product (no missing
//! calls), and floating operations a second of the product with the eigenvectors. One thread, CPU time.
//! `cargo run --release -p x-lmm --example dual_rates [people [kinship variants]]`

use x_dense::SquareMatrix;
use x_genotype::SnpSet;
use x_simd::Job;

#[path = "../../genotype/examples/common/mod.rs"]
mod common;

use common::{cpu, packed};

fn main() {
    let args: Vec<usize> = std::env::args().skip(1).map(|a| a.parse().expect("a number")).collect();
    let (n, p) = (args.first().copied().unwrap_or(50_000), args.get(1).copied().unwrap_or(2000));
    let (job, some) = (Job::default(), p.min(1024));
    let rows: Vec<u32> = (0..some as u32).collect();
    let set = |gap| {
        let mut set = SnpSet::new(n);
        set.push(&packed(n, some, gap), &rows, None, 1, &job).expect("memory");
        set
    };
    // Medians of three: the first run also faults the pages in.
    let median = |run: &dyn Fn()| {
        let mut times: Vec<f64> = (0..3)
            .map(|_| {
                let at = cpu();
                run();
                cpu() - at
            })
            .collect();
        times.sort_by(f64::total_cmp);
        times[1]
    };
    let (plain, gaps) = (set(0), set(100));
    let pairs = (some * some) as f64 * n as f64;
    let one = median(&|| drop(plain.cross(&plain, 1, &job).expect("memory")));
    let all = median(&|| drop(gaps.cross(&gaps, 1, &job).expect("memory")));
    let mut v = SquareMatrix::zeros(p).expect("memory");
    v.data_mut().iter_mut().enumerate().for_each(|(i, x)| *x = (i % 97) as f64);
    let vectors = vec![0.5; 512 * p];
    let product = median(&|| drop(x_dense::project(&v, &vectors, 512, 1, &job).expect("memory")));
    println!(
        "{{\"people\":{n},\"kinshipVariants\":{p},\"pairsPerSecond\":{:e},\"pairsPerSecondMissing\":{:e},\"flopsPerSecond\":{:e}}}",
        pairs / one,
        pairs / all,
        2.0 * (512 * p * p) as f64 / product
    );
}
