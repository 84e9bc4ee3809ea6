//! Rows to memory past the caches: a row is decoded into a small buffer in L1, whole cache lines leave from there by
//! non-temporal stores. Rows need not be aligned; the buffer carries the odd end of one row into the next.

use x_simd::Level;

use super::Target;
use crate::packed::{prefetch, row_bytes};

const LINE: usize = 64;
/// Bytes of output a step: a quarter to half of L1.
const STEP_BYTES: usize = 2 << 10;
/// How far ahead the packed rows are fetched: non-temporal stores keep the memory too busy for the hardware to look ahead
/// far enough.
const AHEAD: usize = 2 << 10;

pub(super) fn available(level: Level) -> bool {
    cfg!(target_arch = "x86_64") && level >= Level::Avx2
}

pub(super) fn decode_rows<T: Target>(level: Level, packed: &[u8], samples: usize, out: &mut [T]) {
    let per_line = LINE / size_of::<T>();
    // A multiple of 4 people, so that each step starts on a byte.
    let step = STEP_BYTES / size_of::<T>();
    let head = (out.as_ptr().align_offset(LINE)).min(out.len());
    // Values before the first whole line go out by the same road, one odd copy at the start.
    let mut buffer = vec![T::default(); step + 2 * per_line];
    let (mut held, mut at, mut first) = (0, 0, head);
    for (r, row) in packed.chunks_exact(row_bytes(samples)).enumerate() {
        for from in (0..samples).step_by(step) {
            let count = step.min(samples - from);
            prefetch(packed, r * row.len() + from / 4 + AHEAD, count.div_ceil(4));
            T::fill(level, &row[from / 4..], &mut buffer[held..held + count]);
            held += count;
            let mut used = 0;
            if first > 0 {
                used = first.min(held);
                out[at..at + used].copy_from_slice(&buffer[..used]);
                first -= used;
                at += used;
            }
            let lines = (held - used) / per_line * per_line;
            if lines > 0 {
                copy_lines(level, &buffer[used..used + lines], &mut out[at..at + lines]);
                used += lines;
                at += lines;
            }
            buffer.copy_within(used..held, 0);
            held -= used;
        }
    }
    out[at..at + held].copy_from_slice(&buffer[..held]);
    fence();
}

/// Fills `out` with one value by the same stores: the ceiling that decoding is compared with.
#[doc(hidden)]
pub fn streaming_fill(level: Level, value: f64, out: &mut [f64]) {
    let head = out.as_ptr().align_offset(LINE).min(out.len());
    let line = [value; LINE / 8];
    out[..head].fill(value);
    let mut lines = out[head..].chunks_exact_mut(line.len());
    for to in lines.by_ref() {
        copy_lines(level, &line, to);
    }
    lines.into_remainder().fill(value);
    fence();
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn copy_lines<T: Copy>(level: Level, from: &[T], to: &mut [T]) {
    use std::arch::x86_64::*;

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn lines512(from: *const u8, to: *mut u8, bytes: usize) {
        for at in (0..bytes).step_by(LINE) {
            // SAFETY: by the caller.
            unsafe { _mm512_stream_si512(to.add(at).cast(), _mm512_loadu_si512(from.add(at).cast())) };
        }
    }
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn lines256(from: *const u8, to: *mut u8, bytes: usize) {
        for at in (0..bytes).step_by(LINE / 2) {
            // SAFETY: by the caller.
            unsafe { _mm256_stream_si256(to.add(at).cast(), _mm256_loadu_si256(from.add(at).cast())) };
        }
    }
    let bytes = size_of_val(from);
    assert!(bytes == size_of_val(to) && bytes.is_multiple_of(LINE) && to.as_ptr().cast::<u8>().align_offset(LINE) == 0);
    // SAFETY: whole aligned lines inside both slices; the level exists on this processor.
    unsafe {
        match level {
            Level::Avx512 => lines512(from.as_ptr().cast(), to.as_mut_ptr().cast(), bytes),
            Level::Avx2 => lines256(from.as_ptr().cast(), to.as_mut_ptr().cast(), bytes),
            _ => to.copy_from_slice(from),
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn copy_lines<T: Copy>(_level: Level, from: &[T], to: &mut [T]) {
    to.copy_from_slice(from);
}

/// Non-temporal stores are weakly ordered: they must be visible before another thread reads the output.
fn fence() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE is part of x86-64.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}
