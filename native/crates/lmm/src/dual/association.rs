//! Null model and tests of variants in the coordinates of a frame.

use x_simd::{Error, Job, Level, Result};

use super::frame::{DualKinship, Frame};
use crate::association::{Results, Size, Study};
use crate::design::Design;
use crate::grid::Grid;
use crate::kernels::Kernels;
use crate::model::{Common, Model};
use crate::models::Models;
use crate::null::{Null, check_columns, fit_null_of, pad};
use crate::options::Options;
use crate::statistics::Columns;
use crate::tile::Buffers;

/// The same as [`crate::Association`] by the p × p route; the kinship stays with the caller. No environment.
pub struct DualAssociation {
    frame: Frame,
    models: Models,
    keep: Vec<u32>,
    samples_in_file: usize,
}

/// The null model of one phenotype. Errors: those of [`crate::fit_null`], KIN_ZERO.
#[allow(clippy::too_many_arguments)]
pub fn dual_null(
    kinship: DualKinship,
    values: &[f64],
    y: &[f64],
    w: &[f64],
    c: usize,
    options: &Options,
    threads: usize,
    job: &Job,
) -> Result<Null> {
    let n = kinship.snps.samples();
    check_columns(n, y, w, c)?;
    let frame = Frame::new(kinship, values, &[w, y].concat(), threads, job)?;
    let [columns @ .., y] = &frame.columns[..] else {
        return Err(Error::new("SHAPE", "no phenotype"));
    };
    fit_null_of(n, &frame.values, y, &columns.concat(), c, options)
}

impl DualAssociation {
    /// `study.values` are the eigenvalues of the members' X'X / p. Errors: those of [`crate::Association::new`], KIN_ZERO.
    pub fn new(kinship: DualKinship, study: &Study, options: Options, threads: usize, job: &Job) -> Result<Self> {
        let Study { values, keep, samples_in_file, traits, w, c, environment, tests } = *study;
        let n = kinship.snps.samples();
        if keep.len() != n || traits.is_empty() || environment.is_some() {
            let message = format!("{} people for a kinship of {n}, no phenotype, or an environment", keep.len());
            return Err(Error::new("SHAPE", message));
        }
        if let Some(&person) = keep.iter().find(|&&person| person as usize >= samples_in_file) {
            return Err(Error::new("SHAPE", format!("person {person} of a file of {samples_in_file}")));
        }
        options.check()?;
        let mut columns = w.to_vec();
        for t in traits {
            check_columns(n, t.y, w, c)?;
            if !(t.null.lambda > 0.0 && t.null.lambda.is_finite() && t.null.loglik.is_finite()) {
                return Err(Error::new("NOT_FINITE", "the null model must have a positive lambda and a likelihood"));
            }
            columns.extend_from_slice(t.y);
        }
        let frame = Frame::new(kinship, values, &columns, threads, job)?;
        let (fixed, phenotypes) = frame.columns.split_at(c);
        let design = Design::new(&fixed.concat(), frame.width(), c, n)?;
        let kernels = Kernels::new(Level::get());
        let common = Common { n, width: frame.width(), v: 1, values: pad(&frame.values), tests, options, kernels };
        let models = traits.iter().zip(phenotypes).map(|(t, y)| {
            let (rest, _) = design.residual(y)?;
            let columns = design.q.iter().chain([&rest]).map(|column| pad(column)).collect();
            Model::new(&common, columns, t.null)
        });
        let models = Models(models.collect::<Result<_>>()?);
        Ok(Self { frame, models, keep: keep.to_vec(), samples_in_file })
    }

    /// Tests the listed rows of a block of packed variants of all people in the file; missing calls are the mean of the
    /// analysed people. `places[i]` is the place of `rows[i]` in the kinship's set, -1 when it is not there. `kinship` must
    /// be the one given to `new`. The job counts every variant twice: placed in the frame, tested.
    pub fn test(
        &self,
        kinship: DualKinship,
        packed: &[u8],
        rows: &[u32],
        places: &[i32],
        threads: usize,
        job: &Job,
    ) -> Result<Results> {
        let (samples, people) = (self.samples_in_file, self.frame.people());
        if kinship.snps.samples() != people || places.len() != rows.len() {
            return Err(Error::new("SHAPE", "the kinship or the places do not match the people or rows under test"));
        }
        let in_block = packed.len() / samples.div_ceil(4).max(1);
        let kept = x_genotype::subset(packed, samples, in_block, &self.keep, threads, &Job::default())?;
        job.start(2 * rows.len() as u64);
        let mut results = Results { traits: vec![Columns::default(); self.models.0.len()], ..Results::default() };
        let batch = batch_rows(kinship.snps.len()).min(rows.len()).max(1);
        for (rows, places) in rows.chunks(batch).zip(places.chunks(batch)) {
            job.check()?;
            let (placed, multiplied) = self.frame.variants(kinship, &kept, rows, places, threads, job)?;
            job.advance(rows.len() as u64);
            results.rotations += multiplied;
            self.models.test(&[placed, Vec::new()], rows.len(), threads, job, &mut results)?;
        }
        Ok(results)
    }
}

/// Variants placed in the frame together: enough to spread the reading of all eigenvectors, few enough that the batch's
/// products with the kinship's variants, there up to four times, stay small.
fn batch_rows(p: usize) -> usize {
    ((16 << 20) / (8 * p.max(1))).clamp(128, 512)
}

/// Bytes that a `DualAssociation` for `size` and one call of its `test` on `rows` rows take on `threads` threads with `p`
/// variants in the kinship, besides kinship, results and the packed genotypes of the file and of the analysed people.
pub fn dual_bytes(size: &Size, p: usize, rows: usize, threads: usize, options: &Options) -> u64 {
    let Size { n, c, traits, tests, .. } = *size;
    let columns = (c + traits) as u64;
    let width = p + c + traits + 2;
    let model = 8 * Model::doubles(width as u64 + 8, c as u64) + Grid::bytes(options, tests, width + 8);
    let batch = batch_rows(p).min(rows) as u64;
    let planes = batch.next_multiple_of(128) * n.div_ceil(512) as u64 * 128;
    let frame = 8 * columns * (2 * n + 2 * p) as u64;
    traits as u64 * model
        + batch * 8 * (3 * p + width) as u64
        + planes
        + frame
        + threads as u64 * (Buffers::bytes(width, c, 1) + (256 << 10))
}
