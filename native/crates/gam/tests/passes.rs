//! How often a fit reads the rows of its data.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use common::Dense;
use x_gam::family::from_options;
use x_gam::fit::{Options, fit};
use x_gam::json::Json;
use x_gam::mat::Mat;
use x_gam::penalty::Penalty;
use x_gam::rows::{Block, Layout, Rows};
use x_simd::Job;

struct Counted {
    rows: Dense,
    read: AtomicUsize,
}

impl Rows for Counted {
    fn rows(&self) -> usize {
        self.rows.rows()
    }
    fn layout(&self) -> &Layout {
        self.rows.layout()
    }
    fn fill(&self, from: usize, rows: usize, block: &mut Block) {
        self.read.fetch_add(rows, Ordering::Relaxed);
        self.rows.fill(from, rows, block);
    }
}

/// Two smooths, as powers of two covariates with a ridge each.
fn problem(n: usize) -> (Counted, Vec<Penalty>, Vec<f64>) {
    let covariate = |i: usize, k: usize| ((i * (37 + 22 * k)) % 101) as f64 / 101.0;
    let x = Mat::from_fn(n, 9, |i, j| match j {
        0 => 1.0,
        _ => (covariate(i, (j - 1) / 4) - 0.5).powi(1 + (j as i32 - 1) % 4),
    });
    let ridge =
        |from: usize| Penalty { parts: vec![(from, Mat::identity(4))], rank: 4, label: String::new(), scale: 1.0 };
    let y = (0..n).map(|i| (6.0 * covariate(i, 0)).sin() + 0.3 * ((i * i) as f64).sin()).collect();
    (Counted { rows: Dense::new(x), read: AtomicUsize::new(0) }, vec![ridge(1), ridge(5)], y)
}

#[test]
fn a_gaussian_model_reads_the_data_once_for_all_smoothing_parameters() {
    let n = 700;
    let (rows, penalties, y) = problem(n);
    let text = Json::parse(r#"{"family":"gaussian"}"#).unwrap();
    let family = from_options(&text).unwrap();
    let options = Options::read(&text).unwrap();
    let f = fit(&rows, &penalties, &*family, &y, &vec![1.0; n], &[], &options, &Job::default()).unwrap();
    assert!(f.evaluations >= 4, "{} evaluations", f.evaluations);
    // Once for the sums, once for the fitted values.
    assert_eq!(rows.read.load(Ordering::Relaxed), 2 * n);
}
