//! Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
//! 1, 2, 3", SC 2011). A number depends on (seed, stream, index) alone, so results do not depend on threads or order.
//! `packages/core/src/random.ts` gives the same bits; both are tested against `fixtures/random/philox.json`.

mod normal;

pub use normal::{lower_normal_quantile, natural_log};

const M: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
const W: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
const HALF: u64 = 1 << 52;

/// One block of Philox4x32-10: four words from a 128-bit counter and a 64-bit key, least significant word first.
pub fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let mut c = counter;
    let mut k = key;
    for _ in 0..10 {
        let a = u64::from(M[0]) * u64::from(c[0]);
        let b = u64::from(M[1]) * u64::from(c[2]);
        c = [(b >> 32) as u32 ^ c[1] ^ k[0], b as u32, (a >> 32) as u32 ^ c[3] ^ k[1], a as u32];
        k = [k[0].wrapping_add(W[0]), k[1].wrapping_add(W[1])];
    }
    c
}

fn block(seed: u64, stream: u64, block: u64) -> [u32; 4] {
    let words = |x: u64| [x as u32, (x >> 32) as u32];
    let ([b0, b1], [s0, s1]) = (words(block), words(stream));
    philox4x32([b0, b1, s0, s1], words(seed))
}

/// The 32-bit word number `index` of a stream: word `index % 4` of block `index / 4`.
pub fn random_u32(seed: u64, stream: u64, index: u64) -> u32 {
    block(seed, stream, index / 4)[(index % 4) as usize]
}

/// The numbers of one stream in order: every method takes the next words. The same calls give the same bits as in
/// TypeScript.
#[derive(Debug, Clone)]
pub struct Random {
    seed: u64,
    stream: u64,
    index: u64,
    words: [u32; 4],
}

impl Random {
    pub fn new(seed: u64, stream: u64) -> Self {
        Self::at(seed, stream, 0)
    }

    /// Starts with word `index` of the stream.
    pub fn at(seed: u64, stream: u64, index: u64) -> Self {
        Self { seed, stream, index, words: block(seed, stream, index / 4) }
    }

    /// How many words of the stream have been used.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Uniform on 0 … 2^32 − 1; one word.
    pub fn u32(&mut self) -> u32 {
        if self.index.is_multiple_of(4) {
            self.words = block(self.seed, self.stream, self.index / 4);
        }
        let word = self.words[(self.index % 4) as usize];
        self.index += 1;
        word
    }

    fn bits53(&mut self) -> u64 {
        let high = u64::from(self.u32() >> 5);
        high << 26 | u64::from(self.u32() >> 6)
    }

    /// Uniform in [0, 1) with 53 bits; two words.
    pub fn uniform(&mut self) -> f64 {
        self.bits53() as f64 / (2 * HALF) as f64
    }

    /// Uniform on 0 … n − 1 without bias, for n from 1 to 2^32; one word, seldom more (numbers in the uneven rest are
    /// drawn again).
    pub fn int(&mut self, n: u64) -> u64 {
        assert!((1..=1 << 32).contains(&n), "n must be from 1 to 2^32, got {n}");
        let limit = (1 << 32) - (1 << 32) % n;
        loop {
            let word = u64::from(self.u32());
            if word < limit {
                return word % n;
            }
        }
    }

    /// Standard normal, by the inverse distribution function at (k + 1/2) / 2^53 for a 53-bit k; two words.
    pub fn normal(&mut self) -> f64 {
        let k = self.bits53();
        // The lower half is exact in doubles, the upper one is its mirror image.
        let upper = k >= HALF;
        let lower = if upper { 2 * HALF - 1 - k } else { k };
        let x = lower_normal_quantile((lower as f64 + 0.5) / (2 * HALF) as f64);
        if upper { -x } else { x }
    }

    /// Shuffles in place (Fisher and Yates, from the end).
    pub fn shuffle<T>(&mut self, slice: &mut [T]) {
        for i in (1..slice.len()).rev() {
            let j = self.int(i as u64 + 1) as usize;
            slice.swap(i, j);
        }
    }
}
