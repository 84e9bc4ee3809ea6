//! The output's header: the input's lines, and a line for everything the records name that it leaves out.

use std::collections::HashSet;

use x_simd::Result;

use super::Field;
use crate::header::{Header, ValueType, declares, shape};
use crate::loci::Loci;
use crate::record::{FILTER, INFO, column};

pub struct OutHeader {
    pub parsed: Header,
    text: String,
    pub contigs: usize,
    pub contig: usize,
}

impl OutHeader {
    pub fn new(loci: &Loci, fields: &[Field], more: &[String]) -> Result<Self> {
        let mut lines = loci.header.lines.clone();
        if !lines.first().is_some_and(|l| l.starts_with("##fileformat=")) {
            lines.insert(0, "##fileformat=VCFv4.3".to_owned());
        }
        if !loci.header.filters.iter().any(|f| f == "PASS") {
            lines.insert(1, "##FILTER=<ID=PASS,Description=\"All filters passed\">".to_owned());
        }
        if !lines.iter().any(|l| l.starts_with(&format!("##contig=<ID={}", loci.chrom)))
            || loci.header.contig_index(&loci.chrom).is_none()
        {
            lines.push(format!("##contig=<ID={}>", loci.chrom));
        }
        // Values are written as these lines say, whatever the input's own said of the name.
        for (kind, id, rest) in [
            ("INFO", "AC", "Number=A,Type=Integer,Description=\"Count of each ALT allele\""),
            ("INFO", "AN", "Number=1,Type=Integer,Description=\"Alleles in called genotypes\""),
            ("FORMAT", "GT", "Number=1,Type=String,Description=\"Genotype\""),
        ] {
            let line = format!("##{kind}=<ID={id},{rest}>");
            let old = lines.iter().find(|l| declares(l, kind, id));
            if old.is_none_or(|old| shape(old, kind) != shape(&line, kind)) {
                declare(&mut lines, kind, id, line);
            }
        }
        let (filters, infos) = undeclared(loci);
        lines.extend(filters.iter().map(|f| format!("##FILTER=<ID={f},Description=\"Not declared in the input\">")));
        lines.extend(infos.iter().map(|(id, flag)| {
            let kind = if *flag { "Number=0,Type=Flag" } else { "Number=.,Type=String" };
            format!("##INFO=<ID={id},{kind},Description=\"Not declared in the input\">")
        }));
        for Field { id, description, number, .. } in fields {
            // Passed on as it came.
            if description.is_empty() && lines.iter().any(|l| declares(l, "FORMAT", id)) {
                continue;
            }
            let description = description.replace('"', "'");
            let line = format!("##FORMAT=<ID={id},Number={number},Type=Float,Description=\"{description}\">");
            declare(&mut lines, "FORMAT", id, line);
        }
        lines.extend(more.iter().map(|l| l.replace(['\n', '\r'], " ")));
        let mut columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT".to_owned();
        loci.samples.iter().for_each(|s| {
            columns.push('\t');
            columns.push_str(s);
        });
        lines.push(columns);
        let mut parsed = Header::parse(lines.iter().map(String::as_bytes))?;
        parsed.info.insert("AC".into(), ValueType::Integer);
        parsed.info.insert("AN".into(), ValueType::Integer);
        let contig = parsed.contig_index(&loci.chrom).unwrap_or(0);
        lines.push(String::new());
        Ok(Self { contigs: parsed.contigs.len(), contig, text: lines.join("\n"), parsed })
    }

    pub fn bytes(&self, bcf: bool) -> Vec<u8> {
        if !bcf {
            return self.text.as_bytes().to_vec();
        }
        let mut out = b"BCF\x02\x02".to_vec();
        out.extend_from_slice(&(self.text.len() as u32 + 1).to_le_bytes());
        out.extend_from_slice(self.text.as_bytes());
        out.push(0);
        out
    }

    /// What the index must be able to hold.
    pub fn contig_length(&self, loci: &Loci) -> u64 {
        let declared = self.parsed.contigs.get(self.contig).and_then(|c| c.as_ref()?.1).unwrap_or(0);
        // A long deletion may reach beyond its position; one more level of bins costs nothing.
        declared.max(loci.positions.last().map_or(0, |&p| u64::from(p) + 1))
    }
}

/// Puts a line in the place of those that declare the name, or at the end.
fn declare(lines: &mut Vec<String>, kind: &str, id: &str, line: String) {
    let at = lines.iter().position(|l| declares(l, kind, id)).unwrap_or(lines.len());
    lines.retain(|l| !declares(l, kind, id));
    lines.insert(at, line);
}

/// FILTER names, and INFO names with whether they stand without a value, that records use and the header lacks.
fn undeclared(loci: &Loci) -> (Vec<String>, Vec<(String, bool)>) {
    let (mut filters, mut infos) = (Vec::new(), Vec::new());
    let mut seen: HashSet<(bool, Vec<u8>)> = HashSet::new();
    let sites =
        loci.rows.iter().map(|r| &r.site).chain(loci.excluded.iter().flat_map(|e| e.rows.iter().map(|r| &r.site)));
    for site in sites {
        for name in column(site, FILTER).split(|&b| b == b';') {
            if name != b"." && name != b"PASS" && seen.insert((true, name.to_vec())) {
                let name = String::from_utf8_lossy(name).into_owned();
                if !loci.header.filters.contains(&name) {
                    filters.push(name);
                }
            }
        }
        for entry in column(site, INFO).split(|&b| b == b';') {
            let (name, value) = super::row::entry(entry);
            if name != b"." && !name.is_empty() && seen.insert((false, name.to_vec())) {
                let name = String::from_utf8_lossy(name).into_owned();
                if !loci.header.info.contains_key(&name) && name != "AC" && name != "AN" {
                    infos.push((name, value.is_none()));
                }
            }
        }
    }
    (filters, infos)
}
