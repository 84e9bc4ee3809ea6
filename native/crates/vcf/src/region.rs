//! `chr`, `chr:from-to`, `chr:from-`, `chr:at`: positions from 1, both ends inside.

use x_simd::{Error, Result};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    pub chrom: String,
    pub from: u32,
    pub to: u32,
}

impl Region {
    /// A name that is a contig as it stands wins (`HLA:1` is one), so `known` is asked first.
    pub fn parse(text: &str, known: impl Fn(&str) -> bool) -> Result<Self> {
        let whole = |chrom: &str| Self { chrom: chrom.to_owned(), from: 1, to: u32::MAX };
        let Some((chrom, range)) = text.rsplit_once(':').filter(|_| !known(text)) else {
            return if text.is_empty() { Err(bad(text)) } else { Ok(whole(text)) };
        };
        let number = |t: &str| t.replace(',', "").parse::<u32>().map_err(|_| bad(text));
        let (from, to) = match range.split_once('-') {
            Some((from, "")) => (number(from)?, u32::MAX),
            Some((from, to)) => (number(from)?, number(to)?),
            None => (number(range)?, number(range)?),
        };
        if chrom.is_empty() || from == 0 || to < from {
            return Err(bad(text));
        }
        Ok(Self { chrom: chrom.to_owned(), from, to })
    }

    pub fn contains(&self, position: u32) -> bool {
        (self.from..=self.to).contains(&position)
    }
}

fn bad(text: &str) -> Error {
    Error::new("REGION", format!("{text:?} is no region; write chr, chr:from-to or chr:from- with positions from 1"))
}
