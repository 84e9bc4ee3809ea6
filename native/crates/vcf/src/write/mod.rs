//! Writes loci back as the rows they came from, or one record a position, in pieces of a few hundred kilobytes.

mod encode;
mod head;
mod row;

use std::sync::Arc;

use x_simd::{Error, Result};

use crate::index::{IndexBuilder, IndexKind};
use crate::loci::Loci;
use crate::stream::BgzfWriter;
use head::OutHeader;
pub use row::OutRow;
use row::Rows;

/// Where the rows of a file come from.
pub trait RowSource: Send {
    /// Fills `row`, its AC and AN left as they were read, with the next record; false after the last.
    fn next(&mut self, row: &mut OutRow) -> Result<bool>;
    /// Positions handed out so far, for progress.
    fn done(&self) -> usize;
}

/// How the output is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output {
    Vcf,
    VcfGz,
    Bcf,
}

/// A FORMAT field of floats.
#[derive(Clone)]
pub struct Field {
    pub id: String,
    /// Empty: the input's own line stays.
    pub description: String,
    /// Floats a sample.
    pub number: usize,
    /// Stands in rows whose two alleles differ, nowhere else.
    pub heterozygous: bool,
}

/// A FORMAT field and its floats, the same for all rows of a locus.
#[derive(Clone)]
pub struct Extra {
    pub field: Field,
    /// Locus-major, then by sample; NaN written as missing.
    pub values: Arc<Vec<f32>>,
}

#[derive(Clone, Default)]
pub struct WriteOptions {
    /// One record for each position instead of the rows that came in.
    pub join: bool,
    /// Write positions left out of phasing as well, unphased.
    pub keep_excluded: bool,
    /// More `##` lines.
    pub lines: Vec<String>,
    pub extra: Vec<Extra>,
}

/// Pieces are handed out once they are this long.
const PIECE: usize = 1 << 18;

pub struct LociWriter {
    rows: Box<dyn RowSource>,
    chrom: String,
    /// The fields beside GT.
    fields: Vec<Field>,
    output: Output,
    header: OutHeader,
    sink: Sink,
    index: Option<IndexBuilder>,
    started: bool,
    finished: bool,
    line: Vec<u8>,
}

impl LociWriter {
    /// `codes`: phased haplotypes of the loci, or `None` for the calls as they were read.
    pub fn new(loci: Arc<Loci>, codes: Option<Arc<Vec<u8>>>, output: Output, options: WriteOptions) -> Result<Self> {
        if let Some(codes) = &codes {
            check(&loci, codes)?;
        }
        let cells = loci.len() * loci.samples.len();
        let wrong = options.extra.iter().find(|e| e.values.len() != cells * e.field.number);
        if let Some(Extra { field, values }) = wrong {
            let wanted = cells * field.number;
            let message = format!("{} values for FORMAT/{}, {wanted} expected", values.len(), field.id);
            return Err(Error::new("HAPLOTYPE_SHAPE", message));
        }
        let about = loci.clone();
        let declared: Vec<Field> = options.extra.iter().map(|e| e.field.clone()).collect();
        let lines = options.lines.clone();
        Self::from_rows(&about, Box::new(Rows::new(loci, codes, options)), output, &declared, &lines)
    }

    /// Rows from anywhere. `about`: header, chromosome, samples, last position and sites; its calls are not read.
    /// `fields`: what rows may carry beside GT.
    pub fn from_rows(
        about: &Loci,
        rows: Box<dyn RowSource>,
        output: Output,
        fields: &[Field],
        lines: &[String],
    ) -> Result<Self> {
        let header = OutHeader::new(about, fields, lines)?;
        let length = header.contig_length(about);
        let kind = match output {
            Output::Vcf => None,
            Output::Bcf => Some(IndexKind::Csi { names: false }),
            Output::VcfGz if length > IndexBuilder::tbi_limit() => Some(IndexKind::Csi { names: true }),
            Output::VcfGz => Some(IndexKind::Tbi),
        };
        let index = kind.map(|k| IndexBuilder::new(k, header.contigs, header.contig, &about.chrom, length));
        let sink =
            if output == Output::Vcf { Sink::Plain(Vec::new()) } else { Sink::Bgzf(BgzfWriter::new(Vec::new())) };
        Ok(Self {
            rows,
            chrom: about.chrom.clone(),
            fields: fields.to_vec(),
            output,
            header,
            sink,
            index,
            started: false,
            finished: false,
            line: Vec::new(),
        })
    }

    /// The next bytes of the file; empty once all were handed out.
    pub fn next_piece(&mut self) -> Result<Vec<u8>> {
        if !self.started {
            self.started = true;
            let head = self.header.bytes(self.output == Output::Bcf);
            self.sink.write(&head)?;
        }
        let mut row = OutRow::default();
        while self.sink.ready() < PIECE && !self.finished {
            if !self.rows.next(&mut row)? {
                self.finished = true;
                self.sink.finish()?;
                break;
            }
            row::count(&mut row);
            self.line.clear();
            match self.output {
                Output::Bcf => encode::bcf(&row, &self.header, &self.fields, &mut self.line).map_err(|mut e| {
                    e.message = format!("{}:{} {}: {}", self.chrom, row.position, row.name(), e.message);
                    e.with("position", f64::from(row.position))
                })?,
                _ => encode::text(&row, &self.chrom, &self.fields, &mut self.line),
            }
            let start = self.sink.offset();
            self.sink.write(&self.line)?;
            let from = u64::from(row.position.max(1)) - 1;
            if let Some(index) = &mut self.index {
                index.add(from, from + encode::length(&row), start, self.sink.offset());
            }
        }
        Ok(self.sink.take())
    }

    /// Positions written so far, for progress.
    pub fn done(&self) -> usize {
        self.rows.done()
    }

    /// The finished index and the ending of its name; `None` for plain text.
    pub fn index(&self) -> Result<Option<(Vec<u8>, &'static str)>> {
        let name = if self.index.as_ref().is_some_and(IndexBuilder::is_tbi) { "tbi" } else { "csi" };
        self.index.as_ref().map(|i| Ok((i.write(Vec::new())?, name))).transpose()
    }
}

fn check(loci: &Loci, codes: &[u8]) -> Result<()> {
    if codes.len() != loci.calls.len() {
        let message = format!("{} codes for {} loci × {} samples", codes.len(), loci.len(), loci.samples.len());
        return Err(Error::new("HAPLOTYPE_SHAPE", message));
    }
    let width = 2 * loci.samples.len();
    for (i, (row, &count)) in codes.chunks_exact(width).zip(&loci.codes).enumerate() {
        if row.iter().any(|&c| c >= count && c != crate::record::MISSING) {
            let message = format!("a code at position {} is not below {count}", loci.positions[i]);
            return Err(Error::new("HAPLOTYPE_CODE", message).with("locus", i as f64));
        }
    }
    Ok(())
}

enum Sink {
    Plain(Vec<u8>),
    Bgzf(BgzfWriter<Vec<u8>>),
}

impl Sink {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Plain(out) => {
                out.extend_from_slice(bytes);
                Ok(())
            }
            Self::Bgzf(out) => out.write(bytes),
        }
    }

    fn offset(&self) -> u64 {
        match self {
            Self::Plain(_) => 0,
            Self::Bgzf(out) => out.offset(),
        }
    }

    fn ready(&self) -> usize {
        match self {
            Self::Plain(out) => out.len(),
            Self::Bgzf(out) => out.inner().len(),
        }
    }

    fn take(&mut self) -> Vec<u8> {
        match self {
            Self::Plain(out) => std::mem::take(out),
            Self::Bgzf(out) => std::mem::take(out.inner_mut()),
        }
    }

    fn finish(&mut self) -> Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Bgzf(out) => out.end(),
        }
    }
}
