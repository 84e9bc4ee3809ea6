//! Haplotypes as bit-packed codes, one row a haplotype. A locus takes as many bits as its codes need (one if it has
//! two), and no locus crosses a 64-bit word.

use x_simd::{Result, try_zeroed};

/// Where each locus lies within a row.
#[derive(Debug, Clone)]
pub struct Layout {
    /// First bit of each locus, ascending.
    pub offset: Vec<u32>,
    /// Bits of each locus, 1 to 8.
    pub width: Vec<u8>,
    /// 64-bit words of a row.
    pub words: usize,
}

impl Layout {
    /// From the number of codes at each locus, 2 to 255.
    pub fn new(codes: impl IntoIterator<Item = u8>) -> Self {
        let (mut offset, mut width, mut next) = (Vec::new(), Vec::new(), 0_u32);
        for codes in codes {
            let bits = (8 - (codes.max(2) - 1).leading_zeros()) as u8;
            if next % 64 + u32::from(bits) > 64 {
                next = next.next_multiple_of(64);
            }
            offset.push(next);
            width.push(bits);
            next += u32::from(bits);
        }
        Self { offset, width, words: (next as usize).div_ceil(64) }
    }

    pub fn loci(&self) -> usize {
        self.offset.len()
    }

    /// First bit after a locus.
    pub fn end(&self, locus: usize) -> u32 {
        self.offset[locus] + u32::from(self.width[locus])
    }
}

#[derive(Debug, Clone)]
pub struct Panel {
    pub layout: Layout,
    haplotypes: usize,
    bits: Vec<u64>,
}

impl Panel {
    /// All codes 0. `ALLOC` if there is no memory for it.
    pub fn new(layout: Layout, haplotypes: usize) -> Result<Self> {
        let bits = try_zeroed(layout.words * haplotypes)?;
        Ok(Self { layout, haplotypes, bits })
    }

    pub fn haplotypes(&self) -> usize {
        self.haplotypes
    }

    pub fn row(&self, haplotype: usize) -> &[u64] {
        &self.bits[haplotype * self.layout.words..][..self.layout.words]
    }

    /// The rows of haplotypes `2 s` and `2 s + 1`, for every sample s of the first `samples`.
    pub fn pairs_mut(&mut self, samples: usize) -> std::slice::ChunksExactMut<'_, u64> {
        let words = self.layout.words.max(1);
        self.bits[..2 * samples * self.layout.words].chunks_exact_mut(2 * words)
    }

    pub fn get(&self, haplotype: usize, locus: usize) -> u8 {
        read(&self.layout, self.row(haplotype), locus)
    }

    pub fn set(&mut self, haplotype: usize, locus: usize, code: u8) {
        let words = self.layout.words;
        write(&self.layout, &mut self.bits[haplotype * words..][..words], locus, code);
    }

    /// One word of every haplotype's row.
    pub fn words(&self, word: usize, out: &mut Vec<u64>) {
        out.clear();
        out.extend(self.bits.chunks_exact(self.layout.words.max(1)).map(|row| row[word]));
    }

    /// The codes of all haplotypes at one locus.
    pub fn column(&self, locus: usize, codes: &mut [u8]) {
        let (word, shift) = ((self.layout.offset[locus] / 64) as usize, self.layout.offset[locus] % 64);
        let mask = (1_u64 << self.layout.width[locus]) - 1;
        for (code, row) in codes.iter_mut().zip(self.bits.chunks_exact(self.layout.words)) {
            *code = (row[word] >> shift & mask) as u8;
        }
    }
}

/// The code at a locus of one row.
pub fn read(layout: &Layout, row: &[u64], locus: usize) -> u8 {
    let at = layout.offset[locus];
    (row[(at / 64) as usize] >> (at % 64) & ((1 << layout.width[locus]) - 1)) as u8
}

/// Sets the code at a locus of one row.
pub fn write(layout: &Layout, row: &mut [u64], locus: usize, code: u8) {
    let at = layout.offset[locus];
    let mask = ((1_u64 << layout.width[locus]) - 1) << (at % 64);
    let word = &mut row[(at / 64) as usize];
    *word = *word & !mask | u64::from(code) << (at % 64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_every_width_come_back() {
        let codes: Vec<u8> = (0..200).map(|i| [2, 3, 4, 5, 16, 17, 200, 255][i % 8]).collect();
        let layout = Layout::new(codes.iter().copied());
        assert_eq!(layout.width[..8], [1, 2, 2, 3, 4, 5, 8, 8]);
        let mut panel = Panel::new(layout, 3).unwrap();
        let code = |h: usize, l: usize| ((h * 7 + l * 13) % usize::from(codes[l])) as u8;
        for l in (0..200).rev() {
            (0..3).for_each(|h| panel.set(h, l, 254.min(codes[l] - 1)));
            (0..3).for_each(|h| panel.set(h, l, code(h, l)));
        }
        let mut column = [0; 3];
        for l in 0..200 {
            panel.column(l, &mut column);
            for (h, &seen) in column.iter().enumerate() {
                assert_eq!((panel.get(h, l), seen), (code(h, l), code(h, l)));
            }
        }
    }
}
