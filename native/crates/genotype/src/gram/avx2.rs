//! Harley–Seal kernel: without a vector popcount, carry-save adders squeeze 16 words of z and 16 of n into three words
//! of weight 16 and a rest, and only those are counted.

use std::arch::x86_64::*;
use std::ops::Range;

use super::{Side, each, portable};
use crate::planes::Chunk;

#[target_feature(enable = "avx2,popcnt")]
pub(super) fn products(a: Side, b: Side, range: Range<usize>, diagonal: bool, out: &mut [i32]) {
    each(a, b, range, diagonal, out, |a, b| count(a, b));
}

/// popcount(z) + 2 popcount(n)
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn count(a: &[Chunk], b: &[Chunk]) -> u32 {
    let (blocks_a, rest_a) = a.as_chunks::<8>();
    let (blocks_b, rest_b) = b.as_chunks::<8>();
    let zero = _mm256_setzero_si256();
    let [mut ones, mut twos, mut fours, mut eights] = [zero; 4];
    let mut sixteens = zero;
    for (a, b) in blocks_a.iter().zip(blocks_b) {
        let mut w8 = [zero; 6];
        for half in 0..2 {
            let mut w4 = [zero; 6];
            for quarter in 0..2 {
                let c = half * 4 + quarter * 2;
                let (z0, n0) = split(&a[c], &b[c], 0);
                let (z1, n1) = split(&a[c], &b[c], 4);
                let (z2, n2) = split(&a[c + 1], &b[c + 1], 0);
                let (z3, n3) = split(&a[c + 1], &b[c + 1], 4);
                let first = add(&mut ones, z0, z1);
                let second = add(&mut ones, z2, z3);
                w4[quarter * 3] = add(&mut twos, first, n0);
                w4[quarter * 3 + 1] = add(&mut twos, second, n1);
                w4[quarter * 3 + 2] = add(&mut twos, n2, n3);
            }
            for k in 0..3 {
                w8[half * 3 + k] = add(&mut fours, w4[2 * k], w4[2 * k + 1]);
            }
        }
        let mut counts = zero;
        for k in 0..3 {
            counts = _mm256_add_epi8(counts, bytes(add(&mut eights, w8[2 * k], w8[2 * k + 1])));
        }
        sixteens = _mm256_add_epi64(sixteens, _mm256_sad_epu8(counts, zero));
    }
    // At most 8 · (1 + 2 + 4 + 8) a byte.
    let twice = |x| _mm256_add_epi8(x, x);
    let rest = _mm256_add_epi8(bytes(fours), twice(bytes(eights)));
    let rest = _mm256_add_epi8(bytes(twos), twice(rest));
    let rest = _mm256_add_epi8(bytes(ones), twice(rest));
    let sums = _mm256_add_epi64(_mm256_slli_epi64(sixteens, 4), _mm256_sad_epu8(rest, zero));
    let two = _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    let total = _mm_extract_epi64(two, 0) + _mm_extract_epi64(two, 1);
    total as u32 + portable(rest_a, rest_b)
}

/// z and n of 256 genotypes, from word `at` of the chunk on.
#[inline]
#[target_feature(enable = "avx2")]
fn split(a: &Chunk, b: &Chunk, at: usize) -> (__m256i, __m256i) {
    // SAFETY: four words from 0 or 4 on lie inside a plane.
    let load = |words: &[u64; 8]| unsafe { _mm256_loadu_si256(words[at..at + 4].as_ptr().cast()) };
    let z = _mm256_or_si256(load(&a.zero), load(&b.zero));
    (z, _mm256_andnot_si256(z, _mm256_xor_si256(load(&a.minus), load(&b.minus))))
}

/// Full adder: the sum bits stay in `state`, the carries have twice the weight.
#[inline]
#[target_feature(enable = "avx2")]
fn add(state: &mut __m256i, x: __m256i, y: __m256i) -> __m256i {
    let differ = _mm256_xor_si256(*state, x);
    let carry = _mm256_or_si256(_mm256_and_si256(*state, x), _mm256_and_si256(differ, y));
    *state = _mm256_xor_si256(differ, y);
    carry
}

/// popcount of each byte, by nibble tables.
#[inline]
#[target_feature(enable = "avx2")]
fn bytes(x: __m256i) -> __m256i {
    let table = _mm256_setr_epi8(
        0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
    );
    let nibble = _mm256_set1_epi8(15);
    let low = _mm256_shuffle_epi8(table, _mm256_and_si256(x, nibble));
    _mm256_add_epi8(low, _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(x, 4), nibble)))
}
