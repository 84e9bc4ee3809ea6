//! A made-up study against GEMMA's digits (golden/make_small.py), and what no reference file can show: the same bytes
//! for any grouping, thread count and instruction set, degenerate variants, callers' mistakes, cancelling.

mod common;

use common::Case;
use x_lmm::{Association, Options, Study, Wald, fit_null};
use x_simd::{Job, Level};

fn same(a: &Wald, b: &Wald) -> bool {
    let bits = |w: &Wald| -> Vec<u64> {
        let columns = [&w.beta, &w.se, &w.logl_h1, &w.l_remle, &w.p_wald, &w.neg_log10_p_wald];
        columns.iter().flat_map(|column| column.iter().map(|v| v.to_bits())).collect()
    };
    bits(a) == bits(b)
}

#[test]
fn matches_gemma_to_its_last_digit() {
    let case = Case::load();
    let (rows, cells): (Vec<u32>, Vec<[f64; 5]>) = include_str!("golden/small.assoc.txt")
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            (cells[1][1..].parse::<u32>().unwrap(), std::array::from_fn(|k| cells[7 + k].parse().unwrap()))
        })
        .unzip();
    let wald =
        case.association().test(&case.vectors, &case.packed, &rows, &case.means(&rows), 2, &Job::default()).unwrap();
    assert_eq!(wald.degenerate, 0);
    for (i, expected) in cells.iter().enumerate() {
        let ours = [wald.beta[i], wald.se[i], wald.logl_h1[i], wald.l_remle[i], wald.p_wald[i]];
        for (k, (got, expected)) in ours.into_iter().zip(expected).enumerate() {
            // The kinship file's ten digits limit lambda; GEMMA prints seven.
            let error = (got - expected).abs() / expected.abs();
            assert!(error <= 1e-6, "row {i} column {k}: {got:e} instead of {expected:e}");
        }
        assert!((wald.neg_log10_p_wald[i] + wald.p_wald[i].log10()).abs() <= 1e-12);
    }
    let null = fit_null(&case.values, &case.project(&case.y), &case.project(&case.w), 2, &Options::default()).unwrap();
    let ours = [null.loglik_reml, null.loglik_mle, null.pve, null.pve_se, null.vg, null.ve];
    for (got, line) in ours.into_iter().zip(include_str!("golden/small.log.txt").lines()) {
        let expected: f64 = line.rsplit('=').next().unwrap().trim().parse().unwrap();
        assert!((got - expected).abs() <= 5.1e-6 * expected.abs(), "{got} instead of {line}");
    }
}

#[test]
fn same_bytes_for_any_threads_grouping_and_level() {
    let case = Case::load();
    let rows: Vec<u32> = (0..300).collect();
    let means = case.means(&rows);
    let test = |association: &Association, rows: &[u32], means: &[f64], threads| {
        association.test(&case.vectors, &case.packed, rows, means, threads, &Job::default()).unwrap()
    };
    let reference = test(&case.association(), &rows, &means, 1);
    for threads in [2, 3, 5] {
        assert!(same(&reference, &test(&case.association(), &rows, &means, threads)));
    }
    let mut pieces = Wald::default();
    for (rows, means) in rows.chunks(7).zip(means.chunks(7)) {
        let part = test(&case.association(), rows, means, 2);
        pieces.beta.extend(part.beta);
        pieces.se.extend(part.se);
        pieces.logl_h1.extend(part.logl_h1);
        pieces.l_remle.extend(part.l_remle);
        pieces.p_wald.extend(part.p_wald);
        pieces.neg_log10_p_wald.extend(part.neg_log10_p_wald);
    }
    assert!(same(&reference, &pieces));
    for level in Level::available() {
        let association = Association::with_level(&case.vectors, &case.study(), Options::default(), level).unwrap();
        assert!(same(&reference, &test(&association, &rows, &means, 1)), "{level:?}");
    }
}

#[test]
fn combinations_of_the_covariates_are_nan_and_counted() {
    let case = Case::load();
    // Variant 11 has one genotype; a variant equal to a covariate is as useless.
    let mut study = case.study();
    let copied = 20u32;
    let means = case.means(&[11, copied]);
    let extra: Vec<f64> = case.dosages(copied, means[1]);
    let w = [case.w.clone(), extra].concat();
    (study.w, study.c) = (&w, 3);
    let association = Association::new(&case.vectors, &study, Options::default()).unwrap();
    let wald = association
        .test(&case.vectors, &case.packed, &[11, 0, copied], &[means[0], 1.0, means[1]], 1, &Job::default())
        .unwrap();
    assert_eq!(wald.degenerate, 2);
    for column in [&wald.beta, &wald.se, &wald.logl_h1, &wald.l_remle, &wald.p_wald, &wald.neg_log10_p_wald] {
        assert!(column[0].is_nan() && column[1].is_finite() && column[2].is_nan());
    }
}

#[test]
fn callers_mistakes_have_codes() {
    let case = Case::load();
    let code = |study: &Study| Association::new(&case.vectors, study, Options::default()).err().unwrap();
    let n = case.y.len();
    let twice = [case.w.clone(), case.w[n..].iter().map(|a| 3.0 - 2.0 * a).collect()].concat();
    let error = code(&Study { w: &twice, c: 3, ..case.study() });
    assert_eq!((error.code, error.details[0]), ("COVAR_RANK", ("column", 2.0)));
    let full = case.vectors.data()[..(n - 1) * n].to_vec();
    assert_eq!(code(&Study { w: &full, c: n - 1, ..case.study() }).code, "DF");
    assert_eq!(code(&Study { c: 3, ..case.study() }).code, "SHAPE");
    let options = Options { lmin: 1.0, lmax: 0.5, regions: 10 };
    assert_eq!(Association::new(&case.vectors, &case.study(), options).err().unwrap().code, "LAMBDA_RANGE");
    let out = case.association().test(&case.vectors, &case.packed, &[300], &[1.0], 1, &Job::default());
    assert_eq!(out.unwrap_err().code, "SHAPE");
    let job = Job::default();
    job.cancel();
    let cancelled = case.association().test(&case.vectors, &case.packed, &[0], &[1.0], 1, &job);
    assert_eq!(cancelled.unwrap_err().code, "CANCELLED");
}

#[test]
fn lambda_at_a_bound_is_the_bound() {
    let case = Case::load();
    // Pure noise of an orthogonal kind: y is the eigenvector of the smallest eigenvalues, so no variance is genetic.
    let n = case.y.len();
    let y: Vec<f64> = (0..n).map(|i| (0..20).map(|j| case.vectors.row(i)[j]).sum()).collect();
    let null = fit_null(&case.values, &case.project(&y), &case.project(&case.w), 2, &Options::default()).unwrap();
    assert_eq!(null.lambda_reml, 1e-5);
    assert!(null.loglik_reml.is_finite());
}
