//! Cross-products by row group of a gaussian model: one pass over the data, then any fit that leaves groups out is total
//! minus part.

use x_simd::{Error, Job, Result};

use crate::centred::{Centred, Centres};
use crate::criterion::Quadratic;
use crate::design::Design;
use crate::family::{Response, check_response, from_options};
use crate::fit::{Fit, Options, fit_quadratic, level, quadratic_sums};
use crate::json::Json;
use crate::penalty::Penalty;
use crate::rows::{Block, Layout, Rows};

pub struct Cross {
    layout: Layout,
    centres: Centres,
    penalties: Vec<Penalty>,
    ranges: Vec<std::ops::Range<usize>>,
    random: Vec<bool>,
    groups: Vec<Quadratic>,
    total: Quadratic,
}

/// Some consecutive rows.
struct Slice<'a> {
    all: &'a Centred<'a>,
    from: usize,
    rows: usize,
}

impl Rows for Slice<'_> {
    fn rows(&self) -> usize {
        self.rows
    }
    fn layout(&self) -> &Layout {
        self.all.layout()
    }
    fn fill(&self, from: usize, rows: usize, block: &mut Block) {
        self.all.fill(self.from + from, rows, block);
    }
}

fn combine(to: &mut Quadratic, sign: f64, part: &Quadratic) {
    to.gram.add_scaled(sign, &part.gram);
    crate::mat::axpy(sign, &part.xty, &mut to.xty);
    to.yy += sign * part.yy;
    to.rows += sign * part.rows;
    to.log_weights += sign * part.log_weights;
}

impl Cross {
    /// `groups[i]` is the group of row i, below `count`. Empty `weights` and `offset` mean none.
    pub fn new(
        design: &Design,
        y: &[f64],
        weights: &[f64],
        offset: &[f64],
        groups: &[u32],
        count: usize,
        job: &Job,
    ) -> Result<Cross> {
        let n = design.rows();
        let right = |l: usize| l == n || l == 0;
        if y.len() != n || groups.len() != n || !right(weights.len()) || !right(offset.len()) {
            return Err(Error::new("SHAPE", "responses, weights, offset and groups need one value a row"));
        }
        if design.layout().predictors != 1 {
            return Err(Error::new("GAM_OPTIONS", "cross-products need one linear predictor"));
        }
        if let Some(i) = groups.iter().position(|&g| g as usize >= count) {
            return Err(Error::new("SHAPE", format!("group {} of {count} in row {}", groups[i], i + 1)));
        }
        let ones = vec![1.0; if weights.is_empty() { n } else { 0 }];
        let w = if weights.is_empty() { &ones } else { weights };
        let gaussian = from_options(&crate::json::object([("family", "gaussian".into())]))?;
        check_response(&*gaussian, Response { y, w })?;
        // Rows of a group side by side.
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by_key(|&i| groups[i]);
        let take = |x: &[f64]| -> Vec<f64> { order.iter().filter_map(|&i| x.get(i).copied()).collect() };
        let sorted = design.reordered(&order, job)?;
        let centres = Centres::of(&sorted);
        let all = Centred { design: &sorted, centres: &centres };
        let (y, w, offset) = (take(y), take(w), take(offset));
        let mut sizes = vec![0; count];
        groups.iter().for_each(|&g| sizes[g as usize] += 1);
        let level = level(design.layout(), &y, &w, &offset);
        let mut from = 0;
        let mut parts = Vec::with_capacity(count);
        for rows in sizes {
            let range = from..from + rows;
            let o = if offset.is_empty() { &[][..] } else { &offset[range.clone()] };
            let slice = Slice { all: &all, from, rows };
            parts.push(quadratic_sums(&slice, &y[range.clone()], &w[range], o, level, job)?);
            from += rows;
        }
        let width = design.layout().width;
        let mut total = Quadratic {
            gram: crate::mat::Mat::zeros(width, width),
            xty: vec![0.0; width],
            yy: 0.0,
            level,
            rows: 0.0,
            log_weights: 0.0,
        };
        parts.iter().for_each(|p| combine(&mut total, 1.0, p));
        Ok(Cross {
            layout: design.layout().clone(),
            centres,
            penalties: design.penalties.clone(),
            ranges: design.ranges(),
            random: design.random(),
            groups: parts,
            total,
        })
    }

    /// The fit without one group (`None` = of all rows).
    pub fn fit(&self, held_out: Option<usize>, options: &Json) -> Result<(Options, Fit)> {
        let family = from_options(options)?;
        if !family.quadratic() {
            return Err(Error::new("GAM_OPTIONS", "cross-products serve the gaussian family with identity link only"));
        }
        let read = Options::read(options)?;
        let mut sums = self.total.clone();
        if let Some(g) = held_out {
            let part = self.groups.get(g).ok_or_else(|| Error::new("SHAPE", format!("no group {g}")))?;
            combine(&mut sums, -1.0, part);
        }
        let mut inside = read.clone();
        inside.control.beta.iter_mut().for_each(|b| self.centres.inward(b));
        let mut fitted = fit_quadratic(&self.layout, &self.penalties, &*family, &sums, &inside)?;
        if read.tests {
            fitted.tests = crate::termtest::all(&fitted, &self.penalties, &self.ranges, &self.random)?;
        }
        self.centres.outward(&mut fitted);
        Ok((read, fitted))
    }
}
