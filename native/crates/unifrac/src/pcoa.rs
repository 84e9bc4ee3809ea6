//! Principal coordinates (Gower, Biometrika 1966).

use x_dense::{center, eigh};
use x_simd::{Error, Job, Result};

use crate::store::Distances;

pub struct Pcoa {
    /// Largest first; those of axes that are asked for and positive.
    pub values: Vec<f64>,
    /// Sample after sample, as many numbers as values.
    pub coordinates: Vec<f64>,
    /// Sum of all positive eigenvalues.
    pub positive: f64,
    /// Sum of all negative ones: what no real coordinates can show.
    pub negative: f64,
}

/// Coordinates whose Euclidean distances come as near to the given ones as so many axes can. An axis points to where its
/// largest coordinate is positive.
pub fn pcoa(distances: &Distances, axes: usize, threads: usize, job: &Job) -> Result<Pcoa> {
    let n = distances.n();
    let mut gower = distances.square()?;
    for x in gower.data_mut() {
        if !x.is_finite() {
            return Err(Error::new("DISTANCE_NAN", "a distance is not finite"));
        }
        *x *= -0.5 * *x;
    }
    center(&mut gower, threads, job)?;
    let found = eigh(gower, threads, job)?;
    // Rounding leaves tiny eigenvalues of either sign where there are none.
    let floor = 1e-12 * found.values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    let positive = found.values.iter().filter(|v| **v > floor).sum();
    let negative = found.values.iter().filter(|v| **v < -floor).sum();
    let kept: Vec<usize> = (0..n).rev().take(axes).take_while(|&at| found.values[at] > floor).collect();
    let mut coordinates = vec![0.0; n * kept.len()];
    for (axis, &at) in kept.iter().enumerate() {
        let column = |i: usize| found.vectors.row(i)[at];
        let largest = (0..n).map(column).fold(0.0, |m: f64, x| if x.abs() > m.abs() * (1.0 + 1e-9) { x } else { m });
        let scale = found.values[at].sqrt() * if largest < 0.0 { -1.0 } else { 1.0 };
        (0..n).for_each(|i| coordinates[i * kept.len() + axis] = scale * column(i));
    }
    Ok(Pcoa { values: kept.iter().map(|&at| found.values[at]).collect(), coordinates, positive, negative })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_points_on_a_plane_again() {
        let points = [(0.0, 0.0), (3.0, 0.0), (0.0, 4.0), (-5.0, 1.0), (2.0, 2.0)];
        let apart = |i: usize, j: usize| {
            let ((a, b), (c, d)): ((f64, f64), (f64, f64)) = (points[i], points[j]);
            (a - c).hypot(b - d)
        };
        let square: Vec<f64> = (0..25).map(|x| apart(x / 5, x % 5)).collect();
        let d = Distances::from_square(5, &square).unwrap();
        let found = pcoa(&d, 4, 1, &Job::default()).unwrap();
        assert_eq!(found.values.len(), 2);
        for i in 0..5 {
            for j in 0..5 {
                let [a, b] = [i, j].map(|s| &found.coordinates[2 * s..2 * s + 2]);
                assert!(((a[0] - b[0]).hypot(a[1] - b[1]) - apart(i, j)).abs() < 1e-12);
            }
        }
    }
}
