//! Sample-major tile to SNP-major rows, for `.bed` files that store one row a person.

use std::ops::Range;

use rayon::prelude::*;
use x_simd::{Error, Job, Result, try_zeroed, with_pool};

use crate::packed::{check_packed, row_bytes, word};

/// Byte columns a task: 32 SNPs each.
const COLUMNS: usize = 8;

/// SNP-major packed rows (`row_bytes(people)` each) of the SNPs in `range`, counted from the first one of the tile.
/// `packed` holds one row of `row_bytes(snps)` bytes a person, so a file is transposed in steps: read the same byte
/// columns of every person, transpose, go on. Padding bits of the result are zero.
pub fn transpose(
    packed: &[u8],
    people: usize,
    snps: usize,
    range: Range<usize>,
    threads: usize,
    job: &Job,
) -> Result<Vec<u8>> {
    check_packed(packed, snps, people)?;
    if range.start > range.end || range.end > snps {
        let Range { start, end } = range;
        return Err(Error::new("SHAPE", format!("SNPs {start} to {end} lie outside a tile of {snps}"))
            .with("start", start as f64)
            .with("end", end as f64));
    }
    job.start(range.len() as u64);
    let (from, to) = (row_bytes(snps), row_bytes(people));
    let mut out = try_zeroed(to * range.len())?;
    if out.is_empty() {
        return Ok(out);
    }
    // Tasks own whole output rows and start on a byte column, except for the first one of an odd range.
    let lead = (range.start.next_multiple_of(4) - range.start).min(range.len());
    let (head, body) = out.split_at_mut(lead * to);
    if lead > 0 {
        columns(packed, people, from, range.start, head);
    }
    with_pool(threads, || {
        body.par_chunks_mut(COLUMNS * 4 * to).enumerate().try_for_each(|(task, out)| {
            job.check()?;
            columns(packed, people, from, range.start + lead + task * COLUMNS * 4, out);
            job.advance((out.len() / to) as u64);
            Ok(())
        })
    })?;
    Ok(out)
}

/// SNPs from `first` on, as many as `out` has rows; they lie within `COLUMNS` byte columns.
fn columns(packed: &[u8], people: usize, stride: usize, first: usize, out: &mut [u8]) {
    let to = row_bytes(people);
    let rows = out.len() / to;
    let (column, skip) = (first / 4, first % 4);
    let mut group = [0u64; 8];
    for person in (0..people).step_by(8) {
        for (k, w) in group.iter_mut().enumerate() {
            *w = if person + k < people {
                word(&packed[(person + k) * stride + column..(person + k + 1) * stride])
            } else {
                0
            };
        }
        let at = person / 4;
        for c in 0..(skip + rows).div_ceil(4) {
            // One byte column of eight people: byte k is person k with four SNPs.
            let x = group.iter().enumerate().fold(0, |x, (k, w)| x | (w >> (8 * c) & 255) << (8 * k));
            let x = swap4(x).to_le_bytes();
            for k in 0..4 {
                if let Some(row) = (4 * c + k).checked_sub(skip).filter(|&r| r < rows) {
                    let row = &mut out[row * to..(row + 1) * to];
                    row[at] = x[k];
                    if let Some(second) = row.get_mut(at + 1) {
                        *second = x[k + 4];
                    }
                }
            }
        }
    }
}

/// Transposes the 4 × 4 two-bit codes in each half of the word.
#[inline(always)]
fn swap4(x: u64) -> u64 {
    let t = (x ^ x >> 6) & 0x00cc_00cc_00cc_00cc;
    let x = x ^ t ^ t << 6;
    let t = (x ^ x >> 12) & 0x0000_f0f0_0000_f0f0;
    x ^ t ^ t << 12
}
