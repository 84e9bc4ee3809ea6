//! Random effects: a dummy column for each combination of factor levels, times the numeric covariates.

use x_simd::Result;

use super::{Columns, Plan};
use crate::json::{Json, malformed, object};

pub struct Random {
    /// Column and number of levels (0 = numeric).
    pub parts: Vec<(usize, usize)>,
    width: usize,
}

impl Random {
    pub fn learn(plan: &Plan) -> Random {
        let parts: Vec<(usize, usize)> =
            plan.columns.iter().zip(&plan.levels).map(|(&c, l)| (c, l.unwrap_or(0))).collect();
        Self::new(parts)
    }

    fn new(parts: Vec<(usize, usize)>) -> Random {
        let width = parts.iter().map(|(_, l)| (*l).max(1)).product();
        Random { parts, width }
    }

    pub fn state(&self) -> Json {
        let parts = self.parts.iter().map(|(c, l)| Json::Arr(vec![(*c).into(), (*l).into()])).collect();
        object([("kind", "random".into()), ("parts", Json::Arr(parts))])
    }

    pub fn restore(j: &Json) -> Result<Random> {
        let parts = j.get("parts").list("parts")?.iter().map(|p| match p {
            Json::Arr(pair) if pair.len() == 2 => Ok((pair[0].index("column")?, pair[1].index("levels")?)),
            _ => Err(malformed("a part of a random effect is [column, levels]")),
        });
        Ok(Self::new(parts.collect::<Result<_>>()?))
    }

    pub fn width(&self) -> usize {
        self.width
    }

    /// An unseen level (NaN) gives zero. R's model matrix of `~ a:b - 1` lets the first factor vary fastest.
    pub fn window(&self, columns: &Columns, i: usize, out: &mut [f64]) -> usize {
        let (mut at, mut stride, mut value) = (0, 1, 1.0);
        for &(c, levels) in &self.parts {
            let x = columns[c][i];
            if levels == 0 {
                value *= x;
            } else if x >= 0.0 && x < levels as f64 {
                at += stride * x as usize;
                stride *= levels;
            } else {
                value = 0.0;
                stride *= levels;
            }
        }
        out[0] = value;
        at
    }
}
