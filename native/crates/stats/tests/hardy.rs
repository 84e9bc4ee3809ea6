//! The exact test against PLINK 1.9's printed digits and exact integer sums (tests/golden/make_hardy.py).

use x_stats::hardy_exact;

#[test]
fn every_row_matches_plink_and_the_exact_sum() {
    for line in include_str!("golden/hardy.tsv").lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let count = |i: usize| -> u64 { cells[i].parse().unwrap() };
        let p = hardy_exact(count(0), count(1), count(2));
        assert_eq!(p, hardy_exact(count(0), count(2), count(1)), "symmetric in the homozygotes: {line}");
        let plink: f64 = cells[3].parse().unwrap();
        // PLINK prints four digits.
        assert!((p - plink).abs() <= 0.500_1e-3 * plink.max(1e-300), "{line}: got {p:e}");
        if let Ok(exact) = cells[4].parse::<f64>() {
            assert!((p - exact).abs() <= 1e-12 * exact, "{line}: got {p:e}");
        }
    }
}

#[test]
fn nobody_and_everybody_alike() {
    assert_eq!(hardy_exact(0, 0, 0), 1.0);
    assert_eq!(hardy_exact(0, 0, 1_000_000), 1.0);
    assert_eq!(hardy_exact(1, 0, 0), 1.0);
}
