//! Tensor products of marginal bases (te, ti): row-wise products of the margins' functions, one penalty a margin, each
//! margin's penalty divided by its largest eigenvalue first. The first margin varies slowest.

use x_simd::Result;

use super::{Basis, Columns, RawPenalty, matrix_json, matrix_read};
use crate::json::{Json, object};
use crate::mat::Mat;

pub struct Margin {
    pub basis: Basis,
    /// Sparse columns × coefficients of the margin as the product sees it (centred, re-expressed).
    pub lift: Option<Mat>,
    pub width: usize,
    /// Over the margin's coefficients, largest eigenvalue 1, with rank.
    pub penalty: RawPenalty,
}

pub struct Tensor {
    pub margins: Vec<Margin>,
}

impl Margin {
    /// `change`: basis coefficients × coefficients of the margin.
    pub fn new(basis: Basis, change: Option<&Mat>) -> Result<Margin> {
        let (s, rank) = basis.penalties()?.remove(0);
        let (lift, mut s) = match change {
            Some(z) => (Some(basis.lift().map_or_else(|| z.clone(), |l| l.mul(z))), s.congruence(z)),
            None => (basis.lift(), s),
        };
        let (values, _) = s.eigen()?;
        let top = values[values.len() - 1];
        s.data.iter_mut().for_each(|x| *x /= top);
        let width = s.rows;
        Ok(Margin { basis, lift, width, penalty: (s, rank.min(width)) })
    }
}

impl Tensor {
    pub fn width(&self) -> usize {
        self.margins.iter().map(|m| m.width).product()
    }

    pub fn state(&self) -> Json {
        let margins = self.margins.iter().map(|m| {
            object([
                ("basis", m.basis.state()),
                ("lift", m.lift.as_ref().map_or(Json::Null, matrix_json)),
                ("penalty", matrix_json(&m.penalty.0)),
                ("rank", m.penalty.1.into()),
            ])
        });
        object([("kind", "tensor".into()), ("margins", Json::Arr(margins.collect()))])
    }

    pub fn restore(j: &Json) -> Result<Tensor> {
        let margins = j.get("margins").list("margins")?.iter().map(|m| {
            let penalty = matrix_read(m.get("penalty"))?;
            Ok(Margin {
                basis: Basis::restore(m.get("basis"))?,
                lift: m.get("lift").optional(matrix_read)?,
                width: penalty.rows,
                penalty: (penalty, m.get("rank").index("rank")?),
            })
        });
        Ok(Tensor { margins: margins.collect::<Result<_>>()? })
    }

    pub fn window(&self, columns: &Columns, i: usize, out: &mut [f64]) -> usize {
        out[0] = 1.0;
        let mut done = 1;
        let mut row = Vec::new();
        for m in &self.margins {
            row.resize(m.width, 0.0);
            m.basis.dense(columns, i, m.lift.as_ref(), &mut row);
            // From the back, so that what is read is not yet overwritten.
            for a in (0..done).rev() {
                let x = out[a];
                for (b, y) in row.iter().enumerate() {
                    out[a * m.width + b] = x * y;
                }
            }
            done *= m.width;
        }
        0
    }

    pub fn penalties(&self) -> Result<Vec<RawPenalty>> {
        let total = self.width();
        let mut before = 1;
        let mut out = Vec::new();
        for m in &self.margins {
            let after = total / before / m.width;
            let (s, rank) = &m.penalty;
            let mut full = Mat::zeros(total, total);
            for a in 0..before {
                for i in 0..m.width {
                    for j in 0..m.width {
                        for b in 0..after {
                            full[((a * m.width + i) * after + b, (a * m.width + j) * after + b)] = s[(i, j)];
                        }
                    }
                }
            }
            out.push((full, before * rank * after));
            before *= m.width;
        }
        Ok(out)
    }
}
