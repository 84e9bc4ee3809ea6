//! Tensor products with separable penalties (t2; Wood, Scheipl & Faraway 2013): each margin falls into a penalised part
//! and a free one, every product of parts but the all-free one has a ridge penalty of its own.

use x_simd::Result;

use super::natural::{level_out, penalty_axes, products};
use super::{Basis, Columns, RawPenalty, matrix_json, matrix_read};
use crate::json::{Json, object};
use crate::mat::Mat;

pub struct Separable {
    margins: Vec<Part>,
}

struct Part {
    basis: Basis,
    /// Sparse columns × natural coefficients, penalised ones first.
    change: Mat,
    rank: usize,
}

impl Separable {
    pub fn learn(bases: Vec<Basis>, columns: &Columns, rows: usize) -> Result<Separable> {
        let part = |basis: Basis| {
            let (mut change, rank) = penalty_axes(&basis, columns, rows)?;
            level_out(&mut change, rank, &products(&basis, columns, rows), rows);
            let change = basis.lift().map_or_else(|| change.clone(), |l| l.mul(&change));
            Ok(Part { basis, change, rank })
        };
        Ok(Separable { margins: bases.into_iter().map(part).collect::<Result<_>>()? })
    }

    pub fn bases(&self) -> impl Iterator<Item = &Basis> {
        self.margins.iter().map(|m| &m.basis)
    }

    pub fn width(&self) -> usize {
        self.margins.iter().map(|m| m.change.cols).product()
    }

    /// Which of the margins a coefficient's function is penalised in, as bits.
    fn penalised(&self, mut i: usize) -> usize {
        let mut bits = 0;
        for (m, margin) in self.margins.iter().enumerate().rev() {
            bits |= usize::from(i % margin.change.cols < margin.rank) << m;
            i /= margin.change.cols;
        }
        bits
    }

    /// Coefficients of the products of free functions, which hold the constant.
    pub fn free(&self) -> Vec<usize> {
        (0..self.width()).filter(|&i| self.penalised(i) == 0).collect()
    }

    pub fn state(&self) -> Json {
        let margins = self
            .margins
            .iter()
            .map(|m| object([("basis", m.basis.state()), ("lift", matrix_json(&m.change)), ("rank", m.rank.into())]));
        object([("kind", "separable".into()), ("margins", Json::Arr(margins.collect()))])
    }

    pub fn restore(j: &Json) -> Result<Separable> {
        let margins = j.get("margins").list("margins")?.iter().map(|m| {
            Ok(Part {
                basis: Basis::restore(m.get("basis"))?,
                change: matrix_read(m.get("lift"))?,
                rank: m.get("rank").index("rank")?,
            })
        });
        Ok(Separable { margins: margins.collect::<Result<_>>()? })
    }

    pub fn window(&self, columns: &Columns, i: usize, out: &mut [f64]) -> usize {
        out[0] = 1.0;
        let mut done = 1;
        let mut row = Vec::new();
        for m in &self.margins {
            let w = m.change.cols;
            row.resize(w, 0.0);
            m.basis.dense(columns, i, Some(&m.change), &mut row);
            // From the back, so that what is read is not yet overwritten.
            for a in (0..done).rev() {
                let x = out[a];
                for (b, y) in row.iter().enumerate() {
                    out[a * w + b] = x * y;
                }
            }
            done *= w;
        }
        0
    }

    /// One ridge for each choice of penalised (bit set) or free parts.
    pub fn penalties(&self) -> Vec<RawPenalty> {
        let total = self.width();
        let all: Vec<usize> = (0..total).map(|i| self.penalised(i)).collect();
        (1..1 << self.margins.len())
            .map(|bits| {
                let inside = |i: usize| all[i] == bits;
                let rank = (0..total).filter(|&i| inside(i)).count();
                (Mat::from_fn(total, total, |i, j| f64::from(i == j && inside(i))), rank)
            })
            .filter(|(_, rank)| *rank > 0)
            .collect()
    }
}
