//! Bit planes of packed genotypes, the operands of the Gram kernels.
//!
//! Dosage is coded as e = g − 1, so that heterozygous and missing calls are both 0 and a product of two codes is −1, 0
//! or 1: two popcounts a word pair. Plane `zero` has a bit where e = 0 (het, missing or padding), plane `minus` is the
//! low bit of the packed code: set where e = −1, and on a `zero` bit only where the call is missing.

use rayon::prelude::*;
use x_simd::{Level, Result};

use crate::packed::{row_bytes, word};

/// Genotypes of one chunk.
pub(crate) const BITS: usize = 512;

/// 512 genotypes of one row: two cache lines.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Chunk {
    pub zero: [u64; 8],
    pub minus: [u64; 8],
}

// SAFETY: two arrays of integers.
unsafe impl x_simd::Zeroable for Chunk {}

impl Chunk {
    pub fn missing(&self, w: usize) -> u64 {
        self.zero[w] & self.minus[w]
    }

    fn set(&mut self, w: usize, low: u64, high: u64, valid: u64) {
        self.zero[w] = (low ^ high) | !valid;
        self.minus[w] = low & valid;
    }
}

/// Fills `to` with the first `samples` genotypes of a packed row.
pub(crate) fn fill_row(to: &mut [Chunk], row: &[u8], samples: usize) {
    for w in 0..to.len() * 8 {
        let at = (16 * w).min(row.len());
        let (a, b) = (word(&row[at..]), word(&row[(at + 8).min(row.len())..]));
        let low = evens(a) | evens(b) << 32;
        let high = evens(a >> 1) | evens(b >> 1) << 32;
        to[w / 8].set(w % 8, low, high, valid(samples, w));
    }
}

/// Row after row of `chunks` chunks.
pub(crate) struct Planes {
    pub chunks: usize,
    pub data: Vec<Chunk>,
}

impl Planes {
    pub fn zeros(rows: usize, chunks: usize) -> Result<Self> {
        Ok(Self { chunks, data: x_simd::try_zeroed(rows * chunks)? })
    }

    pub fn rows(&self, from: usize, count: usize) -> &[Chunk] {
        &self.data[from * self.chunks..(from + count) * self.chunks]
    }

    /// One row a person: transposes the first `count` SNPs of `packed` (rows of `stride` bytes) into planes that were
    /// made for `people` rows. Runs in the current pool.
    pub fn set_people(&mut self, level: Level, packed: &[u8], stride: usize, people: usize, count: usize) {
        let chunks = self.chunks;
        let columns = row_bytes(people);
        self.data.par_chunks_mut(256 * chunks).enumerate().for_each(|(strip, to)| {
            let first = strip * 64;
            let width = 64.min(columns - first);
            // Column after column of 64 SNPs; SNPs past the end stay zero and `valid` drops them.
            let mut bytes = [[0u8; 64]; 64];
            for w in 0..chunks * 8 {
                let from = (w * 64).min(count);
                let snps = 64.min(count - from);
                for s in 0..snps {
                    let row = &packed[(from + s) * stride + first..][..width];
                    for (column, &byte) in bytes.iter_mut().zip(row) {
                        column[s] = byte;
                    }
                }
                let valid = valid(count, w);
                for (four, column) in to.chunks_mut(4 * chunks).zip(&bytes) {
                    let bits = bits(level, column);
                    for (person, row) in four.chunks_mut(chunks).enumerate() {
                        row[w / 8].set(w % 8, bits[2 * person], bits[2 * person + 1], valid);
                    }
                }
            }
        });
    }
}

/// Bits of word `w` that belong to one of `count` genotypes.
fn valid(count: usize, w: usize) -> u64 {
    match count.saturating_sub(w * 64) {
        0 => 0,
        left if left >= 64 => !0,
        left => (1 << left) - 1,
    }
}

/// The 32 even bits, packed.
#[inline(always)]
fn evens(x: u64) -> u64 {
    let x = x & 0x5555_5555_5555_5555;
    let x = (x | x >> 1) & 0x3333_3333_3333_3333;
    let x = (x | x >> 2) & 0x0f0f_0f0f_0f0f_0f0f;
    let x = (x | x >> 4) & 0x00ff_00ff_00ff_00ff;
    let x = (x | x >> 8) & 0x0000_ffff_0000_ffff;
    (x | x >> 16) & 0x0000_0000_ffff_ffff
}

/// Bit k of each of 64 bytes, as word k.
fn bits(level: Level, bytes: &[u8; 64]) -> [u64; 8] {
    match level {
        // SAFETY: a level is only handed out where the processor has it.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { bits_avx512(bytes) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { bits_avx2(bytes) },
        _ => std::array::from_fn(|k| {
            bytes.as_chunks::<8>().0.iter().enumerate().fold(0, |out, (i, eight)| {
                let x = u64::from_le_bytes(*eight) >> k & 0x0101_0101_0101_0101;
                // The product brings bit 0 of byte b to bit 56 + b; no two terms meet, so nothing carries.
                out | (x.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * i)
            })
        }),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
fn bits_avx512(bytes: &[u8; 64]) -> [u64; 8] {
    use std::arch::x86_64::*;
    // SAFETY: 64 bytes.
    let mut x = unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) };
    let mut out = [0; 8];
    for to in out.iter_mut().rev() {
        *to = _mm512_movepi8_mask(x);
        x = _mm512_slli_epi64(x, 1);
    }
    out
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn bits_avx2(bytes: &[u8; 64]) -> [u64; 8] {
    use std::arch::x86_64::*;
    // SAFETY: 64 bytes.
    let (mut a, mut b) =
        unsafe { (_mm256_loadu_si256(bytes.as_ptr().cast()), _mm256_loadu_si256(bytes.as_ptr().add(32).cast())) };
    let mut out = [0; 8];
    for to in out.iter_mut().rev() {
        *to = u64::from(_mm256_movemask_epi8(a) as u32) | u64::from(_mm256_movemask_epi8(b) as u32) << 32;
        (a, b) = (_mm256_slli_epi64(a, 1), _mm256_slli_epi64(b, 1));
    }
    out
}
