//! The p × p route against the n × n one on the same genotypes.

use x_dense::SquareMatrix;
use x_genotype::{SnpSet, row_bytes, snp_gram};
use x_lmm::{
    Association, Columns, DualAssociation, DualKinship, NullPoint, Options, Results, Study, Tests, Trait, dual_null,
    fit_null,
};
use x_simd::Job;

struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ x >> 31) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// What a study is made of.
#[derive(Clone, Copy)]
struct Case {
    people: usize,
    snps: usize,
    /// Of these, the first make the kinship.
    kinship: usize,
    missing: f64,
    /// Every so many-th person is not analysed; 0 for none.
    dropped: usize,
    /// Of the last SNPs, copies of the first and of each other.
    duplicates: usize,
    nearly: bool,
    covariates: usize,
    /// Pairs of identical people.
    twins: usize,
}

const PLAIN: Case = Case {
    people: 160,
    snps: 60,
    kinship: 60,
    missing: 0.02,
    dropped: 0,
    duplicates: 0,
    nearly: false,
    covariates: 1,
    twins: 0,
};

struct Data {
    packed: Vec<u8>,
    keep: Vec<u32>,
    y: Vec<f64>,
    w: Vec<f64>,
}

fn simulate(case: Case, seed: u64) -> Data {
    let mut random = Random(seed);
    let (n, bytes) = (case.people, row_bytes(case.people));
    let mut packed = vec![0u8; case.snps * bytes];
    let mut y = vec![0.0; n];
    for s in 0..case.snps {
        let frequency = 0.1 + 0.8 * random.next();
        let effect = if s % 9 == 0 { random.next() - 0.5 } else { 0.0 };
        for (i, y) in y.iter_mut().enumerate() {
            let g = u8::from(random.next() < frequency) + u8::from(random.next() < frequency);
            *y += effect * f64::from(g);
            let code = if random.next() < case.missing { 1 } else { [3, 2, 0][usize::from(g)] };
            packed[s * bytes + i / 4] |= code << (2 * (i % 4));
        }
    }
    for d in 0..case.duplicates {
        let (to, from) = ((case.snps - 1 - d) * bytes, d / 2 * bytes);
        packed.copy_within(from..from + bytes, to);
        if case.nearly {
            // The copy lacks one call, which its mean comes near to.
            packed[to + d] = packed[to + d] & !3 | 1;
        }
    }
    for t in 0..case.twins {
        for row in packed.chunks_exact_mut(bytes) {
            let (a, b) = (4 * t, 4 * t + 1);
            let code = row[a / 4] >> (2 * (a % 4)) & 3;
            row[b / 4] = row[b / 4] & !(3 << (2 * (b % 4))) | code << (2 * (b % 4));
        }
    }
    let keep: Vec<u32> = (0..n as u32).filter(|i| case.dropped == 0 || *i as usize % case.dropped != 1).collect();
    let y = keep.iter().map(|&i| y[i as usize] + 2.0 * random.next() + 5.0).collect();
    let w: Vec<f64> = (0..case.covariates)
        .flat_map(|c| keep.iter().map(|_| if c == 0 { 1.0 } else { random.next() }).collect::<Vec<_>>())
        .collect();
    Data { packed, keep, y, w }
}

/// Dosages of a packed row, missing as NaN.
fn dosages(packed: &[u8], n: usize, s: usize) -> Vec<f64> {
    let row = &packed[s * row_bytes(n)..];
    (0..n).map(|i| [2.0, f64::NAN, 1.0, 0.0][usize::from(row[i / 4] >> (2 * (i % 4)) & 3)]).collect()
}

fn mean(of: impl Iterator<Item = f64>) -> f64 {
    let calls: Vec<f64> = of.filter(|g| !g.is_nan()).collect();
    calls.iter().sum::<f64>() / calls.len() as f64
}

fn options() -> Options {
    Options::default()
}

/// GEMMA's way: K over all people, cut, re-centred.
fn primal(case: Case, data: &Data, tests: Tests, members: &[u32]) -> (x_lmm::Null, Columns) {
    let job = Job::default();
    let (n, m) = (case.people, data.keep.len());
    let mut k = SquareMatrix::zeros(m).unwrap();
    for &s in members {
        let g = dosages(&data.packed, n, s as usize);
        let mean = mean(g.iter().copied());
        let x: Vec<f64> =
            data.keep.iter().map(|&i| if g[i as usize].is_nan() { 0.0 } else { g[i as usize] - mean }).collect();
        for i in 0..m {
            for j in 0..m {
                k.data_mut()[i * m + j] += x[i] * x[j] / members.len() as f64;
            }
        }
    }
    x_dense::center(&mut k, 1, &job).unwrap();
    let eigen = x_dense::eigh(k, 1, &job).unwrap();
    let c = case.covariates;
    let uty = x_dense::project(&eigen.vectors, &data.y, 1, 1, &job).unwrap();
    let utw = x_dense::project(&eigen.vectors, &data.w, c, 1, &job).unwrap();
    let null = fit_null(&eigen.values, &uty, &utw, c, &options()).unwrap();
    let traits = [Trait { y: &data.y, null: NullPoint { lambda: null.lambda_mle, loglik: null.loglik_mle } }];
    let study = Study {
        values: &eigen.values,
        keep: &data.keep,
        samples_in_file: n,
        traits: &traits,
        w: &data.w,
        c,
        environment: None,
        tests,
    };
    let rows: Vec<u32> = (0..case.snps as u32).collect();
    let means: Vec<f64> = (0..case.snps)
        .map(|s| {
            let g = dosages(&data.packed, n, s);
            mean(data.keep.iter().map(|&i| g[i as usize]))
        })
        .collect();
    let association = Association::new(&eigen.vectors, &study, options()).unwrap();
    let results = association.test(&eigen.vectors, &data.packed, &rows, &means, 1, &job).unwrap();
    (null, results.traits.into_iter().next().unwrap())
}

/// `members` of the first `kinship` SNPs; the others of these are tested against the kinship without them.
fn dual(
    case: Case,
    data: &Data,
    tests: Tests,
    members: &[u32],
    (block, threads): (usize, usize),
) -> (x_lmm::Null, Results) {
    let job = Job::default();
    let (n, bytes) = (case.people, row_bytes(case.people));
    let subset = x_genotype::subset(&data.packed, n, case.snps, &data.keep, threads, &job).unwrap();
    let all: Vec<u32> = (0..case.kinship as u32).collect();
    let means: Vec<f64> = all.iter().map(|&s| mean(dosages(&data.packed, n, s as usize).into_iter())).collect();
    let mut snps = SnpSet::new(data.keep.len());
    let means = (data.keep.len() < n).then_some(&means[..]);
    snps.push(&subset, &all, means, threads, &job).unwrap();
    let gram = snps.gram(threads, &job).unwrap();
    let mut c = x_dense::submatrix(&gram, members, threads, &job).unwrap();
    c.data_mut().iter_mut().for_each(|x| *x /= members.len() as f64);
    let eigen = x_dense::eigh(c, threads, &job).unwrap();
    let kinship = DualKinship { snps: &snps, members, vectors: &eigen.vectors, gram: Some(&gram) };
    let smallest = eigen.values.iter().find(|&&s| s >= 1e-10).copied().unwrap_or_default();
    println!("smallest eigenvalue {smallest:.1e}, largest {:.1e}", eigen.values[members.len() - 1]);
    let (y, w, c) = (&data.y, &data.w, case.covariates);
    let null = dual_null(kinship, &eigen.values, y, w, c, &options(), threads, &job).unwrap();
    let traits = [Trait { y, null: NullPoint { lambda: null.lambda_mle, loglik: null.loglik_mle } }];
    let study = Study {
        values: &eigen.values,
        keep: &data.keep,
        samples_in_file: n,
        traits: &traits,
        w,
        c,
        environment: None,
        tests,
    };
    let association = DualAssociation::new(kinship, &study, options(), threads, &job).unwrap();
    let mut all = Results { traits: vec![Columns::default()], ..Results::default() };
    for from in (0..case.snps).step_by(block) {
        let rows: Vec<u32> = (0..block.min(case.snps - from) as u32).collect();
        let places: Vec<i32> = rows
            .iter()
            .map(|r| from as i32 + *r as i32)
            .map(|s| if s < case.kinship as i32 { s } else { -1 })
            .collect();
        let packed = &data.packed[from * bytes..(from + rows.len()) * bytes];
        let part = association.test(kinship, packed, &rows, &places, threads, &job).unwrap();
        all.rotations += part.rotations;
        let (to, from) = (&mut all.traits[0], &part.traits[0]);
        for (to, from) in columns_mut(to).into_iter().zip(columns(from)) {
            to.extend_from_slice(from);
        }
    }
    (null, all)
}

fn columns(c: &Columns) -> [&Vec<f64>; 11] {
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

fn columns_mut(c: &mut Columns) -> [&mut Vec<f64>; 11] {
    [
        &mut c.beta,
        &mut c.se,
        &mut c.logl_h1,
        &mut c.l_remle,
        &mut c.l_mle,
        &mut c.p_wald,
        &mut c.p_lrt,
        &mut c.p_score,
        &mut c.neg_log10_p_wald,
        &mut c.neg_log10_p_lrt,
        &mut c.neg_log10_p_score,
    ]
}

/// The worst difference of each kind: effects in standard errors, the rest relative.
fn compare(what: &str, a: &Columns, b: &Columns) {
    let mut worst = [0.0f64; 11];
    for (k, (a_column, b_column)) in columns(a).into_iter().zip(columns(b)).enumerate() {
        assert_eq!(a_column.len(), b_column.len(), "{what}, column {k}");
        for (i, (x, y)) in a_column.iter().zip(b_column).enumerate() {
            assert_eq!(x.is_nan(), y.is_nan(), "{what}, column {k}, row {i}: {x} {y}");
            if x.is_nan() {
                continue;
            }
            let scale = if k == 0 {
                a.se[i]
            } else if k >= 8 {
                x.abs().max(1.0)
            } else {
                x.abs()
            };
            let off = (x - y).abs() / scale.max(1e-300);
            worst[k] = worst[k].max(off);
        }
    }
    println!("{what}: {}", worst.map(|w| format!("{w:.1e}")).join(" "));
    for (k, w) in worst.iter().enumerate() {
        assert!(*w < 1e-6, "{what}, column {k}: {w:e}");
    }
}

#[test]
fn the_dual_gives_the_primals_numbers() {
    let cases = [
        ("all in the kinship", PLAIN),
        ("tested outside the kinship", Case { kinship: 40, ..PLAIN }),
        ("people dropped", Case { dropped: 5, kinship: 50, ..PLAIN }),
        ("covariates", Case { covariates: 3, dropped: 7, ..PLAIN }),
        ("no missing calls, people dropped", Case { missing: 0.0, dropped: 3, ..PLAIN }),
        ("many missing calls", Case { missing: 0.2, dropped: 6, ..PLAIN }),
        ("duplicate SNPs", Case { duplicates: 8, ..PLAIN }),
        ("nearly duplicate SNPs", Case { duplicates: 20, nearly: true, ..PLAIN }),
        ("nearly duplicate SNPs, p = n - 1", Case { people: 61, duplicates: 20, nearly: true, ..PLAIN }),
        ("twins", Case { twins: 20, dropped: 9, ..PLAIN }),
        ("p = n - 1", Case { people: 61, ..PLAIN }),
        ("p = n - 2", Case { people: 62, covariates: 2, ..PLAIN }),
        ("p = n - 1, larger", Case { people: 401, snps: 400, kinship: 400, missing: 0.0, ..PLAIN }),
        ("p = n, larger", Case { people: 400, snps: 410, kinship: 400, dropped: 50, ..PLAIN }),
        ("p near n, tested outside", Case { people: 64, snps: 90, ..PLAIN }),
        ("p > n", Case { people: 45, covariates: 2, ..PLAIN }),
        ("p > n, tested outside", Case { people: 45, snps: 80, dropped: 9, ..PLAIN }),
        // With one alone its own test has a likelihood that is flat in lambda.
        ("two SNPs", Case { kinship: 2, ..PLAIN }),
    ];
    for (seed, (what, case)) in cases.into_iter().enumerate() {
        let data = simulate(case, seed as u64 + 1);
        let members: Vec<u32> = (0..case.kinship as u32).collect();
        let (null_a, a) = primal(case, &data, Tests::ALL, &members);
        let (null_b, b) = dual(case, &data, Tests::ALL, &members, (case.snps, 2));
        for (x, y) in [
            (null_a.pve, null_b.pve),
            (null_a.pve_se, null_b.pve_se),
            (null_a.vg, null_b.vg),
            (null_a.ve, null_b.ve),
            (null_a.loglik_reml, null_b.loglik_reml),
            (null_a.loglik_mle, null_b.loglik_mle),
        ] {
            assert!(x.is_nan() && y.is_nan() || (x - y).abs() <= 1e-7 * x.abs(), "{what}: {null_a:?} {null_b:?}");
        }
        compare(what, &a, &b.traits[0]);
        let multiplied = if case.dropped > 0 && case.missing > 0.0 { None } else { Some(case.snps - case.kinship) };
        assert!(multiplied.is_none_or(|m| m as u64 == b.rotations), "{what}: {} multiplied", b.rotations);
    }
}

#[test]
fn a_kinship_without_some_of_its_variants_is_a_part_of_the_same_products() {
    let case = Case { dropped: 8, snps: 70, ..PLAIN };
    let data = simulate(case, 77);
    let members: Vec<u32> = (0..60).filter(|s| !(20..35).contains(s)).collect();
    let (_, a) = primal(case, &data, Tests::ALL, &members);
    let (_, b) = dual(case, &data, Tests::ALL, &members, (70, 1));
    compare("a chromosome left out", &a, &b.traits[0]);
}

#[test]
fn bytes_do_not_depend_on_threads_or_blocks() {
    let case = Case { dropped: 8, kinship: 40, covariates: 2, ..PLAIN };
    let data = simulate(case, 5);
    let members: Vec<u32> = (0..40).collect();
    let bits = |cut| {
        let (null, results) = dual(case, &data, Tests::ALL, &members, cut);
        let rows: Vec<u64> = columns(&results.traits[0]).into_iter().flatten().map(|x| x.to_bits()).collect();
        (format!("{null:?}"), rows)
    };
    let expected = bits((60, 1));
    assert!([(1, 2), (7, 1), (7, 3), (60, 2)].into_iter().all(|cut| bits(cut) == expected));
}

#[test]
fn the_gram_of_the_set_is_the_gram_of_its_rows() {
    let data = simulate(PLAIN, 9);
    let mut snps = SnpSet::new(PLAIN.people);
    snps.push(&data.packed, &(0..60).collect::<Vec<_>>(), None, 1, &Job::default()).unwrap();
    let expected = snp_gram(&data.packed, PLAIN.people, 60, 1, &Job::default()).unwrap();
    assert_eq!(snps.gram(2, &Job::default()).unwrap(), expected);
}
