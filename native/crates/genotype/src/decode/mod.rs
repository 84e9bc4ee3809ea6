//! Packed rows to one number a person. The work is all output traffic, so large outputs leave through streaming stores.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod scalar;
mod stream;

use rayon::prelude::*;
use x_simd::{Job, Level, Result, with_pool};

use crate::packed::{check_len, check_packed, row_bytes};
pub use stream::streaming_fill;

pub const MISSING_I8: i8 = -127;

/// Outputs larger than this miss the caches anyway; smaller ones are left in cache for their reader.
const STREAM_BYTES: usize = 8 << 20;
/// About one task's output: big enough to forget the scheduling, small enough to poll the cancel flag.
const TASK_BYTES: usize = 2 << 20;

/// A number that genotypes decode to; `VALUES` is indexed by the packed code.
pub(crate) trait Target: Copy + Default + Send + Sync + 'static {
    const VALUES: [Self; 4];
    /// Decodes `out.len()` people from the start of `src`.
    fn fill(level: Level, src: &[u8], out: &mut [Self]);
}

macro_rules! target {
    ($type:ty, $missing:expr, $fill:ident) => {
        impl Target for $type {
            const VALUES: [Self; 4] = [2 as $type, $missing, 1 as $type, 0 as $type];
            #[inline]
            fn fill(level: Level, src: &[u8], out: &mut [Self]) {
                assert!(src.len() >= row_bytes(out.len()));
                match level {
                    // SAFETY: a level is only handed out where the processor has it; lengths were checked above.
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx512 => unsafe { avx512::$fill(src, out) },
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx2 => unsafe { avx2::$fill(src, out) },
                    _ => scalar::fill(src, out),
                }
            }
        }
    };
}
target!(i8, MISSING_I8, fill_i8);
target!(f32, f32::NAN, fill_f32);
target!(f64, f64::NAN, fill_f64);

/// Dosages of A1, row by row; missing is −127. `out` takes `rows × samples` values.
pub fn decode_i8(packed: &[u8], samples: usize, rows: usize, out: &mut [i8], threads: usize, job: &Job) -> Result<()> {
    decode(Level::get(), packed, samples, rows, out, threads, job)
}

/// As [`decode_i8`]; missing is NaN.
pub fn decode_f32(
    packed: &[u8],
    samples: usize,
    rows: usize,
    out: &mut [f32],
    threads: usize,
    job: &Job,
) -> Result<()> {
    decode(Level::get(), packed, samples, rows, out, threads, job)
}

/// As [`decode_i8`]; missing is NaN.
pub fn decode_f64(
    packed: &[u8],
    samples: usize,
    rows: usize,
    out: &mut [f64],
    threads: usize,
    job: &Job,
) -> Result<()> {
    decode(Level::get(), packed, samples, rows, out, threads, job)
}

macro_rules! at_level {
    ($name:ident, $type:ty) => {
        #[doc(hidden)]
        pub fn $name(
            level: Level,
            packed: &[u8],
            samples: usize,
            rows: usize,
            out: &mut [$type],
            threads: usize,
            job: &Job,
        ) -> Result<()> {
            decode(level, packed, samples, rows, out, threads, job)
        }
    };
}
at_level!(decode_i8_at, i8);
at_level!(decode_f32_at, f32);
at_level!(decode_f64_at, f64);

fn decode<T: Target>(
    level: Level,
    packed: &[u8],
    samples: usize,
    rows: usize,
    out: &mut [T],
    threads: usize,
    job: &Job,
) -> Result<()> {
    check_packed(packed, samples, rows)?;
    check_len("out", out.len(), rows * samples)?;
    job.start(rows as u64);
    if out.is_empty() {
        return Ok(());
    }
    let bytes = row_bytes(samples);
    let streamed = size_of_val(out) > STREAM_BYTES && stream::available(level);
    let task_rows = (TASK_BYTES / (samples * size_of::<T>())).max(1);
    with_pool(threads, || {
        out.par_chunks_mut(task_rows * samples).zip(packed.par_chunks(task_rows * bytes)).try_for_each(|(out, from)| {
            job.check()?;
            if streamed {
                stream::decode_rows(level, from, samples, out);
            } else {
                for (row, to) in from.chunks_exact(bytes).zip(out.chunks_exact_mut(samples)) {
                    T::fill(level, row, to);
                }
            }
            job.advance((out.len() / samples) as u64);
            Ok(())
        })
    })
}
