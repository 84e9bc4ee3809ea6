use super::*;

fn matrix(n: usize, f: impl Fn(usize, usize) -> f64) -> SquareMatrix {
    let mut k = SquareMatrix::zeros(n).unwrap();
    for i in 0..n {
        for j in 0..n {
            k.data_mut()[i * n + j] = f(i.max(j), i.min(j));
        }
    }
    k
}

fn hash(i: usize, j: usize) -> f64 {
    let mut x = (i as u64 * 1_000_003 + j as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x ^= x >> 29;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (x >> 11) as f64 / (1u64 << 53) as f64 - 0.5
}

/// XX'/p with people `i` and `i - twins_from` alike.
fn kinship(n: usize, p: usize, twins_from: usize) -> SquareMatrix {
    let g = |i: usize, s: usize| hash(if i >= twins_from { i - twins_from } else { i }, s + 7).signum();
    let x: Vec<f64> = (0..n * p).map(|t| g(t / p, t % p)).collect();
    matrix(n, |i, j| (0..p).map(|s| x[i * p + s] * x[j * p + s]).sum::<f64>() / p as f64)
}

/// Full reconstruction, not only the probes.
fn verify(name: &str, k: &SquareMatrix) {
    let n = k.n();
    let e = eigh(k.clone(), 2, &Job::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert!(e.values.windows(2).all(|w| w[0] <= w[1]), "{name}: order");
    let u = &e.vectors;
    let norm = e.values.iter().fold(f64::MIN_POSITIVE, |m, v| m.max(v.abs()));
    let scaled: Vec<f64> = (0..n * n).map(|t| u.data()[t] * e.values[t % n]).collect();
    let mut transposed = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..n {
            transposed[j * n + i] = u.data()[i * n + j];
        }
    }
    let mut back = vec![0.0; n * n];
    crate::gemm(n, n, n, &scaled, &transposed, &mut back, 1, &Job::default()).unwrap();
    let mut gram = vec![0.0; n * n];
    crate::gemm(n, n, n, &transposed, u.data(), &mut gram, 1, &Job::default()).unwrap();
    for i in 0..n {
        for j in 0..n {
            assert!((back[i * n + j] - k.data()[i * n + j]).abs() <= 1e-12 * norm, "{name}: residual at {i}, {j}");
            let one = if i == j { 1.0 } else { 0.0 };
            assert!((gram[i * n + j] - one).abs() <= 1e-12, "{name}: orthogonality at {i}, {j}");
        }
    }
}

#[test]
fn structured_matrices_decompose() {
    verify("n = 0", &matrix(0, hash));
    for n in [1, 2, 3, 31, 32, 33, 64, 65, 127, 200, 333] {
        verify("random", &matrix(n, hash));
        verify("zero", &matrix(n, |_, _| 0.0));
        verify("identity", &matrix(n, |i, j| f64::from(i == j)));
        verify("ones", &matrix(n, |_, _| 1.0));
        verify("diagonal", &matrix(n, |i, j| if i == j { hash(i, 1) } else { 0.0 }));
        verify(
            "wilkinson",
            &matrix(n, |i, j| if i == j { (i as f64 - n as f64 / 2.0).abs() } else { f64::from(i == j + 1) }),
        );
        verify("graded", &matrix(n, |i, j| 10f64.powi(-((i + j) as i32) / 20) * (1.0 + f64::from(i == j))));
        verify("tiny", &matrix(n, |i, j| hash(i, j) * 1e-200));
        verify("huge", &matrix(n, |i, j| hash(i, j) * 1e200));
        verify("blocks", &matrix(n, |i, j| if i / 10 == j / 10 { hash(i % 10, j % 10) } else { 0.0 }));
    }
    verify("p < n", &kinship(300, 60, 1000));
    verify("p > n", &kinship(150, 400, 1000));
    verify("twins", &kinship(300, 500, 150));
    verify("twins, p < n", &kinship(600, 80, 400));
}

#[test]
fn bits_do_not_depend_on_threads() {
    let k = kinship(700, 900, 600);
    let one = eigh(k.clone(), 1, &Job::default()).unwrap();
    for threads in [2, 3, 8] {
        let e = eigh(k.clone(), threads, &Job::default()).unwrap();
        assert!(one.values == e.values && one.vectors == e.vectors, "{threads} threads");
    }
}

#[test]
fn a_value_that_is_not_finite_is_refused_with_its_place() {
    let mut k = matrix(50, hash);
    k.data_mut()[7 * 50 + 3] = f64::NAN;
    let e = eigh(k, 1, &Job::default()).err().unwrap();
    assert_eq!((e.code, e.details), ("KIN_NAN", vec![("row", 8.0), ("column", 4.0)]));
}

#[test]
fn a_cancelled_job_stops_and_counters_reach_their_total() {
    let job = Job::default();
    eigh(matrix(200, hash), 2, &job).unwrap();
    assert_eq!(job.done(), job.total());
    job.cancel();
    assert_eq!(eigh(matrix(200, hash), 2, &job).err().unwrap().code, "CANCELLED");
}

#[test]
fn vectors_from_a_file_are_checked() {
    let mut e = eigh(matrix(120, hash), 1, &Job::default()).unwrap();
    assert!(check_eigen(&e.values, &e.vectors, 1, &Job::default()).unwrap() < 1e-12);
    e.vectors.data_mut()[0] += 1e-6;
    assert!(check_eigen(&e.values, &e.vectors, 1, &Job::default()).unwrap() > 1e-9);
    assert_eq!(check_eigen(&e.values[1..], &e.vectors, 1, &Job::default()).unwrap_err().code, "SHAPE");
}

#[test]
fn probes_notice_a_wrong_value_a_wrong_vector_and_nan() {
    let k = matrix(150, hash);
    let job = Job::default();
    let probes = Probes::take(&k, &job).unwrap();
    let e = eigh(k, 1, &job).unwrap();
    let measure = |change: &dyn Fn(&mut Vec<f64>, &mut [f64])| {
        let (mut values, mut u) = (e.values.clone(), e.vectors.clone());
        change(&mut values, u.data_mut());
        probes.compare(&values, &u, &job).unwrap()
    };
    let sound = measure(&|_, _| ());
    assert!(sound.0 < 1e-13 && sound.1 < 1e-12, "{sound:?}");
    assert!(measure(&|values, _| values[70] *= 1.0 + 1e-6).0 > CHECK_LIMIT);
    let wrong = measure(&|_, u| u[33 * 150 + 70] += 1e-7);
    assert!(wrong.0 > CHECK_LIMIT && wrong.1 > CHECK_LIMIT);
    let nan = measure(&|_, u| u[5] = f64::NAN);
    assert!(nan.0.is_nan() && nan.1.is_nan());
}

#[test]
fn sizes_where_32_bit_libraries_fail() {
    // DSYEVD's workspace 1 + 6n + 2n² passes 2^31 at 32,767; n² does at 46,341.
    for n in [32_766u64, 32_767, 46_340, 46_341, 200_000] {
        let bytes = eigh_bytes(n, 1);
        assert!(bytes > 16 * n * n && bytes < 16 * n * n + 6000 * n + (1 << 22));
        assert_eq!(usize::try_from(n * n).ok(), (n as usize).checked_mul(n as usize));
    }
    assert!(46_341u64 * 46_341 > i32::MAX as u64 && eigh_bytes(46_341, 1) > 34_359_000_000);
    assert_eq!(eigh_bytes(u64::MAX, 1), u64::MAX);
}
