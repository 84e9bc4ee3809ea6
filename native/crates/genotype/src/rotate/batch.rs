//! The genotypes of a batch of SNPs in the order the kernel reads them.

use rayon::prelude::*;

use super::GROUP;
use crate::packed::{row_bytes, word};

const BYTES: usize = GROUP / 4;

pub(super) struct Batch {
    /// The 48 bits of a group of people, SNP after SNP, group after group.
    pub codes: Vec<u64>,
    /// People without a call, SNP after SNP; `starts[s]` is where SNP s begins.
    people: Vec<u32>,
    starts: Vec<usize>,
}

impl Batch {
    /// Runs in the current pool.
    pub fn new(packed: &[u8], n: usize, rows: &[u32]) -> Self {
        let bytes = row_bytes(n);
        let row = |r: u32| &packed[r as usize * bytes..][..bytes];
        let groups = n.div_ceil(GROUP);
        let mut codes = vec![0; groups * rows.len()];
        codes.par_chunks_mut(rows.len()).enumerate().for_each(|(g, to)| {
            for (to, &r) in to.iter_mut().zip(rows) {
                *to = word(&row(r)[g * BYTES..]) & ((1 << (2 * GROUP)) - 1);
            }
        });
        let (mut people, mut starts) = (Vec::new(), vec![0]);
        for &r in rows {
            for (w, eight) in row(r).chunks(8).enumerate() {
                let x = word(eight);
                // Code 1: low bit without the high one.
                let mut missing = x & !(x >> 1) & 0x5555_5555_5555_5555;
                while missing != 0 {
                    let person = w * 32 + missing.trailing_zeros() as usize / 2;
                    missing &= missing - 1;
                    if person < n {
                        people.push(person as u32);
                    }
                }
            }
            starts.push(people.len());
        }
        Self { codes, people, starts }
    }

    pub fn missing(&self, s: usize) -> &[u32] {
        &self.people[self.starts[s]..self.starts[s + 1]]
    }
}
