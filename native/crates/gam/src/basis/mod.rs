//! Bases of smooth terms. A basis gives, for a row of covariates, a window of values in sparse columns, and the `lift`
//! from sparse columns to its coefficients; and its penalty matrices over the coefficients.

mod cubic;
mod factorsmooth;
mod natural;
mod pspline;
mod radial;
mod random;
mod t2;
mod tensor;
mod thinplate;

use x_simd::{Error, Result};

use crate::json::{Json, malformed, object};
use crate::mat::Mat;

pub use cubic::Cubic;
pub use factorsmooth::FactorSmooth;
pub use pspline::PSpline;
pub use radial::Radial;
pub use random::Random;
pub use t2::Separable;
pub use tensor::{Margin, Tensor};
pub use thinplate::ThinPlate;

/// What a spec says of one smooth (or one margin of a tensor product).
#[derive(Debug, Clone)]
pub struct Plan {
    pub bs: String,
    pub columns: Vec<usize>,
    pub levels: Vec<Option<usize>>,
    pub k: Option<usize>,
    pub m: Vec<f64>,
    pub knots: Option<Vec<Vec<f64>>>,
}

/// The data columns.
pub type Columns = [Vec<f64>];

pub enum Basis {
    Cubic(Cubic),
    PSpline(PSpline),
    ThinPlate(ThinPlate),
    Random(Random),
    Tensor(Tensor),
    Radial(Radial),
    FactorSmooth(FactorSmooth),
    Separable(Separable),
}

/// Raw penalty matrix and its rank.
pub type RawPenalty = (Mat, usize);

impl Plan {
    pub fn read(j: &Json) -> Result<Plan> {
        let columns =
            j.get("columns").list("columns")?.iter().map(|c| c.index("a column")).collect::<Result<Vec<_>>>()?;
        let levels = match j.get("levels") {
            Json::Null => vec![None; columns.len()],
            list => {
                list.list("levels")?.iter().map(|l| l.optional(|l| l.index("levels"))).collect::<Result<Vec<_>>>()?
            }
        };
        if columns.is_empty() || levels.len() != columns.len() {
            return Err(malformed("a smooth needs covariates, and levels for each of them"));
        }
        let m = match j.get("m") {
            Json::Null => Vec::new(),
            Json::Num(x) => vec![*x],
            list => list.nums("m")?,
        };
        let knots = match j.get("knots") {
            Json::Null => None,
            Json::Arr(items) if matches!(items.first(), Some(Json::Arr(_))) => {
                Some(items.iter().map(|x| x.nums("knots")).collect::<Result<Vec<_>>>()?)
            }
            list => Some(vec![list.nums("knots")?]),
        };
        let k = match j.get("k") {
            Json::Arr(items) if items.len() == 1 => Some(items[0].index("k")?),
            other => other.optional(|k| k.index("k"))?,
        };
        Ok(Plan { bs: j.get("bs").text("bs")?.to_owned(), columns, levels, k, m, knots })
    }

    fn one_column<'a>(&self, columns: &'a Columns) -> Result<&'a [f64]> {
        match self.columns[..] {
            [c] => Ok(&columns[c]),
            _ => Err(Error::new("GAM_OPTIONS", format!("bs=\"{}\" takes one covariate", self.bs))),
        }
    }
}

/// Distinct values in ascending order.
pub fn distinct(x: &[f64]) -> Vec<f64> {
    let mut out = sorted(x);
    out.dedup();
    out
}

/// Ascending. A long column by its bits, eleven at a time from the lowest.
fn sorted(x: &[f64]) -> Vec<f64> {
    if x.len() < 10_000 {
        let mut out = x.to_vec();
        out.sort_unstable_by(f64::total_cmp);
        return out;
    }
    // Bits in the order of the numbers.
    let key = |v: &f64| {
        let bits = v.to_bits();
        bits ^ ((bits as i64 >> 63) as u64 | 1 << 63)
    };
    let mut keys: Vec<u64> = x.iter().map(key).collect();
    let mut next = vec![0u64; keys.len()];
    for shift in (0..64).step_by(11) {
        let digit = |k: u64| (k >> shift) as usize & 2047;
        let mut place = [0usize; 2048];
        keys.iter().for_each(|k| place[digit(*k)] += 1);
        let mut from = 0;
        for p in &mut place {
            from += std::mem::replace(p, from);
        }
        for k in &keys {
            let to = &mut place[digit(*k)];
            next[*to] = *k;
            *to += 1;
        }
        std::mem::swap(&mut keys, &mut next);
    }
    keys.iter().map(|k| f64::from_bits(k ^ (!(*k as i64 >> 63) as u64 | 1 << 63))).collect()
}

/// Fewer points than the basis needs: given ones, or distinct values of the covariates.
fn too_few(plan: &Plan, k: usize, points: usize) -> Error {
    if plan.knots.is_none() {
        return too_large(k, points);
    }
    bad_knots(format!("the basis asks for {k} knots, {points} are given: give more, or a smaller k"))
}

/// Fewer distinct covariate values than the basis needs.
fn too_large(k: usize, unique: usize) -> Error {
    Error::new("GAM_K_TOO_LARGE", format!("the basis asks for {k} knots, the covariate has {unique} distinct values"))
        .with("k", k as f64)
        .with("unique", unique as f64)
}

fn bad_knots(text: impl Into<String>) -> Error {
    Error::new("GAM_KNOTS", text)
}

impl Basis {
    /// Learns knots from the data.
    pub fn learn(plan: &Plan, columns: &Columns) -> Result<Basis> {
        Ok(match plan.bs.as_str() {
            "cr" | "cs" | "cc" => Basis::Cubic(Cubic::learn(plan, columns)?),
            "ps" | "cp" | "bs" => Basis::PSpline(PSpline::learn(plan, columns)?),
            "tp" | "ts" => Basis::ThinPlate(ThinPlate::learn(plan, columns)?),
            "re" => Basis::Random(Random::learn(plan)),
            "ds" | "gp" => Basis::Radial(Radial::learn(plan, columns)?),
            "fs" => Basis::FactorSmooth(FactorSmooth::learn(plan, columns)?),
            other => return Err(Error::new("GAM_OPTIONS", format!("unknown basis bs=\"{other}\""))),
        })
    }

    pub fn state(&self) -> Json {
        match self {
            Basis::Cubic(b) => b.state(),
            Basis::PSpline(b) => b.state(),
            Basis::ThinPlate(b) => b.state(),
            Basis::Random(b) => b.state(),
            Basis::Tensor(b) => b.state(),
            Basis::Radial(b) => b.state(),
            Basis::FactorSmooth(b) => b.state(),
            Basis::Separable(b) => b.state(),
        }
    }

    pub fn restore(j: &Json) -> Result<Basis> {
        Ok(match j.get("kind").text("basis kind")? {
            "cubic" => Basis::Cubic(Cubic::restore(j)?),
            "pspline" => Basis::PSpline(PSpline::restore(j)?),
            "thinplate" => Basis::ThinPlate(ThinPlate::restore(j)?),
            "random" => Basis::Random(Random::restore(j)?),
            "tensor" => Basis::Tensor(Tensor::restore(j)?),
            "radial" => Basis::Radial(Radial::restore(j)?),
            "factorsmooth" => Basis::FactorSmooth(FactorSmooth::restore(j)?),
            "separable" => Basis::Separable(Separable::restore(j)?),
            other => return Err(malformed(format!("unknown basis kind \"{other}\""))),
        })
    }

    /// Coefficients, before constraints.
    pub fn width(&self) -> usize {
        match self {
            Basis::Cubic(b) => b.width(),
            Basis::PSpline(b) => b.width(),
            Basis::ThinPlate(b) => b.width(),
            Basis::Random(b) => b.width(),
            Basis::Tensor(b) => b.width(),
            Basis::Radial(b) => b.width(),
            Basis::FactorSmooth(b) => b.width(),
            Basis::Separable(b) => b.width(),
        }
    }

    /// Sparse columns and values a row.
    pub fn sparse(&self) -> (usize, usize) {
        match self {
            Basis::Cubic(b) => (2 * b.knots.len(), 4),
            Basis::PSpline(b) => (b.basis_functions(), b.degree + 1),
            Basis::Random(b) => (b.width(), 1),
            Basis::ThinPlate(b) => (b.width(), b.width()),
            Basis::Tensor(b) => (b.width(), b.width()),
            Basis::Radial(b) => (b.width(), b.width()),
            Basis::FactorSmooth(b) => (b.width(), b.level_width()),
            Basis::Separable(b) => (b.width(), b.width()),
        }
    }

    /// Sparse columns from one place of a window to the next.
    pub fn stride(&self) -> usize {
        match self {
            Basis::Cubic(_) => 2,
            Basis::FactorSmooth(b) => b.level_width(),
            _ => 1,
        }
    }

    /// Sparse columns × coefficients; `None` where they are the same.
    pub fn lift(&self) -> Option<Mat> {
        match self {
            Basis::Cubic(b) => Some(b.lift()),
            Basis::PSpline(b) => b.lift(),
            _ => None,
        }
    }

    /// Writes the window of row `i`; returns its first sparse column.
    pub fn window(&self, columns: &Columns, i: usize, out: &mut [f64]) -> usize {
        match self {
            Basis::Cubic(b) => b.window(columns[b.column][i], out),
            Basis::PSpline(b) => b.window(columns[b.column][i], out),
            Basis::ThinPlate(b) => b.window(columns, i, out),
            Basis::Random(b) => b.window(columns, i, out),
            Basis::Tensor(b) => b.window(columns, i, out),
            Basis::Radial(b) => b.window(columns, i, out),
            Basis::FactorSmooth(b) => b.window(columns, i, out),
            Basis::Separable(b) => b.window(columns, i, out),
        }
    }

    /// Windows and their first sparse columns for consecutive rows.
    pub fn fill(&self, columns: &Columns, from: usize, at: &mut [u32], values: &mut [f64]) {
        if let Basis::Cubic(b) = self {
            return b.fill(&columns[b.column][from..from + at.len()], at, values);
        }
        let (_, window) = self.sparse();
        for (i, (at, out)) in at.iter_mut().zip(values.chunks_exact_mut(window)).enumerate() {
            *at = self.window(columns, from + i, out) as u32;
        }
    }

    /// First sparse column of row `i`'s window, for a costly basis.
    pub fn kept_at(&self, columns: &Columns, i: usize) -> usize {
        if let Basis::FactorSmooth(b) = self { b.at(columns, i) } else { 0 }
    }

    /// Values of all coefficients' functions in row `i`.
    pub fn dense(&self, columns: &Columns, i: usize, lift: Option<&Mat>, out: &mut [f64]) {
        let (_, window) = self.sparse();
        let mut values = vec![0.0; window];
        let at = self.window(columns, i, &mut values);
        out.fill(0.0);
        match lift {
            Some(l) => values.iter().enumerate().for_each(|(a, &x)| crate::mat::axpy(x, l.row(at + a), out)),
            None => out[at..at + window].copy_from_slice(&values),
        }
    }

    pub fn penalties(&self) -> Result<Vec<RawPenalty>> {
        match self {
            Basis::Cubic(b) => b.penalties(),
            Basis::PSpline(b) => Ok(b.penalties()),
            Basis::ThinPlate(b) => b.penalties(),
            Basis::Random(b) => Ok(vec![(Mat::identity(b.width()), b.width())]),
            Basis::Tensor(b) => b.penalties(),
            Basis::Radial(b) => Ok(b.penalties()),
            Basis::FactorSmooth(b) => Ok(b.penalties()),
            Basis::Separable(b) => Ok(b.penalties()),
        }
    }

    /// How many times larger each function would be in the unit of the covariates, where the basis has one of its own.
    pub fn sizes(&self) -> Option<Vec<f64>> {
        if let Basis::Radial(b) = self { b.sizes() } else { None }
    }

    /// Adds the covariates that must be finite.
    pub fn numeric_columns(&self, to: &mut Vec<usize>) {
        match self {
            Basis::Cubic(b) => to.push(b.column),
            Basis::PSpline(b) => to.push(b.column),
            Basis::ThinPlate(b) => to.extend(&b.columns),
            Basis::Random(b) => to.extend(b.parts.iter().filter(|(_, levels)| *levels == 0).map(|(c, _)| c)),
            Basis::Tensor(b) => b.margins.iter().for_each(|m| m.basis.numeric_columns(to)),
            Basis::Radial(b) => to.extend(&b.columns),
            Basis::FactorSmooth(b) => b.basis.numeric_columns(to),
            Basis::Separable(b) => b.bases().for_each(|m| m.numeric_columns(to)),
        }
    }

    /// Adds all covariates, factors too.
    pub fn covariates(&self, to: &mut Vec<usize>) {
        match self {
            Basis::Random(b) => to.extend(b.parts.iter().map(|(c, _)| c)),
            Basis::Tensor(b) => b.margins.iter().for_each(|m| m.basis.covariates(to)),
            Basis::Separable(b) => b.bases().for_each(|m| m.covariates(to)),
            Basis::FactorSmooth(b) => {
                b.basis.covariates(to);
                to.push(b.factor);
            }
            other => other.numeric_columns(to),
        }
    }

    /// Random effects and the like stay uncentred, products with a random margin too.
    pub fn is_random(&self) -> bool {
        match self {
            Basis::Random(_) | Basis::FactorSmooth(_) => true,
            Basis::Tensor(t) => t.margins.iter().any(|m| m.basis.is_random()),
            Basis::Separable(t) => t.bases().any(Basis::is_random),
            _ => false,
        }
    }

    /// Costs much more than a few operations a row: its values are kept.
    pub fn is_costly(&self) -> bool {
        match self {
            Basis::ThinPlate(_) | Basis::Radial(_) | Basis::FactorSmooth(_) => true,
            Basis::Tensor(t) => t.margins.iter().any(|m| m.basis.is_costly()),
            Basis::Separable(t) => t.bases().any(Basis::is_costly),
            _ => false,
        }
    }

    /// Knots as users know them.
    pub fn knots(&self) -> Json {
        match self {
            Basis::Cubic(b) => b.knots.clone().into(),
            Basis::PSpline(b) => b.knots.clone().into(),
            Basis::Tensor(b) => Json::Arr(b.margins.iter().map(|m| m.basis.knots()).collect()),
            Basis::Separable(b) => Json::Arr(b.bases().map(Basis::knots).collect()),
            _ => Json::Null,
        }
    }
}

/// A matrix in a state.
pub fn matrix_json(m: &Mat) -> Json {
    object([("rows", m.rows.into()), ("columns", m.cols.into()), ("data", m.data.clone().into())])
}

pub fn matrix_read(j: &Json) -> Result<Mat> {
    let (rows, cols) = (j.get("rows").index("rows")?, j.get("columns").index("columns")?);
    let data = j.get("data").nums("data")?;
    if data.len() != rows * cols {
        return Err(malformed(format!("a {rows} x {cols} matrix has {} values", data.len())));
    }
    Ok(Mat { rows, cols, data })
}
