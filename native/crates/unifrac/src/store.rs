//! Distances of all pairs, once each, in tiles of 64 × 32: half the memory of a square.

use x_dense::SquareMatrix;
use x_simd::{Error, Result, Zeroable};

use crate::kernel::ROWS;
use crate::lanes::COLS;

/// Numbers of a tile.
pub const TILE: usize = ROWS * COLS;

/// Number types that sums are kept in between packs; they are always added up in float64.
pub trait Real: Zeroable + Send + Sync {
    fn from_f64(x: f64) -> Self;
    fn to_f64(self) -> f64;
}

impl Real for f64 {
    fn from_f64(x: f64) -> Self {
        x
    }
    fn to_f64(self) -> f64 {
        self
    }
}

impl Real for f32 {
    fn from_f64(x: f64) -> Self {
        x as f32
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

/// Where a tile lies: columns `32 panel…`, rows `64 strip…`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    pub panel: usize,
    pub strip: usize,
}

/// Tiles of a panel: its rows end with its last column.
pub fn strips(panel: usize) -> usize {
    (panel * COLS + COLS - 1) / ROWS + 1
}

/// All tiles that hold a pair i < j of `n` samples, panel after panel.
pub fn places(n: usize) -> Vec<Place> {
    (0..n.div_ceil(COLS)).flat_map(|panel| (0..strips(panel)).map(move |strip| Place { panel, strip })).collect()
}

/// How many tiles come before a panel: two panels have the same number of strips.
fn tiles_before(panel: usize) -> usize {
    let pairs = panel / 2;
    pairs * (pairs + 1) + (panel % 2) * (pairs + 1)
}

enum Numbers {
    F64(Vec<f64>),
    F32(Vec<f32>),
}

/// How distances become similarities.
#[derive(Debug, Clone, Copy)]
pub enum Kernel {
    /// −d²/2: Gower's inner products once centred.
    Gower,
    /// exp(−d² / w), w so many times the median d² of the training samples.
    Gaussian(f64),
}

/// Symmetric distances with a zero diagonal.
pub struct Distances {
    n: usize,
    numbers: Numbers,
}

impl Distances {
    pub fn of_f64(n: usize, tiles: Vec<f64>) -> Self {
        Self { n, numbers: Numbers::F64(tiles) }
    }

    pub fn of_f32(n: usize, tiles: Vec<f32>) -> Self {
        Self { n, numbers: Numbers::F32(tiles) }
    }

    /// From a square given row by row; only what stands above the diagonal is read.
    pub fn from_square(n: usize, square: &[f64]) -> Result<Self> {
        if square.len() != n * n {
            return Err(Error::new("SHAPE", format!("{} numbers are no {n} x {n} matrix", square.len())));
        }
        let mut tiles = x_simd::try_zeroed(places(n).len() * TILE)?;
        for j in 0..n {
            for i in 0..j {
                tiles[place_of(i, j)] = square[i * n + j];
            }
        }
        Ok(Self::of_f64(n, tiles))
    }

    pub fn n(&self) -> usize {
        self.n
    }

    pub fn is_f32(&self) -> bool {
        matches!(self.numbers, Numbers::F32(_))
    }

    pub fn get(&self, i: usize, j: usize) -> f64 {
        if i == j {
            return 0.0;
        }
        let at = place_of(i.min(j), i.max(j));
        match &self.numbers {
            Numbers::F64(x) => x[at],
            Numbers::F32(x) => f64::from(x[at]),
        }
    }

    /// Copies a tile into `out`, row by row.
    pub fn tile_into(&self, row: usize, rows: usize, col: usize, cols: usize, out: &mut [f64]) -> Result<()> {
        let n = self.n;
        if row + rows > n || col + cols > n || out.len() != rows * cols {
            let message =
                format!("tile {row}+{rows}, {col}+{cols} does not fit a {n} x {n} matrix or its {} numbers", out.len());
            return Err(Error::new("SHAPE", message));
        }
        for (r, line) in out.chunks_exact_mut(cols.max(1)).enumerate() {
            for (c, to) in line.iter_mut().enumerate() {
                *to = self.get(row + r, col + c);
            }
        }
        Ok(())
    }

    /// Similarities of the samples `train`, and of each of `test` with them.
    pub fn kernel(&self, kind: Kernel, train: &[u32], test: &[u32]) -> Result<(SquareMatrix, Vec<f64>)> {
        if let Some(bad) = train.iter().chain(test).find(|&&s| s as usize >= self.n) {
            return Err(Error::new("SHAPE", format!("there is no sample {bad}")));
        }
        let squared = |i: u32, j: u32| self.get(i as usize, j as usize).powi(2);
        let width = match kind {
            Kernel::Gower => 0.0,
            Kernel::Gaussian(scale) => {
                let mut all: Vec<f64> = train
                    .iter()
                    .enumerate()
                    .flat_map(|(at, &i)| train[..at].iter().map(move |&j| (i, j)))
                    .map(|(i, j)| squared(i, j))
                    .collect();
                all.sort_unstable_by(f64::total_cmp);
                scale * all.get(all.len() / 2).copied().filter(|m| *m > 0.0).unwrap_or(1.0)
            }
        };
        let alike = |i: u32, j: u32| match kind {
            Kernel::Gower => -0.5 * squared(i, j),
            Kernel::Gaussian(_) => (-squared(i, j) / width).exp(),
        };
        let mut kernel = SquareMatrix::zeros(train.len())?;
        for (row, &i) in kernel.data_mut().chunks_exact_mut(train.len().max(1)).zip(train) {
            row.iter_mut().zip(train).for_each(|(k, &j)| *k = alike(i, j));
        }
        let alike = &alike;
        Ok((kernel, test.iter().flat_map(|&i| train.iter().map(move |&j| alike(i, j))).collect()))
    }

    /// The whole square.
    pub fn square(&self) -> Result<SquareMatrix> {
        let mut square = SquareMatrix::zeros(self.n)?;
        let n = self.n;
        self.tile_into(0, n, 0, n, square.data_mut())?;
        Ok(square)
    }
}

/// Where the pair i < j stands.
pub fn place_of(i: usize, j: usize) -> usize {
    let panel = j / COLS;
    (tiles_before(panel) + i / ROWS) * TILE + i % ROWS * COLS + j % COLS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_their_numbers_agree() {
        for n in [1, 2, 31, 32, 33, 64, 65, 200] {
            let all = places(n);
            for j in 1..n {
                for i in [0, j / 2, j - 1] {
                    let place = all[place_of(i, j) / TILE];
                    assert_eq!(place, Place { panel: j / COLS, strip: i / ROWS });
                }
            }
        }
    }

    #[test]
    fn indices_of_a_million_samples_do_not_wrap() {
        let (n, panel) = (1_000_000usize, 31_249usize);
        assert_eq!(panel, (n - 1) / COLS);
        let last = place_of(n - 2, n - 1);
        assert!(last as u64 > u64::from(u32::MAX) * 100 && last < (tiles_before(panel) + strips(panel)) * TILE);
    }

    #[test]
    fn a_square_comes_back() {
        let n = 70;
        let square: Vec<f64> = (0..n * n).map(|x| ((x / n) as f64 - (x % n) as f64).abs()).collect();
        let d = Distances::from_square(n, &square).unwrap();
        assert_eq!(d.square().unwrap().data(), square);
        let mut tile = [0.0; 6];
        d.tile_into(60, 2, 1, 3, &mut tile).unwrap();
        assert_eq!(tile, [59.0, 58.0, 57.0, 60.0, 59.0, 58.0]);
    }
}
