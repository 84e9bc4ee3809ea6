//! The output's header: the input's lines, and a line for everything the records name that it leaves out.

use std::collections::HashSet;

use x_simd::Result;

use super::Field;
use crate::header::{Header, ValueType};
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
        let known = |kind: &str, id: &str| match kind {
            "FILTER" => loci.header.filters.iter().any(|f| f == id),
            "INFO" => loci.header.info.contains_key(id),
            _ => loci.header.format.contains_key(id),
        };
        if !known("FILTER", "PASS") {
            lines.insert(1, "##FILTER=<ID=PASS,Description=\"All filters passed\">".to_owned());
        }
        if !lines.iter().any(|l| l.starts_with(&format!("##contig=<ID={}", loci.chrom)))
            || loci.header.contig_index(&loci.chrom).is_none()
        {
            lines.push(format!("##contig=<ID={}>", loci.chrom));
        }
        let mut names: Vec<(&str, String, &str)> = vec![
            ("INFO", "AC".into(), "Number=A,Type=Integer,Description=\"Count of each ALT allele\""),
            ("INFO", "AN".into(), "Number=1,Type=Integer,Description=\"Alleles in called genotypes\""),
            ("FORMAT", "GT".into(), "Number=1,Type=String,Description=\"Genotype\""),
        ];
        let undeclared = undeclared(loci);
        names.extend(undeclared.0.into_iter().map(|f| ("FILTER", f, "Description=\"Not declared in the input\"")));
        let text = "Number=.,Type=String,Description=\"Not declared in the input\"";
        let flag = "Number=0,Type=Flag,Description=\"Not declared in the input\"";
        names.extend(undeclared.1.into_iter().map(|(id, is_flag)| ("INFO", id, if is_flag { flag } else { text })));
        for (kind, id, rest) in names {
            if !known(kind, &id) {
                lines.push(format!("##{kind}=<ID={id},{rest}>"));
            }
        }
        for Field { id, description, number } in fields {
            if !known("FORMAT", id) {
                let description = description.replace('"', "'");
                lines.push(format!("##FORMAT=<ID={id},Number={number},Type=Float,Description=\"{description}\">"));
            }
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
