//! The solver against mgcv on the raw problems of `../shared/data/gam/reference` (model matrix, penalties, response in
//! mgcv's coordinates): criterion, smoothing parameters, edf, deviance, scale. Says so when that folder is not there.

mod common;

use common::{Problem, reference};
use x_gam::fit::fit;
use x_simd::Job;

#[test]
fn every_problem_reaches_the_reference() {
    let Some(ids) = reference("problem_") else { return };
    let only = std::env::var("GAM_ONLY").unwrap_or_default();
    let mut failures = Vec::new();
    for id in ids.iter().filter(|id| id.contains(&only)) {
        let Some(problem) = Problem::read(id) else { continue };
        for held in [false, true].into_iter().take(if problem.short() { 2 } else { 1 }) {
            let found = fit(
                &problem.rows,
                &problem.penalties,
                &*problem.family,
                &problem.y,
                &problem.w,
                &problem.offset,
                &problem.options(held),
                &Job::default(),
            );
            match found {
                Ok(f) => problem.compare(&f, held, &mut failures),
                Err(e) => failures.push(format!("{id}: {e} {:?}", e.details)),
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
