//! Some thousand branches laid out for the kernels: for every 32 samples the values of each branch side by side, for
//! every sample the values of 64 branches in a row, and words that say where there is anything at all.

use x_simd::{Result, try_zeroed};

use crate::lanes::{BRANCHES, COLS};
use crate::metric::Metric;

/// Bytes the column layout may take; the result does not depend on it in float64, and a range of stripes uses the same.
const COLUMN_BYTES: usize = 1 << 27;
/// More than this many blocks bring nothing: sums are read and written seldom enough.
const MOST_BLOCKS: usize = 32;

pub struct Pack {
    pub blocks: usize,
    /// Branches held now.
    held: usize,
    /// [panel][block][branch][column]; without columns for the pairs' route and for the unweighted one.
    pub cols: Vec<f64>,
    /// [panel][block][branch]: a bit a column. Unweighted only.
    pub masks: Vec<u32>,
    /// [sample][block][branch].
    pub rows: Vec<f64>,
    /// [sample][block].
    pub row_bits: Vec<u64>,
    /// [panel][block]: has any of its samples this branch?
    pub panel_bits: Vec<u64>,
    /// [block][branch].
    pub lengths: Vec<f64>,
}

/// Blocks a pack of `n` samples holds.
pub fn blocks_for(n: usize) -> usize {
    (COLUMN_BYTES / (8 * BRANCHES * n.max(1))).clamp(1, MOST_BLOCKS)
}

/// Bytes of a pack.
pub fn pack_bytes(n: u64) -> u64 {
    2 * n * 8 * (BRANCHES * blocks_for(n as usize)) as u64
}

impl Pack {
    pub fn new(n: usize, metric: Metric, columns: bool) -> Result<Self> {
        let blocks = blocks_for(n);
        let (panels, unweighted) = (n.div_ceil(COLS), metric == Metric::Unweighted);
        let column_entries = if columns { panels * blocks * BRANCHES } else { 0 };
        Ok(Self {
            blocks,
            held: 0,
            cols: try_zeroed(if unweighted { 0 } else { column_entries * COLS })?,
            masks: try_zeroed(if unweighted { column_entries } else { 0 })?,
            rows: try_zeroed(n * blocks * BRANCHES)?,
            row_bits: try_zeroed(n * blocks)?,
            panel_bits: try_zeroed(panels * blocks)?,
            lengths: try_zeroed(blocks * BRANCHES)?,
        })
    }

    /// Room for a branch of this length: its place, or nothing when the pack is full.
    pub fn open(&mut self, length: f64) -> Option<(usize, usize)> {
        let at = self.held;
        *self.lengths.get_mut(at)? = length;
        self.held += 1;
        Some((at / BRANCHES, at % BRANCHES))
    }

    pub fn is_full(&self) -> bool {
        self.held == self.lengths.len()
    }

    pub fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Blocks that hold a branch.
    pub fn filled(&self) -> usize {
        self.held.div_ceil(BRANCHES)
    }

    /// One value of a sample.
    pub fn put(&mut self, s: usize, block: usize, branch: usize, value: f64) {
        let (panel, column) = (s / COLS, s % COLS);
        self.rows[(s * self.blocks + block) * BRANCHES + branch] = value;
        self.row_bits[s * self.blocks + block] |= 1 << branch;
        self.panel_bits[panel * self.blocks + block] |= 1 << branch;
        let at = (panel * self.blocks + block) * BRANCHES + branch;
        if let Some(mask) = self.masks.get_mut(at) {
            *mask |= 1 << column;
        }
        if let Some(to) = self.cols.get_mut(at * COLS + column) {
            *to = value;
        }
    }

    pub fn clear(&mut self) {
        self.held = 0;
        let block = BRANCHES * COLS;
        for (at, bits) in self.panel_bits.iter_mut().enumerate() {
            if *bits == 0 {
                continue;
            }
            *bits = 0;
            if let Some(cols) = self.cols.get_mut(at * block..(at + 1) * block) {
                cols.fill(0.0);
            }
            if let Some(masks) = self.masks.get_mut(at * BRANCHES..(at + 1) * BRANCHES) {
                masks.fill(0);
            }
        }
        for (at, bits) in self.row_bits.iter_mut().enumerate() {
            if std::mem::take(bits) != 0 {
                self.rows[at * BRANCHES..(at + 1) * BRANCHES].fill(0.0);
            }
        }
    }

    pub fn row(&self, sample: usize, block: usize) -> &[f64; BRANCHES] {
        let at = (sample * self.blocks + block) * BRANCHES;
        self.rows[at..at + BRANCHES].try_into().expect("64 branches")
    }

    pub fn block_lengths(&self, block: usize) -> &[f64; BRANCHES] {
        self.lengths[block * BRANCHES..(block + 1) * BRANCHES].try_into().expect("64 branches")
    }
}
