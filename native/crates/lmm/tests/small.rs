//! A made-up study against GEMMA's digits (golden/make_small.py), and what no reference file can show: the same bytes
//! for any grouping, thread count and instruction set, degenerate variants, callers' mistakes, cancelling.

mod common;

use common::Case;
use x_lmm::{Association, Columns, NullPoint, Options, Results, Study, Tests, Trait, fit_null};
use x_simd::{Job, Level};

fn all(c: &Columns) -> [&Vec<f64>; 11] {
    [
        &c.beta,
        &c.se,
        &c.logl_h1,
        &c.l_remle,
        &c.l_mle,
        &c.p_wald,
        &c.p_lrt,
        &c.p_score,
        &c.neg_log10_p_wald,
        &c.neg_log10_p_lrt,
        &c.neg_log10_p_score,
    ]
}

fn same(a: &Columns, b: &Columns) -> bool {
    let bits = |c: &Columns| all(c).map(|column| column.iter().map(|v| v.to_bits()).collect::<Vec<u64>>());
    bits(a) == bits(b)
}

fn test(case: &Case, association: &Association, rows: &[u32], means: &[f64], threads: usize) -> Results {
    association.test(&case.vectors, &case.packed, rows, means, threads, &Job::default()).unwrap()
}

/// Rows under test, and GEMMA's columns after af.
fn golden(text: &str) -> (Vec<u32>, Vec<Vec<f64>>) {
    text.lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            (cells[1][1..].parse::<u32>().unwrap(), cells[7..].iter().map(|cell| cell.parse().unwrap()).collect())
        })
        .unzip()
}

fn check(ours: &[&Vec<f64>], theirs: &[Vec<f64>]) {
    for (i, expected) in theirs.iter().enumerate() {
        assert_eq!(expected.len(), ours.len());
        for (k, (column, expected)) in ours.iter().zip(expected).enumerate() {
            // The kinship file's ten digits limit lambda; GEMMA prints seven.
            let (got, error) = (column[i], (column[i] - expected).abs() / expected.abs());
            assert!(error <= 2e-6, "row {i} column {k}: {got:e} instead of {expected:e}");
        }
    }
}

#[test]
fn wald_test_and_null_model_match_gemma() {
    let case = Case::load();
    let (rows, theirs) = golden(include_str!("golden/small.assoc.txt"));
    let association =
        case.with(Tests::WALD, |study| Association::new(&case.vectors, study, Options::default()).unwrap());
    let results = test(&case, &association, &rows, &case.means(&rows), 2);
    let ours = &results.traits[0];
    assert_eq!(ours.degenerate, 0);
    check(&[&ours.beta, &ours.se, &ours.logl_h1, &ours.l_remle, &ours.p_wald], &theirs);
    for (p, neg_log10) in ours.p_wald.iter().zip(&ours.neg_log10_p_wald) {
        assert!((neg_log10 + p.log10()).abs() <= 1e-12);
    }
    let null = fit_null(&case.values, &case.project(&case.y), &case.project(&case.w), 2, &Options::default()).unwrap();
    let ours = [null.loglik_reml, null.loglik_mle, null.pve, null.pve_se, null.vg, null.ve];
    for (got, line) in ours.into_iter().zip(include_str!("golden/small.log.txt").lines()) {
        let expected: f64 = line.rsplit('=').next().unwrap().trim().parse().unwrap();
        assert!((got - expected).abs() <= 5.1e-6 * expected.abs(), "{got} instead of {line}");
    }
}

#[test]
fn all_tests_at_once_and_each_alone_match_gemma() {
    let case = Case::load();
    let (rows, theirs) = golden(include_str!("golden/small4.assoc.txt"));
    let means = case.means(&rows);
    let run = |tests| {
        let association = case.with(tests, |s| Association::new(&case.vectors, s, Options::default()).unwrap());
        test(&case, &association, &rows, &means, 2)
    };
    let results = run(Tests::ALL);
    let c = &results.traits[0];
    check(&[&c.beta, &c.se, &c.logl_h1, &c.l_remle, &c.l_mle, &c.p_wald, &c.p_lrt, &c.p_score], &theirs);
    assert_eq!((results.rotations, results.searches), (rows.len() as u64, 2 * rows.len() as u64));
    assert!(results.evaluations > results.searches);
    let [wald, lrt, score] = [Tests::WALD, Tests::LRT, Tests::SCORE].map(run);
    assert_eq!((score.searches, score.evaluations), (0, 0));
    assert_eq!(wald.evaluations + lrt.evaluations, results.evaluations);
    let [wald, lrt, score] = [&wald.traits[0], &lrt.traits[0], &score.traits[0]];
    assert_eq!([&wald.beta, &wald.se, &wald.l_remle, &wald.p_wald], [&c.beta, &c.se, &c.l_remle, &c.p_wald]);
    assert_eq!([&lrt.logl_h1, &lrt.l_mle, &lrt.p_lrt], [&c.logl_h1, &c.l_mle, &c.p_lrt]);
    assert_eq!(score.p_score, c.p_score);
    // Without a Wald test effects are those at the null model's lambda.
    assert_eq!([&lrt.beta, &lrt.se], [&score.beta, &score.se]);
    assert!(score.beta != c.beta);
}

#[test]
fn an_environment_is_tested_as_by_gemma() {
    let case = Case::load();
    let (rows, theirs) = golden(include_str!("golden/small4_gxe.assoc.txt"));
    let environment = case.environment.clone();
    let association = case.with(Tests::ALL, |study| {
        let study = Study { environment: Some(&environment), ..*study };
        Association::new(&case.vectors, &study, Options::default()).unwrap()
    });
    let results = test(&case, &association, &rows, &case.means(&rows), 2);
    let c = &results.traits[0];
    check(&[&c.beta, &c.se, &c.logl_h1, &c.l_remle, &c.l_mle, &c.p_wald, &c.p_lrt, &c.p_score], &theirs);
    assert_eq!((results.rotations, results.searches), (2 * rows.len() as u64, 3 * rows.len() as u64));
}

#[test]
fn many_phenotypes_share_the_rotation_and_nothing_else() {
    let case = Case::load();
    let rows: Vec<u32> = (0..60).collect();
    let means = case.means(&rows);
    let other: Vec<f64> = case.y.iter().rev().copied().collect();
    let null = NullPoint { lambda: 0.7, loglik: -200.0 };
    let run = |traits: &[Trait]| {
        let association = case.with(Tests::ALL, |study| {
            Association::new(&case.vectors, &Study { traits, ..*study }, Options::default()).unwrap()
        });
        test(&case, &association, &rows, &means, 2)
    };
    let traits = [Trait { y: &case.y, null }, Trait { y: &other, null }, Trait { y: &case.y, null }];
    let together = run(&traits);
    assert_eq!(together.rotations, 60);
    for (t, columns) in traits.iter().zip(&together.traits) {
        assert!(same(columns, &run(&[*t]).traits[0]));
    }
}

#[test]
fn same_bytes_for_any_threads_grouping_and_level() {
    let case = Case::load();
    let rows: Vec<u32> = (0..300).collect();
    let means = case.means(&rows);
    let run = |association: &Association, rows: &[u32], means: &[f64], threads| {
        test(&case, association, rows, means, threads).traits.remove(0)
    };
    let reference = run(&case.association(), &rows, &means, 1);
    for threads in [2, 3, 5] {
        assert!(same(&reference, &run(&case.association(), &rows, &means, threads)));
    }
    let mut at = 0;
    for (rows, means) in rows.chunks(7).zip(means.chunks(7)) {
        let part = run(&case.association(), rows, means, 2);
        for (whole, part) in all(&reference).into_iter().zip(all(&part)) {
            let bits = |x: &[f64]| x.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&whole[at..at + rows.len()]), bits(part));
        }
        at += rows.len();
    }
    for level in Level::available() {
        let association = case.with(Tests::ALL, |study| {
            Association::with_level(&case.vectors, study, Options::default(), level).unwrap()
        });
        assert!(same(&reference, &run(&association, &rows, &means, 1)), "{level:?}");
    }
}

#[test]
fn combinations_of_the_covariates_are_nan_and_counted() {
    let case = Case::load();
    // Variant 11 has one genotype; a variant equal to a covariate is as useless.
    let copied = 20u32;
    let means = case.means(&[11, copied]);
    let extra: Vec<f64> = case.dosages(copied, means[1]);
    let w = [case.w.clone(), extra].concat();
    let association = case.with(Tests::ALL, |study| {
        Association::new(&case.vectors, &Study { w: &w, c: 3, ..*study }, Options::default()).unwrap()
    });
    let results = test(&case, &association, &[11, 0, copied], &[means[0], 1.0, means[1]], 1);
    assert_eq!(results.traits[0].degenerate, 2);
    for column in all(&results.traits[0]) {
        assert!(column[0].is_nan() && column[1].is_finite() && column[2].is_nan());
    }
}

#[test]
fn callers_mistakes_have_codes() {
    let case = Case::load();
    let code = |w: &[f64], c, options| {
        case.with(Tests::ALL, |study| {
            Association::new(&case.vectors, &Study { w, c, ..*study }, options).err().unwrap()
        })
    };
    let n = case.y.len();
    let twice = [case.w.clone(), case.w[n..].iter().map(|a| 3.0 - 2.0 * a).collect()].concat();
    let error = code(&twice, 3, Options::default());
    assert_eq!((error.code, error.details[0]), ("COVAR_RANK", ("column", 2.0)));
    let full = case.vectors.data()[..(n - 1) * n].to_vec();
    assert_eq!(code(&full, n - 1, Options::default()).code, "DF");
    assert_eq!(code(&case.w, 3, Options::default()).code, "SHAPE");
    let options = Options { lmin: 1.0, lmax: 0.5, regions: 10 };
    assert_eq!(code(&case.w, 2, options).code, "LAMBDA_RANGE");
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

#[test]
fn a_phenotype_far_from_zero_has_the_same_statistics() {
    let case = Case::load();
    let rows: Vec<u32> = (0..20).collect();
    let run = |y: &[f64]| {
        let association = case.with_trait(y, &case.w, Tests::ALL, |study| {
            Association::new(&case.vectors, study, Options::default()).unwrap()
        });
        test(&case, &association, &rows, &case.means(&rows), 2).traits.remove(0)
    };
    let near = run(&case.y);
    let null = fit_null(&case.values, &case.project(&case.y), &case.project(&case.w), 2, &Options::default()).unwrap();
    for offset in [1e3, -1e6, 1e8] {
        let y: Vec<f64> = case.y.iter().map(|y| y + offset).collect();
        let far = run(&y);
        let tolerance = 1e-14 * f64::abs(offset) + 1e-9;
        for (a, b) in [(&near.beta, &far.beta), (&near.se, &far.se), (&near.logl_h1, &far.logl_h1)]
            .into_iter()
            .chain([(&near.l_remle, &far.l_remle), (&near.neg_log10_p_wald, &far.neg_log10_p_wald)])
            .chain([(&near.neg_log10_p_lrt, &far.neg_log10_p_lrt), (&near.neg_log10_p_score, &far.neg_log10_p_score)])
        {
            for (a, b) in a.iter().zip(b) {
                assert!(
                    (a - b).abs() <= tolerance * (1.0 + a.abs()) || a.is_nan() && b.is_nan(),
                    "{offset}: {a} and {b}"
                );
            }
        }
        let moved = fit_null(&case.values, &case.project(&y), &case.project(&case.w), 2, &Options::default()).unwrap();
        assert!((moved.lambda_reml / null.lambda_reml - 1.0).abs() <= 1e-4 * tolerance.sqrt() + 1e-6);
        assert!((moved.beta[0] - offset - null.beta[0]).abs() <= tolerance * null.beta_se[0] + 1e-15 * offset.abs());
        assert!((moved.beta_se[1] / null.beta_se[1] - 1.0).abs() <= 1e-6);
    }
    // Here the offset has eaten all digits but three.
    let lost: Vec<f64> = case.y.iter().map(|y| y + 1e13).collect();
    let error =
        fit_null(&case.values, &case.project(&lost), &case.project(&case.w), 2, &Options::default()).unwrap_err();
    assert_eq!(error.code, "NULL_FIT");
}

#[test]
fn nearly_dependent_covariates_give_the_statistics_of_their_span() {
    let case = Case::load();
    let n = case.y.len();
    let rows: Vec<u32> = (0..20).collect();
    // The second column as the first plus a little of itself: the same span.
    let near: Vec<f64> = [&case.w[..n], &(0..n).map(|i| case.w[i] + 1e-6 * case.w[n + i]).collect::<Vec<_>>()].concat();
    let run = |w: &[f64]| {
        let association = case
            .with_trait(&case.y, w, Tests::ALL, |s| Association::new(&case.vectors, s, Options::default()).unwrap());
        test(&case, &association, &rows, &case.means(&rows), 1).traits.remove(0)
    };
    let (a, b) = (run(&case.w), run(&near));
    for (a, b) in a.neg_log10_p_wald.iter().zip(&b.neg_log10_p_wald) {
        assert!((a - b).abs() <= 1e-7 * (1.0 + a) || a.is_nan() && b.is_nan(), "{a} and {b}");
    }
}

#[test]
fn a_variant_that_explains_everything_has_a_finite_p() {
    let case = Case::load();
    let n = case.y.len();
    let rows: Vec<u32> = (0..40).collect();
    let means = case.means(&rows);
    for row in [3, 7, 31] {
        let x = case.dosages(row, means[row as usize]);
        for (scale, offset) in [(1.0, 0.0), (0.1, 3.7), (1e3, -1e4)] {
            let y: Vec<f64> = (0..n).map(|i| offset + scale * x[i] + 0.3 * case.w[n + i]).collect();
            for tests in [Tests::WALD, Tests::LRT, Tests::SCORE, Tests::ALL] {
                let association = case.with_trait(&y, &case.w, tests, |study| {
                    Association::new(&case.vectors, study, Options::default()).unwrap()
                });
                let ours = test(&case, &association, &rows, &means, 1).traits.remove(0);
                let at = row as usize;
                assert!((ours.beta[at] / scale - 1.0).abs() <= 1e-6, "{}", ours.beta[at]);
                assert!(ours.se[at] > 0.0 && ours.se[at] <= 1e-6 * scale);
                for p in [&ours.neg_log10_p_wald, &ours.neg_log10_p_lrt] {
                    assert!(p.get(at).is_none_or(|&p| p.is_finite() && p > 100.0), "{:?}", p.get(at));
                }
                assert!(ours.neg_log10_p_score.get(at).is_none_or(|&p| p.is_finite() && p > 10.0));
            }
        }
    }
}
