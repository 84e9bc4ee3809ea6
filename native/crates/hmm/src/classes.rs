//! Donors that carry the same codes over a block of loci are one class.

/// Bits `from..to` of a haplotype's row, which one donor carries there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    pub donor: u32,
    pub id: u32,
    pub from: u32,
    pub to: u32,
}

/// The donors' bits of a window, word by word: the words of all donors lie together.
#[derive(Default)]
pub struct Donors {
    /// Number of donors; each is a haplotype, or pieces of several.
    pub count: usize,
    /// What each consists of, in any order.
    pub pieces: Vec<Piece>,
    words: Vec<u64>,
    first_word: usize,
    /// Bits in which donors differ.
    varies: Vec<u64>,
}

impl Donors {
    /// Whole haplotypes.
    pub fn whole(&mut self, ids: impl Iterator<Item = u32>, from: u32, to: u32) {
        self.pieces.clear();
        self.pieces.extend(ids.enumerate().map(|(donor, id)| Piece { donor: donor as u32, id, from, to }));
        self.count = self.pieces.len();
    }

    /// Copies the bits of the pieces, which lie within `from..to`.
    pub fn load<'a>(&mut self, row: impl Fn(u32) -> &'a [u64], from: u32, to: u32) {
        self.first_word = (from / 64) as usize;
        let count = (to.div_ceil(64) as usize).saturating_sub(self.first_word);
        let n = self.count;
        // One word more, so that a block may reach over the end.
        self.words.clear();
        self.words.resize((count + 1) * n, 0);
        for piece in self.pieces.iter().filter(|p| p.from < p.to) {
            let (first, last) = (piece.from / 64, (piece.to - 1) / 64);
            let row = row(piece.id);
            for w in first..=last {
                let low = if w == first { !0 << (piece.from % 64) } else { !0 };
                let high = if w == last { !0 >> (63 - (piece.to - 1) % 64) } else { !0 };
                self.words[(w as usize - self.first_word) * n + piece.donor as usize] |= row[w as usize] & low & high;
            }
        }
        self.varies.clear();
        self.varies.extend(self.words.chunks_exact(n.max(1)).map(|words| {
            let (and, or) = words.iter().fold((!0, 0), |(and, or), &w| (and & w, or | w));
            and ^ or
        }));
    }

    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether donors differ in the `width` bits at `bit`, which lie in one word.
    pub fn differ(&self, bit: u32, width: u8) -> bool {
        self.varies[(bit / 64) as usize - self.first_word] >> (bit % 64) & ((1 << width) - 1) != 0
    }

    /// The 64 bits of every donor that begin at `bit`, where `mask` is set.
    pub fn keys(&self, bit: u32, mask: u64, out: &mut Vec<u64>) {
        let (n, word, shift) = (self.len(), (bit / 64) as usize - self.first_word, bit % 64);
        let low = &self.words[word * n..][..n];
        out.clear();
        if shift == 0 {
            out.extend(low.iter().map(|&w| w & mask));
        } else {
            let high = &self.words[(word + 1) * n..][..n];
            out.extend(low.iter().zip(high).map(|(&l, &h)| (l >> shift | h << (64 - shift)) & mask));
        }
    }
}

/// Numbers equal keys alike, in the order of their first donor.
#[derive(Default)]
pub struct Numbering {
    /// Key, class, round.
    slots: Vec<(u64, u32, u32)>,
    round: u32,
    sizes: Vec<u32>,
}

impl Numbering {
    /// Appends each key's class to `class`, and the classes' keys and sizes to `keys` and `counts`.
    pub fn number(&mut self, donors: &[u64], class: &mut Vec<u32>, keys: &mut Vec<u64>, counts: &mut Vec<f32>) {
        let size = (2 * donors.len()).next_power_of_two().max(16);
        if self.slots.len() < size || self.round == u32::MAX {
            self.slots.clear();
            self.slots.resize(size, (0, 0, 0));
            self.round = 0;
        }
        self.round += 1;
        let (from, mask) = (keys.len(), self.slots.len() - 1);
        self.sizes.clear();
        for &key in donors {
            let mut at = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & mask;
            let number = loop {
                let slot = &mut self.slots[at];
                if slot.2 != self.round {
                    *slot = (key, (keys.len() - from) as u32, self.round);
                    keys.push(key);
                    self.sizes.push(0);
                    break slot.1;
                }
                if slot.0 == key {
                    break slot.1;
                }
                at = (at + 1) & mask;
            };
            self.sizes[number as usize] += 1;
            class.push(number);
        }
        counts.extend(self.sizes.iter().map(|&n| n as f32));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_cross_words_and_equal_ones_share_a_class() {
        let rows = [[1 << 63, 5], [0, 4], [1 << 63, 4], [0, 4]];
        let mut donors = Donors::default();
        donors.whole(0..4, 60, 70);
        donors.load(|id| &rows[id as usize], 60, 70);
        let mut keys = Vec::new();
        donors.keys(62, !0, &mut keys);
        assert_eq!(keys, [0b10110, 0b10000, 0b10010, 0b10000]);
        assert!(donors.differ(63, 1) && donors.differ(64, 1) && !donors.differ(66, 1));
        let (mut class, mut found, mut counts) = (vec![], vec![], vec![]);
        Numbering::default().number(&keys, &mut class, &mut found, &mut counts);
        assert_eq!((class, counts), (vec![0, 1, 2, 1], vec![1.0, 2.0, 1.0]));
        assert_eq!(found, [0b10110, 0b10000, 0b10010]);
    }
}
