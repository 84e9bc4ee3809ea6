//! Haplotypes of a range of loci as Arrow columns want them.

use std::ops::Range;

use super::Loci;
use crate::record::MISSING;

/// One bit a haplotype where a locus has one ALT and nothing is missing, one byte a haplotype elsewhere.
pub struct Packed {
    /// `⌈2n/8⌉` bytes a locus, lowest bit first; zeros where codes are used.
    pub bits: Vec<u8>,
    /// Codes of the other loci, one after the other.
    pub codes: Vec<u8>,
    /// One a locus: are codes used?
    pub coded: Vec<u8>,
}

impl Loci {
    /// `codes`: phased haplotypes of all loci, or `None` for the calls as read.
    pub fn pack(&self, range: Range<usize>, codes: Option<&[u8]>) -> Packed {
        let width = 2 * self.samples.len();
        let source = codes.unwrap_or(&self.calls);
        let mut out = Packed { bits: Vec::new(), codes: Vec::new(), coded: Vec::new() };
        for locus in range {
            let row = &source[locus * width..(locus + 1) * width];
            let coded = self.codes[locus] > 2 || row.contains(&MISSING);
            out.coded.push(u8::from(coded));
            if coded {
                out.codes.extend_from_slice(row);
                out.bits.resize(out.bits.len() + width.div_ceil(8), 0);
            } else {
                let bytes = row.chunks(8).map(|c| c.iter().enumerate().fold(0, |b, (i, &a)| b | (a & 1) << i));
                out.bits.extend(bytes);
            }
        }
        out
    }
}
