//! Rotated variants against the models of all phenotypes, by several threads.

use rayon::prelude::*;
use x_simd::{Job, Result, with_pool};

use crate::association::Results;
use crate::model::Model;
use crate::statistics::Fits;
use crate::tile::{Buffers, GROUP};

/// One a phenotype, all of the same people and covariates.
pub struct Models(pub Vec<Model>);

impl Models {
    /// Tests the first `count` rotated variants and adds them to the results.
    pub fn test(
        &self,
        rotated: &[Vec<f64>; 2],
        count: usize,
        threads: usize,
        job: &Job,
        results: &mut Results,
    ) -> Result<()> {
        let width = self.0[0].width;
        let groups = count.div_ceil(GROUP);
        // A minimum of groups a task keeps the buffers few.
        let tested: Result<Vec<Group>> = with_pool(threads, || {
            let share = groups.div_ceil(4 * rayon::current_num_threads());
            let tested = (0..groups).into_par_iter().with_min_len(share).map_init(
                || None,
                |buffers, g| {
                    job.check()?;
                    let buffers = match buffers {
                        Some(buffers) => buffers,
                        None => buffers.insert(Buffers::new(&self.0[0])?),
                    };
                    let range = g * GROUP * width..((g + 1) * GROUP).min(count) * width;
                    let slices = rotated.each_ref().map(|r| r.get(range.clone()).unwrap_or_default());
                    let mut group = Group::default();
                    for (t, model) in self.0.iter().enumerate() {
                        group.fits.push(model.test_group(slices, t > 0, buffers));
                    }
                    group.searches = std::mem::take(&mut buffers.searches);
                    group.evaluations = std::mem::take(&mut buffers.evaluations);
                    job.advance((range.len() / width) as u64);
                    Ok(group)
                },
            );
            Ok(tested.collect())
        })?;
        for group in tested? {
            results.searches += group.searches;
            results.evaluations += group.evaluations;
            for ((fits, model), columns) in group.fits.iter().zip(&self.0).zip(&mut results.traits) {
                for fit in fits {
                    columns.push(model.tests, fit.as_ref(), model.n, model.df());
                }
            }
        }
        Ok(())
    }
}

/// What a few variants gave, by phenotype.
#[derive(Default)]
struct Group {
    fits: Vec<Vec<Option<Fits>>>,
    searches: u64,
    evaluations: u64,
}
