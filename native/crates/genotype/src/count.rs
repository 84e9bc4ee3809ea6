//! Genotype counts of each row by popcount, optionally over some of the samples.

use rayon::prelude::*;
use x_simd::{Error, Job, Level, Result, try_zeroed, with_pool};

use crate::packed::{check_packed, row_bytes, word};

const TASK_BYTES: usize = 4 << 20;

/// `[hom A1, het, hom A2, missing]` of each row, over the samples whose bit in `mask` is set (all without a mask).
pub fn count(
    packed: &[u8],
    samples: usize,
    rows: usize,
    mask: Option<&[u8]>,
    threads: usize,
    job: &Job,
) -> Result<Vec<[u32; 4]>> {
    count_at(Level::get(), packed, samples, rows, mask, threads, job)
}

#[doc(hidden)]
pub fn count_at(
    level: Level,
    packed: &[u8],
    samples: usize,
    rows: usize,
    mask: Option<&[u8]>,
    threads: usize,
    job: &Job,
) -> Result<Vec<[u32; 4]>> {
    check_packed(packed, samples, rows)?;
    if let Some(mask) = mask.filter(|m| m.len() != samples.div_ceil(8)) {
        let expected = samples.div_ceil(8);
        return Err(Error::new(
            "SHAPE",
            format!("a mask of {samples} samples takes {expected} bytes, {} given", mask.len()),
        )
        .with("expected", expected as f64)
        .with("found", mask.len() as f64));
    }
    job.start(rows as u64);
    let mut out: Vec<[u32; 4]> = try_zeroed(rows)?;
    let lanes = lanes(samples, mask)?;
    let total = lanes.iter().map(|m| m.count_ones()).sum();
    let bytes = row_bytes(samples);
    if bytes == 0 {
        return Ok(out);
    }
    let task = (TASK_BYTES / bytes).max(1);
    with_pool(threads, || {
        out.par_chunks_mut(task).zip(packed.par_chunks(task * bytes)).try_for_each(|(out, packed)| {
            job.check()?;
            for (row, to) in packed.chunks_exact(bytes).zip(out.iter_mut()) {
                *to = row_counts(level, row, &lanes, total);
            }
            job.advance(out.len() as u64);
            Ok(())
        })
    })?;
    Ok(out)
}

/// The mask spread to the low bit of each two-bit code, 32 samples a word; padding is never set.
fn lanes(samples: usize, mask: Option<&[u8]>) -> Result<Vec<u64>> {
    let mut out = try_zeroed(samples.div_ceil(32))?;
    for i in (0..samples).filter(|&i| mask.is_none_or(|m| m[i / 8] >> (i % 8) & 1 == 1)) {
        out[i / 32] |= 1 << (2 * (i % 32));
    }
    Ok(out)
}

fn row_counts(level: Level, row: &[u8], lanes: &[u64], total: u32) -> [u32; 4] {
    let [low, high, both] = match level {
        // SAFETY: a level is only handed out where the processor has it.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { bits_avx512(row, lanes) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { bits_avx2(row, lanes) },
        _ => bits(row, lanes),
    };
    [total + both - low - high, high - both, both, low - both]
}

/// Low bits, high bits and codes with both. The compiler turns `count_ones` into what each level offers.
#[inline(always)]
fn bits(row: &[u8], lanes: &[u64]) -> [u32; 3] {
    let mut sums = [0u64; 3];
    let mut add = |w: u64, m: u64| {
        let (low, high) = (w & m, w >> 1 & m);
        sums[0] += u64::from(low.count_ones());
        sums[1] += u64::from(high.count_ones());
        sums[2] += u64::from((low & high).count_ones());
    };
    let (whole, rest) = row.as_chunks::<8>();
    for (w, &m) in whole.iter().zip(lanes) {
        add(u64::from_le_bytes(*w), m);
    }
    if let Some(&m) = lanes.get(whole.len()) {
        add(word(rest), m);
    }
    sums.map(|s| s as u32)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn bits_avx2(row: &[u8], lanes: &[u64]) -> [u32; 3] {
    bits(row, lanes)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vpopcntdq,avx2,popcnt")]
fn bits_avx512(row: &[u8], lanes: &[u64]) -> [u32; 3] {
    bits(row, lanes)
}
