//! Every row of GEMMA's tables for mouse_hs1940. Runs when the reference data and target/mouse (see
//! golden/make_mouse.py) are there.

use std::path::{Path, PathBuf};

use x_dense::SquareMatrix;
use x_lmm::{Association, Options, Study, Wald, fit_null};
use x_simd::Job;

fn floats(path: &Path) -> Vec<f64> {
    let bytes = std::fs::read(path).unwrap();
    bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect()
}

fn text(path: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

#[derive(Default, Debug)]
struct Worst {
    beta_over_se: f64,
    se: f64,
    logl: f64,
    lambda: f64,
    log10_p: f64,
    beta_tight: usize,
    p_tight: usize,
    cells_with_other_digits: usize,
}

fn compare(wald: &Wald, table: &[Vec<String>]) -> Worst {
    let mut worst = Worst::default();
    for (i, row) in table.iter().enumerate() {
        let [beta, se, logl, lambda, p]: [f64; 5] = std::array::from_fn(|k| row[7 + k].parse().unwrap());
        let relative = |got: f64, expected: f64| (got - expected).abs() / expected.abs();
        worst.beta_over_se = worst.beta_over_se.max((wald.beta[i] - beta).abs() / se);
        worst.se = worst.se.max(relative(wald.se[i], se));
        worst.logl = worst.logl.max(relative(wald.logl_h1[i], logl));
        worst.lambda = worst.lambda.max(relative(wald.l_remle[i], lambda));
        let log10 = -p.log10();
        worst.log10_p = worst.log10_p.max((wald.neg_log10_p_wald[i] - log10).abs() / log10.max(1.0));
        // GEMMA prints seven digits: half a unit of the last is up to 5e-7.
        let ours = [wald.beta[i], wald.se[i], wald.logl_h1[i], wald.l_remle[i], wald.p_wald[i]];
        for (ours, theirs) in ours.into_iter().zip(&row[7..12]) {
            worst.cells_with_other_digits += usize::from(format!("{ours:.6e}").parse::<f64>() != theirs.parse::<f64>());
        }
        worst.beta_tight += usize::from(relative(wald.beta[i], beta) <= 1e-6);
        worst.p_tight += usize::from((wald.p_wald[i] - p).abs() <= 1e-8);
    }
    worst
}

#[test]
fn all_rows_match_gemma() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let (source, prepared) = (root.join("../shared/data/lmm/mouse_hs1940"), root.join("target/mouse"));
    if !source.exists() || !prepared.exists() {
        println!("skipped: no mouse_hs1940 reference data, or not prepared by tests/golden/make_mouse.py");
        return;
    }
    let keep: Vec<u32> = text(&prepared.join("keep.txt")).iter().map(|row| row[0].parse().unwrap()).collect();
    let n = keep.len();
    let values = floats(&prepared.join("values.f64"));
    let mut vectors = SquareMatrix::zeros(n).unwrap();
    vectors.data_mut().copy_from_slice(&floats(&prepared.join("vectors.f64")));
    let fam = text(&source.join("mouse_hs1940.fam"));
    let y: Vec<f64> = keep.iter().map(|&i| fam[i as usize][5].parse().unwrap()).collect();
    let covariates = text(&source.join("covar2.txt"));
    let covariate =
        |column: usize| -> Vec<f64> { keep.iter().map(|&i| covariates[i as usize][column].parse().unwrap()).collect() };
    let packed = &std::fs::read(source.join("mouse_hs1940.bed")).unwrap()[3..];
    let row_bytes = fam.len().div_ceil(4);
    let ids: std::collections::HashMap<String, u32> =
        text(&source.join("mouse_hs1940.bim")).iter().enumerate().map(|(i, row)| (row[1].clone(), i as u32)).collect();

    let cases = [
        ("lmm1", vec![vec![1.0; n]], [0.609672, 0.0327788, 1.47914, 0.340552, -1584.07, -1584.45]),
        (
            "lmm1_cov2",
            vec![covariate(0), covariate(1), covariate(2)],
            [0.612189, 0.0326963, 1.4901, 0.339462, -1581.81, -1583.31],
        ),
    ];
    for (name, columns, log) in cases {
        let (c, w) = (columns.len(), columns.concat());
        let project = |column: &[f64]| -> Vec<f64> {
            let mut out = vec![0.0; n];
            for (i, value) in column.iter().enumerate() {
                out.iter_mut().zip(vectors.row(i)).for_each(|(to, u)| *to += u * value);
            }
            out
        };
        let utw: Vec<f64> = columns.iter().flat_map(|column| project(column)).collect();
        let null = fit_null(&values, &project(&y), &utw, c, &Options::default()).unwrap();
        println!("{name} {null:?}");
        let ours = [null.pve, null.pve_se, null.vg, null.ve, null.loglik_reml, null.loglik_mle];
        for (got, expected) in ours.into_iter().zip(log) {
            assert!((got - expected).abs() <= 1e-5 * expected.abs(), "{name}: {got} instead of {expected}");
        }

        let mut table = text(&prepared.join(format!("{name}.txt")));
        table.remove(0);
        let rows: Vec<u32> = table.iter().map(|row| ids[&row[1]]).collect();
        let means: Vec<f64> = rows
            .iter()
            .map(|&row| {
                let (mut sum, mut count) = (0.0, 0.0);
                for &person in &keep {
                    let code = packed[row as usize * row_bytes + person as usize / 4] >> (person % 4 * 2) & 3;
                    if code != 1 {
                        sum += [2.0, 0.0, 1.0, 0.0][code as usize];
                        count += 1.0;
                    }
                }
                sum / count
            })
            .collect();
        let study = Study { values: &values, keep: &keep, samples_in_file: fam.len(), y: &y, w: &w, c };
        let association = Association::new(&vectors, &study, Options::default()).unwrap();
        let wald = association.test(&vectors, packed, &rows, &means, 2, &Job::default()).unwrap();
        let worst = compare(&wald, &table);
        println!("{name} {} rows {worst:#?}", table.len());
        assert_eq!(wald.degenerate, 0);
        for (what, error) in [
            ("beta / se", worst.beta_over_se),
            ("se", worst.se),
            ("logl_H1", worst.logl),
            ("l_remle", worst.lambda),
            ("log10 p", worst.log10_p),
        ] {
            assert!(error <= 2e-5, "{name} {what}: {error:e}");
        }
    }
}
