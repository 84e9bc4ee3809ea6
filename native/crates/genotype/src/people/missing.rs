//! The sparse correction: for each person j and each person i of a tile, Σ over the missing calls of j of
//! ν e_i + ½ ν² m_i. Adding the sums of (j, i) and of (i, j) gives both mixed terms and the whole of ν² m m'.

use x_simd::Level;

use crate::gram::Side;
use crate::planes::Chunk;
use crate::tiles::TILE;

pub(super) struct Source<'a> {
    pub packed: &'a [u8],
    pub stride: usize,
    /// Byte column of the tile's first person.
    pub byte: usize,
    pub tables: &'a [[f64; 4]],
}

/// ν e + ½ ν² m of a SNP by packed code.
pub(super) fn tables(means: &[f64]) -> Vec<[f64; 4]> {
    means.iter().map(|&mean| [mean, 0.5 * mean * mean, 0.0, -mean]).collect()
}

/// A row of `TILE` sums for each person of `side`; `None` when none of them has a missing call.
pub(super) fn sums(level: Level, side: Side, source: &Source) -> Option<Vec<f64>> {
    let gap = |row: &[Chunk]| row.iter().any(|c| (0..8).any(|w| c.missing(w) != 0));
    if !side.data.chunks_exact(side.chunks).any(gap) {
        return None;
    }
    let mut out = vec![0.0; TILE * TILE];
    for (row, to) in side.data.chunks_exact(side.chunks).zip(out.as_chunks_mut::<TILE>().0) {
        match level {
            // SAFETY: a level is only handed out where the processor has it.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { person_avx512(row, source, to) },
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { person_avx2(row, source, to) },
            _ => each_gap(row, source, |bytes, table| {
                for (i, to) in to.iter_mut().enumerate() {
                    *to += table[usize::from(bytes[i / 4] >> (2 * (i % 4)) & 3)];
                }
            }),
        }
    }
    Some(out)
}

/// Calls `add` with the tile's bytes and the table of each SNP that this person misses, in SNP order.
#[inline(always)]
fn each_gap(row: &[Chunk], source: &Source, mut add: impl FnMut(&[u8; TILE / 4], &[f64; 4])) {
    for (c, chunk) in row.iter().enumerate() {
        for w in 0..8 {
            let mut missing = chunk.missing(w);
            while missing != 0 {
                let snp = (c * 8 + w) * 64 + missing.trailing_zeros() as usize;
                missing &= missing - 1;
                let at = snp * source.stride + source.byte;
                let bytes = source.packed[at..].first_chunk().expect("rows are padded to whole tiles");
                add(bytes, &source.tables[snp]);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
fn person_avx512(row: &[Chunk], source: &Source, out: &mut [f64; TILE]) {
    use std::arch::x86_64::*;
    let mut acc = [_mm512_setzero_pd(); TILE / 8];
    let mut shifts = [_mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14); 4];
    for k in 1..4 {
        shifts[k] = _mm512_add_epi64(shifts[k - 1], _mm512_set1_epi64(16));
    }
    for_each(row, source, &shifts, &mut acc);
    for (to, x) in out.as_chunks_mut::<8>().0.iter_mut().zip(acc) {
        // SAFETY: eight values.
        unsafe { _mm512_storeu_pd(to.as_mut_ptr(), x) };
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn for_each(row: &[Chunk], source: &Source, shifts: &[__m512i; 4], acc: &mut [__m512d; TILE / 8]) {
        let mut held = *acc;
        each_gap(row, source, |bytes, table| {
            // SAFETY: four table values and 32 bytes; the enclosing function has the target features.
            unsafe {
                // The permute looks at three bits; the table is there twice, so the third does not matter.
                let table = _mm512_broadcast_f64x4(_mm256_loadu_pd(table.as_ptr()));
                for q in 0..4 {
                    let x = _mm512_set1_epi64(bytes.as_ptr().cast::<i64>().add(q).read_unaligned());
                    for k in 0..4 {
                        let y = _mm512_permutexvar_pd(_mm512_srlv_epi64(x, shifts[k]), table);
                        held[q * 4 + k] = _mm512_add_pd(held[q * 4 + k], y);
                    }
                }
            }
        });
        *acc = held;
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn person_avx2(row: &[Chunk], source: &Source, out: &mut [f64; TILE]) {
    use std::arch::x86_64::*;
    let first = _mm256_setr_epi64x(0, 2, 4, 6);
    let top = _mm256_set1_epi64x(62);
    each_gap(row, source, |bytes, table| {
        // SAFETY: four table values, 32 bytes, `TILE` sums; the enclosing function has the target feature.
        unsafe {
            let low = _mm256_broadcast_pd(&_mm_loadu_pd(table.as_ptr()));
            let high = _mm256_broadcast_pd(&_mm_loadu_pd(table.as_ptr().add(2)));
            for q in 0..4 {
                let x = _mm256_set1_epi64x(bytes.as_ptr().cast::<i64>().add(q).read_unaligned());
                let doubled = _mm256_slli_epi64(x, 1);
                for k in 0..8 {
                    let shift = _mm256_add_epi64(first, _mm256_set1_epi64x(8 * k));
                    // The in-lane permute selects by bit 1, the blend by the sign bit.
                    let bit = _mm256_srlv_epi64(doubled, shift);
                    let sign = _mm256_castsi256_pd(_mm256_sllv_epi64(x, _mm256_sub_epi64(top, shift)));
                    let y = _mm256_blendv_pd(_mm256_permutevar_pd(low, bit), _mm256_permutevar_pd(high, bit), sign);
                    let to = out.as_mut_ptr().add(q * 32 + k as usize * 4);
                    _mm256_storeu_pd(to, _mm256_add_pd(_mm256_loadu_pd(to), y));
                }
            }
        }
    });
}
