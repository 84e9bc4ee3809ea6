//! Reads the index beside a file as far as a region's start needs it.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use x_simd::{Error, Result};

use super::bins::Bins;
use crate::header::Header;
use crate::region::Region;
use crate::stream::{Bgzf, io};
use crate::typed::Cursor;

/// No index is larger; a damaged one could claim to be.
const MAX_INDEX: usize = 1 << 30;

pub struct Index {
    bins: Bins,
    /// Contig names in the index's order; empty for a BCF, whose header numbers them.
    names: Vec<String>,
    contigs: Vec<Contig>,
    /// Bytes of the file it belongs to.
    data_length: u64,
    /// Written before the data: perhaps another file's.
    pub older: bool,
}

#[derive(Default)]
struct Contig {
    /// First offset of a bin's records, and the lowest offset of any record that reaches into the bin (CSI).
    bins: HashMap<u64, (u64, u64)>,
    /// TBI: lowest offset of the records that reach into each 16 kb.
    linear: Vec<u64>,
}

impl Index {
    /// `<file>.csi` or `<file>.tbi`; `None` when there is neither.
    pub fn beside(data: &Path) -> Result<Option<Self>> {
        let Some(path) = Self::path_beside(data) else { return Ok(None) };
        Self::read(&path, data).map(Some).map_err(|mut e| {
            e.message = format!("{}: {}", path.display(), e.message);
            e
        })
    }

    pub fn path_beside(data: &Path) -> Option<PathBuf> {
        ["csi", "tbi"].iter().find_map(|extension| {
            let mut name = data.as_os_str().to_owned();
            name.push(".");
            name.push(extension);
            Some(PathBuf::from(name)).filter(|path| path.exists())
        })
    }

    fn read(path: &Path, data: &Path) -> Result<Self> {
        let bytes = unpack(path)?;
        let of = |p: &Path| p.metadata().map_err(|e| io(&e));
        let (index_meta, data_meta) = (of(path)?, of(data)?);
        let older = matches!((index_meta.modified(), data_meta.modified()), (Ok(i), Ok(d)) if i < d);
        let data_length = data_meta.len();
        let mut index = Self { bins: Bins::TBI, names: Vec::new(), contigs: Vec::new(), data_length, older };
        let mut c = Cursor(&bytes);
        let parsed = match c.bytes(4) {
            Ok(b"TBI\x01") => index.tbi(&mut c),
            Ok(b"CSI\x01") => index.csi(&mut c),
            _ => Err(format_error("it starts with neither TBI nor CSI")),
        };
        parsed.map_err(|e| if e.code == "BCF_RECORD" { format_error("it ends too early") } else { e })?;
        Ok(index)
    }

    fn tbi(&mut self, c: &mut Cursor) -> Result<()> {
        let contigs = count(c)?;
        self.names = names(c)?;
        for _ in 0..contigs {
            let mut contig = Contig::default();
            for _ in 0..count(c)? {
                let bin = u64::from(c.u32()?);
                self.bin(c, bin, 0, &mut contig)?;
            }
            for _ in 0..count(c)? {
                contig.linear.push(self.offset(c)?);
            }
            self.contigs.push(contig);
        }
        Ok(())
    }

    fn csi(&mut self, c: &mut Cursor) -> Result<()> {
        self.bins = Bins { shift: c.u32()?, depth: c.u32()? };
        if self.bins.shift > 30 || self.bins.depth > 9 {
            return Err(format_error("its binning scheme is none"));
        }
        let length = count(c)?;
        let aux = c.bytes(length)?;
        if aux.len() >= 28 {
            self.names = names(&mut Cursor(aux))?;
        }
        for _ in 0..count(c)? {
            let mut contig = Contig::default();
            for _ in 0..count(c)? {
                let bin = u64::from(c.u32()?);
                let low = self.offset(c)?;
                self.bin(c, bin, low, &mut contig)?;
            }
            self.contigs.push(contig);
        }
        Ok(())
    }

    fn bin(&self, c: &mut Cursor, bin: u64, low: u64, contig: &mut Contig) -> Result<()> {
        let mut first = u64::MAX;
        for _ in 0..count(c)? {
            if bin == self.bins.pseudo() {
                c.bytes(16)?; // counts, not offsets
            } else {
                first = first.min(self.offset(c)?);
                self.offset(c)?;
            }
        }
        if first < u64::MAX {
            contig.bins.insert(bin, (first, low));
        }
        Ok(())
    }

    fn offset(&self, c: &mut Cursor) -> Result<u64> {
        let offset = u64::from(c.u32()?) | u64::from(c.u32()?) << 32;
        if offset >> 16 > self.data_length {
            let message = format!(
                "it points to byte {} of a file of {} bytes: it belongs to another or an older file; index the file again",
                offset >> 16,
                self.data_length
            );
            return Err(Error::new("INDEX_STALE", message).with("byte", (offset >> 16) as f64));
        }
        Ok(offset)
    }

    /// Virtual offset from which reading on meets every record of the region; `None` when the index knows none.
    pub fn start(&self, header: &Header, region: &Region) -> Result<Option<u64>> {
        let contig = if self.names.is_empty() {
            header.contig_index(&region.chrom)
        } else {
            self.names.iter().position(|n| *n == region.chrom)
        };
        let Some(contig) = contig.and_then(|i| self.contigs.get(i)) else { return Ok(None) };
        let (from, to) = (u64::from(region.from - 1), u64::from(region.to));
        let first = contig.bins.iter().filter(|(b, _)| self.bins.overlaps(**b, from, to)).map(|(_, o)| o.0).min();
        let window = (from >> self.bins.shift) as usize;
        let mut low = contig.linear.get(window).or(contig.linear.last()).copied().unwrap_or(0);
        let mut bin = Some(self.bins.bin(from, from + 1));
        while let Some(b) = bin {
            if let Some((_, l)) = contig.bins.get(&b) {
                low = low.max(*l);
                break;
            }
            bin = Bins::parent(b);
        }
        Ok(first.map(|offset| offset.max(low)))
    }
}

fn count(c: &mut Cursor) -> Result<usize> {
    usize::try_from(c.i32()?).map_err(|_| format_error("a count is negative"))
}

/// The seven numbers tabix keeps, then the contigs' names.
fn names(c: &mut Cursor) -> Result<Vec<String>> {
    c.bytes(24)?;
    let length = count(c)?;
    let text = c.bytes(length)?;
    Ok(text.split(|&b| b == 0).filter(|n| !n.is_empty()).map(|n| String::from_utf8_lossy(n).into_owned()).collect())
}

fn format_error(what: &str) -> Error {
    Error::new("INDEX_FORMAT", format!("this is no usable index ({what}); index the file again"))
}

fn unpack(path: &Path) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|e| io(&e))?;
    let mut reader = Bgzf::new(BufReader::new(file));
    let mut out = Vec::new();
    loop {
        let part = reader.fill().map_err(|e| format_error(&e.message))?;
        if part.is_empty() {
            return Ok(out);
        }
        if out.len() + part.len() > MAX_INDEX {
            return Err(format_error("it is larger than 1 GB"));
        }
        out.extend_from_slice(part);
        let used = part.len();
        reader.consume(used);
    }
}
