//! Several traits through the crate's door: one trait is the univariate model, results keep their bytes on every
//! instruction set and thread count, callers' mistakes have codes.

mod common;
mod dense;

use common::Case;
use x_lmm::{MultiAssociation, MultiColumns, MultiOptions, MultiStudy, MultiTests, Options, fit_null};
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
    MultiStudy {
        values: &case.values,
        keep: &case.keep,
        samples_in_file: case.samples,
        y,
        d,
        w: &case.w,
        c: 2,
        environment: None,
    }
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
    let [y, w] = [case.project(&case.y), case.project(&case.w)];
    let (null, h0) = (&model.null().reml, fit_null(&case.values, &y, &w, 2, &Options::default()).unwrap());
    for (found, expected) in [(null.shares.pve[0], h0.pve), (null.shares.pve_se[0], h0.pve_se)] {
        assert!((found - expected).abs() <= 2e-5 * expected, "{found} for {expected}");
    }
    assert_eq!((&null.shares.rg[..], &null.shares.rg_se[..]), (&[1.0][..], &[0.0][..]));
}

/// Standard errors by the delta method against differences of the likelihood written out and of the shares themselves.
#[test]
fn shares_and_correlations_have_the_errors_of_the_observed_information() {
    let case = Case::load();
    let y = traits(&case, 2);
    let n = case.y.len();
    let model = MultiAssociation::new(&case.vectors, &study(&case, &y), MultiOptions::default()).unwrap();
    let second: Vec<f64> = y[n..].iter().map(|y| y - 1e3).collect();
    let y = [case.project(&case.y), case.project(&second)];
    let columns = vec![case.project(&case.w[..n]), case.project(&case.w[n..])];
    let written = dense::Model::new(&case.values, &y, columns);
    let trace = case.values.iter().map(|v| v.max(0.0)).sum::<f64>() / n as f64;
    for (null, reml) in [(&model.null().reml, true), (&model.null().mle, false)] {
        let at: Vec<f64> = [0, 1, 3].map(|k| null.vg[k]).into_iter().chain([0, 1, 3].map(|k| null.ve[k])).collect();
        let shares: [dense::Share; 4] = [
            &|v| trace * v[0] / (trace * v[0] + v[3]),
            &|v| trace * v[2] / (trace * v[2] + v[5]),
            &|v| v[1] / (v[0] * v[2]).sqrt(),
            &|v| v[4] / (v[3] * v[5]).sqrt(),
        ];
        let errors = written.errors(&at, reml, &shares);
        let found = &null.shares;
        let pairs = [(found.pve[0], found.pve_se[0]), (found.pve[1], found.pve_se[1])];
        let pairs = pairs.into_iter().chain([(found.rg[1], found.rg_se[2]), (found.re[2], found.re_se[1])]);
        for (((share, error), expected), by_hand) in pairs.zip(errors).zip(shares) {
            assert!((share - by_hand(&at)).abs() < 1e-12);
            assert!((error - expected).abs() < 1e-4 * expected, "{error} for {expected}");
        }
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

/// Effects, their covariance and every p against the model's own definition (`dense`), climbed by steps that know no slope.
#[test]
fn an_interaction_is_that_of_the_model_written_out() {
    let case = Case::load();
    let y = traits(&case, 2);
    let with = MultiStudy { environment: Some(&case.environment), ..study(&case, &y) };
    let model = MultiAssociation::new(&case.vectors, &with, MultiOptions::default()).unwrap();
    let rows = [20, 57];
    let found = test(&case, &model, &rows, 1);
    assert_eq!((found.degenerate, found.unconverged), (0, 0));
    let means = case.means(&rows);
    let null = model.null();
    let rotated = |column: &[f64]| case.project(column);
    // The intercept is a covariate: without the 1,000 of the second trait the squares keep their digits.
    let second: Vec<f64> = y[case.y.len()..].iter().map(|y| y - 1e3).collect();
    let y = [rotated(&case.y), rotated(&second)];
    for (i, &row) in rows.iter().enumerate() {
        let x = case.dosages(row, means[i]);
        let product: Vec<f64> = x.iter().zip(&case.environment).map(|(x, e)| x * e).collect();
        let n = case.y.len();
        let mut columns = vec![rotated(&case.w[..n]), rotated(&case.w[n..]), rotated(&case.environment), rotated(&x)];
        let without = dense::Model::new(&case.values, &y, columns.clone());
        columns.push(rotated(&product));
        let full = dense::Model::new(&case.values, &y, columns);
        let close = |a: f64, b: f64, by: f64| assert!((a - b).abs() <= by * b.abs().max(1.0), "row {row}: {a} for {b}");
        let reml = full.climb(&null.reml.vg, &null.reml.ve, true);
        close(found.logl_reml[i], reml.loglik, 1e-9);
        let (beta, v, statistic) = full.effect(&reml.vg, &reml.ve);
        for t in 0..2 {
            close((found.beta[2 * i + t] - beta[t]) / v[t][t].sqrt(), 0.0, 1e-4);
        }
        for (at, (r, s)) in [(0, 0), (1, 0), (1, 1)].into_iter().enumerate() {
            close((found.v_beta[3 * i + at] - v[r][s]) / (v[r][r] * v[s][s]).sqrt(), 0.0, 1e-4);
        }
        close(found.p_wald[i].ln(), -0.5 * statistic, 1e-4);
        let start = without.climb(&null.mle.vg, &null.mle.ve, false);
        let mle = full.climb(&start.vg, &start.ve, false);
        close(found.logl_mle[i], mle.loglik, 1e-9);
        // χ² with two degrees of freedom: p = exp(-statistic / 2).
        close(found.p_lrt[i].ln(), start.loglik - mle.loglik, 1e-5);
        let (_, _, score) = full.effect(&null.mle.vg, &null.mle.ve);
        close(found.p_score[i].ln(), -0.5 * score, 1e-9);
    }
}

#[test]
fn a_variant_that_is_the_environment_is_nan() {
    let mut case = Case::load();
    let rows = [20, 57];
    case.environment = case.dosages(20, case.means(&rows)[0]);
    let y = traits(&case, 2);
    let with = MultiStudy { environment: Some(&case.environment), ..study(&case, &y) };
    let model = MultiAssociation::new(&case.vectors, &with, MultiOptions::default()).unwrap();
    let found = test(&case, &model, &rows, 1);
    assert_eq!(found.degenerate, 1);
    assert!(found.p_score[0].is_nan() && found.p_wald[1].is_finite());
    let constant = vec![3.0; case.y.len()];
    let with = MultiStudy { environment: Some(&constant), ..study(&case, &y) };
    let error = MultiAssociation::new(&case.vectors, &with, MultiOptions::default()).err().unwrap();
    assert_eq!((error.code, error.details), ("COVAR_RANK", vec![("column", 2.0)]));
}
