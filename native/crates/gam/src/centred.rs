//! Parametric columns far from zero beside an intercept: years, base pairs. Their products with the column of ones leave no
//! digits for what they vary by, so a fit sees them about their mean and its results are brought back.

use crate::design::Design;
use crate::fit::Fit;
use crate::mat::{Mat, axpy};
use crate::rows::{Block, Layout, Rows};

/// A column with a mean of so many times its standard deviation is one of these.
const FAR: f64 = 10.0;

/// One such column.
#[derive(Debug, Clone)]
struct Far {
    piece: usize,
    /// Place in the piece's window.
    column: usize,
    coefficient: usize,
    intercept: usize,
    mean: f64,
}

/// What is taken off which columns of a design.
#[derive(Debug, Clone)]
pub struct Centres(Vec<Far>);

/// A design with these columns centred.
pub struct Centred<'a> {
    pub design: &'a Design,
    pub centres: &'a Centres,
}

impl Rows for Centred<'_> {
    fn rows(&self) -> usize {
        self.design.rows()
    }
    fn layout(&self) -> &Layout {
        self.design.layout()
    }
    fn fill(&self, from: usize, rows: usize, block: &mut Block) {
        self.design.fill(from, rows, block);
        for far in &self.centres.0 {
            let width = self.design.layout().pieces[far.piece].window;
            let values = block.windows[far.piece].values.iter_mut();
            values.skip(far.column).step_by(width).for_each(|x| *x -= far.mean);
        }
    }
}

impl Centres {
    pub fn of(design: &Design) -> Centres {
        let n = design.rows();
        let all = design.parametric_columns();
        let mut out = Vec::new();
        for (p, predictor, coefficient) in &all {
            let ones = all.iter().find(|(q, k, _)| k == predictor && q.column.is_none());
            let (Some(c), Some((_, _, intercept))) = (p.column, ones) else { continue };
            let values = || (0..n).map(|i| design.value(c, i));
            let mean = values().sum::<f64>() / n as f64;
            let variance = values().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n as f64;
            if variance > 0.0 && mean.abs() > FAR * variance.sqrt() {
                let pieces = &design.layout().pieces;
                let holds = |p: &crate::rows::Piece| (p.from..p.from + p.width).contains(coefficient);
                let piece = pieces.iter().position(holds).expect("every coefficient has its piece");
                let column = coefficient - pieces[piece].from;
                out.push(Far { piece, column, coefficient: *coefficient, intercept: *intercept, mean });
            }
        }
        Centres(out)
    }

    /// Start coefficients of the centred columns.
    pub fn inward(&self, beta: &mut [f64]) {
        // One of another length is refused by the fit.
        let width = beta.len();
        for f in self.0.iter().filter(|f| f.coefficient.max(f.intercept) < width) {
            beta[f.intercept] += f.mean * beta[f.coefficient];
        }
    }

    /// The fit in the coefficients of the columns as they are.
    pub fn outward(&self, fit: &mut Fit) {
        for f in &self.0 {
            fit.beta[f.intercept] -= f.mean * fit.beta[f.coefficient];
            for v in [&mut fit.vp, &mut fit.ve, &mut fit.vc] {
                add(v, f.coefficient, f.intercept, -f.mean);
            }
            add(&mut fit.gram, f.intercept, f.coefficient, f.mean);
        }
    }
}

/// Adds `factor` times row and column `from` of a symmetric matrix to row and column `to`.
fn add(m: &mut Mat, from: usize, to: usize, factor: f64) {
    if m.rows == 0 {
        return;
    }
    let row = m.row(from).to_vec();
    axpy(factor, &row, m.row_mut(to));
    for i in 0..m.rows {
        let x = m[(i, from)];
        m[(i, to)] += factor * x;
    }
}
