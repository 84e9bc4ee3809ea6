//! One smooth of a model: its basis, identifiability constraint and normalised penalties.

use x_simd::{Error, Result};

use crate::basis::{Basis, Columns, Margin, Plan, Separable, Tensor, matrix_json, matrix_read};
use crate::json::{Json, malformed, object};
use crate::mat::{Mat, complement, complement_within};
use crate::penalty::Penalty;
use crate::rows::BLOCK;
use crate::shape::Shape;

/// Multiplies a smooth: a numeric covariate, or one level of a factor (other rows are zero).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct By {
    pub column: usize,
    pub level: Option<usize>,
}

impl By {
    fn read(j: &Json) -> Result<By> {
        Ok(By { column: j.get("column").index("by column")?, level: j.get("level").optional(|l| l.index("by level"))? })
    }

    pub fn value(&self, columns: &Columns, i: usize) -> f64 {
        let x = columns[self.column][i];
        match self.level {
            Some(level) => f64::from(x == level as f64),
            None => x,
        }
    }
}

pub struct Term {
    pub label: String,
    pub kind: String,
    pub bs: String,
    pub predictor: usize,
    pub by: Option<By>,
    pub basis: Basis,
    /// Basis coefficients × coefficients; `None` = no constraint.
    pub gauge: Option<Mat>,
    /// What each raw penalty was divided by.
    pub scales: Vec<f64>,
    fixed: bool,
    select: bool,
    pub id: Option<String>,
    shape: Option<Shape>,
}

/// Column sums of a basis over the rows, and the largest row sum of absolute values in the unit of the covariates.
fn survey(basis: &Basis, columns: &Columns, rows: usize) -> (Vec<f64>, f64) {
    let level = x_simd::Level::get();
    let (raw, window) = basis.sparse();
    let lift = basis.lift();
    let sizes = basis.sizes();
    let (mut at, mut values) = (vec![0; BLOCK], vec![0.0; BLOCK * window]);
    let (mut sums, mut row, mut largest) = (vec![0.0; raw], vec![0.0; basis.width()], 0.0_f64);
    for from in (0..rows).step_by(BLOCK) {
        let count = BLOCK.min(rows - from);
        let (at, values) = (&mut at[..count], &mut values[..count * window]);
        basis.fill(columns, from, at, values);
        for (x, at) in values.chunks_exact(window).zip(&*at) {
            crate::mat::axpy(1.0, x, &mut sums[*at as usize..*at as usize + window]);
        }
        largest = largest.max(match &lift {
            Some(l) => crate::kernels::largest_row(level, values, window, at, &l.data, &mut row),
            None => {
                let size = |j: usize| sizes.as_ref().map_or(1.0, |s| s[j]);
                let sum = |x: &[f64]| -> f64 { x.iter().enumerate().map(|(j, x)| x.abs() * size(j)).sum() };
                values.chunks_exact(window).map(sum).fold(0.0, f64::max)
            }
        });
    }
    (lift.map_or(sums.clone(), |l| l.tmul_vec(&sums)), largest)
}

impl Term {
    pub fn learn(j: &Json, predictor: usize, select: bool, columns: &Columns, rows: usize) -> Result<Term> {
        let label = j.get("label").text("label")?.to_owned();
        let named = |e: Error| Error { message: format!("{label}: {}", e.message), ..e };
        let kind = j.get("kind").text("kind")?.to_owned();
        let by = j.get("by").optional(By::read)?;
        let shape = j.get("shape").optional(|s| Shape::named(s.text("shape")?)).map_err(named)?;
        let plain = kind == "s" && j.get("bs").text("bs").is_ok_and(|b| b == "ps");
        if shape.is_some() && !plain {
            return Err(named(Error::new("GAM_OPTIONS", "a shape is for bs=\"ps\" only")));
        }
        let basis = match kind.as_str() {
            "s" => Basis::learn(&Plan::read(j)?, columns).map_err(named)?,
            "t2" => separable(j, columns, rows).map_err(named)?,
            "te" | "ti" => tensor(j, kind == "ti", columns, rows).map_err(named)?,
            other => return Err(malformed(format!("unknown kind of smooth \"{other}\""))),
        };
        let (sums, norm) = survey(&basis, columns, rows);
        // As in the unit of the covariates.
        let size = basis.sizes().map_or(1.0, |s| s[0]);
        let scales = basis.penalties()?.iter().map(|(s, _)| s.norm1() * size * size / (norm * norm)).collect();
        let centred = !basis.is_random() && kind != "ti" && by.is_none_or(|b| b.level.is_some());
        let gauge = centred.then(|| match &basis {
            // The constant is among the free functions: the ridges of the others stay ridges.
            Basis::Separable(b) if !b.free().is_empty() => complement_within(&sums, &b.free()),
            _ => complement(&sums),
        });
        Ok(Term {
            bs: j.get("bs").optional(|b| b.text("bs").map(str::to_owned))?.unwrap_or_default(),
            fixed: j.get("fixed").flag(),
            id: j.get("id").optional(|b| b.text("id").map(str::to_owned))?,
            select: select && !basis.is_random(),
            label,
            kind,
            predictor,
            by,
            basis,
            gauge,
            scales,
            shape,
        })
    }

    /// Rows of C in C b >= 0 over the coefficients, for a term with a shape.
    pub fn constraints(&self) -> Option<Mat> {
        let (Some(shape), Basis::PSpline(b)) = (self.shape, &self.basis) else { return None };
        let rows = shape.rows(&b.knots, b.degree);
        Some(self.gauge.as_ref().map_or(rows.clone(), |g| rows.mul(g)))
    }

    pub fn state(&self) -> Json {
        object([
            ("label", self.label.as_str().into()),
            ("kind", self.kind.as_str().into()),
            ("bs", self.bs.as_str().into()),
            ("predictor", self.predictor.into()),
            ("by", self.by.map_or(Json::Null, |b| object([("column", b.column.into()), ("level", b.level.into())]))),
            ("basis", self.basis.state()),
            ("gauge", self.gauge.as_ref().map_or(Json::Null, matrix_json)),
            ("scales", self.scales.clone().into()),
            ("fixed", self.fixed.into()),
            ("select", self.select.into()),
            ("shape", self.shape.map_or(Json::Null, |s| s.name().as_str().into())),
            ("id", self.id.as_deref().map_or(Json::Null, Json::from)),
        ])
    }

    pub fn restore(j: &Json) -> Result<Term> {
        Ok(Term {
            label: j.get("label").text("label")?.to_owned(),
            kind: j.get("kind").text("kind")?.to_owned(),
            bs: j.get("bs").text("bs")?.to_owned(),
            predictor: j.get("predictor").index("predictor")?,
            by: j.get("by").optional(By::read)?,
            basis: Basis::restore(j.get("basis"))?,
            gauge: j.get("gauge").optional(matrix_read)?,
            scales: j.get("scales").nums("scales")?,
            fixed: j.get("fixed").flag(),
            select: j.get("select").flag(),
            id: j.get("id").optional(|b| b.text("id").map(str::to_owned))?,
            shape: j.get("shape").optional(|s| Shape::named(s.text("shape")?))?,
        })
    }

    /// Takes coefficients out.
    pub fn drop_columns(&mut self, gone: &[usize]) {
        if !gone.is_empty() {
            let all = self.gauge.take().unwrap_or_else(|| Mat::identity(self.basis.width()));
            self.gauge = Some(crate::side::without(&all, gone));
        }
    }

    /// Coefficients.
    pub fn width(&self) -> usize {
        self.gauge.as_ref().map_or(self.basis.width(), |g| g.cols)
    }

    /// Sparse columns × coefficients.
    pub fn lift(&self) -> Option<Mat> {
        match (self.basis.lift(), &self.gauge) {
            (Some(l), Some(g)) => Some(l.mul(g)),
            (Some(l), None) => Some(l),
            (None, g) => g.clone(),
        }
    }

    /// Places and window of the rows, and the lift from (place, window) to coefficients.
    pub fn places(&self) -> (usize, usize, Option<Mat>) {
        let ((raw, window), stride) = (self.basis.sparse(), self.basis.stride());
        let places = (raw - window) / stride + 1;
        let lift = self.lift();
        if places == 1 || stride == window {
            return (places, window, lift);
        }
        // Windows overlap: each place has sparse columns of its own.
        let lift = lift.unwrap_or_else(|| Mat::identity(raw));
        let column = |r: usize| r / window * stride + r % window;
        (places, window, Some(Mat::from_fn(places * window, lift.cols, |r, c| lift[(column(r), c)])))
    }

    /// Normalised penalties over the coefficients, which start at `from`.
    pub fn penalties(&self, from: usize) -> Result<Vec<Penalty>> {
        if self.fixed {
            return Ok(Vec::new());
        }
        let raw = self.basis.penalties()?;
        let several = raw.len() > 1 || self.select;
        let mut out: Vec<Penalty> = Vec::new();
        for ((mut s, rank), scale) in raw.into_iter().zip(&self.scales) {
            s.data.iter_mut().for_each(|x| *x /= scale);
            if let Some(g) = &self.gauge {
                s = s.congruence(g);
            }
            let number = out.len() + 1;
            let label = if several { format!("{}{number}", self.label) } else { self.label.clone() };
            let rank = rank.min(s.rows);
            out.push(Penalty { parts: vec![(from, s)], rank, label, scale: *scale });
        }
        if self.select {
            let w = self.width();
            let mut sum = Mat::zeros(w, w);
            for p in &out {
                sum.add_scaled(1.0 / p.parts[0].1.largest(), &p.parts[0].1);
            }
            let (values, vectors) = sum.eigen()?;
            let null = values.iter().filter(|v| **v < 1e-9 * values[w - 1]).count();
            if null > 0 {
                let u = vectors.block(0..w, 0..null);
                let label = format!("{}{}", self.label, out.len() + 1);
                out.push(Penalty { parts: vec![(from, u.mul(&u.t()))], rank: null, label, scale: 1.0 });
            }
        }
        Ok(out)
    }
}

fn separable(j: &Json, columns: &Columns, rows: usize) -> Result<Basis> {
    let margin = |m: &Json| {
        let mut plan = Plan::read(m)?;
        plan.k = plan.k.or(Some(5));
        Basis::learn(&plan, columns)
    };
    let bases = j.get("margins").list("margins")?.iter().map(margin).collect::<Result<Vec<_>>>()?;
    Ok(Basis::Separable(Separable::learn(bases, columns, rows)?))
}

fn tensor(j: &Json, interaction: bool, columns: &Columns, rows: usize) -> Result<Basis> {
    let mut margins = Vec::new();
    for m in j.get("margins").list("margins")? {
        let mut plan = Plan::read(m)?;
        if plan.k.is_none() {
            plan.k = Some(5usize.pow(plan.columns.len() as u32));
        }
        let basis = Basis::learn(&plan, columns)?;
        let mut change = function_values(&basis, &plan, columns)?;
        if interaction && !basis.is_random() && !matches!(m.get("mc"), Json::Bool(false)) {
            let (sums, _) = survey(&basis, columns, rows);
            let sums = change.as_ref().map_or_else(|| sums.clone(), |c| c.tmul_vec(&sums));
            let z = complement(&sums);
            change = Some(change.map_or_else(|| z.clone(), |c| c.mul(&z)));
        }
        margins.push(Margin::new(basis, change.as_ref())?);
    }
    if margins.is_empty() {
        return Err(malformed("a tensor product needs margins"));
    }
    Ok(Basis::Tensor(Tensor { margins }))
}

/// Margins of one covariate whose coefficients are no function values are re-expressed as values at evenly spaced
/// points, so that the penalty of the product keeps its meaning (Wood 2006).
fn function_values(basis: &Basis, plan: &Plan, columns: &Columns) -> Result<Option<Mat>> {
    if matches!(basis, Basis::Cubic(_) | Basis::Random(_)) || plan.columns.len() != 1 {
        return Ok(None);
    }
    let x = &columns[plan.columns[0]];
    let (low, high) = x.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &x| (a.min(x), b.max(x)));
    let w = basis.width();
    let mut grid = columns.to_vec();
    grid[plan.columns[0]] = (0..w).map(|i| low + (high - low) * i as f64 / (w - 1) as f64).collect();
    let lift = basis.lift();
    let mut values = Mat::zeros(w, w);
    for i in 0..w {
        basis.dense(&grid, i, lift.as_ref(), values.row_mut(i));
    }
    Ok(inverse(values))
}

/// Gauss–Jordan with partial pivoting; `None` when singular.
fn inverse(mut a: Mat) -> Option<Mat> {
    let n = a.rows;
    let mut out = Mat::identity(n);
    for c in 0..n {
        let pivot = (c..n).max_by(|&i, &j| a[(i, c)].abs().total_cmp(&a[(j, c)].abs()))?;
        if a[(pivot, c)].abs() < 1e-12 * a.largest() {
            return None;
        }
        for m in [&mut a, &mut out] {
            for j in 0..n {
                m.data.swap(c * n + j, pivot * n + j);
            }
        }
        let d = 1.0 / a[(c, c)];
        for m in [&mut a, &mut out] {
            m.row_mut(c).iter_mut().for_each(|x| *x *= d);
        }
        let (row, other) = (a.row(c).to_vec(), out.row(c).to_vec());
        for i in (0..n).filter(|&i| i != c) {
            let f = a[(i, c)];
            crate::mat::axpy(-f, &row, a.row_mut(i));
            crate::mat::axpy(-f, &other, out.row_mut(i));
        }
    }
    Some(out)
}
