//! The rows of ligated files, one file after the other, each up to where the next takes over.

use x_simd::Result;

use super::Ligation;
use crate::reader::Reader;
use crate::record::{PHASED, Record, Wanted};
use crate::write::{OutRow, RowSource};

/// The rows of all files in order.
pub struct LigatedRows {
    ligation: Ligation,
    part: usize,
    reader: Option<Reader>,
    /// Column in the present file of each sample.
    order: Vec<usize>,
    record: Record,
    done: usize,
    last: u32,
}

impl LigatedRows {
    pub(super) fn new(ligation: Ligation) -> Self {
        Self { ligation, part: 0, reader: None, order: Vec::new(), record: Record::default(), done: 0, last: 0 }
    }
}

impl RowSource for LigatedRows {
    fn next(&mut self, out: &mut OutRow) -> Result<bool> {
        loop {
            let Some(path) = self.ligation.paths.get(self.part) else { return Ok(false) };
            if self.reader.is_none() {
                let mut reader = Reader::open(path)?;
                let fields = self.ligation.fields.iter().map(|f| (f.id.clone(), f.number)).collect();
                reader.want(Wanted { fields, ..Wanted::default() });
                let names = &reader.header.samples;
                let find = |s: &String| names.iter().position(|n| n == s);
                self.order = self.ligation.samples.iter().filter_map(find).collect();
                self.reader = Some(reader);
            }
            let (from, to) = self.ligation.span(self.part);
            let more = match &mut self.reader {
                Some(reader) => reader.next(&mut self.record)?,
                None => false,
            };
            if !more || self.record.position > to {
                (self.reader, self.part) = (None, self.part + 1);
                continue;
            }
            if self.record.position > from {
                self.fill(out);
                return Ok(true);
            }
        }
    }

    fn done(&self) -> usize {
        self.done
    }
}

impl LigatedRows {
    fn fill(&mut self, out: &mut OutRow) {
        let r = &self.record;
        self.done += usize::from(r.position != self.last);
        self.last = r.position;
        out.position = r.position;
        out.alleles = r.alleles;
        out.site.clone_from(&r.site);
        // A row has the fields up to the last that it came with.
        let fields = &self.ligation.fields;
        out.extra.resize(r.fields.iter().rposition(|v| !v.is_empty()).map_or(0, |i| i + 1), Vec::new());
        out.extra.iter_mut().for_each(Vec::clear);
        out.genotypes.clear();
        out.flags.clear();
        for (&s, &swap) in self.order.iter().zip(&self.ligation.swaps[self.part]) {
            let (a, b, flags) = (r.genotypes[2 * s], r.genotypes[2 * s + 1], r.flags[s]);
            // What is not phased has no order to turn.
            let turned = swap && flags & PHASED != 0;
            out.genotypes.extend(if turned { [b, a] } else { [a, b] });
            out.flags.push(flags);
            for ((field, extra), values) in fields.iter().zip(&mut out.extra).zip(&r.fields) {
                let at = extra.len();
                match values.get(s * field.number..(s + 1) * field.number) {
                    Some(of) => extra.extend_from_slice(of),
                    None => extra.resize(at + field.number, f32::NAN),
                }
                if turned {
                    extra[at..].reverse();
                }
            }
        }
    }
}
