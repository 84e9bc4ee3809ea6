//! Ridge regression in its dual form: one eigendecomposition of the kernel serves every penalty, and the residuals each
//! row would have if left out follow in closed form (Golub, Heath & Wahba 1979; Rifkin & Lippert 2007).

use x_dense::{SquareMatrix, eigh, gemm, syrk};
use x_simd::{Error, Job, Result, try_zeroed};

pub struct Ridge {
    /// Test rows × targets.
    pub predictions: Vec<f64>,
    /// The penalty with the least squared error of rows left out.
    pub penalty: f64,
    /// That error, a target and row.
    pub left_out_error: f64,
}

/// Inner products of the rows of `x` (n × p), and of `test` with them.
pub fn linear_kernel(
    x: &[f64],
    n: usize,
    p: usize,
    test: &[f64],
    threads: usize,
    job: &Job,
) -> Result<(SquareMatrix, Vec<f64>)> {
    let rows = test.len() / p.max(1);
    let mut kernel = SquareMatrix::zeros(n)?;
    syrk(n, p, x, kernel.data_mut(), threads, job)?;
    let mut turned = try_zeroed(n * p)?;
    for (i, row) in x.chunks_exact(p.max(1)).enumerate() {
        row.iter().enumerate().for_each(|(f, v)| turned[f * n + i] = *v);
    }
    let mut cross = try_zeroed(rows * n)?;
    gemm(rows, n, p, test, &turned, &mut cross, threads, job)?;
    Ok((kernel, cross))
}

/// Fits `y` (n × targets) with an intercept and predicts the rows of `cross` (test × n). Penalties are `scales` times the
/// kernel's mean eigenvalue. Directions in which the kernel is not positive are left out.
pub fn ridge(
    kernel: SquareMatrix,
    cross: &[f64],
    y: &[f64],
    scales: &[f64],
    threads: usize,
    job: &Job,
) -> Result<Ridge> {
    let n = kernel.n();
    if n < 2 || scales.is_empty() || y.is_empty() || y.len() % n != 0 || cross.len() % n != 0 {
        return Err(Error::new(
            "SHAPE",
            format!("{} targets and {} kernel values do not fit {n} rows", y.len(), cross.len()),
        ));
    }
    let targets = y.len() / n;
    let (kernel, cross) = centred(kernel, cross);
    let found = eigh(kernel, threads, job)?;
    let largest = found.values.iter().fold(0.0, |m: f64, v| m.max(*v));
    let kept: Vec<usize> = (0..n).filter(|&e| found.values[e] > 1e-10 * largest).collect();
    let mean = kept.iter().map(|&e| found.values[e]).sum::<f64>() / n as f64;
    let means: Vec<f64> = (0..targets).map(|t| y.iter().skip(t).step_by(targets).sum::<f64>() / n as f64).collect();
    let centre = |i: usize, t: usize| y[i * targets + t] - means[t];
    // Coordinates of the targets along the eigenvectors.
    let mut along = vec![0.0; kept.len() * targets];
    for i in 0..n {
        let row = found.vectors.row(i);
        for (k, &e) in kept.iter().enumerate() {
            (0..targets).for_each(|t| along[k * targets + t] += row[e] * centre(i, t));
        }
    }
    let mut best: Option<(f64, f64)> = None;
    for &scale in scales {
        job.check()?;
        let penalty = scale * mean;
        let mut error = 0.0;
        for i in 0..n {
            let row = found.vectors.row(i);
            let mut leverage = 1.0 / n as f64;
            let mut fitted = vec![0.0; targets];
            for (k, &e) in kept.iter().enumerate() {
                let shrunk = row[e] * found.values[e] / (found.values[e] + penalty);
                leverage += shrunk * row[e];
                (0..targets).for_each(|t| fitted[t] += shrunk * along[k * targets + t]);
            }
            let free = f64::max(1.0 - leverage, 1e-12);
            error += (0..targets).map(|t| ((centre(i, t) - fitted[t]) / free).powi(2)).sum::<f64>();
        }
        let error = error / (n * targets) as f64;
        if best.is_none_or(|(_, least)| error < least) {
            best = Some((penalty, error));
        }
    }
    let (penalty, left_out_error) = best.ok_or_else(|| Error::new("SHAPE", "no error could be computed"))?;
    let mut dual = vec![0.0; n * targets];
    for i in 0..n {
        let row = found.vectors.row(i);
        for (k, &e) in kept.iter().enumerate() {
            let weight = row[e] / (found.values[e] + penalty);
            (0..targets).for_each(|t| dual[i * targets + t] += weight * along[k * targets + t]);
        }
    }
    let mut predictions = Vec::with_capacity(cross.len() / n * targets);
    for row in cross.chunks_exact(n) {
        for t in 0..targets {
            predictions.push(means[t] + row.iter().enumerate().map(|(i, k)| k * dual[i * targets + t]).sum::<f64>());
        }
    }
    Ok(Ridge { predictions, penalty, left_out_error })
}

/// The kernel of features that have mean 0 over the training rows.
fn centred(mut kernel: SquareMatrix, cross: &[f64]) -> (SquareMatrix, Vec<f64>) {
    let n = kernel.n();
    let means: Vec<f64> = (0..n).map(|i| kernel.row(i).iter().sum::<f64>() / n as f64).collect();
    let all = means.iter().sum::<f64>() / n as f64;
    for (i, row) in kernel.data_mut().chunks_exact_mut(n).enumerate() {
        row.iter_mut().zip(&means).for_each(|(k, m)| *k = *k - means[i] - m + all);
    }
    let mut cross = cross.to_vec();
    for row in cross.chunks_exact_mut(n) {
        let mean = row.iter().sum::<f64>() / n as f64;
        row.iter_mut().zip(&means).for_each(|(k, m)| *k = *k - mean - m + all);
    }
    (kernel, cross)
}

#[cfg(test)]
mod tests {
    use super::*;
    use x_random::Random;

    fn sample(n: usize, p: usize, stream: u64) -> (Vec<f64>, Vec<f64>) {
        let mut random = Random::new(3, stream);
        let x: Vec<f64> = (0..n * p).map(|_| random.normal()).collect();
        let y = x.chunks(p).map(|r| 5.0 + 2.0 * r[0] - r[1] + 0.1 * random.normal()).collect();
        (x, y)
    }

    fn fit(x: &[f64], y: &[f64], p: usize, test: &[f64], scales: &[f64]) -> Ridge {
        let (kernel, cross) = linear_kernel(x, y.len(), p, test, 1, &Job::default()).unwrap();
        ridge(kernel, &cross, y, scales, 1, &Job::default()).unwrap()
    }

    #[test]
    fn finds_a_line() {
        let ((x, y), (test, truth)) = (sample(80, 5, 1), sample(20, 5, 2));
        let found = fit(&x, &y, 5, &test, &[1e-4, 1e-2, 1.0, 100.0]);
        let worst = found.predictions.iter().zip(&truth).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 0.5, "{worst}");
    }

    #[test]
    fn the_error_of_rows_left_out_is_what_leaving_them_out_gives() {
        let (p, scale) = (4, 0.3);
        let (x, y) = sample(15, p, 3);
        let whole = fit(&x, &y, p, &x, &[scale]);
        let mut error = 0.0;
        for out in 0..15 {
            let rest: Vec<usize> = (0..15).filter(|&i| i != out).collect();
            let xs: Vec<f64> = rest.iter().flat_map(|&i| x[i * p..(i + 1) * p].to_vec()).collect();
            let ys: Vec<f64> = rest.iter().map(|&i| y[i]).collect();
            // The same penalty, whatever the mean eigenvalue of the rest.
            let unit = fit(&xs, &ys, p, &x[out * p..(out + 1) * p], &[1.0]).penalty;
            let one = fit(&xs, &ys, p, &x[out * p..(out + 1) * p], &[whole.penalty / unit]);
            error += (one.predictions[0] - y[out]).powi(2) / 15.0;
        }
        assert!((whole.left_out_error - error).abs() < 1e-10, "{} {error}", whole.left_out_error);
    }
}
