//! Scaffold haplotypes, packed: 64-bit words of a few loci, word after word, one word a haplotype in each. A locus is then
//! a run over all haplotypes, and two haplotypes are compared 64 bits at a time.

use x_pbwt::Layout;

#[derive(Debug, Default)]
pub struct Bits {
    haplotypes: usize,
    codes: Vec<u8>,
    /// First bit of each locus.
    offset: Vec<u32>,
    width: Vec<u8>,
    words: Vec<Vec<u64>>,
}

impl Bits {
    pub fn new(haplotypes: usize) -> Self {
        Self { haplotypes, ..Self::default() }
    }

    pub fn loci(&self) -> usize {
        self.codes.len()
    }

    pub fn haplotypes(&self) -> usize {
        self.haplotypes
    }

    /// Number of codes at a locus.
    pub fn codes(&self, locus: usize) -> u8 {
        self.codes[locus]
    }

    /// Appends a locus: the code of every haplotype, all below `count`.
    pub fn push(&mut self, codes: &[u8], count: u8) {
        let width = Layout::new([count]).width[0];
        let end = self.offset.last().map_or(0, |&o| o + u32::from(self.width[self.width.len() - 1]));
        let full = end % 64 + u32::from(width) > 64;
        let at = if full { end.next_multiple_of(64) } else { end };
        if (at / 64) as usize == self.words.len() {
            self.words.push(vec![0; self.haplotypes]);
        }
        let word = &mut self.words[(at / 64) as usize];
        word.iter_mut().zip(codes).for_each(|(w, &c)| *w |= u64::from(c) << (at % 64));
        self.offset.push(at);
        self.width.push(width);
        self.codes.push(count);
    }

    /// Word of a locus, and the place of its bits there.
    pub fn place(&self, locus: usize) -> (usize, u32, u64) {
        let at = self.offset[locus];
        ((at / 64) as usize, at % 64, (1 << self.width[locus]) - 1)
    }

    pub fn word(&self, word: usize) -> &[u64] {
        &self.words[word]
    }

    pub fn get(&self, locus: usize, haplotype: usize) -> u8 {
        let (word, shift, mask) = self.place(locus);
        (self.words[word][haplotype] >> shift & mask) as u8
    }

    /// The codes of all haplotypes at a locus.
    pub fn column(&self, locus: usize, out: &mut [u8]) {
        let (word, shift, mask) = self.place(locus);
        out.iter_mut().zip(&self.words[word]).for_each(|(o, w)| *o = (w >> shift & mask) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn codes_of_every_width_come_back() {
        let counts = [2_u8, 3, 255, 2, 17, 4];
        let mut bits = Bits::new(3);
        let code = |l: usize, h: usize| ((h * 7 + l * 13) % usize::from(counts[l % 6])) as u8;
        (0..90).for_each(|l| bits.push(&[code(l, 0), code(l, 1), code(l, 2)], counts[l % 6]));
        let mut column = [0; 3];
        for l in 0..90 {
            bits.column(l, &mut column);
            for (h, &seen) in column.iter().enumerate() {
                assert_eq!((bits.get(l, h), seen), (code(l, h), code(l, h)));
            }
        }
    }
}
