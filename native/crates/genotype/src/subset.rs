//! Packed rows of some people only.

use rayon::prelude::*;
use x_simd::{Error, Job, Level, Result, try_zeroed, with_pool};

use crate::packed::{check_packed, row_bytes};

const TASK_BYTES: usize = 1 << 20;

/// Packed rows of the people in `keep`, in that order (repeats allowed). Padding bits of the result are zero.
pub fn subset(packed: &[u8], samples: usize, rows: usize, keep: &[u32], threads: usize, job: &Job) -> Result<Vec<u8>> {
    subset_at(Level::get(), packed, samples, rows, keep, threads, job)
}

#[doc(hidden)]
pub fn subset_at(
    level: Level,
    packed: &[u8],
    samples: usize,
    rows: usize,
    keep: &[u32],
    threads: usize,
    job: &Job,
) -> Result<Vec<u8>> {
    check_packed(packed, samples, rows)?;
    if let Some(at) = keep.iter().position(|&k| k as usize >= samples) {
        return Err(Error::new("SHAPE", format!("keep[{at}] is {}, but there are {samples} samples", keep[at]))
            .with("index", at as f64)
            .with("sample", keep[at] as f64));
    }
    job.start(rows as u64);
    let (from, to) = (row_bytes(samples), row_bytes(keep.len()));
    let mut out = try_zeroed(to * rows)?;
    if out.is_empty() {
        return Ok(out);
    }
    let lanes = lanes(level, samples, keep)?;
    let task = (TASK_BYTES / from).max(1);
    with_pool(threads, || {
        out.par_chunks_mut(task * to).zip(packed.par_chunks(task * from)).try_for_each(|(out, packed)| {
            job.check()?;
            for (to, row) in out.chunks_exact_mut(to).zip(packed.chunks_exact(from)) {
                match &lanes {
                    // SAFETY: lanes exist only where `extracts` found BMI2.
                    #[cfg(target_arch = "x86_64")]
                    Some(lanes) => unsafe { extract(row, lanes, to) },
                    _ => gather(row, keep, to),
                }
            }
            job.advance((out.len() / to) as u64);
            Ok(())
        })
    })?;
    Ok(out)
}

/// Both bits of each kept person, 32 people a word; `None` where only the general path will do.
fn lanes(level: Level, samples: usize, keep: &[u32]) -> Result<Option<Vec<u64>>> {
    if !extracts(level) || !keep.is_sorted_by(|a, b| a < b) {
        return Ok(None);
    }
    let mut out = try_zeroed(samples.div_ceil(32))?;
    for &k in keep {
        out[k as usize / 32] |= 3 << (2 * (k % 32));
    }
    Ok(Some(out))
}

fn extracts(level: Level) -> bool {
    #[cfg(target_arch = "x86_64")]
    return level >= Level::Avx2 && is_x86_feature_detected!("bmi2");
    #[cfg(not(target_arch = "x86_64"))]
    return level < Level::Scalar;
}

/// Any order.
fn gather(row: &[u8], keep: &[u32], out: &mut [u8]) {
    for (to, four) in out.iter_mut().zip(keep.chunks(4)) {
        *to = four
            .iter()
            .enumerate()
            .fold(0, |byte, (k, &person)| byte | (row[person as usize / 4] >> (2 * (person % 4)) & 3) << (2 * k));
    }
}

/// Increasing order: one parallel bit extract a word of 32 people.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "bmi2,popcnt")]
fn extract(row: &[u8], lanes: &[u64], out: &mut [u8]) {
    let (mut held, mut bits, mut at) = (0u64, 0, 0);
    for (w, &lane) in lanes.iter().enumerate().filter(|(_, lane)| **lane != 0) {
        let found = std::arch::x86_64::_pext_u64(crate::packed::word(&row[w * 8..]), lane);
        held |= found << bits;
        let total = bits + lane.count_ones();
        if total >= 64 {
            out[at..at + 8].copy_from_slice(&held.to_le_bytes());
            at += 8;
            // What did not fit; nothing is left over when `bits` was 0.
            held = found.checked_shr(64 - bits).unwrap_or(0);
        }
        bits = total % 64;
    }
    let rest = out.len() - at;
    out[at..].copy_from_slice(&held.to_le_bytes()[..rest]);
}
