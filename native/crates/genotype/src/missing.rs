//! Missing calls of each sample over some rows.

use rayon::prelude::*;
use x_simd::{Job, Result, try_zeroed, with_pool};

use crate::packed::{check_packed, row_bytes, word};

const TASK_BYTES: usize = 1 << 20;
/// The low bit of each code.
const LOW: u64 = 0x5555_5555_5555_5555;

/// How many calls of each sample are missing. Missing calls are few, so each one found is counted by itself.
pub fn missing_by_sample(packed: &[u8], samples: usize, rows: usize, threads: usize, job: &Job) -> Result<Vec<u32>> {
    check_packed(packed, samples, rows)?;
    job.start(rows as u64);
    let bytes = row_bytes(samples);
    if bytes == 0 || rows == 0 {
        return try_zeroed(samples);
    }
    let task = (TASK_BYTES / bytes).max(1);
    let count = |packed: &[u8]| {
        job.check()?;
        let mut counts: Vec<u32> = try_zeroed(samples)?;
        for row in packed.chunks_exact(bytes) {
            for (k, piece) in row.chunks(8).enumerate() {
                let codes = word(piece);
                let mut missing = codes & !(codes >> 1) & LOW;
                while missing != 0 {
                    let sample = 32 * k + missing.trailing_zeros() as usize / 2;
                    // Padding may hold any bits.
                    if let Some(count) = counts.get_mut(sample) {
                        *count += 1;
                    }
                    missing &= missing - 1;
                }
            }
        }
        job.advance((packed.len() / bytes) as u64);
        Ok(counts)
    };
    let add = |mut a: Vec<u32>, b: Vec<u32>| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        Ok(a)
    };
    with_pool(threads, || {
        packed.par_chunks(task * bytes).map(count).try_reduce_with(add).unwrap_or_else(|| try_zeroed(samples))
    })
}

#[cfg(test)]
mod tests {
    use super::missing_by_sample;
    use crate::packed::row_bytes;
    use x_simd::Job;

    #[test]
    fn counts_each_sample_whatever_the_padding() {
        for samples in [1, 3, 4, 31, 32, 33, 5_003] {
            let (rows, bytes) = (1_000, row_bytes(samples));
            let mut state = 1u32;
            let packed: Vec<u8> = (0..rows * bytes)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                })
                .collect();
            let mut expected = vec![0u32; samples];
            for row in packed.chunks_exact(bytes) {
                for (i, count) in expected.iter_mut().enumerate() {
                    *count += u32::from(row[i / 4] >> (2 * (i % 4)) & 3 == 1);
                }
            }
            for threads in [1, 3] {
                let found = missing_by_sample(&packed, samples, rows, threads, &Job::default()).unwrap();
                assert_eq!(found, expected, "{samples} samples");
            }
        }
        assert_eq!(missing_by_sample(&[], 5, 0, 1, &Job::default()).unwrap(), [0; 5]);
        assert_eq!(missing_by_sample(&[0], 5, 1, 1, &Job::default()).unwrap_err().code, "SHAPE");
    }
}
