//! The four columns of vectors that a tile row is summed in, for each instruction set. Additions, minima, roots and
//! quotients round alike everywhere and none is fused, so all levels give the same bits.

/// Columns of a tile.
pub const COLS: usize = 32;
/// Branches of a block: one bit each in a word.
pub const BRANCHES: usize = 64;

pub type Sums = [f64; COLS];

/// Calls `$body` once for each set bit of `$bits`, lowest first.
macro_rules! each_bit {
    ($bits:expr, $b:ident => $body:expr) => {{
        let mut bits: u64 = $bits;
        while bits != 0 {
            let $b = bits.trailing_zeros() as usize;
            bits &= bits - 1;
            $body
        }
    }};
}
pub(crate) use each_bit;

/// sums[c] += min(row[b], cols[b][c]) for the branches in `bits`.
///
/// # Safety
/// `cols` holds `BRANCHES × COLS` numbers; the functions for AVX need a processor that has it.
pub type MinAdd = unsafe fn(sums: &mut Sums, row: &[f64; BRANCHES], cols: *const f64, bits: u64);

/// sums[c] += lengths[b] where bit c of masks[b] is set, for the branches in `bits`.
///
/// # Safety
/// The functions for AVX need a processor that has it.
pub type MaskAdd = unsafe fn(sums: &mut Sums, lengths: &[f64; BRANCHES], masks: &[u32; BRANCHES], bits: u64);

pub unsafe fn min_add_plain(sums: &mut Sums, row: &[f64; BRANCHES], cols: *const f64, bits: u64) {
    each_bit!(bits, b => {
        // SAFETY: the caller's promise.
        let col = unsafe { std::slice::from_raw_parts(cols.add(b * COLS), COLS) };
        let r = row[b];
        for (s, &c) in sums.iter_mut().zip(col) {
            *s += if r < c { r } else { c };
        }
    });
}

pub unsafe fn mask_add_plain(sums: &mut Sums, lengths: &[f64; BRANCHES], masks: &[u32; BRANCHES], bits: u64) {
    each_bit!(bits, b => {
        let (length, mask) = (lengths[b], masks[b]);
        for (c, s) in sums.iter_mut().enumerate() {
            *s += if mask >> c & 1 == 1 { length } else { 0.0 };
        }
    });
}

#[cfg(target_arch = "x86_64")]
pub mod x86 {
    use super::{BRANCHES, COLS, Sums};
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx512f")]
    pub unsafe fn min_add_512(sums: &mut Sums, row: &[f64; BRANCHES], cols: *const f64, bits: u64) {
        // SAFETY: the caller's promise; `sums` is as long as four vectors.
        unsafe {
            let to = sums.as_mut_ptr();
            let mut a: [__m512d; 4] = std::array::from_fn(|q| _mm512_loadu_pd(to.add(8 * q)));
            each_bit!(bits, b => {
                let r = _mm512_set1_pd(row[b]);
                let col = cols.add(b * COLS);
                for (q, a) in a.iter_mut().enumerate() {
                    *a = _mm512_add_pd(*a, _mm512_min_pd(r, _mm512_loadu_pd(col.add(8 * q))));
                }
            });
            for (q, a) in a.iter().enumerate() {
                _mm512_storeu_pd(to.add(8 * q), *a);
            }
        }
    }

    #[target_feature(enable = "avx512f")]
    pub unsafe fn mask_add_512(sums: &mut Sums, lengths: &[f64; BRANCHES], masks: &[u32; BRANCHES], bits: u64) {
        // SAFETY: as above.
        unsafe {
            let to = sums.as_mut_ptr();
            let mut a: [__m512d; 4] = std::array::from_fn(|q| _mm512_loadu_pd(to.add(8 * q)));
            each_bit!(bits, b => {
                let (length, mask) = (_mm512_set1_pd(lengths[b]), masks[b]);
                for (q, a) in a.iter_mut().enumerate() {
                    *a = _mm512_mask_add_pd(*a, (mask >> (8 * q)) as u8, *a, length);
                }
            });
            for (q, a) in a.iter().enumerate() {
                _mm512_storeu_pd(to.add(8 * q), *a);
            }
        }
    }

    #[target_feature(enable = "avx2")]
    pub unsafe fn min_add_256(sums: &mut Sums, row: &[f64; BRANCHES], cols: *const f64, bits: u64) {
        // SAFETY: the caller's promise; `sums` is as long as eight vectors.
        unsafe {
            let to = sums.as_mut_ptr();
            let mut a: [__m256d; 8] = std::array::from_fn(|q| _mm256_loadu_pd(to.add(4 * q)));
            each_bit!(bits, b => {
                let r = _mm256_set1_pd(row[b]);
                let col = cols.add(b * COLS);
                for (q, a) in a.iter_mut().enumerate() {
                    *a = _mm256_add_pd(*a, _mm256_min_pd(r, _mm256_loadu_pd(col.add(4 * q))));
                }
            });
            for (q, a) in a.iter().enumerate() {
                _mm256_storeu_pd(to.add(4 * q), *a);
            }
        }
    }

    #[target_feature(enable = "avx2")]
    pub unsafe fn mask_add_256(sums: &mut Sums, lengths: &[f64; BRANCHES], masks: &[u32; BRANCHES], bits: u64) {
        // SAFETY: as above.
        unsafe {
            let to = sums.as_mut_ptr();
            let mut a: [__m256d; 8] = std::array::from_fn(|q| _mm256_loadu_pd(to.add(4 * q)));
            // One bit of a group of four in each lane.
            let lane = _mm256_setr_epi64x(1, 2, 4, 8);
            each_bit!(bits, b => {
                let (length, mask) = (_mm256_set1_pd(lengths[b]), masks[b]);
                for (q, a) in a.iter_mut().enumerate() {
                    let group = _mm256_and_si256(_mm256_set1_epi64x(i64::from(mask >> (4 * q))), lane);
                    let set = _mm256_castsi256_pd(_mm256_cmpeq_epi64(group, lane));
                    *a = _mm256_add_pd(*a, _mm256_and_pd(length, set));
                }
            });
            for (q, a) in a.iter().enumerate() {
                _mm256_storeu_pd(to.add(4 * q), *a);
            }
        }
    }
}
