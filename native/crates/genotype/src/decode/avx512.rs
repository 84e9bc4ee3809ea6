//! AVX-512 decode: table permutes indexed by the two-bit codes.

use std::arch::x86_64::*;

use super::{Target, scalar};

/// 16 bytes to 64 people: each byte is copied to the four places of a 32-bit lane, shifted so that its codes land there.
///
/// # Safety
/// Needs AVX-512 F and BW, and `src` to hold `out.len()` people.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn fill_i8(src: &[u8], out: &mut [i8]) {
    let v = i8::VALUES;
    let table = _mm512_set1_epi32(i32::from_le_bytes(v.map(|x| x as u8)));
    let whole = out.len() / 64;
    for i in 0..whole {
        // SAFETY: 16 source bytes and 64 outputs exist for each i < whole.
        unsafe {
            let x = spread(_mm_loadu_si128(src.as_ptr().add(i * 16).cast()));
            _mm512_storeu_si512(out.as_mut_ptr().add(i * 64).cast(), _mm512_shuffle_epi8(table, x));
        }
    }
    // Up to 63 people are left: worth a vector of their own.
    let (src, out) = (&src[whole * 16..], &mut out[whole * 64..]);
    let mut bytes = [0; 16];
    let used = src.len().min(16);
    bytes[..used].copy_from_slice(&src[..used]);
    // SAFETY: 16 bytes; the store is masked to the values left.
    unsafe {
        let x = spread(_mm_loadu_si128(bytes.as_ptr().cast()));
        _mm512_mask_storeu_epi8(out.as_mut_ptr(), (1 << out.len()) - 1, _mm512_shuffle_epi8(table, x));
    }
}

/// The four codes of each byte in bytes of their own.
#[inline]
#[target_feature(enable = "avx512f")]
fn spread(bytes: __m128i) -> __m512i {
    let x = _mm512_cvtepu8_epi32(bytes);
    let x = _mm512_or_si512(x, _mm512_slli_epi32(x, 12));
    _mm512_and_si512(_mm512_or_si512(x, _mm512_slli_epi32(x, 6)), _mm512_set1_epi32(0x0303_0303))
}

/// # Safety
/// As [`fill_i8`].
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn fill_f32(src: &[u8], out: &mut [f32]) {
    let v = f32::VALUES;
    let table = _mm512_broadcast_f32x4(_mm_setr_ps(v[0], v[1], v[2], v[3]));
    let shifts = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    let whole = out.len() / 16;
    for i in 0..whole {
        // SAFETY: 4 source bytes and 16 outputs exist for each i < whole.
        unsafe {
            let x = _mm512_set1_epi32(src.as_ptr().add(i * 4).cast::<i32>().read_unaligned());
            // The in-lane permute looks at the lowest two bits only, so the neighbours need no mask.
            _mm512_storeu_ps(out.as_mut_ptr().add(i * 16), _mm512_permutevar_ps(table, _mm512_srlv_epi32(x, shifts)));
        }
    }
    scalar::fill(&src[whole * 4..], &mut out[whole * 16..]);
}

/// # Safety
/// As [`fill_i8`].
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn fill_f64(src: &[u8], out: &mut [f64]) {
    let v = f64::VALUES;
    let table = _mm512_setr_pd(v[0], v[1], v[2], v[3], v[0], v[1], v[2], v[3]);
    let low = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
    let high = _mm512_setr_epi64(16, 18, 20, 22, 24, 26, 28, 30);
    let whole = out.len() / 16;
    for i in 0..whole {
        // SAFETY: 4 source bytes and 16 outputs exist for each i < whole.
        unsafe {
            let x = _mm512_set1_epi64(i64::from(src.as_ptr().add(i * 4).cast::<u32>().read_unaligned()));
            let to = out.as_mut_ptr().add(i * 16);
            // The permute looks at three bits; the table is there twice, so the third does not matter.
            _mm512_storeu_pd(to, _mm512_permutexvar_pd(_mm512_srlv_epi64(x, low), table));
            _mm512_storeu_pd(to.add(8), _mm512_permutexvar_pd(_mm512_srlv_epi64(x, high), table));
        }
    }
    scalar::fill(&src[whole * 4..], &mut out[whole * 16..]);
}
