//! SHA-256 over typed, tagged values; the same digests as `packages/gam-warmstart/src/artifact/fingerprint.ts`.
//!
//! Each absorb writes a byte for the type, the tag's length (u32) and the tag, then the length (u64; rows and columns of a
//! matrix) where it can vary, and the payload, all little endian: equal bytes under another type or tag never collide.

/// A fingerprint being made.
#[derive(Clone, Default)]
pub struct Fingerprint {
    hash: Sha256,
}

impl Fingerprint {
    pub fn new() -> Self {
        Self::default()
    }

    /// A tag alone.
    pub fn tag(self, tag: &str) -> Self {
        self.head(0, tag)
    }

    pub fn bytes(self, tag: &str, value: &[u8]) -> Self {
        self.head(1, tag).length(value.len()).raw(value)
    }

    pub fn text(self, tag: &str, value: &str) -> Self {
        self.head(2, tag).length(value.len()).raw(value.as_bytes())
    }

    pub fn u64(self, tag: &str, value: u64) -> Self {
        self.head(3, tag).raw(&value.to_le_bytes())
    }

    /// Bit for bit: −0 differs from 0.
    pub fn f64(self, tag: &str, value: f64) -> Self {
        self.head(4, tag).raw(&value.to_le_bytes())
    }

    pub fn f64_slice(self, tag: &str, values: &[f64]) -> Self {
        self.head(5, tag).length(values.len()).doubles(values)
    }

    /// Row-major.
    pub fn f64_matrix(self, tag: &str, rows: usize, columns: usize, values: &[f64]) -> Self {
        self.head(6, tag).length(rows).length(columns).doubles(values)
    }

    /// A double without a tag; −0 counts as 0.
    pub fn value(self, value: f64) -> Self {
        self.f64("", value + 0.0)
    }

    /// 64 lower-case hexadecimal digits.
    pub fn hex(self) -> String {
        self.hash.finish().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn head(self, kind: u8, tag: &str) -> Self {
        self.raw(&[kind]).raw(&(tag.len() as u32).to_le_bytes()).raw(tag.as_bytes())
    }

    fn length(self, length: usize) -> Self {
        self.raw(&(length as u64).to_le_bytes())
    }

    fn doubles(mut self, values: &[f64]) -> Self {
        for v in values {
            self.hash.update(&v.to_le_bytes());
        }
        self
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.hash.update(bytes);
        self
    }
}

/// SHA-256 (FIPS 180-4). Its constants are the first 32 bits of the fractional parts of the cube and square roots of the
/// first primes.
#[derive(Clone)]
struct Sha256 {
    state: [u32; 8],
    block: [u8; 64],
    filled: usize,
    total: u64,
}

const START: [u32; 8] =
    [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

#[rustfmt::skip]
const ROUND: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

impl Default for Sha256 {
    fn default() -> Self {
        Self { state: START, block: [0; 64], filled: 0, total: 0 }
    }
}

impl Sha256 {
    fn update(&mut self, mut bytes: &[u8]) {
        self.total += bytes.len() as u64;
        while !bytes.is_empty() {
            let take = bytes.len().min(64 - self.filled);
            self.block[self.filled..self.filled + take].copy_from_slice(&bytes[..take]);
            self.filled += take;
            bytes = &bytes[take..];
            if self.filled == 64 {
                self.compress();
                self.filled = 0;
            }
        }
    }

    fn finish(mut self) -> [u8; 32] {
        let bits = self.total * 8;
        self.update(&[0x80]);
        while self.filled != 56 {
            self.update(&[0]);
        }
        self.update(&bits.to_be_bytes());
        let mut out = [0; 32];
        for (piece, word) in out.chunks_exact_mut(4).zip(self.state) {
            piece.copy_from_slice(&word.to_be_bytes());
        }
        out
    }

    fn compress(&mut self) {
        let mut w = [0u32; 64];
        for (word, piece) in w.iter_mut().zip(self.block.chunks_exact(4)) {
            *word = u32::from_be_bytes([piece[0], piece[1], piece[2], piece[3]]);
        }
        for t in 16..64 {
            let s0 = w[t - 15].rotate_right(7) ^ w[t - 15].rotate_right(18) ^ (w[t - 15] >> 3);
            let s1 = w[t - 2].rotate_right(17) ^ w[t - 2].rotate_right(19) ^ (w[t - 2] >> 10);
            w[t] = w[t - 16].wrapping_add(s0).wrapping_add(w[t - 7]).wrapping_add(s1);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = self.state;
        for t in 0..64 {
            let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let choose = (e & f) ^ (!e & g);
            let t1 = h.wrapping_add(s1).wrapping_add(choose).wrapping_add(ROUND[t]).wrapping_add(w[t]);
            let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let majority = (a & b) ^ (a & c) ^ (b & c);
            (h, g, f, e, d, c, b, a) =
                (g, f, e, d.wrapping_add(t1), c, b, a, t1.wrapping_add(s0.wrapping_add(majority)));
        }
        for (s, v) in self.state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *s = s.wrapping_add(v);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The golden vectors that the TypeScript side tests too.
    fn golden() -> Vec<(&'static str, Fingerprint)> {
        vec![
            ("empty", Fingerprint::new()),
            (
                "scalars",
                Fingerprint::new().tag("golden-v1").text("name", "s(x, ü)").u64("width", 37).f64("nu", 1.5).value(-0.0),
            ),
            (
                "arrays",
                Fingerprint::new()
                    .bytes("role", &[0, 1, 2, 255])
                    .f64_slice("rho", &[0.1, -0.0, 1e-300, 12.25])
                    .f64_matrix("rotation", 2, 3, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.5]),
            ),
        ]
    }

    #[test]
    fn golden_vectors() {
        let text = include_str!("../../../../packages/gam-warmstart/test/fixtures/fingerprint.tsv");
        let wanted: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once('\t')).collect();
        let found = golden();
        assert_eq!(wanted.len(), found.len());
        for ((name, hex), (ours, fingerprint)) in wanted.into_iter().zip(found) {
            assert_eq!((name, hex), (ours, fingerprint.hex().as_str()));
        }
    }

    #[test]
    fn blocks_of_every_length_agree_with_one_update() {
        let bytes: Vec<u8> = (0..200u8).collect();
        for cut in 0..bytes.len() {
            let mut parts = Sha256::default();
            parts.update(&bytes[..cut]);
            parts.update(&bytes[cut..]);
            let mut whole = Sha256::default();
            whole.update(&bytes);
            assert_eq!(parts.finish(), whole.finish());
        }
    }
}
