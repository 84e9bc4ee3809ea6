//! The tables of one group of 24 people and the loop that adds their entries.

use x_simd::Level;

use super::{GROUP, Lane};

/// People a table.
const PEOPLE: usize = 3;
const ENTRIES: usize = 1 << (2 * PEOPLE);
const TABLES: usize = GROUP / PEOPLE;
#[cfg(target_arch = "x86_64")]
const LANE_BITS: u32 = size_of::<Lane>().trailing_zeros();

#[repr(C, align(64))]
pub(super) struct Tables([[Lane; ENTRIES]; TABLES]);

impl Default for Tables {
    fn default() -> Self {
        Self([[Lane::default(); ENTRIES]; TABLES])
    }
}

impl Tables {
    /// All sums (x₀ u₀ + x₁ u₁) + x₂ u₂ of each three people, indexed by their packed codes.
    pub fn set(&mut self, level: Level, people: &[Lane; GROUP]) {
        match level {
            // SAFETY: a level is only handed out where the processor has it.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { self.set_avx512(people) },
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { self.set_avx2(people) },
            _ => self.set_portable(people),
        }
    }

    /// Adds one entry of each table to each SNP's sums.
    pub fn add(&self, level: Level, codes: &[u64], sums: &mut [Lane]) {
        match level {
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { self.add_avx512(codes, sums) },
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { self.add_avx2(codes, sums) },
            _ => self.add_portable(codes, sums),
        }
    }

    #[inline(always)]
    fn set_portable(&mut self, people: &[Lane; GROUP]) {
        for (table, three) in self.0.iter_mut().zip(people.as_chunks::<PEOPLE>().0) {
            // Dosages 2, missing, 1, 0 by packed code.
            let values = three.map(|u| [u.0.map(|x| x + x), [0.0; 8], u.0, [0.0; 8]]);
            for c1 in 0..4 {
                for c0 in 0..4 {
                    let two: [f64; 8] = std::array::from_fn(|k| values[0][c0][k] + values[1][c1][k]);
                    for c2 in 0..4 {
                        table[c0 | c1 << 2 | c2 << 4].0 = std::array::from_fn(|k| two[k] + values[2][c2][k]);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn add_portable(&self, codes: &[u64], sums: &mut [Lane]) {
        for (&code, sum) in codes.iter().zip(sums) {
            for (t, table) in self.0.iter().enumerate() {
                let entry = &table[(code >> (2 * PEOPLE * t)) as usize % ENTRIES];
                sum.0.iter_mut().zip(entry.0).for_each(|(s, x)| *s += x);
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    fn set_avx512(&mut self, people: &[Lane; GROUP]) {
        use std::arch::x86_64::*;
        for (table, three) in self.0.iter_mut().zip(people.as_chunks::<PEOPLE>().0) {
            let zero = _mm512_setzero_pd();
            let values = three.map(|u| {
                // SAFETY: a lane is 64 bytes, aligned to 64.
                let x = unsafe { _mm512_load_pd(u.0.as_ptr()) };
                [_mm512_add_pd(x, x), zero, x, zero]
            });
            for (c1, second) in values[1].into_iter().enumerate() {
                for (c0, first) in values[0].into_iter().enumerate() {
                    let two = _mm512_add_pd(first, second);
                    for (c2, third) in values[2].into_iter().enumerate() {
                        let to = table[c0 | c1 << 2 | c2 << 4].0.as_mut_ptr();
                        // SAFETY: as above.
                        unsafe { _mm512_store_pd(to, _mm512_add_pd(two, third)) };
                    }
                }
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn set_avx2(&mut self, people: &[Lane; GROUP]) {
        use std::arch::x86_64::*;
        for (table, three) in self.0.iter_mut().zip(people.as_chunks::<PEOPLE>().0) {
            for half in [0, 4] {
                let zero = _mm256_setzero_pd();
                let values = three.map(|u| {
                    // SAFETY: half a lane, aligned to 32 bytes.
                    let x = unsafe { _mm256_load_pd(u.0.as_ptr().add(half)) };
                    [_mm256_add_pd(x, x), zero, x, zero]
                });
                for (c1, second) in values[1].into_iter().enumerate() {
                    for (c0, first) in values[0].into_iter().enumerate() {
                        let two = _mm256_add_pd(first, second);
                        for (c2, third) in values[2].into_iter().enumerate() {
                            let to = table[c0 | c1 << 2 | c2 << 4].0.as_mut_ptr();
                            // SAFETY: as above.
                            unsafe { _mm256_store_pd(to.add(half), _mm256_add_pd(two, third)) };
                        }
                    }
                }
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    fn add_avx512(&self, codes: &[u64], sums: &mut [Lane]) {
        use std::arch::x86_64::*;
        let base = self.0.as_ptr().cast::<u8>();
        for (&code, sum) in codes.iter().zip(sums) {
            // SAFETY: `offset` stays inside its table, lanes are aligned to their 64 bytes.
            unsafe {
                let mut x = _mm512_load_pd(sum.0.as_ptr());
                for t in 0..TABLES {
                    x = _mm512_add_pd(x, _mm512_load_pd(base.add(offset(code, t)).cast()));
                }
                _mm512_store_pd(sum.0.as_mut_ptr(), x);
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn add_avx2(&self, codes: &[u64], sums: &mut [Lane]) {
        use std::arch::x86_64::*;
        let base = self.0.as_ptr().cast::<u8>();
        for (&code, sum) in codes.iter().zip(sums) {
            // SAFETY: as in `add_avx512`.
            unsafe {
                let to = sum.0.as_mut_ptr();
                let (mut x, mut y) = (_mm256_load_pd(to), _mm256_load_pd(to.add(4)));
                for t in 0..TABLES {
                    let entry = base.add(offset(code, t)).cast::<f64>();
                    x = _mm256_add_pd(x, _mm256_load_pd(entry));
                    y = _mm256_add_pd(y, _mm256_load_pd(entry.add(4)));
                }
                _mm256_store_pd(to, x);
                _mm256_store_pd(to.add(4), y);
            }
        }
    }
}

/// Byte offset of the entry of table `t`: the six code bits land where the entry index belongs, one shift and one mask.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn offset(code: u64, t: usize) -> usize {
    let at = (2 * PEOPLE * t) as u32;
    let bits = if at >= LANE_BITS { code >> (at - LANE_BITS) } else { code << (LANE_BITS - at) };
    (bits as usize & ((ENTRIES - 1) << LANE_BITS)) + t * ENTRIES * size_of::<Lane>()
}
