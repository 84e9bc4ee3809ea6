//! Every level against naive loops over dosages.

mod codec;
mod gram;
mod rotation;
mod set;

use x_simd::Level;

use crate::packed::row_bytes;

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub fn unit(&mut self) -> f64 {
        self.next() as f64 / u64::MAX as f64
    }
}

/// Packed rows with random padding bits; about one call in `gap` is missing (none when 0).
pub fn packed(samples: usize, rows: usize, gap: u64, seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let mut out: Vec<u8> = (0..row_bytes(samples) * rows).map(|_| random.next() as u8).collect();
    for s in 0..rows {
        for i in 0..samples {
            let code = match (gap > 0 && random.below(gap.max(1)) == 0, random.below(3)) {
                (true, _) => 1,
                (_, 0) => 0,
                (_, 1) => 2,
                _ => 3,
            };
            let byte = &mut out[s * row_bytes(samples) + i / 4];
            *byte = *byte & !(3 << (2 * (i % 4))) | code << (2 * (i % 4));
        }
    }
    out
}

pub fn code(packed: &[u8], samples: usize, s: usize, i: usize) -> u8 {
    packed[s * row_bytes(samples) + i / 4] >> (2 * (i % 4)) & 3
}

/// NaN when missing.
pub fn dosage(packed: &[u8], samples: usize, s: usize, i: usize) -> f64 {
    [2.0, f64::NAN, 1.0, 0.0][usize::from(code(packed, samples, s, i))]
}

/// Mean over the calls, 0 without any.
pub fn mean(packed: &[u8], samples: usize, s: usize) -> f64 {
    let calls: Vec<f64> = (0..samples).map(|i| dosage(packed, samples, s, i)).filter(|g| !g.is_nan()).collect();
    if calls.is_empty() { 0.0 } else { calls.iter().sum::<f64>() / calls.len() as f64 }
}

/// Centred, missing calls at 0.
pub fn centred(packed: &[u8], samples: usize, s: usize) -> Vec<f64> {
    let mean = mean(packed, samples, s);
    let center = |g: f64| if g.is_nan() { 0.0 } else { g - mean };
    (0..samples).map(|i| center(dosage(packed, samples, s, i))).collect()
}

pub fn levels() -> Vec<Level> {
    Level::available()
}

pub fn sizes() -> impl Iterator<Item = usize> {
    (1..=70).chain([128, 257])
}

pub fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|x| x.to_bits()).collect()
}
