//! Collects where records lie while a file is written, and writes its TBI or CSI.

use std::collections::BTreeMap;
use std::io::Write;

use x_simd::Result;

use super::bins::Bins;
use crate::stream::BgzfWriter;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IndexKind {
    Tbi,
    /// For a text file, which needs the contigs' names, or for a BCF.
    Csi {
        names: bool,
    },
}

/// One contig: what is phased is one chromosome.
pub struct IndexBuilder {
    kind: IndexKind,
    bins: Bins,
    /// Contigs of the header (BCF numbers them all) and the one that has records.
    contigs: usize,
    contig: usize,
    name: String,
    chunks: BTreeMap<u64, Vec<(u64, u64)>>,
    linear: Vec<u64>,
    records: u64,
    first: u64,
    last: u64,
}

impl IndexBuilder {
    /// `length`: of the contig, or the last position.
    pub fn new(kind: IndexKind, contigs: usize, contig: usize, name: &str, length: u64) -> Self {
        let bins = if kind == IndexKind::Tbi { Bins::TBI } else { Bins::for_length(length) };
        Self {
            kind,
            bins,
            contigs,
            contig,
            name: name.to_owned(),
            chunks: BTreeMap::new(),
            linear: Vec::new(),
            records: 0,
            first: 0,
            last: 0,
        }
    }

    pub fn is_tbi(&self) -> bool {
        self.kind == IndexKind::Tbi
    }

    /// Longest contig a TBI can index.
    pub fn tbi_limit() -> u64 {
        Bins::TBI.span()
    }

    /// A record of `from..to` (from 0, end outside) written between two virtual offsets.
    pub fn add(&mut self, from: u64, to: u64, start: u64, end: u64) {
        let chunks = self.chunks.entry(self.bins.bin(from, to)).or_default();
        match chunks.last_mut() {
            // Neighbours in one block read as one.
            Some(chunk) if chunk.1 >> 16 == start >> 16 || chunk.1 == start => chunk.1 = end,
            _ => chunks.push((start, end)),
        }
        let last = (to.max(from + 1) - 1) >> self.bins.shift;
        let window = from >> self.bins.shift;
        while self.linear.len() as u64 <= last {
            // Windows no record reached so far start here as well: nothing before can lie in them.
            self.linear.push(start);
        }
        debug_assert!(self.linear[window as usize] <= start);
        if self.records == 0 {
            self.first = start;
        }
        self.records += 1;
        self.last = end;
    }

    pub fn write<W: Write>(&self, to: W) -> Result<W> {
        let mut out = Vec::new();
        match self.kind {
            IndexKind::Tbi => {
                out.extend_from_slice(b"TBI\x01");
                int(1, &mut out);
                self.names(&mut out);
                self.one(&mut out);
            }
            IndexKind::Csi { names } => {
                out.extend_from_slice(b"CSI\x01");
                int(self.bins.shift as usize, &mut out);
                int(self.bins.depth as usize, &mut out);
                let mut aux = Vec::new();
                if names {
                    self.names(&mut aux);
                }
                int(aux.len(), &mut out);
                out.extend_from_slice(&aux);
                int(if names { 1 } else { self.contigs }, &mut out);
                for i in 0..if names { 1 } else { self.contigs } {
                    if names || i == self.contig { self.one(&mut out) } else { int(0, &mut out) }
                }
            }
        }
        out.extend_from_slice(&0u64.to_le_bytes()); // records without a place
        let mut writer = BgzfWriter::new(to);
        writer.write(&out)?;
        writer.finish()
    }

    /// tabix's settings for VCF: columns 1 and 2, comment sign #.
    fn names(&self, out: &mut Vec<u8>) {
        for value in [2, 1, 2, 0, 35, 0, self.name.len() + 1] {
            int(value, out);
        }
        out.extend_from_slice(self.name.as_bytes());
        out.push(0);
    }

    fn one(&self, out: &mut Vec<u8>) {
        let tbi = self.kind == IndexKind::Tbi;
        int(self.chunks.len() + 1, out);
        let mut bin = |number: u64, low: u64, chunks: &[(u64, u64)]| {
            out.extend_from_slice(&(number as u32).to_le_bytes());
            if !tbi {
                out.extend_from_slice(&low.to_le_bytes());
            }
            int(chunks.len(), out);
            for (start, end) in chunks {
                out.extend_from_slice(&start.to_le_bytes());
                out.extend_from_slice(&end.to_le_bytes());
            }
        };
        for (&number, chunks) in &self.chunks {
            let window = self.bins.range(number).map_or(0, |r| (r.0 >> self.bins.shift) as usize);
            bin(number, self.linear.get(window).copied().unwrap_or(0), chunks);
        }
        bin(self.bins.pseudo(), 0, &[(self.first, self.last), (self.records, 0)]);
        if tbi {
            int(self.linear.len(), out);
            self.linear.iter().for_each(|o| out.extend_from_slice(&o.to_le_bytes()));
        }
    }
}

fn int(value: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&(value as i32).to_le_bytes());
}
