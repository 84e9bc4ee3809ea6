//! A smooth for each level of a factor (fs): the levels share one smoothing parameter for the penalised part and one for
//! each dimension of its null space, so that every function is shrunk towards zero.

use x_simd::{Error, Result};

use super::natural::natural;
use super::{Basis, Columns, Plan, RawPenalty, matrix_json, matrix_read};
use crate::json::{Json, object};
use crate::mat::Mat;

pub struct FactorSmooth {
    pub basis: Box<Basis>,
    pub factor: usize,
    levels: usize,
    /// Sparse columns of the basis × natural coefficients.
    change: Mat,
    /// Penalised coefficients of a level.
    rank: usize,
}

impl FactorSmooth {
    pub fn learn(plan: &Plan, columns: &Columns) -> Result<FactorSmooth> {
        let factors: Vec<usize> = (0..plan.columns.len()).filter(|&i| plan.levels[i].is_some()).collect();
        let [at] = factors[..] else {
            return Err(Error::new("GAM_OPTIONS", "bs=\"fs\" takes exactly one factor"));
        };
        let mut inner = Plan { bs: "tp".to_owned(), ..plan.clone() };
        inner.columns.remove(at);
        inner.levels.remove(at);
        if inner.columns.is_empty() {
            return Err(Error::new("GAM_OPTIONS", "bs=\"fs\" takes a numeric covariate beside its factor"));
        }
        let basis = Basis::learn(&inner, columns)?;
        let (change, rank) = natural(&basis, columns, columns[inner.columns[0]].len())?;
        let change = basis.lift().map_or_else(|| change.clone(), |l| l.mul(&change));
        let levels = plan.levels[at].expect("the factor has levels");
        Ok(FactorSmooth { basis: Box::new(basis), factor: plan.columns[at], levels, change, rank })
    }

    pub fn state(&self) -> Json {
        object([
            ("kind", "factorsmooth".into()),
            ("basis", self.basis.state()),
            ("column", self.factor.into()),
            ("levels", self.levels.into()),
            ("lift", matrix_json(&self.change)),
            ("rank", self.rank.into()),
        ])
    }

    pub fn restore(j: &Json) -> Result<FactorSmooth> {
        Ok(FactorSmooth {
            basis: Box::new(Basis::restore(j.get("basis"))?),
            factor: j.get("column").index("column")?,
            levels: j.get("levels").index("levels")?,
            change: matrix_read(j.get("lift"))?,
            rank: j.get("rank").index("rank")?,
        })
    }

    pub fn level_width(&self) -> usize {
        self.change.cols
    }

    pub fn width(&self) -> usize {
        self.levels * self.level_width()
    }

    fn level(&self, columns: &Columns, i: usize) -> Option<usize> {
        let level = columns[self.factor][i];
        (level >= 0.0 && level < self.levels as f64).then_some(level as usize)
    }

    /// First coefficient of the row's level.
    pub fn at(&self, columns: &Columns, i: usize) -> usize {
        self.level(columns, i).unwrap_or(0) * self.level_width()
    }

    /// The functions of the row's level; an unseen level gives zero.
    pub fn window(&self, columns: &Columns, i: usize, out: &mut [f64]) -> usize {
        match self.level(columns, i) {
            Some(_) => self.basis.dense(columns, i, Some(&self.change), out),
            None => out.fill(0.0),
        }
        self.at(columns, i)
    }

    pub fn penalties(&self) -> Vec<RawPenalty> {
        let w = self.level_width();
        let block = |range: std::ops::Range<usize>| {
            let inside = |i: usize| range.contains(&(i % w));
            let m = Mat::from_fn(self.width(), self.width(), |i, j| f64::from(i == j && inside(i)));
            (m, range.len() * self.levels)
        };
        let mut out = vec![block(0..self.rank)];
        out.extend((self.rank..w).map(|i| block(i..i + 1)));
        out
    }
}
