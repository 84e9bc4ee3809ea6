//! A start from some of the rows. Smoothing parameters say how a function bends, not how many rows there are, so those of
//! every eighth block of rows are near those of all rows and cost an eighth. It is a start and nothing else.

use std::borrow::Cow;

use x_simd::Result;

use crate::criterion::Source;
use crate::fit::{Options, run};
use crate::passes::Data;
use crate::penalty::Penalty;
use crate::rows::{BLOCK, Block, Layout, Rows};

/// One block of so many is taken.
const EVERY: usize = 8;
/// From this many rows on.
const FROM: usize = 1 << 15;
/// A coordinate that is flat in the part can matter in the whole: from here the gradient still shows the way.
const LARGEST_RHO: f64 = 8.0;

pub struct Thin<'a> {
    all: &'a dyn Rows,
    rows: usize,
}

impl<'a> Thin<'a> {
    pub fn new(all: &'a dyn Rows) -> Thin<'a> {
        Thin { all, rows: (0..all.rows()).filter(|&i| Self::takes(i)).count() }
    }

    fn takes(i: usize) -> bool {
        (i / BLOCK).is_multiple_of(EVERY)
    }

    /// The same rows of a vector with `k` values a row (or of none).
    pub fn take(&self, x: &[f64], k: usize) -> Vec<f64> {
        x.chunks_exact(k).enumerate().filter(|(i, _)| Self::takes(*i)).flat_map(|(_, x)| x).copied().collect()
    }
}

impl Rows for Thin<'_> {
    fn rows(&self) -> usize {
        self.rows
    }
    fn layout(&self) -> &Layout {
        self.all.layout()
    }
    /// Blocks of a pass begin at multiples of `BLOCK`.
    fn fill(&self, from: usize, rows: usize, block: &mut Block) {
        self.all.fill(from / BLOCK * EVERY * BLOCK + from % BLOCK, rows, block);
    }
}

/// The options with a start from some of the rows, where there are many and the caller has none.
pub fn start<'a>(data: &Data, penalties: &[Penalty], options: &'a Options) -> Result<Cow<'a, Options>> {
    let control = &options.control;
    let many = data.n() >= FROM && !data.family.quadratic() && !data.family.partial();
    if !many || control.fixed || control.rho.is_some() || control.beta.is_some() {
        return Ok(Cow::Borrowed(options));
    }
    let part = Thin::new(data.rows);
    let (y, w) = (part.take(data.y, 1), part.take(data.w, 1));
    let offset = part.take(data.offset, data.predictors());
    let own = Data { rows: &part, family: data.family, y: &y, w: &w, offset: &offset, job: data.job };
    let used = w.iter().filter(|w| **w > 0.0).count() as f64;
    let quick = Options { covariances: false, tests: false, ..options.clone() };
    match run(data.rows.layout(), penalties, Source::Data(&own), Some(&own), data.family, &quick, used) {
        Ok(fit) => {
            let mut out = options.clone();
            out.control.rho = Some(fit.rho.iter().map(|r| r.min(LARGEST_RHO)).collect());
            out.control.beta = Some(fit.beta);
            out.control.theta = Some(fit.parameters);
            Ok(Cow::Owned(out))
        }
        Err(e) if e.code == "CANCELLED" => Err(e),
        // Some rows need not determine what all do.
        Err(_) => Ok(Cow::Borrowed(options)),
    }
}
