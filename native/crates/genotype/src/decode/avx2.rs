//! AVX2 decode: byte shuffles and in-lane permutes indexed by the two-bit codes.

use std::arch::x86_64::*;

use super::{Target, scalar};

/// # Safety
/// Needs AVX2, and `src` to hold `out.len()` people.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn fill_i8(src: &[u8], out: &mut [i8]) {
    let v = i8::VALUES;
    let table = _mm256_set1_epi32(i32::from_le_bytes(v.map(|x| x as u8)));
    let codes = _mm256_set1_epi32(0x0303_0303);
    let whole = out.len() / 32;
    for i in 0..whole {
        // SAFETY: 8 source bytes and 32 outputs exist for each i < whole.
        unsafe {
            let x = _mm256_cvtepu8_epi32(_mm_loadl_epi64(src.as_ptr().add(i * 8).cast()));
            let x = _mm256_or_si256(x, _mm256_slli_epi32(x, 12));
            let x = _mm256_and_si256(_mm256_or_si256(x, _mm256_slli_epi32(x, 6)), codes);
            _mm256_storeu_si256(out.as_mut_ptr().add(i * 32).cast(), _mm256_shuffle_epi8(table, x));
        }
    }
    scalar::fill(&src[whole * 8..], &mut out[whole * 32..]);
}

/// # Safety
/// As [`fill_i8`].
#[target_feature(enable = "avx2")]
pub(super) unsafe fn fill_f32(src: &[u8], out: &mut [f32]) {
    let whole = out.len() / 8;
    for i in 0..whole {
        // SAFETY: 2 source bytes and 8 outputs exist for each i < whole.
        unsafe { _mm256_storeu_ps(out.as_mut_ptr().add(i * 8), eight(src, i)) };
    }
    scalar::fill(&src[whole * 2..], &mut out[whole * 8..]);
}

/// Through float32: 0, 1, 2 and the default NaN widen exactly.
///
/// # Safety
/// As [`fill_i8`].
#[target_feature(enable = "avx2")]
pub(super) unsafe fn fill_f64(src: &[u8], out: &mut [f64]) {
    let whole = out.len() / 8;
    for i in 0..whole {
        // SAFETY: 2 source bytes and 8 outputs exist for each i < whole.
        unsafe {
            let x = eight(src, i);
            let to = out.as_mut_ptr().add(i * 8);
            _mm256_storeu_pd(to, _mm256_cvtps_pd(_mm256_castps256_ps128(x)));
            _mm256_storeu_pd(to.add(4), _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1)));
        }
    }
    scalar::fill(&src[whole * 2..], &mut out[whole * 8..]);
}

/// # Safety
/// `src` holds at least `2 i + 2` bytes.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn eight(src: &[u8], i: usize) -> __m256 {
    let v = f32::VALUES;
    let table = _mm256_setr_ps(v[0], v[1], v[2], v[3], v[0], v[1], v[2], v[3]);
    // SAFETY: by the caller.
    let x = _mm256_set1_epi32(i32::from(unsafe { src.as_ptr().add(i * 2).cast::<u16>().read_unaligned() }));
    _mm256_permutevar_ps(table, _mm256_srlv_epi32(x, _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14)))
}
