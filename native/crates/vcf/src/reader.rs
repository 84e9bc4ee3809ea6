//! Opens a variant file and hands out its records in order; every error names the file, the record and its place.

use std::path::{Path, PathBuf};

use x_simd::{Error, Result};

use crate::bcf;
use crate::header::Header;
use crate::index::Index;
use crate::record::{Record, Wanted, check_alts};
use crate::region::Region;
use crate::stream::Stream;
use crate::text;

/// No record of a real study comes near this; a damaged length does.
const MAX_RECORD: usize = 1 << 28;
/// A header's text may be as long as this (a million contigs are 50 MB).
const MAX_HEADER: usize = 1 << 28;

/// How the records are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    Vcf,
    Bcf,
}

pub struct Reader {
    pub header: Header,
    pub format: Format,
    path: PathBuf,
    stream: Stream,
    /// The record handed out last, from 1; counts from the region's start when an index was used.
    record: u64,
    line: Vec<u8>,
    indiv: Vec<u8>,
    wanted: Wanted,
    indexed: bool,
    /// Had the last line of text an end?
    ended: bool,
}

impl Reader {
    pub fn open(path: &Path) -> Result<Self> {
        Self::begin(path).map_err(|e| at_file(path, e))
    }

    fn begin(path: &Path) -> Result<Self> {
        let mut stream = Stream::open(path)?;
        let head = stream.fill()?;
        if head.is_empty() {
            return Err(Error::new("VCF_HEADER", "the file is empty"));
        }
        let format = if head.starts_with(b"BCF") { Format::Bcf } else { Format::Vcf };
        let header = match format {
            Format::Bcf => bcf_header(&mut stream)?,
            Format::Vcf => vcf_header(&mut stream)?,
        };
        Ok(Self {
            header,
            format,
            path: path.to_owned(),
            stream,
            record: 0,
            line: Vec::new(),
            indiv: Vec::new(),
            wanted: Wanted::default(),
            indexed: false,
            ended: true,
        })
    }

    /// Asks for more than the genotypes.
    pub fn want(&mut self, wanted: Wanted) {
        self.wanted = wanted;
    }

    /// True for BGZF, the only form an index can point into.
    pub fn seekable(&self) -> bool {
        matches!(self.stream, Stream::Bgzf(_))
    }

    /// Goes near the start of a region by means of the index beside the file. False when there is no index (the
    /// records before the region are then read and passed over). Errors: INDEX_STALE, INDEX_FORMAT.
    pub fn jump(&mut self, region: &Region) -> Result<bool> {
        if !self.seekable() {
            let indexed = Index::path_beside(&self.path).filter(|_| matches!(self.stream, Stream::Gzip(_)));
            let Some(index) = indexed else { return Ok(false) };
            let message = format!("{} is an index, but the file is plain gzip; compress it by bgzip", index.display());
            return Err(at_file(&self.path, Error::new("NOT_BGZF", message)));
        }
        let Some(index) = Index::beside(&self.path)? else { return Ok(false) };
        let start = index.start(&self.header, region).map_err(|e| at_file(&self.path, e))?;
        let Some(offset) = start else { return Ok(false) };
        self.stream.seek(offset).map_err(|e| stale(&self.path, &e))?;
        self.indexed = true;
        self.record = 0;
        Ok(true)
    }

    /// The next record; false at the end of the file.
    pub fn next(&mut self, record: &mut Record) -> Result<bool> {
        let more = self.advance(record);
        more.map_err(|e| self.at_record(e))
    }

    fn advance(&mut self, record: &mut Record) -> Result<bool> {
        match self.format {
            Format::Vcf => {
                loop {
                    let Some(ended) = self.stream.line(&mut self.line, MAX_RECORD)? else { return Ok(false) };
                    self.ended = ended;
                    if !self.line.is_empty() {
                        break;
                    }
                }
                self.record += 1;
                text::parse(&self.line, &mut self.header, &self.wanted, record)?;
            }
            Format::Bcf => {
                if self.stream.fill()?.is_empty() {
                    return Ok(false);
                }
                self.record += 1;
                self.line.clear();
                if !self.stream.take(8, &mut self.line)? {
                    return Err(bcf::record_cut());
                }
                let (shared, indiv) = bcf::lengths(&self.line, MAX_RECORD)?;
                self.line.clear();
                self.indiv.clear();
                if !self.stream.take(shared, &mut self.line)? || !self.stream.take(indiv, &mut self.indiv)? {
                    return Err(bcf::record_cut());
                }
                bcf::decode(&self.line, &self.indiv, &self.header, &self.wanted, record)?;
            }
        }
        check_alts(&record.site)?;
        Ok(true)
    }

    /// Adds file, record number and, as far as it was read, the position.
    pub fn at_record(&self, e: Error) -> Error {
        if e.code == "CANCELLED" {
            return e;
        }
        let mut place = if self.indexed {
            format!("record {} of the region", self.record)
        } else {
            format!("record {}", self.record)
        };
        if self.format == Format::Vcf && self.record > 0 {
            let mut columns = self.line.split(|&b| b == b'\t');
            if let (Some(chrom), Some(pos)) = (columns.next(), columns.next()) {
                let short = |t: &[u8]| String::from_utf8_lossy(&t[..t.len().min(40)]).into_owned();
                place += &format!(" ({}:{})", short(chrom), short(pos));
            }
        } else if self.format == Format::Bcf
            && let (Some(contig), Some(pos), Some(_)) = (self.line.get(..4), self.line.get(4..8), self.line.get(8..24))
        {
            let number = |b: &[u8]| i64::from(i32::from_le_bytes(b.try_into().unwrap_or_default()));
            let contig = usize::try_from(number(contig)).ok().and_then(|i| self.header.contigs.get(i)?.as_ref());
            place += &format!(" ({}:{})", contig.map_or("?", |c| c.0.as_str()), number(pos) + 1);
        }
        let mut e = at_place(&self.path, &place, self.cut(e));
        e.details.push(("record", self.record as f64));
        e
    }

    /// A strange genotype at the very end of a file without a last line end is half of one.
    fn cut(&self, mut e: Error) -> Error {
        let last = e.details.contains(&("sample", self.header.samples.len() as f64));
        if last && !self.ended && matches!(e.code, "PLOIDY" | "VCF_GT") {
            e.message = format!("the file ends inside this record, in the last sample's genotype ({})", e.message);
            e.code = "VCF_COLUMNS";
        }
        e
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Puts the file's name in front of a message.
pub fn at_file(path: &Path, mut e: Error) -> Error {
    if e.code != "CANCELLED" {
        e.message = format!("{}: {}", path.display(), e.message);
    }
    e
}

fn at_place(path: &Path, place: &str, mut e: Error) -> Error {
    e.message = format!("{} {place}: {}", path.display(), e.message);
    e
}

fn stale(path: &Path, e: &Error) -> Error {
    let message = format!(
        "{}: its index points to a place that is no record ({}); index the file again",
        path.display(),
        e.message
    );
    Error::new("INDEX_STALE", message)
}

fn vcf_header(stream: &mut Stream) -> Result<Header> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut size = 0;
    let mut line = Vec::new();
    while stream.fill()?.first() == Some(&b'#') {
        if stream.line(&mut line, MAX_HEADER)?.is_none() {
            break;
        }
        size += line.len();
        if size > MAX_HEADER {
            return Err(Error::new("VCF_HEADER", "the header is longer than 256 MB"));
        }
        let last = line.starts_with(b"#CHROM");
        lines.push(std::mem::take(&mut line));
        if last {
            break;
        }
    }
    Header::parse(lines.iter().map(Vec::as_slice))
}

fn bcf_header(stream: &mut Stream) -> Result<Header> {
    let mut bytes = Vec::new();
    let whole = stream.take(9, &mut bytes)?;
    if !whole || bytes[3..5] != [2, 2] {
        let found = bytes.get(3..5).map_or("nothing".to_owned(), |v| format!("{}.{}", v[0], v[1]));
        return Err(Error::new(
            "BCF_VERSION",
            format!("BCF version {found}, 2.2 is what can be read; convert the file"),
        ));
    }
    let length = u32::from_le_bytes(bytes[5..9].try_into().unwrap_or_default()) as usize;
    if length > MAX_HEADER {
        return Err(Error::new(
            "BCF_LENGTH",
            format!("the header claims {length} bytes: the file is damaged or no BCF"),
        ));
    }
    bytes.clear();
    if !stream.take(length, &mut bytes)? {
        return Err(Error::new("BCF_LENGTH", "the file ends inside its header"));
    }
    while bytes.last().is_some_and(|b| matches!(b, 0 | b'\n' | b'\r')) {
        bytes.pop();
    }
    Header::parse(bytes.split(|&b| b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l)))
}
