//! Tiles of the lower triangle, each written by one task, and the copy to the upper triangle.

use rayon::prelude::*;
use x_dense::SquareMatrix;
use x_simd::Result;

/// Rows and columns of a tile: two sides of 8192 genotypes in planes take 512 KiB, inside L2.
pub(crate) const TILE: usize = 128;

#[derive(Clone, Copy)]
pub(crate) struct Tile {
    pub row: usize,
    pub rows: usize,
    pub col: usize,
    pub cols: usize,
}

impl Tile {
    /// Columns of this tile's row `i` that lie on or below the diagonal.
    pub fn width(&self, i: usize) -> usize {
        self.cols.min((self.row + i + 1).saturating_sub(self.col))
    }

    pub fn diagonal(&self) -> bool {
        self.row == self.col
    }
}

pub(crate) fn lower(n: usize) -> Vec<Tile> {
    let bands = n.div_ceil(TILE);
    (0..bands)
        .flat_map(|i| (0..=i).map(move |j| (i * TILE, j * TILE)))
        .map(|(row, col)| Tile { row, rows: TILE.min(n - row), col, cols: TILE.min(n - col) })
        .collect()
}

/// A matrix that several tasks write, no entry by two of them.
pub(crate) struct Shared {
    data: *mut f64,
    rows: usize,
    cols: usize,
}

// SAFETY: `part` is unsafe and its callers own disjoint entries.
unsafe impl Sync for Shared {}

impl Shared {
    pub fn new(data: &mut [f64], cols: usize) -> Self {
        Self { rows: data.len() / cols.max(1), cols, data: data.as_mut_ptr() }
    }

    /// # Safety
    /// No other live part may overlap this one, and the data must outlive it.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn part(&self, row: usize, col: usize, len: usize) -> &mut [f64] {
        assert!(row < self.rows && col + len <= self.cols);
        // SAFETY: in bounds by the assertion, exclusive by the caller.
        unsafe { std::slice::from_raw_parts_mut(self.data.add(row * self.cols + col), len) }
    }
}

/// Runs `work` on every tile of the lower triangle, in the current pool.
pub(crate) fn for_each_lower(m: &mut SquareMatrix, work: impl Fn(Tile, &Shared) -> Result<()> + Sync) -> Result<()> {
    let n = m.n();
    let shared = Shared::new(m.data_mut(), n);
    lower(n).into_par_iter().try_for_each(|tile| work(tile, &shared))
}

/// Replaces each entry of the lower triangle by `value` of it and copies it to the upper one.
pub(crate) fn finish(m: &mut SquareMatrix, value: impl Fn(f64) -> f64 + Sync) -> Result<()> {
    for_each_lower(m, |tile, out| {
        for i in 0..tile.rows {
            let width = tile.width(i);
            // SAFETY: the tile's own entries, and below their mirror images, which belong to no other tile.
            let row = unsafe { out.part(tile.row + i, tile.col, width) };
            for (j, x) in row.iter_mut().enumerate() {
                *x = value(*x);
                if tile.row + i != tile.col + j {
                    // SAFETY: as above.
                    unsafe { out.part(tile.col + j, tile.row + i, 1)[0] = *x };
                }
            }
        }
        Ok(())
    })
}
