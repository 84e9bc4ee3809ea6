//! Row-major square matrix with checked allocation and 64-bit indices.

use x_simd::{Error, Result, try_zeroed};

#[derive(Debug, Clone, PartialEq)]
pub struct SquareMatrix {
    n: usize,
    data: Vec<f64>,
}

impl SquareMatrix {
    pub fn zeros(n: usize) -> Result<Self> {
        let len =
            n.checked_mul(n).ok_or_else(|| Error::new("ALLOC", format!("a {n} x {n} matrix has no address space")))?;
        Ok(Self { n, data: try_zeroed(len)? })
    }

    pub fn n(&self) -> usize {
        self.n
    }

    /// Row `i` is `data[i * n..(i + 1) * n]`.
    pub fn data(&self) -> &[f64] {
        &self.data
    }

    pub fn data_mut(&mut self) -> &mut [f64] {
        &mut self.data
    }

    pub fn row(&self, i: usize) -> &[f64] {
        &self.data[i * self.n..(i + 1) * self.n]
    }

    /// A row-major copy of the tile.
    pub fn tile(&self, row: usize, rows: usize, col: usize, cols: usize) -> Result<Vec<f64>> {
        self.check_tile(row, rows, col, cols)?;
        let mut out = try_zeroed(rows * cols)?;
        self.tile_into(row, rows, col, cols, &mut out)?;
        Ok(out)
    }

    /// Copies the tile into `out`, row by row.
    pub fn tile_into(&self, row: usize, rows: usize, col: usize, cols: usize, out: &mut [f64]) -> Result<()> {
        self.check_tile(row, rows, col, cols)?;
        check_values(rows, cols, out.len())?;
        for (r, to) in out.chunks_exact_mut(cols.max(1)).enumerate() {
            to.copy_from_slice(&self.row(row + r)[col..col + cols]);
        }
        Ok(())
    }

    pub fn set_tile(&mut self, row: usize, rows: usize, col: usize, cols: usize, data: &[f64]) -> Result<()> {
        self.check_tile(row, rows, col, cols)?;
        check_values(rows, cols, data.len())?;
        for (r, from) in data.chunks_exact(cols.max(1)).enumerate() {
            let at = (row + r) * self.n + col;
            self.data[at..at + cols].copy_from_slice(from);
        }
        Ok(())
    }

    fn check_tile(&self, row: usize, rows: usize, col: usize, cols: usize) -> Result<()> {
        if row + rows > self.n || col + cols > self.n {
            let n = self.n;
            return Err(Error::new(
                "SHAPE",
                format!("tile {row}+{rows}, {col}+{cols} lies outside a {n} x {n} matrix"),
            ));
        }
        Ok(())
    }
}

fn check_values(rows: usize, cols: usize, found: usize) -> Result<()> {
    let expected = rows * cols;
    if found == expected {
        return Ok(());
    }
    Err(Error::new("SHAPE", format!("a {rows} x {cols} tile holds {expected} values, {found} given")))
}
