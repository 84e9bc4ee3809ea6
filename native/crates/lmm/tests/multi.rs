//! Several traits through the crate's door: one trait is the univariate model, results keep their bytes on every
//! instruction set and thread count, callers' mistakes have codes.

mod common;

use common::Case;
use x_lmm::{MultiAssociation, MultiColumns, MultiOptions, MultiStudy, MultiTests};
use x_simd::{Job, Level};

const ALL: MultiTests = MultiTests { wald: true, lrt: true, score: true };

/// The case's trait, and made of it others with their own noise.
fn traits(case: &Case, d: usize) -> Vec<f64> {
    let mut state = 5u64;
    let mut noise = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1u64 << 31) as f64 - 0.5
    };
    let first = case.y.iter().copied();
    let others = (1..d).flat_map(|t| case.y.iter().map(move |y| (t, y)));
    first.chain(others.map(|(t, y)| 1e3 + y / (1 + t) as f64 + 3.0 * noise()).collect::<Vec<f64>>()).collect()
}

fn study<'a>(case: &'a Case, y: &'a [f64]) -> MultiStudy<'a> {
    let d = y.len() / case.y.len();
    MultiStudy { values: &case.values, keep: &case.keep, samples_in_file: case.samples, y, d, w: &case.w, c: 2 }
}

fn test(case: &Case, model: &MultiAssociation, rows: &[u32], threads: usize) -> MultiColumns {
    model.test(&case.vectors, &case.packed, rows, &case.means(rows), ALL, threads, &Job::default()).unwrap()
}

#[test]
fn one_trait_is_the_univariate_model() {
    let case = Case::load();
    let model = MultiAssociation::new(&case.vectors, &study(&case, &case.y), MultiOptions::default()).unwrap();
    let rows: Vec<u32> = (20..120).collect();
    let multi = test(&case, &model, &rows, 2);
    let alone =
        case.association().test(&case.vectors, &case.packed, &rows, &case.means(&rows), 2, &Job::default()).unwrap();
    let columns = &alone.traits[0];
    for i in 0..rows.len() {
        // The univariate search ends where GEMMA's does: at a lambda that is 1e-5 from the maximum.
        let close = |a: f64, b: f64| assert!((a - b).abs() <= 2e-5 * b.abs(), "row {i}: {a} for {b}");
        assert!((multi.beta[i] - columns.beta[i]).abs() <= 2e-5 * columns.se[i]);
        // The univariate residual variance is that of REML, so the standard errors are equal too.
        close(multi.v_beta[i].sqrt(), columns.se[i]);
        close(multi.logl_mle[i], columns.logl_h1[i]);
        close(multi.p_lrt[i], columns.p_lrt[i]);
    }
}

#[test]
fn same_bytes_for_any_threads_grouping_and_level() {
    let case = Case::load();
    for d in [2, 5] {
        let y = traits(&case, d);
        let rows: Vec<u32> = (30..60).collect();
        let model = |level| {
            MultiAssociation::with_level(&case.vectors, &study(&case, &y), MultiOptions::default(), level).unwrap()
        };
        let reference = test(&case, &model(Level::get()), &rows, 1);
        assert_eq!((reference.degenerate, reference.unconverged), (0, 0));
        assert_eq!(reference.beta.len(), d * rows.len());
        assert_eq!(reference.v_beta.len(), d * (d + 1) / 2 * rows.len());
        for level in Level::available() {
            assert_eq!(test(&case, &model(level), &rows, 3), reference, "{level:?}");
        }
        let mut pieces = Vec::new();
        for rows in rows.chunks(7) {
            pieces.extend(test(&case, &model(Level::get()), rows, 2).neg_log10_p_wald);
        }
        assert_eq!(pieces, reference.neg_log10_p_wald);
    }
}

#[test]
fn combinations_of_the_covariates_are_nan_and_counted() {
    let case = Case::load();
    let y = traits(&case, 2);
    let model = MultiAssociation::new(&case.vectors, &study(&case, &y), MultiOptions::default()).unwrap();
    // Variant 11 has one genotype.
    let columns = test(&case, &model, &[20, 11, 21], 1);
    assert_eq!(columns.degenerate, 1);
    assert!(columns.p_wald[1].is_nan() && columns.beta[2..4].iter().all(|b| b.is_nan()));
    assert!(columns.p_wald[0].is_finite() && columns.p_score[2].is_finite());
}

#[test]
fn callers_mistakes_have_codes() {
    let case = Case::load();
    let y = traits(&case, 3);
    let n = case.y.len();
    let code = |y: &[f64]| {
        MultiAssociation::new(&case.vectors, &study(&case, y), MultiOptions::default())
            .err()
            .map(|e| (e.code, e.details))
    };
    let sum: Vec<f64> = (0..n).map(|i| y[i] - 2.0 * y[n + i] + 7.0).collect();
    let collinear = [&y[..2 * n], &sum].concat();
    assert_eq!(code(&collinear), Some(("TRAIT_COLLINEAR", vec![("trait", 2.0)])));
    let covariate: Vec<f64> = [&y[..n], &case.w[n..]].concat();
    assert_eq!(code(&covariate), Some(("TRAIT_COLLINEAR", vec![("trait", 1.0)])));
    assert_eq!(code(&traits(&case, 11)).unwrap().0, "TRAIT_COUNT");
    assert_eq!(code(&y[1..]).unwrap().0, "SHAPE");
    let options = MultiOptions { newton_precision: 0.0, ..MultiOptions::default() };
    let error = MultiAssociation::new(&case.vectors, &study(&case, &y), options).err().unwrap();
    assert_eq!(error.code, "OPTION_RANGE");
    let model = MultiAssociation::new(&case.vectors, &study(&case, &y), MultiOptions::default()).unwrap();
    let job = Job::default();
    job.cancel();
    let cancelled = model.test(&case.vectors, &case.packed, &[0], &[1.0], ALL, 1, &job);
    assert_eq!(cancelled.unwrap_err().code, "CANCELLED");
}
