//! The tests of variants that come as dosages instead of packed genotypes: only the rotation differs.

use x_dense::SquareMatrix;
use x_simd::{Error, Job, Result, try_zeroed};

use crate::association::{Association, Results, batch_rows};
use crate::statistics::Columns;

impl Association {
    /// As `test`, for a block of rows of dosages of all people in the file, NaN where missing; `means[i]` replaces the
    /// missing ones of `rows[i]`.
    pub fn test_dosages(
        &self,
        vectors: &SquareMatrix,
        values: &[f64],
        rows: &[u32],
        means: &[f64],
        threads: usize,
        job: &Job,
    ) -> Result<Results> {
        let n = self.models[0].n;
        if vectors.n() != n || means.len() != rows.len() {
            return Err(Error::new("SHAPE", "eigenvectors or means do not match the people or rows under test"));
        }
        let batch = batch_rows(n).min(rows.len()).max(1);
        let mut rotated: [Vec<f64>; 2] = [try_zeroed(batch * n)?, Vec::new()];
        if self.environment.is_some() {
            rotated[1] = try_zeroed(batch * n)?;
        }
        let mut results = Results { traits: vec![Columns::default(); self.models.len()], ..Results::default() };
        for (rows, means) in rows.chunks(batch).zip(means.chunks(batch)) {
            job.check()?;
            let mut x = x_genotype::fill_rows(values, self.samples_in_file, &self.keep, rows, means)?;
            for (rotated, scale) in rotated.iter_mut().zip([None, self.environment.as_deref()]).take(self.columns()) {
                if let Some(environment) = scale {
                    for row in x.chunks_exact_mut(n) {
                        row.iter_mut().zip(environment).for_each(|(x, e)| *x *= e);
                    }
                }
                let out = &mut rotated[..rows.len() * n];
                x_dense::gemm(rows.len(), n, n, &x, vectors.data(), out, threads, &Job::default())?;
                results.rotations += rows.len() as u64;
            }
            self.test_rotated(&rotated, rows.len(), threads, job, &mut results)?;
        }
        Ok(results)
    }
}
