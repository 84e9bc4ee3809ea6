//! The packed layout: PLINK 1 SNP-major rows, two bits a person, four people a byte, lowest bits first.
//! Codes: 0 = two A1 (dosage 2), 1 = missing, 2 = heterozygous, 3 = two A2 (dosage 0).

use x_simd::{Error, Result};

/// Bytes of one packed row.
pub const fn row_bytes(samples: usize) -> usize {
    samples.div_ceil(4)
}

pub(crate) fn check_packed(packed: &[u8], samples: usize, rows: usize) -> Result<()> {
    if row_bytes(samples).checked_mul(rows) == Some(packed.len()) {
        return Ok(());
    }
    let expected = row_bytes(samples) as f64 * rows as f64;
    Err(Error::new(
        "SHAPE",
        format!("{rows} packed rows of {samples} samples take {expected:.0} bytes, {} given", packed.len()),
    )
    .with("expected", expected)
    .with("found", packed.len() as f64))
}

pub(crate) fn check_len(what: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::new("SHAPE", format!("{what} needs {expected} values, {found} given"))
        .with("expected", expected as f64)
        .with("found", found as f64))
}

/// Rows of the block, whole rows only; `rows` must name existing ones, `means` be finite and one a row.
pub(crate) fn check_block(packed: &[u8], samples: usize, rows: &[u32], means: &[f64]) -> Result<()> {
    let bytes = row_bytes(samples).max(1);
    check_packed(packed, samples, packed.len() / bytes)?;
    check_len("means", means.len(), rows.len())?;
    let count = packed.len() / bytes;
    if let Some(&row) = rows.iter().find(|&&r| r as usize >= count) {
        return Err(Error::new("SHAPE", format!("row {row} lies outside a block of {count} rows"))
            .with("row", row as f64)
            .with("rows", count as f64));
    }
    if let Some(at) = means.iter().position(|m| !m.is_finite()) {
        return Err(Error::new(
            "MEAN",
            format!("the mean of row {} is not finite: leave out rows without calls", rows[at]),
        )
        .with("row", rows[at] as f64));
    }
    Ok(())
}

/// Eight bytes, missing ones read as zero.
#[inline(always)]
pub(crate) fn word(bytes: &[u8]) -> u64 {
    match bytes.first_chunk::<8>() {
        Some(all) => u64::from_le_bytes(*all),
        None => bytes.iter().rev().fold(0, |w, &b| w << 8 | u64::from(b)),
    }
}

/// Asks for the cache lines that hold `count` values of `data` from `at` on.
#[inline(always)]
pub(crate) fn prefetch<T>(data: &[T], at: usize, count: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(last) = (at + count).min(data.len()).checked_sub(1).filter(|&last| last >= at) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        for index in (at..last).step_by(64 / size_of::<T>()).chain([last]) {
            // SAFETY: a hint about an address inside `data`.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(data.as_ptr().add(index).cast()) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (data, at, count);
}
