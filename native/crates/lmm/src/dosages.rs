//! The tests of variants that come as dosages instead of packed genotypes: only the rotation differs.

use x_dense::SquareMatrix;
use x_simd::{Error, Job, Result, try_zeroed};

use crate::association::{Association, Wald, batch_rows};

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
    ) -> Result<Wald> {
        let n = self.model.n;
        if vectors.n() != n || means.len() != rows.len() {
            return Err(Error::new("SHAPE", "eigenvectors or means do not match the people or rows under test"));
        }
        let batch = batch_rows(n).min(rows.len()).max(1);
        let mut rotated: Vec<f64> = try_zeroed(batch * n)?;
        let mut wald = Wald::default();
        for (rows, means) in rows.chunks(batch).zip(means.chunks(batch)) {
            job.check()?;
            let x = x_genotype::fill_rows(values, self.samples_in_file, &self.keep, rows, means)?;
            let rotated = &mut rotated[..rows.len() * n];
            x_dense::gemm(rows.len(), n, n, &x, vectors.data(), rotated, threads, &Job::default())?;
            self.test_rotated(rotated, threads, job, &mut wald)?;
        }
        Ok(wald)
    }
}
