//! Implicit QL iterations with Wilkinson's shift for the small blocks at the bottom of the recursion
//! (Golub & Van Loan §8.3.5).

use x_simd::{Error, Result};

/// Eigenvalues of the tridiagonal (d, e) ascending into `d`; `q` (m × m, row-major) gets the vectors as columns.
pub fn ql(d: &mut [f64], e: &[f64], q: &mut [f64]) -> Result<()> {
    let m = d.len();
    // Rows of `v` are eigenvectors here, so that a rotation runs over contiguous memory.
    let mut v = vec![0.0; m * m];
    for i in 0..m {
        v[i * m + i] = 1.0;
    }
    let mut e = e[..m.saturating_sub(1)].to_vec();
    e.push(0.0);
    for l in 0..m {
        let mut sweeps = 0;
        loop {
            let split = (l..m - 1).find(|&i| e[i].abs() <= f64::EPSILON * (d[i].abs() + d[i + 1].abs()));
            let end = split.unwrap_or(m - 1);
            if end == l {
                break;
            }
            sweeps += 1;
            if sweeps > 60 {
                return Err(Error::new("EIGEN_CHECK", "a tridiagonal block did not converge in 60 sweeps"));
            }
            let mut g = (d[l + 1] - d[l]) / (2.0 * e[l]);
            let mut r = g.hypot(1.0);
            g = d[end] - d[l] + e[l] / (g + r.copysign(g));
            let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
            let mut early = false;
            for i in (l..end).rev() {
                let f = s * e[i];
                let b = c * e[i];
                r = f.hypot(g);
                e[i + 1] = r;
                if r == 0.0 {
                    // The rotation vanished: the block splits here.
                    d[i + 1] -= p;
                    e[end] = 0.0;
                    early = true;
                    break;
                }
                s = f / r;
                c = g / r;
                g = d[i + 1] - p;
                r = (d[i] - g) * s + 2.0 * c * b;
                p = s * r;
                d[i + 1] = g + p;
                g = c * r - b;
                let (lo, hi) = v[i * m..(i + 2) * m].split_at_mut(m);
                for (x, y) in lo.iter_mut().zip(hi) {
                    let t = *y;
                    *y = s * *x + c * t;
                    *x = c * *x - s * t;
                }
            }
            if !early {
                d[l] -= p;
                e[l] = g;
                e[end] = 0.0;
            }
        }
    }
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|&i, &j| d[i].total_cmp(&d[j]));
    let values: Vec<f64> = order.iter().map(|&i| d[i]).collect();
    d.copy_from_slice(&values);
    for (col, &from) in order.iter().enumerate() {
        for i in 0..m {
            q[i * m + col] = v[from * m + i];
        }
    }
    Ok(())
}
