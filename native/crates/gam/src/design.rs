//! A model's columns over some rows: parametric columns and smooths of each linear predictor, in order. Learned from
//! one set of rows, frozen as a state, restored over others.

use x_simd::{Error, Job, Result};

use crate::grid::Grid;
use crate::json::{Json, malformed, object};
use crate::mat::Mat;
use crate::penalty::Penalty;
use crate::rows::{BLOCK, Block, Layout, Rows, Window};
use crate::term::Term;

#[derive(Debug, Clone)]
pub struct Parametric {
    pub name: String,
    pub term: String,
    /// `None` = ones.
    pub column: Option<usize>,
}

enum Source {
    Parametric(Vec<Option<usize>>),
    Smooth(usize),
}

/// What is held of a piece's values between passes.
enum Kept {
    Nothing,
    /// Of a costly basis.
    Values(Vec<f64>),
    /// In the discretised mode.
    Grid(Grid),
}

pub struct Design {
    rows: usize,
    columns: Vec<Vec<f64>>,
    layout: Layout,
    /// What fills each piece of the layout.
    sources: Vec<Source>,
    kept: Vec<Kept>,
    pub parametric: Vec<Vec<Parametric>>,
    pub terms: Vec<Term>,
    pub penalties: Vec<Penalty>,
}

fn parametric(j: &Json) -> Result<Vec<Parametric>> {
    let one = |p: &Json| {
        let name = p.get("name").text("name")?.to_owned();
        let term = p.get("term").optional(|t| t.text("term").map(str::to_owned))?.unwrap_or_else(|| name.clone());
        Ok(Parametric { name, term, column: p.get("column").optional(|c| c.index("column"))? })
    };
    j.list("parametric")?.iter().map(one).collect()
}

/// Column numbers named anywhere in a spec or state must exist.
fn check_columns(j: &Json, count: usize) -> Result<()> {
    match j {
        Json::Obj(pairs) => pairs.iter().try_for_each(|(key, value)| match (key.as_str(), value) {
            ("column", Json::Num(c)) if *c >= count as f64 => Err(malformed(format!("column {c} of {count} columns"))),
            ("columns", Json::Arr(list)) => match list.iter().find(|c| matches!(c, Json::Num(c) if *c >= count as f64))
            {
                Some(c) => Err(malformed(format!("column {} of {count} columns", c.print()))),
                None => Ok(()),
            },
            ("parts", Json::Arr(list)) => list.iter().try_for_each(|p| match p {
                Json::Arr(pair) if matches!(pair.first(), Some(Json::Num(c)) if *c < count as f64) => Ok(()),
                _ => Err(malformed("a part of a random effect names no column")),
            }),
            // Matrices are long and hold no column numbers.
            ("points" | "radial" | "kernel" | "inner" | "gauge" | "lift" | "penalty", _) => Ok(()),
            (_, value) => check_columns(value, count),
        }),
        Json::Arr(items) => items.iter().try_for_each(|v| check_columns(v, count)),
        _ => Ok(()),
    }
}

impl Design {
    /// Learns bases, constraints and penalty scales from the rows.
    pub fn learn(spec: &Json, columns: Vec<Vec<f64>>, rows: usize, job: &Job) -> Result<Design> {
        check_columns(spec, columns.len())?;
        check_rows(&columns, rows)?;
        let predictors = spec.get("predictors").list("predictors")?;
        let select = spec.get("select").flag();
        let mut all = Vec::new();
        let mut terms = Vec::new();
        let mut smooths: Vec<&Json> = Vec::new();
        for p in predictors {
            smooths.extend(p.get("smooths").list("smooths")?);
        }
        for (k, p) in predictors.iter().enumerate() {
            all.push(parametric(p.get("parametric"))?);
            for s in p.get("smooths").list("smooths")? {
                job.check()?;
                if rows == 0 {
                    return Err(Error::new("GAM_FEW_ROWS", "no rows to learn from"));
                }
                let plan = crate::linked::plan(s, &smooths, &columns, rows)?;
                terms.push(Term::learn(&plan.spec, k, select, &plan.columns, plan.rows)?);
            }
        }
        let constant = |list: &Vec<Parametric>| list.iter().any(|p| p.column.is_none());
        let intercept: Vec<bool> = all.iter().map(constant).collect();
        crate::side::constrain(&mut terms, &intercept, &columns, rows)?;
        Self::assemble(all, terms, columns, rows, spec.get("discrete").flag(), job)
    }

    /// The same columns over other rows.
    pub fn restore(state: &Json, columns: Vec<Vec<f64>>, rows: usize, job: &Job) -> Result<Design> {
        check_columns(state, columns.len())?;
        check_rows(&columns, rows)?;
        let all = state.get("parametric").list("parametric")?.iter().map(parametric).collect::<Result<_>>()?;
        let terms = state.get("terms").list("terms")?.iter().map(Term::restore).collect::<Result<_>>()?;
        Self::assemble(all, terms, columns, rows, false, job)
    }

    fn assemble(
        parametric: Vec<Vec<Parametric>>,
        terms: Vec<Term>,
        columns: Vec<Vec<f64>>,
        rows: usize,
        discrete: bool,
        job: &Job,
    ) -> Result<Design> {
        check_values(&parametric, &terms, &columns)?;
        let mut layout = Layout::new(parametric.len());
        let (mut sources, mut kept, mut penalties) = (Vec::new(), Vec::new(), Vec::new());
        for (k, list) in parametric.iter().enumerate() {
            if !list.is_empty() {
                if k == 0 {
                    layout.intercept = list.iter().position(|p| p.column.is_none());
                }
                layout.push(1, list.len(), list.len(), k, None);
                sources.push(Source::Parametric(list.iter().map(|p| p.column).collect()));
                kept.push(Kept::Nothing);
            }
            for (t, term) in terms.iter().enumerate().filter(|(_, t)| t.predictor == k) {
                penalties.extend(term.penalties(layout.width)?);
                let (places, window, lift) = term.places();
                layout.push(places, window, term.width(), k, lift);
                sources.push(Source::Smooth(t));
                let grid = if discrete { Grid::new(term, &columns, rows, job)? } else { None };
                kept.push(match grid {
                    Some(grid) => Kept::Grid(grid),
                    None if term.basis.is_costly() => Kept::Values(values(term, &columns, rows, job)?),
                    None => Kept::Nothing,
                });
            }
        }
        link(&terms, &mut penalties)?;
        Ok(Design { rows, columns, layout, sources, kept, parametric, terms, penalties })
    }

    /// The same model over rows in another order.
    pub fn reordered(&self, order: &[usize], job: &Job) -> Result<Design> {
        let columns = self.columns.iter().map(|c| order.iter().map(|&i| c[i]).collect()).collect();
        Self::restore(&self.state(), columns, order.len(), job)
    }

    /// Row `i` of data column `c`.
    pub fn value(&self, c: usize, i: usize) -> f64 {
        self.columns[c][i]
    }

    pub fn state(&self) -> Json {
        let parametric = self.parametric.iter().map(|list| {
            Json::Arr(
                list.iter()
                    .map(|p| {
                        object([
                            ("name", p.name.as_str().into()),
                            ("term", p.term.as_str().into()),
                            ("column", p.column.into()),
                        ])
                    })
                    .collect(),
            )
        });
        object([
            ("version", 1usize.into()),
            ("parametric", Json::Arr(parametric.collect())),
            ("terms", Json::Arr(self.terms.iter().map(Term::state).collect())),
        ])
    }

    /// Coefficients of each smooth that has a shape, with the rows of C in C b >= 0.
    pub fn constraints(&self) -> Vec<(std::ops::Range<usize>, Mat)> {
        let of = |(t, range): (&Term, std::ops::Range<usize>)| Some((range, t.constraints()?));
        self.terms.iter().zip(self.ranges()).filter_map(of).collect()
    }

    /// Coefficient range of each smooth, in the order of `terms`.
    pub fn ranges(&self) -> Vec<std::ops::Range<usize>> {
        let mut out = vec![0..0; self.terms.len()];
        for (s, p) in self.sources.iter().zip(&self.layout.pieces) {
            if let Source::Smooth(t) = s {
                out[*t] = p.from..p.from + p.width;
            }
        }
        out
    }

    /// Which smooths are random effects (`re`).
    pub fn random(&self) -> Vec<bool> {
        self.terms.iter().map(|t| matches!(t.basis, crate::basis::Basis::Random(_))).collect()
    }

    /// Parametric columns with their predictor and coefficient.
    pub fn parametric_columns(&self) -> Vec<(&Parametric, usize, usize)> {
        let mut out = Vec::new();
        for (s, p) in self.sources.iter().zip(&self.layout.pieces) {
            if matches!(s, Source::Parametric(_)) {
                out.extend(self.parametric[p.predictor].iter().enumerate().map(|(i, q)| (q, p.predictor, p.from + i)));
            }
        }
        out
    }

    pub fn coefficient_names(&self) -> Vec<String> {
        let mut names = vec![String::new(); self.layout.width];
        for (p, k, at) in self.parametric_columns() {
            names[at] = if k == 0 { p.name.clone() } else { format!("{}.{k}", p.name) };
        }
        for (t, range) in self.terms.iter().zip(self.ranges()) {
            for (i, at) in range.enumerate() {
                names[at] = format!("{}.{}", t.label, i + 1);
            }
        }
        names
    }
}

/// Smooths of one id share their smoothing parameters.
fn link(terms: &[Term], penalties: &mut Vec<Penalty>) -> Result<()> {
    let mut seen: Vec<(&str, usize)> = Vec::new();
    let mut at = 0;
    let mut order: Vec<usize> = Vec::new();
    let predictors = terms.iter().map(|t| t.predictor + 1).max().unwrap_or(0);
    for k in 0..predictors {
        order.extend((0..terms.len()).filter(|&t| terms[t].predictor == k));
    }
    for t in order {
        let term = &terms[t];
        let count = term.penalties(0)?.len();
        match term.id.as_deref().and_then(|id| seen.iter().find(|s| s.0 == id).copied()) {
            Some((id, first)) => {
                for i in 0..count {
                    let other = penalties.remove(at);
                    let to = &mut penalties[first + i];
                    if to.parts[0].1.rows != other.parts[0].1.rows {
                        return Err(malformed(format!("smooths of id \"{id}\" differ in size")));
                    }
                    to.parts.extend(other.parts);
                }
            }
            None => {
                if let Some(id) = &term.id {
                    seen.push((id, at));
                }
                at += count;
            }
        }
    }
    Ok(())
}

fn check_rows(columns: &[Vec<f64>], rows: usize) -> Result<()> {
    match columns.iter().position(|c| c.len() != rows) {
        Some(i) => Err(Error::new("SHAPE", format!("column {i} has {} values for {rows} rows", columns[i].len()))),
        None => Ok(()),
    }
}

/// Every number that enters must be finite; codes of unseen factor levels (NaN) only where dummies take them.
fn check_values(parametric: &[Vec<Parametric>], terms: &[Term], columns: &[Vec<f64>]) -> Result<()> {
    let mut numeric: Vec<usize> = parametric.iter().flatten().filter_map(|p| p.column).collect();
    for t in terms {
        numeric.extend(t.by.filter(|b| b.level.is_none()).map(|b| b.column));
        t.basis.numeric_columns(&mut numeric);
    }
    for c in numeric {
        if let Some(i) = columns[c].iter().position(|x| !x.is_finite()) {
            let text = format!("column {c} is {} in row {}", columns[c][i], i + 1);
            return Err(Error::new("GAM_NOT_FINITE", text).with("column", c as f64).with("row", i as f64));
        }
    }
    Ok(())
}

/// The windows of rows `from ..` of a term and their places, without `by`.
pub fn unmodified(term: &Term, columns: &[Vec<f64>], from: usize, place: &mut [u32], out: &mut [f64]) {
    term.basis.fill(columns, from, place, out);
    let stride = term.basis.stride() as u32;
    if stride > 1 {
        place.iter_mut().for_each(|p| *p /= stride);
    }
}

fn multiply_by(term: &Term, columns: &[Vec<f64>], from: usize, rows: usize, out: &mut [f64]) {
    if let Some(by) = term.by {
        for (i, row) in out.chunks_exact_mut(out.len() / rows).enumerate() {
            let factor = by.value(columns, from + i);
            row.iter_mut().for_each(|x| *x *= factor);
        }
    }
}

fn fill_windows(term: &Term, columns: &[Vec<f64>], from: usize, place: &mut [u32], out: &mut [f64]) {
    unmodified(term, columns, from, place, out);
    multiply_by(term, columns, from, place.len(), out);
}

fn values(term: &Term, columns: &[Vec<f64>], rows: usize, job: &Job) -> Result<Vec<f64>> {
    use rayon::prelude::*;
    let (_, window) = term.basis.sparse();
    let mut out = x_simd::try_zeroed(rows * window)?;
    out.par_chunks_mut(window * BLOCK).enumerate().try_for_each(|(b, chunk)| {
        job.check()?;
        let mut place = vec![0; chunk.len() / window];
        fill_windows(term, columns, b * BLOCK, &mut place, chunk);
        Ok(())
    })?;
    Ok(out)
}

impl Rows for Design {
    fn rows(&self) -> usize {
        self.rows
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn fill(&self, from: usize, rows: usize, block: &mut Block) {
        block.rows = rows;
        block.windows.resize_with(self.sources.len(), Window::default);
        let pieces = self.sources.iter().zip(&self.layout.pieces).zip(&self.kept);
        for (((source, piece), kept), to) in pieces.zip(&mut block.windows) {
            let w = piece.window;
            to.place.clear();
            to.place.resize(rows, 0);
            to.values.resize(rows * w, 0.0);
            match (source, kept) {
                (Source::Parametric(list), _) if matches!(list[..], [None]) => to.values.fill(1.0),
                (Source::Parametric(list), _) => {
                    for (j, column) in list.iter().enumerate() {
                        for i in 0..rows {
                            to.values[i * w + j] = column.map_or(1.0, |c| self.columns[c][from + i]);
                        }
                    }
                }
                (Source::Smooth(t), Kept::Values(kept)) => {
                    to.values.copy_from_slice(&kept[from * w..(from + rows) * w]);
                    let basis = &self.terms[*t].basis;
                    let places = to.place.iter_mut().enumerate();
                    places.for_each(|(i, p)| *p = (basis.kept_at(&self.columns, from + i) / basis.stride()) as u32);
                }
                (Source::Smooth(t), Kept::Grid(grid)) => {
                    grid.fill(from, w, &mut to.place, &mut to.values);
                    multiply_by(&self.terms[*t], &self.columns, from, rows, &mut to.values);
                }
                (Source::Smooth(t), Kept::Nothing) => {
                    fill_windows(&self.terms[*t], &self.columns, from, &mut to.place, &mut to.values);
                }
            }
        }
    }
}

impl Design {
    /// What TypeScript needs to name and lay out coefficients.
    pub fn describe(&self) -> Json {
        let matrix =
            |m: &Mat| object([("rows", m.rows.into()), ("columns", m.cols.into()), ("data", m.data.clone().into())]);
        let parametric = self.parametric_columns().into_iter().map(|(p, k, at)| {
            object([
                ("name", p.name.as_str().into()),
                ("term", p.term.as_str().into()),
                ("predictor", k.into()),
                ("column", at.into()),
            ])
        });
        let terms = self.terms.iter().zip(self.ranges()).map(|(t, range)| {
            let own = |p: &&(usize, &Penalty)| p.1.parts.iter().any(|(from, _)| range.contains(from));
            let list: Vec<(usize, &Penalty)> = self.penalties.iter().enumerate().collect();
            let penalties: Vec<Json> = list
                .iter()
                .filter(own)
                .map(|(i, p)| {
                    object([
                        ("label", p.label.as_str().into()),
                        ("index", (*i).into()),
                        ("rank", p.rank.into()),
                        ("scale", p.scale.into()),
                    ])
                })
                .collect();
            let penalised = crate::penalty::joint_rank(&self.penalties, &range);
            let gauge = t.gauge.clone().unwrap_or_else(|| Mat::identity(t.basis.width()));
            object([
                ("label", t.label.as_str().into()),
                ("predictor", t.predictor.into()),
                ("kind", t.kind.as_str().into()),
                ("bs", t.bs.as_str().into()),
                ("from", range.start.into()),
                ("to", range.end.into()),
                ("rawWidth", t.basis.width().into()),
                ("width", t.width().into()),
                ("nullDims", vec![t.width() - penalised].into()),
                ("penalties", Json::Arr(penalties)),
                ("knots", t.basis.knots()),
                ("constrained", t.gauge.is_some().into()),
                ("random", t.basis.is_random().into()),
                ("by", t.by.map_or(Json::Null, |b| object([("column", b.column.into()), ("level", b.level.into())]))),
                ("gauge", matrix(&gauge)),
            ])
        });
        let names: Vec<Json> = self.coefficient_names().iter().map(|n| n.as_str().into()).collect();
        let null = crate::penalty::Penalties::new(&self.penalties, self.layout.width).map_or(0, |p| p.null_dimension);
        object([
            ("rows", self.rows.into()),
            ("width", self.layout.width.into()),
            ("predictors", self.parametric.len().into()),
            ("coefficientNames", Json::Arr(names)),
            ("parametric", Json::Arr(parametric.collect())),
            ("terms", Json::Arr(terms.collect())),
            ("penaltyCount", self.penalties.len().into()),
            ("nullDimension", null.into()),
        ])
    }
}
