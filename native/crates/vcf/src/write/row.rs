//! The rows of the output in order: what was phased, and what was left out where it is asked for.

use std::sync::Arc;

use x_simd::Result;

use super::{RowSource, WriteOptions};
use crate::loci::{ExcludedRow, Loci, Row, is_sequence};
use crate::record::{ALT, FILTER, HAPLOID, ID, INFO, MISSING, PHASED, QUAL, REF, column};

/// One record to be written.
#[derive(Default)]
pub struct OutRow {
    pub position: u32,
    /// `ID REF ALT QUAL FILTER INFO`; AC and AN are counted anew when the row is written.
    pub site: Vec<u8>,
    pub alleles: usize,
    /// Two a sample.
    pub genotypes: Vec<u8>,
    pub flags: Vec<u8>,
    /// The floats of each field beside GT, sample by sample, NaN written as missing; empty when the row has none of them.
    pub extra: Vec<Vec<f32>>,
}

impl OutRow {
    /// `ID REF>ALT`, for messages.
    pub fn name(&self) -> String {
        let [id, reference, alt] =
            [ID, REF, ALT].map(|i| String::from_utf8_lossy(column(&self.site, i)).chars().take(30).collect::<String>());
        format!("({id} {reference}>{alt})")
    }
}

/// Where the writing is: a row of a locus, or of an excluded position.
pub struct Rows {
    loci: Arc<Loci>,
    /// Two codes a sample, locus-major; the calls as read when `None`.
    codes: Option<Arc<Vec<u8>>>,
    options: WriteOptions,
    locus: usize,
    excluded: usize,
    row: usize,
}

impl Rows {
    pub fn new(loci: Arc<Loci>, codes: Option<Arc<Vec<u8>>>, options: WriteOptions) -> Self {
        Self { loci, codes, options, locus: 0, excluded: 0, row: 0 }
    }
}

impl RowSource for Rows {
    fn done(&self) -> usize {
        self.locus
    }

    fn next(&mut self, out: &mut OutRow) -> Result<bool> {
        let (loci, options) = (self.loci.clone(), &self.options);
        if options.keep_excluded
            && let Some(excluded) = loci.excluded.get(self.excluded)
            && loci.positions.get(self.locus).is_none_or(|&p| excluded.position < p)
        {
            left_out(excluded.position, &excluded.rows[self.row], out);
            self.row += 1;
            if self.row == excluded.rows.len() {
                (self.excluded, self.row) = (self.excluded + 1, 0);
            }
            return Ok(true);
        }
        if self.locus >= loci.len() {
            return Ok(false);
        }
        let rows = loci.rows_of(self.locus);
        let joined = options.join && rows.len() > 1;
        let codes = self.codes.as_ref().map(|c| &c[..]);
        phased(&loci, self.locus, (!joined).then_some(self.row), codes, out);
        let n = loci.samples.len();
        out.extra.resize(options.extra.len(), Vec::new());
        for (values, extra) in out.extra.iter_mut().zip(&options.extra) {
            values.clear();
            let width = n * extra.field.number;
            values.extend_from_slice(&extra.values[self.locus * width..(self.locus + 1) * width]);
            if extra.field.heterozygous {
                let same = out.genotypes.chunks_exact(2).map(|pair| pair[0] == pair[1]);
                let of = values.chunks_exact_mut(extra.field.number);
                of.zip(same).filter(|v| v.1).for_each(|v| v.0.fill(f32::NAN));
            }
        }
        self.row += 1;
        if joined || self.row == rows.len() {
            (self.locus, self.row) = (self.locus + 1, 0);
        }
        Ok(true)
    }
}

fn left_out(position: u32, row: &ExcludedRow, out: &mut OutRow) {
    out.position = position;
    out.genotypes.clear();
    out.genotypes.extend_from_slice(&row.genotypes);
    out.flags.clear();
    out.flags.extend(row.flags.iter().map(|f| f & HAPLOID));
    out.extra.clear();
    let alts = column(&row.site, ALT);
    out.alleles = if alts == b"." { 1 } else { 1 + alts.split(|&b| b == b',').count() };
    out.site = row.site.to_vec();
}

/// A row of a locus, or with `None` the locus as one record.
fn phased(loci: &Loci, locus: usize, number: Option<usize>, codes: Option<&[u8]>, out: &mut OutRow) {
    let n = loci.samples.len();
    let row = number.map(|i| &loci.rows_of(locus)[i]);
    let calls = loci.calls_of(locus);
    let written = codes.map_or(calls, |c| &c[locus * 2 * n..(locus + 1) * 2 * n]);
    let read = loci.flags_of(locus);
    out.position = loci.positions[locus];
    out.genotypes.clear();
    out.flags.clear();
    let allele = |code: u8| match row {
        Some(row) if code != MISSING => row.allele(code),
        _ => code,
    };
    out.genotypes.extend(written.iter().map(|&c| allele(c)));
    for s in 0..n {
        let haploid = read[s] & HAPLOID != 0 && written[2 * s] == written[2 * s + 1];
        let bar = if codes.is_some() { PHASED } else { read[s] & PHASED };
        out.flags.push(if haploid { HAPLOID | PHASED } else { bar });
    }
    if let (Some(number), Some(row)) = (number, row) {
        restore(loci, locus, number, written, out);
        out.alleles = row.codes.len() + 1;
        out.site = row.site.to_vec();
    } else {
        out.alleles = usize::from(loci.codes[locus]);
        out.site = join(loci.rows_of(locus));
    }
}

impl Loci {
    /// A row of a locus as it is written when nothing was phased.
    pub(crate) fn row_as_read(&self, locus: usize, row: usize) -> ExcludedRow {
        let mut out = OutRow::default();
        phased(self, locus, Some(row), None, &mut out);
        let [genotypes, flags] = [out.genotypes, out.flags].map(Vec::into_boxed_slice);
        ExcludedRow { site: self.rows_of(locus)[row].site.clone(), genotypes, flags }
    }
}

/// Where other rows of the position were missing, this row's own alleles stay what they were, missing or not.
fn restore(loci: &Loci, locus: usize, row: usize, written: &[u8], out: &mut OutRow) {
    for holes in loci.holes_of(locus) {
        let s = holes.sample as usize;
        let codes = [written[2 * s], written[2 * s + 1]];
        if !holes.restore(row, codes, &mut out.genotypes[2 * s..2 * s + 2]) {
            out.flags[s] &= !PHASED;
        }
    }
}

impl Loci {
    /// ID, REF and ALTs of a locus as one record has them.
    pub fn site(&self, locus: usize) -> [String; 3] {
        let site = join(self.rows_of(locus));
        [ID, REF, ALT].map(|i| String::from_utf8_lossy(column(&site, i)).into_owned())
    }
}

/// One site for all rows of a position: the longest REF, ALTs by code, what the rows agree on.
fn join(rows: &[Row]) -> Vec<u8> {
    // By code: the same bytes in whatever order the rows came.
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by_key(|r| r.codes.iter().min());
    let rows = &rows[..];
    let longest = rows.iter().map(|r| column(&r.site, REF)).max_by_key(|r| r.len()).unwrap_or(b".");
    let mut alts: Vec<(u8, Vec<u8>)> = Vec::new();
    for &row in rows {
        for (alt, &code) in column(&row.site, ALT).split(|&b| b == b',').zip(row.codes.iter()) {
            let mut text = alt.to_vec();
            if is_sequence(alt) {
                text.extend_from_slice(&longest[column(&row.site, REF).len()..]);
            }
            alts.push((code, text));
        }
    }
    alts.sort();
    let alts: Vec<Vec<u8>> = alts.into_iter().map(|a| a.1).collect();
    let ids = union(rows, ID, b";", &[b"."]);
    let filters = union(rows, FILTER, b";", &[b".", b"PASS"]);
    let passed = rows.iter().all(|r| column(&r.site, FILTER) == b"PASS");
    let quality = column(&rows[0].site, QUAL);
    let agreed = rows.iter().all(|r| column(&r.site, QUAL) == quality);
    let info = column(&rows[0].site, INFO).split(|&b| b == b';');
    let shared: Vec<&[u8]> = info
        .filter(|e| rows.iter().all(|r| column(&r.site, INFO).split(|&b| b == b';').any(|other| other == *e)))
        .collect();
    let or = |text: Vec<u8>, empty: &[u8]| if text.is_empty() { empty.to_vec() } else { text };
    [
        or(ids, b"."),
        longest.to_vec(),
        alts.join(&b","[..]),
        if agreed { quality.to_vec() } else { b".".to_vec() },
        or(filters, if passed { b"PASS" } else { b"." }),
        or(shared.join(&b";"[..]), b"."),
    ]
    .join(&b"\t"[..])
}

/// Different entries of a list column over the rows, in their order.
fn union<'a>(rows: &[&'a Row], i: usize, separator: &[u8], leave_out: &[&[u8]]) -> Vec<u8> {
    let mut found: Vec<&'a [u8]> = Vec::new();
    for entry in rows.iter().flat_map(|r| column(&r.site, i).split(|&b| b == b';')) {
        if !leave_out.contains(&entry) && !found.contains(&entry) {
            found.push(entry);
        }
    }
    found.join(separator)
}

/// `NAME=value` as its parts.
pub fn entry(entry: &[u8]) -> (&[u8], Option<&[u8]>) {
    match entry.iter().position(|&b| b == b'=') {
        Some(at) => (&entry[..at], Some(&entry[at + 1..])),
        None => (entry, None),
    }
}

/// Puts the counts of this record's own genotypes in the place of the AC and AN it had, or at the end of INFO.
pub fn count(out: &mut OutRow) {
    let mut counts = vec![0u32; out.alleles.max(1)];
    for (pair, flags) in out.genotypes.chunks_exact(2).zip(&out.flags) {
        let once = &pair[..if flags & HAPLOID != 0 { 1 } else { 2 }];
        once.iter().filter(|&&a| a != MISSING).for_each(|&a| counts[usize::from(a)] += 1);
    }
    let ac = counts[1..].iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    let an = counts.iter().sum::<u32>().to_string();
    let site = std::mem::take(&mut out.site);
    let start = site.iter().rposition(|&b| b == b'\t').map_or(0, |i| i + 1);
    out.site.extend_from_slice(&site[..start]);
    let mut entries: Vec<Vec<u8>> = Vec::new();
    let (mut has_ac, mut has_an) = (false, false);
    for old in site[start..].split(|&b| b == b';') {
        match entry(old).0 {
            b"." | b"" => {}
            b"AC" if ac.is_empty() || std::mem::replace(&mut has_ac, true) => {}
            b"AC" => entries.push(format!("AC={ac}").into_bytes()),
            b"AN" if std::mem::replace(&mut has_an, true) => {}
            b"AN" => entries.push(format!("AN={an}").into_bytes()),
            _ => entries.push(old.to_vec()),
        }
    }
    if !has_ac && !ac.is_empty() {
        entries.push(format!("AC={ac}").into_bytes());
    }
    if !has_an {
        entries.push(format!("AN={an}").into_bytes());
    }
    out.site.extend_from_slice(&entries.join(&b";"[..]));
}
